"""What is fitted for a spectrogram: against all of it at once, however it is streamed."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations import describe, fit_moments, moments, representation_of, spread_runs

from wganx import DataError, Formats
from wganx.data import ArrayItems


@pytest.fixture(scope="module")
def items(voices, stored) -> ArrayItems:
    sound = (voices * 32767).round().to(torch.int16)
    return ArrayItems({"sample": torch.cat([sound, sound // 2, sound // 8])}, {"sample": stored()})


def fit(items: ArrayItems, **options: object) -> dict[str, torch.Tensor]:
    return dict(fit_moments(RepresentationConfig(**options), Formats(items.formats), items))


def logarithms(items: ArrayItems, stored, **options: object) -> torch.Tensor:
    """All of them at once ``(F, everything)``."""
    representation = representation_of(describe(RepresentationConfig(**options), stored(), None))
    wave = torch.stack([items[index]["sample"] for index in range(len(items))]).float() / 32768
    return representation.logarithms(wave).double().permute(2, 0, 1, 3).flatten(1)


@pytest.mark.parametrize("kind", ["linear", "mel", "phase"])
@pytest.mark.parametrize("run", [1, 5, 64])
def test_streamed_moments_are_those_of_all_at_once(items, stored, monkeypatch, kind: str, run: int) -> None:
    monkeypatch.setattr(moments, "_RUN", run)
    found, all_FV = fit(items, representation=kind), logarithms(items, stored, representation=kind)
    assert torch.allclose(found["mean"].double(), all_FV.mean(1), atol=1e-5)
    reach_F = torch.maximum(3 * all_FV.std(1, correction=0).clamp_min(0.05), all_FV.amax(1) - all_FV.mean(1))
    assert torch.allclose(found["reach"].double(), reach_F, atol=1e-4)


def test_samples_have_mean_zero_and_none_of_the_loud_is_cut_off(items, stored) -> None:
    found = fit(items)
    representation = representation_of(describe(RepresentationConfig(), stored(), found))
    wave = torch.stack([items[index]["sample"] for index in range(len(items))]).float() / 32768
    samples = representation.encode(wave)
    assert samples.mean((0, 1, 3)).abs().max() < 0.05
    assert (samples >= 1).float().mean() < 1e-3


def test_of_many_items_some_are_taken_and_memory_is_bounded(items, monkeypatch) -> None:
    monkeypatch.setattr(moments, "MOST_ITEMS", 6)
    monkeypatch.setattr(moments, "_RUN", 2)
    looked_at = []

    class Watched(ArrayItems):
        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            looked_at.append(index)
            return dict(super().__getitem__(index))

    fit(Watched({"sample": items.tensors["sample"]}, items.formats))
    assert looked_at == [0, 1, 6, 7, 12, 13]


def test_a_bin_that_never_moves_has_a_reach(stored) -> None:
    still = torch.zeros(3, 1, 8192, dtype=torch.int16)
    still[0, 0, 0] = 1
    found = fit(ArrayItems({"sample": still}, {"sample": stored()}))
    assert torch.allclose(found["reach"], torch.full((128,), 0.15))
    samples = representation_of(describe(RepresentationConfig(), stored(), found)).encode(torch.zeros(1, 1, 8192))
    assert samples.isfinite().all()


def test_a_waveform_needs_nothing(items) -> None:
    assert fit(items, representation="waveform") == {}


def test_single_items_are_enough(items) -> None:
    one = ArrayItems({"sample": items.tensors["sample"][:1]}, items.formats)
    assert all(value.isfinite().all() for value in fit(one).values())


@given(count=st.integers(1, 3000), most=st.integers(16, 2000))
def test_runs_lie_apart_all_over_the_items(count, most):
    runs = spread_runs(count, most)
    chosen = [index for run in runs for index in run]
    assert len(chosen) == len(set(chosen)) <= max(most, 16)
    assert 0 == chosen[0] <= chosen[-1] < count
    if count <= most - 16:
        assert chosen == list(range(count))
    elif len(runs) > 1:
        assert chosen[-1] >= count - 2 * count / len(runs) - 16


@pytest.mark.parametrize("kind", ["waveform", "linear"])
def test_of_silence_nothing_is_learnt(stored, kind: str) -> None:
    silence = torch.zeros(40, *stored().shape, dtype=torch.int16)
    with pytest.raises(DataError, match="nothing is heard in what is to be learnt from: every sample is 0; see"):
        fit(ArrayItems({"sample": silence}, {"sample": stored()}), representation=kind)
    silence[17, 0, 5] = 3
    fit(ArrayItems({"sample": silence}, {"sample": stored()}), representation=kind)
