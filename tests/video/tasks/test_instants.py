"""Which instants a network makes, and on which grid others are approached."""

from __future__ import annotations

from fractions import Fraction

import pytest
from wganx_video.tasks.instants import Instants, Made

from wganx import UsageError

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def everywhere(step: int) -> bool:
    return True


@pytest.mark.parametrize(
    ("kept", "missing", "ratio", "grid"),
    [
        ((0, 2), (1,), 2, (2, 1)),
        ((0, 2), (1,), 8, (2, 3)),
        ((0, 2, 4, 6), (1, 3, 5), 4, (2, 2)),
        ((0, 2, 4, 6), (3,), 2, (2, 1)),
        ((0, 3), (1, 2), 3, (3, 1)),
        ((0, 3), (1, 2), 9, (3, 2)),
        ((0, 4), (1, 2, 3), 4, (4, 1)),
        ((0, 4), (1, 2, 3), 8, (2, 3)),
        # What is no power is approached on a grid four times as fine as it needs to be.
        ((0, 2), (1,), 3, (2, 4)),
        ((0, 2), (1,), Fraction(6, 5), (2, 3)),
    ],
)
def test_the_grid_is_what_the_network_makes_at_once_or_again_and_again(kept, missing, ratio, grid):
    assert Instants(kept, missing).grid(Fraction(ratio)) == grid


def test_a_network_that_makes_no_part_of_the_way_evenly_says_which_it_makes():
    with pytest.raises(UsageError, match="makes frames at 1/3 of the way between two alone"):
        Instants((0, 3), (1,)).grid(Fraction(2))


@pytest.mark.parametrize("kept", [(0, 1, 3, 4), (0,)])
def test_frames_are_kept_evenly(kept):
    with pytest.raises(UsageError, match="between evenly spaced ones"):
        Instants(kept, (2,))


def test_the_gap_in_the_middle_is_taken_where_there_are_frames_on_both_sides():
    instants = Instants((0, 2, 4, 6), (1, 3, 5))
    assert instants.choose(HALF, everywhere) == Made(gap=1, position=1)
    assert instants.choose(HALF, lambda step: step >= 0) == Made(gap=0, position=0)
    assert instants.choose(HALF, lambda step: step <= 1) == Made(gap=2, position=2)


def test_each_part_of_the_way_has_a_frame_of_its_own():
    instants = Instants((0, 3), (1, 2))
    assert instants.choose(THIRD, everywhere) == Made(0, 0)
    assert instants.choose(2 * THIRD, everywhere) == Made(0, 1)
