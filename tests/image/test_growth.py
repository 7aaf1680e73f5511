"""The schedule of growth, against its closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wganx_image.growth import Growth

from wganx import ConfigError

SCHEDULES = st.builds(
    lambda start, doublings, first, stage, fade: Growth(start * 2**doublings, start, first, stage, min(fade, stage)),
    st.sampled_from([4, 8, 16]), st.integers(0, 6), st.integers(1, 20), st.integers(1, 20), st.integers(0, 20),
)  # fmt: skip


@given(SCHEDULES, st.integers(0, 200))
def test_a_share_is_never_zero_and_never_above_one(growth: Growth, step: int) -> None:
    stage = growth.at(step)
    assert 0 < stage.share <= 1
    assert stage.fading or stage.share == 1


@given(SCHEDULES)
def test_every_stage_is_entered_in_turn_and_every_fade_ends(growth: Growth) -> None:
    stages = [growth.at(step) for step in range(growth.steps + 5)]
    assert list(dict.fromkeys(stage.size for stage in stages)) == list(growth.sizes)
    assert growth.sizes[-1] == growth.size
    for before, after in pairwise(stages):
        assert (after.size, after.share) >= (before.size, before.share)
    for size in growth.sizes[1:]:
        fade = [stage.share for stage in stages if stage.size == size and stage.fading]
        assert fade == [(k + 1) / growth.fade_steps for k in range(growth.fade_steps)]
        assert sum(stage.size == size for stage in stages[: growth.steps]) == growth.stage_steps
    assert sum(stage.size == growth.start for stage in stages[: growth.steps]) == growth.first_steps
    assert str(stages[-1]) == f"{growth.size} px"


def test_the_steps_of_a_small_schedule() -> None:
    growth = Growth(16, 4, first_steps=2, stage_steps=3, fade_steps=2)
    assert [str(growth.at(step)) for step in range(9)] == [
        "4 px", "4 px", "fading to 8 px", "fading to 8 px", "8 px", "fading to 16 px", "fading to 16 px", "16 px",
        "16 px",
    ]  # fmt: skip
    assert [growth.at(step).share for step in range(2, 8)] == [0.5, 1.0, 1.0, 0.5, 1.0, 1.0]
    assert growth.steps == 8


def test_it_is_stored_and_read_as_plain_data() -> None:
    growth = Growth(64, 8, 3, 5, 2)
    assert Growth.of({"growth": growth.to_json()}, "critic") == growth


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"size": 28},
            "growth doubles the size and ends at 28 px, which is none of 4, 8, 16, 32, 64, 128, 256, 512, 1024: "
            "set dataset.size to one of these",
        ),
        (
            {"size": 16, "start": 32},
            "networks that start at 32 px do not fit pictures of 16 px: set task.start to a power of two from 4 to 16, "
            "or dataset.size to more",
        ),
        (
            {"size": 16, "start": 6},
            "networks that start at 6 px do not fit pictures of 16 px: set task.start to a power of two from 4 to 16, "
            "or dataset.size to more",
        ),
        (
            {"size": 16, "stage_steps": 5, "fade_steps": 6},
            "a fade of 6 steps does not fit into a stage of 5: lower task.fade_steps",
        ),
    ],
)
def test_what_does_not_suit_is_refused_in_one_line(settings: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Growth(**settings)
    assert str(refusal.value) == said


def test_networks_without_a_schedule_are_told_which_task_has_one() -> None:
    with pytest.raises(ConfigError) as refusal:
        Growth.of({}, "growing critic")
    assert str(refusal.value) == "the growing critic grows by the schedule of task.name=grow, and this task has none"
