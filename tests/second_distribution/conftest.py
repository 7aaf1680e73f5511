"""Plugins from outside: installed as a wheel or written to a file, and the journey that every run must survive."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import wganx
from wganx.engine import read_checkpoint
from wganx.errors import DataError
from wganx.runs import Assembly, Run


@pytest.fixture
def tones(site: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """wganx-tones is installed until the test ends."""
    monkeypatch.syspath_prepend(str(site))
    return "tones"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written beside the tests, and no floor is found that another test has kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def command() -> Callable[..., str]:
    """Run ``wganx ...`` and return what it printed; it must end with `code`."""

    def run(*arguments: object, code: int = 0) -> str:
        from wganx.cli import main

        done = CliRunner().invoke(main, [str(argument) for argument in arguments], standalone_mode=True)
        assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
        return done.output

    return run


@pytest.fixture
def plugin_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """A function that writes a plugin of one file and returns its path for ``--plugin``."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which the folder of a plugin's file is added

    def write(name: str, source: str) -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        return str(path)

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "") and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


@dataclass
class Journey:
    """A run that was trained, resumed, moved, drawn from without its data, and evaluated.

    Attributes:
        whole: the run that was never interrupted.
        resumed: the one that was.
        samples: what was drawn from a copy elsewhere while the dataset could not be opened.
    """

    whole: Run
    resumed: Run
    samples: torch.Tensor


@pytest.fixture
def journey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Journey]:
    """Train, resume (bit-equal), copy the folder away, draw without data, evaluate."""

    def travel(
        plugin: str,
        scenario: str | None = None,
        *,
        half: int = 5,
        draw: bool = True,
        extensions: tuple[str, ...] = (),
        given: Mapping[str, str | int] | None = None,
        **settings: Any,
    ) -> Journey:
        overrides: dict[str, Any] = {
            "train.steps": 2 * half,
            "checkpoint.every": half,
            "preview.every": half,
            "log.every": half,
        }
        # What the network that judges learns in so short a time is refused, which is no failure.
        overrides |= {"evaluate.extractors": {"own": {"updates": 3}}}
        overrides |= {name.replace("__", "."): value for name, value in settings.items()}
        choice: dict[str, Any] = {"scenario": scenario, "device": "cpu", "extensions": extensions}
        whole = wganx.train(plugin, overrides=overrides, out=tmp_path / "whole", **choice)
        wganx.train(plugin, overrides={**overrides, "train.steps": half}, out=tmp_path / "part", **choice)
        resumed = wganx.resume(tmp_path / "part", settings=[f"train.steps={2 * half}"])
        assert_same_end(whole, resumed, 2 * half)

        samples = torch.empty(0)
        if draw:
            moved = tmp_path / "elsewhere" / "run"
            shutil.copytree(whole.folder.path, moved)
            with monkeypatch.context() as patch:
                patch.setattr(Assembly, "_open", _gone)
                samples = wganx.load_run(moved).sample(4, seed=1, given=given)
                alone = wganx.load_generator(moved).draw(4, seed=1, given=given)
            assert torch.equal(samples, alone)
            assert torch.equal(samples, whole.sample(4, seed=1, given=given))
        evaluation = wganx.load_run(whole.folder.path).evaluate(n=16)
        assert evaluation.failures == {}
        return Journey(whole, resumed, samples)

    return travel


def _gone(self: Assembly, split: str) -> Any:
    raise DataError("the dataset is gone")


def assert_same_end(one: Run, other: Run, step: int) -> None:
    """Every tensor of weights, optimizers, random streams and readings, and every line that was logged."""
    left, right = (_tensors(run, step) for run in (one, other))
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert one.folder.metrics.read_bytes() == other.folder.metrics.read_bytes()


def _tensors(run: Run, step: int) -> dict[str, torch.Tensor]:
    checkpoint = read_checkpoint(run.folder.checkpoints / f"step-{step:06d}")
    return {**checkpoint.weights, **checkpoint.training}
