"""The runs of the gallery: each trained and evaluated by the commands that a reader would type, and what they took."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "wganx.cli")

GRACE = 300.0
"""Seconds that a training asked to stop is given to keep what it has learnt."""


@dataclass(frozen=True)
class Entry:
    """A scenario that the gallery shows.

    Attributes:
        settings: what is set beside the scenario, ``key=value``; ``{data}`` stands for the folder of ``--data``.
    """

    plugin: str
    scenario: str
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.plugin}-{self.scenario}"

    def train(self) -> list[str]:
        """The command's words behind ``wganx``, without ``--out``."""
        words = ["train", "--plugin", self.plugin, "--scenario", self.scenario]
        return words + [word for setting in self.settings for word in ("--set", setting)]


ENTRIES = (
    Entry("points", "ring"),
    Entry("image", "digits"),
    Entry("video", "prediction"),
    Entry("audio", "digits"),
    Entry("image", "style-transfer"),
    Entry("video", "interpolation"),
    Entry("video", "super-resolution"),
    Entry("image", "faces"),
    Entry("image", "scenes"),
    Entry("points", "moons-to-ring"),
    Entry("audio", "voice-conversion"),
    Entry("points", "ring-labels"),
    Entry("points", "moons"),
    Entry("points", "swiss-roll"),
    Entry("audio", "emotion-generation"),
    Entry("audio", "multilingual"),
    Entry("image", "faces-translation"),
    Entry("audio", "emotion"),
    Entry("audio", "wavegan"),
    Entry("points", "grid"),
    Entry("image", "growing"),
    Entry("image", "mnist", ("dataset.root={data}",)),
)
"""In the order in which they are run: one of each plugin first, what takes long or needs data last."""


@dataclass
class Took:
    """Seconds of a command and all that it started; of several calls, where it was stopped and went on."""

    wall: float = 0.0
    cpu: float = 0.0


@dataclass
class Made:
    """An entry's run as far as it is: the folder, and what its two commands took."""

    entry: Entry
    folder: Path
    took: dict[str, Took] = field(default_factory=dict)

    @property
    def beside(self) -> Path:
        return self.folder.with_suffix(".took.json")

    @property
    def trained(self) -> bool:
        facts = self.folder / "run.json"
        return facts.exists() and json.loads(facts.read_text(encoding="utf-8"))["status"] == "finished"

    @property
    def evaluated(self) -> bool:
        return self.trained and (self.folder / "evaluation.json").exists()

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


def find(runs: Path, entry: Entry) -> Made:
    """What there is of an entry below `runs`."""
    made = Made(entry, runs / entry.name)
    if made.beside.exists():
        made.took = {name: Took(**kept) for name, kept in json.loads(made.beside.read_text(encoding="utf-8")).items()}
    return made


def make(made: Made, settings: Sequence[str], data: Path, limit: float) -> bool:
    """Train and evaluate what is not there yet, `limit` seconds at most; whether all of it is there now."""
    made.folder.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + limit
    words = [word.replace("{data}", str(data)) for word in made.entry.train()]
    words += [word for setting in settings for word in ("--set", setting)]
    if not made.trained:
        _run(made, "train", [*words, "--out", str(made.folder), "--resume"], until)
    if made.trained and not made.evaluated:
        _run(made, "evaluate", ["evaluate", str(made.folder)], until)
    return made.evaluated


def _run(made: Made, name: str, words: list[str], until: float) -> None:
    """One command, its output beside the run folder; asked to stop when its time is over."""
    wall, cpu = time.perf_counter(), _cpu_of_children()
    with made.folder.with_suffix(".log").open("a", encoding="utf-8") as log:
        print("$ wganx", *words, file=log, flush=True)
        command = subprocess.Popen([*COMMAND, *words], stdout=log, stderr=log)
        for patience, sent in _stops(until):
            try:
                command.wait(patience)
                break
            except subprocess.TimeoutExpired:
                command.send_signal(sent)
        command.wait()
    took = made.took.setdefault(name, Took())
    took.wall += time.perf_counter() - wall
    took.cpu += _cpu_of_children() - cpu
    kept = {each: vars(seconds) for each, seconds in made.took.items()}
    made.beside.write_text(json.dumps(kept), encoding="utf-8")


def _stops(until: float) -> Iterator[tuple[float, signal.Signals]]:
    """How long a command is waited for, and what it is then sent."""
    yield max(until - time.monotonic(), 0.0), signal.SIGINT
    yield GRACE, signal.SIGTERM
    yield GRACE, signal.SIGKILL


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
