"""What a run writes down while it trains."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from wganx.engine import Observer, slow_data
from wganx.evaluation import Evaluation
from wganx.health import Finding
from wganx.lock import FolderGone
from wganx.names import on_a_line
from wganx.plugins import Observers
from wganx.plugins.contracts import Preview, RunInfo
from wganx.records import ReadAlong
from wganx.runs.events import Events
from wganx.runs.folder import RunFolder
from wganx.storage import append_line

_PATIENCE = 3
_MOST = 0.5
WORTH_A_WORD = 1.0
"""Seconds below which nobody is named for taking most of the time."""


class Recorder(Observer):
    """Keeps metrics, timings, TensorBoard events and the plugins' observers up to date; use as a context manager.

    ``metrics.jsonl`` holds only what the seed determines; clock times go to ``timings.jsonl``.
    """

    def __init__(
        self, folder: RunFolder, info: RunInfo, plugins: Observers, start: int, warn: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:  # fmt: skip
        self._folder = folder
        self._info = info
        self._plugins = plugins
        self._start = start
        self._warn = warn
        self._check = check  # that what is written goes where it should
        self._spent: dict[str, float] = defaultdict(float)
        self._heard: dict[str, float] = defaultdict(float)
        self._named: set[str] = set()
        self._said: set[str] = set()
        self._read_along = (ReadAlong(folder.metrics), ReadAlong(folder.timings))

    def __enter__(self) -> Recorder:
        self._events = Events(self._folder.path, self.note)
        self._before: float = self._folder.facts().get("seconds", 0.0)
        self._begun = time.perf_counter()
        self._heard.update(self._plugins.seconds)  # what they took to get ready is no part of the training
        self._last = (self._start, self._begun)
        self._waited = 0  # logging points in a row at which most of the time went into data
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(*([OSError, FolderGone] if error is not None else [])):  # must not hide what went wrong
            self._events.close()
            self._check()
            self._folder.record(seconds=self.seconds())
            self._read_on()

    @contextmanager
    def spending(self, what: str) -> Iterator[None]:
        """Time spent inside belongs to `what`, between the steps of the training."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.spent(what, time.perf_counter() - started)

    def spent(self, what: str, seconds: float) -> None:
        """So much time went into `what`, between the steps of the training."""
        self._spent[what] += seconds

    def note(self, message: str) -> None:
        """The one way of a warning, said once: the terminal shows it, the run keeps it, observers hear of it."""
        message = on_a_line(message)
        if message in self._said:
            return
        self._said.add(message)
        self._warn(message)
        self._check()
        self._folder.note(message)
        self._plugins.noted(self._info, message)

    def seconds(self) -> float:
        """Time spent training, over all resumes."""
        return round(self._before + time.perf_counter() - self._begun, 3)

    def started(self, step: int, until: int) -> None:
        # Only now, when all that is checked before the first step was found good.
        self._void_after(step)

    def _void_after(self, step: int) -> None:
        """Later steps, left by a run that was killed or rolled back, are void from here on."""
        self._folder.truncate_after(step)
        self._events.void_after(step)

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        self._check()
        append_line(self._folder.metrics, {"step": step, **scalars})
        self._events.numbers(step, scalars)
        self._plugins.progress(self._info, step, scalars)

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        now = time.perf_counter()
        steps, seconds = step - self._last[0], max(now - self._last[1], 1e-9)
        self._last = (step, now)
        speed = round(steps / seconds, 3)
        between = self._shares_between(seconds)
        shares = {**shares, "other": max(shares.get("other", 0.0) - sum(between.values()), 0.0), **between}
        parts = {f"time/{part}": round(share, 4) for part, share in shares.items()}
        append_line(self._folder.timings, {"step": step, "seconds": self.seconds(), "steps_per_second": speed, **parts})
        self._events.numbers(step, {"steps_per_second": speed})
        self._plugins.timed(self._info, step, shares)
        self._waited = self._waited + 1 if (slow := slow_data(shares)) else 0
        if slow and self._waited == _PATIENCE:
            self.note(slow)
        for name, share in between.items():
            if share > _MOST and share * seconds > WORTH_A_WORD and name not in self._named:
                self._named.add(name)
                self.note(f"{name} took {share:.0%} of the time up to step {step}; {_mend(name)}")

    def _shares_between(self, seconds: float) -> dict[str, float]:
        """Shares of the time since the last logging point that went into what only looks at the training."""
        spent = {**self._spent, **{whose: now - self._heard[whose] for whose, now in self._plugins.seconds.items()}}
        self._spent.clear()
        self._heard.update(self._plugins.seconds)
        return {name: min(each / seconds, 1.0) for name, each in spent.items() if each}

    def found(self, finding: Finding) -> None:
        line = {"code": finding.code, "level": finding.level, "text": finding.text, "mend": finding.mend}
        append_line(self._folder.metrics, {"step": finding.step, "health": line})
        self._events.text(finding.step, "health", str(finding))
        self._plugins.found(self._info, finding)

    def evaluated(self, evaluation: Evaluation) -> None:
        """An evaluation during training."""
        scalars = {f"evaluate/{name}": value for name, value in evaluation.scalars().items()}
        self._check()
        append_line(self._folder.metrics, {"step": evaluation.step, **scalars})
        self._events.numbers(evaluation.step, scalars)
        self._plugins.evaluated(self._info, evaluation.step, evaluation.scalars())

    def compared_with(self, step: int, preview: Preview) -> None:
        """Real samples that are looked at beside the generated ones."""
        self._events.picture(step, "real", preview.picture)
        self._events.files(step, "real", preview.files)

    def previewed(self, step: int, path: Path, preview: Preview) -> None:
        """A preview was written."""
        self._events.picture(step, "samples", preview.picture)
        self._events.files(step, "samples", preview.files)
        self._plugins.samples_written(self._info, step, [path, *preview.files])

    def noted(self, message: str) -> None:
        self.note(message)

    def saved(self, step: int, path: Path) -> None:
        self._events.flush()
        self._folder.record(step=step, seconds=self.seconds())
        self._read_on()
        self._plugins.checkpoint_saved(self._info, step, path)

    def _read_on(self) -> None:
        for reader in self._read_along:
            reader.look()

    def rolled_back(self, step: int, reason: str) -> None:
        self._plugins.rolled_back(self._info, step, reason)
        self._void_after(step)
        self._last = (step, time.perf_counter())


def _mend(name: str) -> str:
    if name == "previews":
        return "draw fewer or less often (preview.count, preview.every)"
    if name.startswith("metric "):
        return "evaluate less often or with fewer samples (evaluate.every, evaluate.n)"
    return "its observers are what takes so long"
