"""The classifier that helps a conversion."""

from __future__ import annotations

import pytest
import torch
from wganx_audio.networks.classifier import LabelClassifier

from wganx import SampleFormat

FORMAT = SampleFormat(
    axes=("channel", "frequency", "frame"),
    shape=(1, 32, 32),
    rate_hz=8000.0,
    signal={"representation": "linear", "window": 64, "hop": 16, "mean": [-4.0] * 32, "reach": [4.0] * 32},
)
LABELS = {"voice": SampleFormat.label(("anna", "boris", "clara")), "word": SampleFormat.label(("yes", "no"))}


def classifier(**options: float) -> LabelClassifier:
    torch.manual_seed(0)
    return LabelClassifier(FORMAT, LABELS, 4, prosody=bool(options.pop("prosody", False)), **options)


def sounds(frames: int = 32) -> torch.Tensor:
    return torch.rand(3, 1, 32, frames, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


@pytest.mark.parametrize("prosody", [False, True])
@pytest.mark.parametrize("frames", [16, 32, 77])
def test_it_answers_for_every_label_whatever_the_length(prosody, frames):
    found = classifier(prosody=prosody)(sounds(frames))
    assert {name: tuple(logits.shape) for name, logits in found.items()} == {"voice": (3, 3), "word": (3, 2)}


def test_a_row_s_answer_does_not_depend_on_the_others():
    network = classifier(prosody=True)
    together, alone = network(sounds()), network(sounds()[1:2])
    for name in LABELS:
        torch.testing.assert_close(together[name][1:2], alone[name], atol=1e-5, rtol=1e-4)


def test_noise_lies_on_what_it_is_shown_while_it_learns_and_never_after():
    network = classifier(noise=0.2)
    assert not torch.equal(network(sounds())["voice"], network(sounds())["voice"])
    network.eval()
    assert torch.equal(network(sounds())["voice"], network(sounds())["voice"])
    assert torch.equal(network(sounds())["voice"], classifier().eval()(sounds())["voice"])
