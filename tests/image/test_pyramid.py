"""Patches of a pyramid, and the likeness of pairs: against other libraries, and by what is known to be worse."""

from __future__ import annotations

import sys

import numpy as np
import ot
import pytest
import torch
from torch import Tensor
from wganx_image.configs.datasets import DigitsConfig
from wganx_image.datasets.arrays import open_digits
from wganx_image.pyramid import doubled, laplacian_pyramid, patch_distances, patches
from wganx_image.similarity import mean_similarity

from wganx import Batch, Config, DataContext, Game, MetricContext, MissingExtra, SampleFormat, Sides
from wganx.evaluation.degraded import blurred


class Pictures(Game):
    def __init__(self, size: int) -> None:
        self.sample = SampleFormat(axes=("channel", "height", "width"), shape=(1, size, size))

    def batch(self, items, rng, *, training):
        raise AssertionError("nothing is read")

    def baselines(self):
        return {}


def context(size: int) -> MetricContext:
    return MetricContext(config=Config(), game=Pictures(size), items=lambda split: None, features=lambda *_: None)


@pytest.fixture(scope="module")
def digits() -> Tensor:
    items = open_digits(DigitsConfig(size=32), "train", DataContext())
    return torch.stack([items[i]["sample"] for i in range(400)]).float() / 127.5 - 1


def distances(made: Tensor, real: Tensor) -> dict[str, float]:
    side = Batch(real)
    return dict(patch_distances(Sides(Batch(made), side, side), context(made.shape[-1])))


def test_the_levels_of_a_pyramid_sum_up_to_the_picture() -> None:
    x = torch.randn(3, 2, 64, 64)
    levels = list(laplacian_pyramid(x))
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    whole = levels[-1]
    for level in reversed(levels[:-1]):
        whole = level + doubled(whole)
    assert torch.allclose(whole, x, atol=1e-5)
    assert [level.shape[-1] for level in laplacian_pyramid(torch.zeros(1, 1, 16, 16))] == [16]
    assert [level.shape[-1] for level in laplacian_pyramid(torch.zeros(1, 1, 45, 45))] == [45]


def test_an_even_picture_has_no_detail() -> None:
    fine, coarse = laplacian_pyramid(torch.full((1, 1, 32, 32), 0.7))
    assert fine[:, :, 4:-4, 4:-4].abs().max() < 1e-6
    assert torch.allclose(coarse, torch.full((1, 1, 16, 16), 0.7), atol=1e-6)


def test_patches_are_windows_of_their_pictures() -> None:
    x = torch.arange(2 * 10 * 12, dtype=torch.float32).reshape(2, 1, 10, 12)
    found = patches(x, torch.Generator().manual_seed(0)).numpy()
    windows = np.lib.stride_tricks.sliding_window_view(x.numpy(), (7, 7), axis=(2, 3)).reshape(-1, 49)
    assert {tuple(patch) for patch in found.reshape(-1, 49).tolist()} == {tuple(each) for each in windows.tolist()}


def test_the_distance_of_all_patches_by_pot(digits: Tensor) -> None:
    """All 100 windows of each picture of 16 px, normalised by numpy and compared by POT."""
    one, other = digits[:60, :, ::2, ::2], blurred(digits[60:120, :, ::2, ::2], [2, 3], 1.0)

    def flat(x: Tensor) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(x.double().numpy(), (7, 7), axis=(2, 3)).reshape(-1, 49)
        return (windows - windows.mean()) / windows.std()

    expected = ot.sliced_wasserstein_distance(flat(one), flat(other), n_projections=200, p=1, seed=0)
    found = distances(one, other)
    assert found.keys() == {"patches"}
    assert found["patches"] == pytest.approx(expected, rel=0.15)


def test_more_blur_is_worse_and_fine_detail_goes_first(digits: Tensor) -> None:
    real, other = digits[:200], digits[200:]
    found = [distances(other, real), *(distances(blurred(other, [2, 3], spread), real) for spread in (0.6, 1.2, 2.4))]
    assert found[0].keys() == {"patches", "patches_32px", "patches_16px"}
    fine = [each["patches_32px"] for each in found]
    assert fine == sorted(fine)
    assert fine[3] > 2 * fine[0]
    for each in found:
        assert each["patches"] == pytest.approx((each["patches_32px"] + each["patches_16px"]) / 2)


def similarity(x: Tensor) -> dict[str, float]:
    side = Batch(x)
    return dict(mean_similarity(Sides(side, side, side), context(x.shape[-1])))


def test_likeness_of_pairs(digits: Tensor) -> None:
    metrics = pytest.importorskip("torchmetrics.image")
    found = similarity(digits[:100])["ms_ssim"]
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    betas = (0.0448 / 0.3304, 0.2856 / 0.3304)
    judge = metrics.MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0, betas=betas, normalize="relu")
    assert found == pytest.approx(float(judge(digits[order[:50]] / 2 + 0.5, digits[order[50:]] / 2 + 0.5)), abs=1e-4)
    assert similarity(digits[:1].expand(20, -1, -1, -1))["ms_ssim"] == pytest.approx(1, abs=1e-4)
    assert similarity(torch.rand(40, 1, 32, 32) * 2 - 1)["ms_ssim"] < 0.2 < found
    assert similarity(digits[:20, :, ::4, ::4]) == {}


def test_likeness_needs_torchmetrics(digits: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics.functional.image", None)
    with pytest.raises(MissingExtra, match=r'pip install "wganx\[metrics\]"'):
        similarity(digits[:20])
