"""Apple's GPU: when it is taken, what is done otherwise there, and what is said of what it cannot do."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wganx.batch import Batch
from wganx.engine import device as devices
from wganx.engine.device import choose_device, unfit
from wganx.engine.ranks import Ranks
from wganx.engine.rules import Rules
from wganx.engine.training import Training
from wganx.errors import UsageError

HERE = Path(__file__).parent
BROKEN = "derivative for aten::linear_backward is not implemented\n  see pytorch/pytorch#105834"


@pytest.fixture(autouse=True)
def _forgotten():
    """What was found of a device is kept for the process."""
    unfit.cache_clear()
    devices._say_once.cache_clear()
    yield
    unfit.cache_clear()
    devices._say_once.cache_clear()


@pytest.fixture
def apple(monkeypatch):
    """A machine with Apple's GPU, as far as torch says; its tensors cannot be made here."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.delenv("WORLD_SIZE", raising=False)


def test_trainings_on_a_device_that_lacks_what_apples_lacks(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / "apple.py", tmp_path],
        capture_output=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip
    assert done.stdout.endswith("all held\n"), done.stderr


def test_it_is_taken_where_a_critic_can_be_differentiated_twice(apple, monkeypatch):
    monkeypatch.setattr(devices, "_slope_of_a_penalty", lambda device: torch.ones(3))
    assert devices._best() == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices._best() == "cuda"


def test_it_is_left_to_one_process(apple, monkeypatch):
    monkeypatch.setattr(devices, "_slope_of_a_penalty", lambda device: torch.ones(3))
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert devices._best() == "cpu"


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (RuntimeError(BROKEN), "differentiated twice there: derivative for aten::linear_backward is not implemented"),
        (NotImplementedError("aten::foo is not for MPS"), "differentiated twice there: aten::foo is not for MPS"),
        (TypeError("no float64"), "differentiated twice there: no float64"),
        (torch.tensor([1.0, 2.0, 2.5]), "the second derivatives of a critic are off by 17% there"),
        (torch.tensor([1.0, 2.0, float("nan")]), "the second derivatives of a critic are off by nan% there"),
    ],
    ids=["no derivative", "no kernel", "no type", "wrong", "not finite"],
)
def test_where_it_cannot_auto_takes_the_cpu_and_says_so_once_and_asked_for_it_is_refused(
    apple, monkeypatch, caplog, there, said
):
    def slope(device):
        if device.type == "cpu":
            return torch.tensor([1.0, 2.0, 2.0])
        if isinstance(there, Exception):
            raise there
        return there

    monkeypatch.setattr(devices, "_slope_of_a_penalty", slope)
    with caplog.at_level(logging.WARNING, logger="wganx"):
        assert [choose_device("auto").type for _ in range(3)] == ["cpu"] * 3
    (record,) = caplog.records
    assert record.getMessage().startswith("Apple's GPU is left aside, since ")
    assert said in record.getMessage()
    assert "\n" not in record.getMessage()
    monkeypatch.setattr(torch, "empty", lambda *size, device: None)  # as where there is one
    with pytest.raises(UsageError, match=r"device 'mps' cannot train: .*; take cpu with --device") as refusal:
        choose_device("mps")
    assert said in str(refusal.value)


def test_where_there_is_none_it_is_refused_in_a_line():
    with pytest.raises(
        UsageError, match=r"device 'mps' cannot be used: .*; name one that can with --device"
    ) as refusal:
        choose_device("mps")
    assert "\n" not in str(refusal.value)


def test_the_trial_itself_agrees_with_itself_and_moves_no_stream():
    before = torch.get_rng_state()
    one, other = (devices._slope_of_a_penalty(torch.device("cpu")) for _ in range(2))
    assert torch.equal(one, other)
    assert one.isfinite().all()
    assert float(one.norm()) > 1e-3
    assert unfit(torch.device("cpu")) is None
    assert torch.equal(before, torch.get_rng_state())
    unfit.cache_clear()
    with torch.inference_mode():
        torch.set_default_dtype(torch.float64)
        try:
            assert unfit(torch.device("cpu")) is None
        finally:
            torch.set_default_dtype(torch.float32)


def test_several_processes_are_refused_there(monkeypatch):
    linear = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    monkeypatch.setattr("wganx.engine.training.join", lambda: Ranks(0, 2))
    monkeypatch.setattr("wganx.engine.training.choose_device", lambda device: torch.device("mps"))
    with pytest.raises(UsageError, match="Apple's GPU trains in one process"):
        Training(*linear, Rules(noise=(2,)), device="mps")


@pytest.mark.parametrize(("device", "ahead"), [("cpu", False), ("mps", False), ("cuda", True), ("cuda:1", True)])
def test_copies_are_left_to_themselves_on_cuda_alone(monkeypatch, device, ahead):
    asked = []
    monkeypatch.setattr(torch.Tensor, "to", lambda own, device, **options: asked.append(options) or own)
    Batch(torch.zeros(2, 3), {"label": torch.zeros(2)}).to(torch.device(device))
    assert asked == [{"non_blocking": ahead}] * 2
