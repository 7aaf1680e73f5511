"""The search for phases: it comes nearer with more overlap and iterations, and by good beginnings."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from wganx_audio.representations import Representation


def back(representation: Representation, voices: Tensor, **how: object) -> Tensor:
    return representation.decode(representation.encode(voices), **how)


def test_more_overlap_and_more_iterations_come_nearer(fitted, voices, convergence) -> None:
    """The order of the study: half overlap costs most, and 60 iterations are worth their time."""
    quarter = convergence(back(fitted(window=256, hop=64), voices), voices)
    half = convergence(back(fitted(window=256, hop=128), voices), voices)
    few = convergence(back(fitted(window=256, hop=64, iterations=8), voices), voices)
    long_window = convergence(back(fitted(window=512, hop=128), voices), voices)
    assert quarter < 0.8 * half
    assert quarter < 0.8 * few
    assert long_window < quarter


def test_linear_comes_nearer_than_mel(fitted, voices, convergence) -> None:
    linear = convergence(back(fitted(representation="linear"), voices), voices)
    bands = [convergence(back(fitted(representation="mel", bands=bands), voices), voices) for bands in (40, 80)]
    assert linear < bands[1] < bands[0]


def test_the_phases_of_the_source_come_nearer_than_any_others(fitted, voices, convergence) -> None:
    representation = fitted(window=256, hop=128, iterations=16)
    own = convergence(back(representation, voices, phase_of=voices), voices)
    none = convergence(back(representation, voices), voices)
    assert own < 0.5 * none


def test_the_phases_of_a_softer_source_of_the_same_sound_are_the_same(fitted, voices) -> None:
    representation = fitted()
    samples = representation.encode(voices)
    loud, soft = (representation.decode(samples, phase_of=gain * voices) for gain in (1.0, 0.3))
    assert (loud - soft).abs().max() < 0.02


def test_the_seed_decides(fitted, voices) -> None:
    representation = fitted()
    samples = representation.encode(voices)
    first = representation.decode(samples, seed=1)
    torch.rand(5)  # whatever is drawn elsewhere
    assert torch.equal(representation.decode(samples, seed=1), first)
    assert not torch.equal(representation.decode(samples, seed=2), first)


def test_the_global_stream_is_left_as_it_was(fitted, voices) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(3)
    torch.manual_seed(3)
    back(fitted(), voices)
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize("iterations", [1, 60])
def test_a_sound_in_the_phase_of_itself_is_itself(fitted, voices, convergence, iterations: int) -> None:
    assert convergence(back(fitted(iterations=iterations), voices, phase_of=voices), voices) < 0.05
