"""Samples made ready for a critic: the unit, the shift, the three parts."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.wasserstein.estimation.split import split

CPU = torch.device("cpu")


def normal(n: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parts(x, y, heldout=0.5, seed=0):
    return split(x, y, heldout, CPU, torch.Generator().manual_seed(seed))


def rows(*tensors: torch.Tensor) -> set[tuple[float, ...]]:
    return {tuple(row) for tensor in tensors for row in tensor.tolist()}


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_units_and_origin_do_not_matter(factor, offset):
    x, y = normal(60, 3), normal(50, 3, seed=1) + 1
    plain, other = parts(x, y), parts(factor * (x + offset), factor * (y + offset))
    assert other.scale == pytest.approx(factor * plain.scale, rel=1e-9)
    for name in ("train", "choose", "heldout"):
        for side in ("x", "y"):
            a, b = (getattr(getattr(found, name), side) for found in (plain, other))
            assert torch.allclose(a, b, atol=1e-5)


def test_the_unit_is_the_spread_along_a_typical_direction():
    x = normal(2000, 5)
    assert parts(3 * x, 3 * normal(2000, 5, seed=1)).scale == pytest.approx(3, rel=0.05)


def test_axes_that_hold_nothing_leave_the_unit_alone():
    x, y = normal(500, 2), normal(500, 2, seed=1) + 1
    wide = [torch.cat([side, torch.zeros(500, 300, dtype=torch.float64)], 1) for side in (x, y)]
    assert parts(*wide).scale == pytest.approx(parts(x, y).scale, rel=1e-9)


def test_distances_between_points_are_divided_by_the_unit():
    x, y = normal(40, 4), normal(30, 4, seed=1)
    found = parts(x, y)
    part = found.heldout
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    first = x[order][: len(part.x)]
    assert torch.allclose(torch.cdist(part.x, part.x) * found.scale, torch.cdist(first, first).float(), atol=1e-5)


def test_the_parts_are_disjoint_and_complete():
    x, y = normal(101, 2), normal(57, 2, seed=1)
    found = parts(x, y, heldout=0.4)
    for side, count, kept in (("x", 101, 40), ("y", 57, 23)):
        pieces = [getattr(part, side) for part in (found.train, found.choose, found.heldout)]
        assert sum(len(piece) for piece in pieces) == len(rows(*pieces)) == count
        assert len(pieces[2]) == kept
    assert found.n == (101, 57)
    assert found.dim == 2


def test_the_same_rows_are_held_out_on_both_sides():
    x = normal(80, 3)
    found = parts(x, x + 5)
    assert torch.allclose((found.heldout.y - found.heldout.x) * found.scale, torch.tensor(5.0), atol=1e-4)


@pytest.mark.parametrize("heldout", [0.001, 0.999])
def test_no_part_is_empty(heldout):
    found = parts(normal(20, 1), normal(20, 1, seed=1), heldout)
    assert min(len(part.x) for part in (found.train, found.choose, found.heldout)) >= 3


def test_whole_numbers_are_not_rounded_away():
    x = torch.arange(100)[:, None] + 2**40
    found = parts(x, x + 1)
    assert torch.allclose((found.heldout.y - found.heldout.x) * found.scale, torch.tensor(1.0), atol=1e-3)


def test_identical_samples_have_the_unit_one():
    assert parts(torch.ones(20, 2), torch.ones(20, 2)).scale == 1.0
