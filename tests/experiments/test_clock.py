"""The seconds of a training, apart from those that went into looking at it."""

import json

import pytest

from wganx.experiments import Clock, SecondsBudget, training_clock
from wganx.experiments.clock import own_share
from wganx.runs import RunFolder


def line(step, seconds, **shares):
    return {"step": step, "seconds": seconds, **{f"time/{name}": share for name, share in shares.items()}}


LINES = [
    line(10, 2.0, data=0.1, critic=0.3, generator=0.1, other=0.5),
    line(20, 3.0, data=0.0, critic=0.5, generator=0.25, other=0.25),
    line(40, 13.0, data=0.0, critic=0.1, generator=0.1, other=0.0, previews=0.8),
]


def folder(tmp_path, lines=LINES, device="cpu"):
    found = RunFolder(tmp_path)
    found.timings.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    found.record(device=device)
    return found


def test_on_a_cpu_what_the_players_and_the_data_take_counts(tmp_path):
    clock = training_clock(folder(tmp_path))
    assert clock.steps == [10, 20, 40]
    assert clock.seconds == pytest.approx([1.0, 1.75, 3.75])
    assert clock.at(0) == 0
    assert clock.at(15) == pytest.approx(1.375)
    assert clock.per_step() == pytest.approx([0.075, 0.1])  # the first also warms up


def test_on_a_gpu_waiting_for_the_work_counts_too(tmp_path):
    assert training_clock(folder(tmp_path, device="cuda:0")).seconds == pytest.approx([2.0, 3.0, 5.0])
    assert own_share({"data": 0.5, "critic": 0.9}, "cpu") == 1.0


def test_a_run_that_goes_on_counts_on_and_none_has_no_time(tmp_path):
    assert Clock().spent == 0.0
    assert Clock().per_step() == []
    assert training_clock(folder(tmp_path, LINES[:1])).per_step() == pytest.approx([0.1])
    assert training_clock(RunFolder(tmp_path / "nowhere")).steps == []


def test_the_budget_stops_at_the_first_logging_point_after_it(tmp_path):
    run, stopped = folder(tmp_path, []), []
    budget = SecondsBudget(run, 1.5, lambda: stopped.append(True))
    budget.started(0, 100)
    for number, each in enumerate(LINES[:2], start=1):
        folder(tmp_path, LINES[:number])
        budget.timed(each["step"], {})
        assert budget.over is (number == 2)
    assert stopped == [True]


def test_the_budget_of_a_run_that_goes_on_counts_what_was_spent(tmp_path):
    run, stopped = folder(tmp_path, LINES[:2]), []
    budget = SecondsBudget(run, 3.0, lambda: stopped.append(True))
    budget.started(20, 100)
    folder(tmp_path, LINES)
    budget.timed(40, {})
    assert stopped
    folder(tmp_path, LINES[:1])  # numbers broke, and it went back
    budget.over = False
    budget.rolled_back(10, "WX021")
    folder(tmp_path, LINES[:2])
    budget.timed(20, {})
    assert not budget.over
