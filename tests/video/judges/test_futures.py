"""Several futures: the best of them, and how unlike they are."""

from itertools import pairwise

import pytest
import torch

from .conftest import clips, numbers


def test_the_best_counts_clip_by_clip():
    true = torch.zeros(2, 2, 1, 12, 12)
    levels = {0: (0.1, 0.5), 1: (0.3, 0.2), 2: (0.4, 0.4)}  # by draw, of either clip
    drawn = {draw: torch.tensor(rows).view(2, 1, 1, 1, 1).expand_as(true) for draw, rows in levels.items()}
    found = numbers("futures", drawn[0], true, again=drawn.__getitem__, futures=3)
    assert found["best_mse"] == pytest.approx(144 * (0.01 + 0.04) / 2)
    assert found["mean_mse"] == pytest.approx(144 * (0.01 + 0.25 + 0.09 + 0.04 + 0.16 + 0.16) / 6)
    assert found["best_psnr"] == pytest.approx((20 + 13.9794) / 2, rel=1e-5)
    assert found["diversity"] == pytest.approx((0.25 + 0.2 + 0.15) / 3)


def test_more_futures_are_never_worse():
    true = clips(3, 2, 1, 12, 12)
    first = clips(3, 2, 1, 12, 12, seed=9)
    found = [
        numbers("futures", first, true, again=lambda k: clips(3, 2, 1, 12, 12, seed=k), futures=n) for n in (2, 4, 8)
    ]
    for few, many in pairwise(found):
        assert many["best_mse"] <= few["best_mse"]
        assert many["best_ssim"] >= few["best_ssim"]


def test_without_noise_there_are_no_futures_and_baselines_are_what_they_are():
    made, true = clips(3, 2, 1, 12, 12), clips(3, 2, 1, 12, 12, seed=1)
    assert numbers("futures", made, true) == {}
    found = numbers("futures", made, true, again=lambda k: made.clone(), futures=3)
    assert found["diversity"] == 0
    assert found["best_mse"] == pytest.approx(numbers("error", made, true)["mse"])
