"""Observers hear about a run and cannot break it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from wganx.plugins import Observers, load
from wganx.plugins.contracts import Outcome, RunInfo

OBSERVER = """
from wganx import hookimpl
WGANX_API = 1
heard = []

@hookimpl
def wganx_run_started(run): heard.append(("started", run.plugin))

@hookimpl
def wganx_progress(step): heard.append(("progress", step)); FAIL

@hookimpl
def wganx_samples_written(paths, step): heard.append(("samples", step, len(paths)))

@hookimpl
def wganx_checkpoint_saved(path): heard.append(("saved", path.name))

@hookimpl
def wganx_run_finished(outcome): heard.append(("finished", outcome.status))
"""

RUN = RunInfo(folder=Path("runs"), plugin="tones", scenario="first", device="cpu", seed=0, step=0, config={})


@pytest.fixture
def observe(fake_distribution, only_fake_plugins):
    """Two observing plugins, the first of which does as told at every logging point."""

    def start(fail: str):
        for name, source in (("first", OBSERVER.replace("FAIL", fail)), ("second", OBSERVER.replace("FAIL", ""))):
            fake_distribution(f"wganx-{name}", "0.3", {name: f"wx_{name}"}, {f"wx_{name}": source})
        warnings: list[str] = []
        observers = Observers(load(["first", "second"]).plugins, warnings.append)
        heard = [importlib.import_module(f"wx_{name}").heard for name in ("first", "second")]
        return observers, heard, warnings

    return start


def tell_everything(observers: Observers) -> None:
    observers.run_started(RUN)
    observers.progress(RUN, 50, {"loss": 1.0})
    observers.progress(RUN, 100, {"loss": 1.0})
    observers.samples_written(RUN, 100, [Path("a.png")])
    observers.checkpoint_saved(RUN, 100, Path("checkpoints/step-000100"))
    observers.run_finished(RUN, Outcome(status="finished", step=100))


EVERYTHING = [
    ("started", "tones"),
    ("progress", 50),
    ("progress", 100),
    ("samples", 100, 1),
    ("saved", "step-000100"),
    ("finished", "finished"),
]


def test_every_hook_is_heard_by_every_plugin(observe):
    observers, heard, warnings = observe("")
    tell_everything(observers)
    assert heard == [EVERYTHING, EVERYTHING]
    assert warnings == []


def test_a_failing_observer_is_named_once_and_switched_off(observe):
    observers, heard, warnings = observe("1 / 0")
    tell_everything(observers)
    assert heard == [EVERYTHING[:2], EVERYTHING]
    assert warnings == [
        "plugin 'first' (wganx-first 0.3, wx_first) failed in wganx_progress: ZeroDivisionError: division by zero; "
        "its observers are switched off, the run goes on"
    ]


def test_a_keyboard_interrupt_passes(observe):
    observers, heard, warnings = observe("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        observers.progress(RUN, 50, {})
    assert heard == [[("progress", 50)], []]
    assert warnings == []
