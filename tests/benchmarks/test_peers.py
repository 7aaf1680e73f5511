"""What the comparison with other packages finds out about a step, on steps whose faults are known."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def conduct(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("peer_steps.conduct")


@pytest.fixture
def trainings(conduct: ModuleType) -> ModuleType:
    return importlib.import_module("trainings")


@pytest.mark.parametrize("name", ["textbook", "careful", "wganx"])
def test_a_right_step_is_recognised(conduct: ModuleType, trainings: ModuleType, name: str) -> None:
    setup = conduct.linear_setup(16, torch.device("cpu"), "fp32")
    found = conduct.take_apart(lambda setup: setup.make(trainings.VARIANTS[name]), setup)
    assert found.is_wgan_gp(16)
    assert found.difference == pytest.approx(1, abs=1e-4)
    assert found.weight == pytest.approx(10, abs=1e-3)


def wrong_training(setup: Any, *, half: bool = False, norm_of_batch: bool = False, one_weight: bool = False) -> Any:
    """The textbook step with faults that published packages have."""
    handwritten = importlib.import_module("handwritten")
    training = setup.make(importlib.import_module("trainings").VARIANTS["textbook"])
    steps = training.steps

    def update_critic(real: Tensor) -> None:
        steps.critic_optimizer.zero_grad()
        fake = steps.make_fake(len(real)).detach()
        weights = steps.weights(real)[:1] if one_weight else steps.weights(real)
        between = torch.lerp(real, fake, weights).requires_grad_(True)
        (slope,) = torch.autograd.grad(steps.critic(between).sum(), between, create_graph=True)
        norms = slope.norm() if norm_of_batch else slope.flatten(1).norm(dim=1)
        difference = steps.critic(fake).mean() - steps.critic(real).mean()
        loss = (0.5 if half else 1.0) * difference + handwritten.WEIGHT * ((norms - 1) ** 2).mean()
        loss.backward()
        steps.critic_optimizer.step()

    steps.update_critic = update_critic
    return training


def test_a_halved_score_difference_is_found(conduct: ModuleType) -> None:
    setup = conduct.linear_setup(16, torch.device("cpu"), "fp32")
    found = conduct.take_apart(lambda setup: wrong_training(setup, half=True), setup)
    assert found.difference == pytest.approx(0.5, abs=1e-4)
    assert not found.is_wgan_gp(16)


def test_one_norm_over_the_batch_is_found(conduct: ModuleType) -> None:
    setup = conduct.linear_setup(16, torch.device("cpu"), "fp32")
    found = conduct.take_apart(lambda setup: wrong_training(setup, norm_of_batch=True), setup)
    # The gradient of (√B s - 1)² over that of (s - 1)², at B = 16 and s = 2.
    assert found.weight == pytest.approx(10 * 4 * (4 * 2 - 1) / (2 - 1), rel=1e-4)
    assert not found.is_wgan_gp(16)


def test_one_interpolation_weight_for_the_batch_is_found(conduct: ModuleType) -> None:
    setup = conduct.linear_setup(16, torch.device("cpu"), "fp32")
    found = conduct.take_apart(lambda setup: wrong_training(setup, one_weight=True), setup)
    assert found.interpolation_weights == 1
    assert not found.is_wgan_gp(16)


def test_a_cycle_is_counted(conduct: ModuleType, trainings: ModuleType) -> None:
    networks, floors = importlib.import_module("networks"), importlib.import_module("floor")
    network = networks.NETWORKS["mlp"]
    floor = floors.measure_floor(network, 4)
    setup = trainings.Setup(network, 4, torch.device("cpu"), "fp32")
    found = {
        name: conduct.watch_cycle(setup.make(trainings.VARIANTS[name]), 4, floor) for name in ("textbook", "careful")
    }
    for one in found.values():
        assert (one.critic_passes, one.generator_passes, one.optimizer_steps) == (16, 6, 6)
    assert (found["textbook"].generator_graphs, found["careful"].generator_graphs) == (6, 1)
    assert (found["textbook"].waits, found["careful"].waits) == (6, 0)
    assert found["textbook"].arithmetic > found["careful"].arithmetic > 1


def test_stand_ins_are_gone_afterwards(conduct: ModuleType) -> None:
    stand_ins = importlib.import_module("peer_steps.peer").stand_ins
    with stand_ins({"wganx_no_such_module": {"ANSWER": 42}}):
        assert importlib.import_module("wganx_no_such_module").ANSWER == 42
    assert "wganx_no_such_module" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("wganx_no_such_module")


def test_a_package_that_cannot_be_imported_is_reported(conduct: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = importlib.import_module("peer_steps.compare")
    monkeypatch.setattr(compare, "PEERS", {"nowhere": ("nowhere", "Nowhere")})
    missing: dict[str, str] = {}
    assert compare.load(missing) == {}
    assert missing == {"nowhere": "ModuleNotFoundError: No module named 'peer_steps.nowhere'"}


def test_the_text_of_a_table_follows_from_its_numbers(conduct: ModuleType) -> None:
    report = importlib.import_module("peer_steps.report")
    right = conduct.Mathematics(-1.0, 10.0, 1e-7, conduct.BATCH)
    wrong = conduct.Mathematics(0.5, 10.0, 1e-7, conduct.BATCH)
    text = report.mathematics_table({"a": right, "b": wrong}, {"b": {"case": 3.0}})
    assert "It is WGAN-GP for: a; not for: b." in text
    assert "| b | 0.5 | 10 | 20 |" in text
