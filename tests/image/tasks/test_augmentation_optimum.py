"""Changing what the critic sees, on both sides, leaves the optimum where it is, and alone where enough stays as it is.

A change is a map T of distributions. The game ends where T(made) = T(real), so the real distribution is an optimum, and
the only one where T takes no two distributions to the same.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from wganx_image.tasks.augmentation import augmented

import wganx


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(states=st.integers(2, 8), share=st.floats(0, 0.5), seed=st.integers(0, 1000))
def test_below_a_half_no_change_whatever_hides_a_difference(states: int, share: float, seed: int) -> None:
    """``|T p - T q| >= (1 - 2 share) |p - q|`` in total variation, for any Markov kernel."""
    p, q, *kernel = torch.rand(states + 2, states, generator=rng(seed), dtype=torch.float64).softmax(dim=1)
    change = (1 - share) * torch.eye(states, dtype=torch.float64) + share * torch.stack(kernel)
    seen = ((p - q) @ change).abs().sum()
    assert seen >= (1 - 2 * share) * (p - q).abs().sum() - 1e-12


def turned(x: Tensor, share: float, draws: torch.Generator) -> Tensor:
    """So large a share of points, turned by 0, 1, 2 or 3 quarters; the mean over these turns is a projection."""
    quarters = torch.randint(4, (len(x),), generator=draws)
    for count in (1, 2, 3):
        once_more = torch.stack([-x[:, 1], x[:, 0]], dim=1)
        x = torch.where((quarters >= count)[:, None], once_more, x)
    return x


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_a_leak_is_seen_in_proportion_to_what_stays(share: float) -> None:
    """Points at (2, 0), and a generator at (-2, 0), 4 apart: turned both alike, ``4 (1 - share)``, hidden at 1."""
    draws = rng()

    def shown(at: float) -> Tensor:
        x = torch.tensor([[at, 0.0]]).expand(500, 2).contiguous()
        stays = torch.rand(500, 1, generator=draws) >= share
        return torch.where(stays, x, turned(x, share, draws))

    assert float(wganx.exact_w1(shown(2.0), shown(-2.0))) == pytest.approx(4 * (1 - share), abs=0.35)


@pytest.mark.parametrize(("probability", "hides"), [(0.5, False), (0.7, False), (0.8, True)])
def test_shifts_hide_nothing_up_to_the_largest_adaptive_probability(probability: float, hides: bool) -> None:
    """The matrix that takes lines with one bright pixel to the lines that are seen: is it one to one?"""
    size, times = 16, 4000
    lines = torch.eye(size)[:, None, None, :].repeat_interleave(times, dim=0)
    seen = augmented(lines, ("translation",), probability, rng())
    _, which = seen.reshape(-1, size).unique(dim=0, return_inverse=True)
    matrix = torch.nn.functional.one_hot(which).float().reshape(size, times, -1).mean(dim=1)
    least = torch.linalg.svdvals(matrix).min().item()
    assert wganx.AdaptiveAugmentation().most == 0.7
    assert least < 0.05 if hides else least > 0.1


@pytest.mark.parametrize("name", ["colour", "translation", "cutout"])
def test_a_generator_of_changed_pictures_is_told_from_one_of_real_ones(name: Any) -> None:
    """Public complaints say that holes and borders turn up in samples. The critic must be able to see such a leak."""
    draws, corners = rng(), torch.rand(600, 1, 2, 2, generator=rng(1)) - 1
    real = torch.nn.functional.interpolate(corners, size=8)
    real, other = real[:300], real[300:]
    leaked = augmented(other, (name,), 1.0, draws)

    def apart(made: Tensor) -> float:
        shown = [augmented(x, (name,), 0.7, draws).flatten(1) for x in (real, made)]
        return float(wganx.exact_w1(*shown))

    assert apart(leaked) > 1.05 * apart(other)
