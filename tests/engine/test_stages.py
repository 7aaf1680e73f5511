"""The stages of a training: found from what `at` returns, and the plan of each."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import wganx
from wganx import Batch
from wganx.engine.planning import stages
from wganx.engine.planning.memory import plan_largest, plan_memory
from wganx.engine.planning.stages import plan_stages
from wganx.engine.stages import Stage, stages_of


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_stages_that_follow_each_other_are_found_whatever_their_lengths(lengths):
    ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
    found = stages_of(lambda step: sum(step >= end for end in ends[:-1]), ends[-1])
    assert [stage.steps for stage in found] == lengths
    assert [stage.value for stage in found] == list(range(len(lengths)))
    assert (found[0].first, found[-1].last) == (0, ends[-1] - 1)


def test_of_very_many_stages_the_first_are_told():
    found = stages_of(lambda step: step, 10**6, most=5)
    assert found == [Stage(step, step, step) for step in range(5)]


def test_a_short_training():
    assert stages_of(lambda step: step, 1) == [Stage(0, 0, 0)]
    assert stages_of(lambda step: "all", 10**9) == [Stage(0, 10**9 - 1, "all")]


class Growing(nn.Module):
    """One layer of `width`, then from step 10 on another ten times as wide beside it."""

    def __init__(self, inputs, outputs, flat=False):
        super().__init__()
        self.grown, self.flat, self.told = False, flat, []
        self.small = nn.Sequential(nn.Linear(inputs, 8), nn.LeakyReLU(0.2), nn.Linear(8, outputs))
        self.large = nn.Sequential(nn.Linear(inputs, 80), nn.LeakyReLU(0.2), nn.Linear(80, outputs))

    def at(self, step):
        self.told.append(step)
        self.grown = step >= 10
        return "grown" if self.grown else "small"

    def forward(self, x):
        made = self.small(x) + (self.large(x) if self.grown else 0)
        return made.flatten() if self.flat else made


@pytest.fixture
def training():
    torch.manual_seed(0)
    trainer = wganx.Trainer(Growing(4, 2), Growing(2, 1, flat=True), noise=(4,), critic_steps=2, device="cpu")
    return trainer.training


def test_every_stage_is_planned_and_the_training_stays_where_it_was(training):
    batch = Batch(torch.randn(64, 2))
    before = {name: tensor.clone() for name, tensor in training.generator.state_dict().items()}
    draws = training.random.draws.get_state()
    small, grown = plan_stages(training, batch, 30)
    assert (small.stage.steps, grown.stage.steps) == (10, 20)
    assert (small.name, grown.name) == ("small", "grown")
    own = (4 * 8 + 8) + (8 * 2 + 2) + (2 * 8 + 8) + (8 + 1)
    assert small.parameters == own
    assert grown.parameters == own + (4 * 80 + 80) + (80 * 2 + 2) + (2 * 80 + 80) + (80 + 1)
    assert grown.operations > 5 * small.operations
    assert grown.memory.total > small.memory.total
    assert small.measured
    assert small.seconds > 0
    assert training.steps.stage == ("small", "small")
    assert not training.generator.grown
    assert torch.equal(training.random.draws.get_state(), draws)
    assert all(torch.equal(tensor, before[name]) for name, tensor in training.generator.state_dict().items())


def test_stages_that_would_take_too_long_are_reckoned_from_one_that_was_timed(training, monkeypatch):
    monkeypatch.setattr(stages, "MEASURED_SECONDS", 1e-9)
    monkeypatch.setattr(stages, "seconds_a_step", lambda training, batch, most: 2.0)
    monkeypatch.setattr(stages, "_rate", lambda device: 1e6)
    small, grown = plan_stages(training, Batch(torch.randn(64, 2)), 30)
    assert (small.measured, small.seconds) == (True, 2.0)
    assert not grown.measured
    assert grown.seconds == pytest.approx(2.0 + (grown.operations - small.operations) / 1e6)


def test_stages_that_have_no_place_in_memory_are_reckoned_alone(training, monkeypatch):
    monkeypatch.setattr(stages, "free_memory", lambda device: 1)
    monkeypatch.setattr(stages, "seconds_a_step", lambda *ignored, **also: pytest.fail("it was made"))
    monkeypatch.setattr(stages, "_rate", lambda device: 1e6)
    for stage in plan_stages(training, Batch(torch.randn(64, 2)), 30):
        assert (stage.measured, stage.seconds) == (False, stage.operations / 1e6)


def test_the_operations_of_a_linear_layer_are_counted_by_hand(training):
    """Two products a row forwards; backwards two of the same size for weights and inputs each, less the noise's."""
    few, many = (plan_stages(training, Batch(torch.randn(rows, 2)), 10)[0].operations for rows in (32, 64))
    assert many == 2 * few
    assert few % (2 * 32) == 0


def test_rows_at_once_are_chosen_for_the_largest_stage(training):
    batch = Batch(torch.randn(64, 2))
    assert training.stages(10) == [Stage(0, 9, ("small", "small"))]
    small, largest = plan_memory(training, batch), plan_largest(training, batch, 30)
    assert plan_largest(training, batch, 10) == small
    assert largest.total > small.total
