"""Checks of what a task makes of whole files."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.engine import Sampler
from wganx.plugins.contracts import Baseline, Game, Make, Sink, Source
from wganx.plugins.descriptors import Modality, Task
from wganx.plugins.guard import call, calling
from wganx.runs import Run
from wganx.runs.applying import Applying
from wganx.testing.bench import Bench
from wganx.testing.check import check, fail
from wganx.testing.places import SEED, Setting


def _playing(task: Task, bench: Bench) -> list[Setting]:
    """The settings in which the task makes something of files."""
    return [
        setting for setting in bench.settings(task.modality, task.name) if type(setting.game).apply is not Game.apply
    ]


@check("task", name="applied", mend="name in applied options that Game.apply reads, under names of their own")
def options_for_files_are_for_files(task: Task, bench: Bench) -> str | None:
    """What it lets choose for whole files has names that are free, and something is made of files."""
    if not task.applied:
        return "it has no options for files"
    taken = set(inspect.signature(Run.apply).parameters) - {"self", "options"}
    if clash := sorted(taken.intersection(task.applied)):
        fail(f"applied names {clash[0]!r}, which wganx sample has already", "give the option another name")
    if not _playing(task, bench):
        fail("it has options for files, and makes nothing of files", "write Game.apply, or leave applied out")
    return None


@check("task", name="files", mend="let apply(source, make, sink) read, make, and write what has the source's axes")
def whole_files_go_through(task: Task, bench: Bench) -> str | None:
    """A file goes through a generator of its own, comes out as one that opens, and the same for the same seed."""
    playing = _playing(task, bench)
    if not playing:
        return "it makes nothing of files"
    modality = bench.catalog.modality(task.modality)
    if modality.open is None or modality.create is None:
        return "it makes nothing of files"
    setting = playing[0]
    network = bench.partner(setting, "generator")
    if network is None:
        return "there is no generator to send a file through"
    sampler = Sampler(
        network.build().eval(),
        noise=network.noise or None,
        device="cpu",
        sample=setting.game.sample,
        context=setting.game.context,
    )
    applying = Applying(
        sampler=sampler,
        modality=modality,
        task=task,
        game=(game := _Noted(setting.game)),
        given={name: format.classes[0] for name, format in setting.game.context.items() if format.is_label},
        seed=SEED,
        warn=lambda message: None,
        watch=lambda passage: None,
    )
    with tempfile.TemporaryDirectory(prefix="wganx-check-", ignore_cleanup_errors=True) as folder:
        source = call(modality, "write", setting.batch(1), setting.game.sample, Path(folder), "sample")[0]
        for stem in ("once", "again"):
            _read(modality, applying.to(source, source.with_stem(stem))[0])
    # Not the files: of the same frames an encoder may make other bytes.
    once, again = game.written
    if len(once) != len(again) or not all(map(torch.equal, once, again)):
        fail("the same file and seed made another one the second time", "draw nothing but by make(context)")
    return None


class _Noted(Game):
    """A game of which is kept what `apply` writes, call by call."""

    def __init__(self, game: Game) -> None:
        self._game = game
        self.takes_any_rate = game.takes_any_rate
        self.written: list[list[Tensor]] = []

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        return self._game.batch(items, rng, training=training)

    def baselines(self) -> Mapping[str, Baseline]:
        return self._game.baselines()

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        self.written.append([])
        self._game.apply(source, make, _NotedSink(sink, self.written[-1]))


class _NotedSink:
    def __init__(self, sink: Sink, written: list[Tensor]) -> None:
        self._sink, self._written = sink, written

    def write(self, chunk: Tensor) -> None:
        self._written.append(chunk.clone())
        self._sink.write(chunk)

    def close(self) -> None:
        self._sink.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


def _read(modality: Modality, path: Path) -> Tensor:
    opened = call(modality, "open", path)
    try:
        with calling(modality, "read"):
            whole: Tensor = opened.read(0, opened.length)
    finally:
        if callable(close := getattr(opened, "close", None)):
            close()
    return whole
