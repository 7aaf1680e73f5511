"""GroupSort against sorting by hand, at every rank."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.nn import GroupSort


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**16),
    group=st.integers(2, 4),
    groups=st.integers(1, 3),
    rest=st.lists(st.integers(1, 3), max_size=3),
)
def test_every_group_is_sorted_by_itself(seed: int, group: int, groups: int, rest: list[int]) -> None:
    x = torch.randn(2, group * groups, *rest, generator=torch.Generator().manual_seed(seed))
    y = GroupSort(group)(x)
    assert y.shape == x.shape
    for place in range(groups):
        channels = slice(place * group, (place + 1) * group)
        assert torch.equal(y[:, channels], x[:, channels].sort(dim=1).values)


def test_pairs_by_hand() -> None:
    assert GroupSort()(torch.tensor([[3.0, 1.0, -2.0, 5.0]])).tolist() == [[1.0, 3.0, -2.0, 5.0]]


@settings(deadline=None)
@given(seed=st.integers(0, 2**16), group=st.sampled_from([2, 3, 6]))
def test_a_gradient_keeps_its_length_and_no_two_points_move_apart(seed: int, group: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    x, other, upstream = torch.randn(3, 4, 6, 2, generator=rng, dtype=torch.float64).unbind(0)
    x.requires_grad_(True)
    y = GroupSort(group)(x)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    torch.testing.assert_close(gradient.norm(), upstream.norm())
    assert (y - GroupSort(group)(other)).norm() <= (x - other).norm() + 1e-12


def test_it_differentiates_twice() -> None:
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: GroupSort()(x).square(), x)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 5), r"cannot sort 5 channels in groups of 2; give the layer before it a multiple of 2 channels"),
        ((4,), r"cannot sort an input of shape \(4,\) without channels in groups of 2"),
    ],
)
def test_channels_that_do_not_divide_are_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GroupSort()(torch.zeros(shape))


def test_a_group_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="groups of at least 2 channels, got group=1"):
        GroupSort(1)
