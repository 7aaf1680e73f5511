"""One errand, carried out in this process."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from wganx.config import resolve
from wganx.engine import Observer
from wganx.experiments.clock import SecondsBudget, own_share
from wganx.experiments.errand import Errand, PaceErrand, RunErrand
from wganx.names import visible
from wganx.report import write_report
from wganx.runs import Assembly, Run, RunFolder, train_run
from wganx.storage import json_text, write_whole

_LOGGING_POINTS = 5


class Stopped:
    """Whether someone asked to stop, and who is to be told when they do."""

    def __init__(self) -> None:
        self.asked = False
        self._lock = threading.Lock()
        self._tell: Callable[[], None] | None = None

    def ask(self) -> None:
        """From another thread: stop at the next good moment."""
        with self._lock:
            self.asked = True
            if self._tell is not None:
                self._tell()

    def tell(self, stop: Callable[[], None] | None) -> None:
        """From now on `stop` is called when someone asks; at once if they have."""
        with self._lock:
            self._tell = stop
            if self.asked and stop is not None:
                stop()


def carry_out(errand: Errand, stop: Stopped | None = None) -> bool:
    """Do what the errand says; False where it was stopped before its end, and can go on.

    Raises:
        WganxError: the configuration is wrong, or the work failed.
    """
    stop = stop or Stopped()
    if isinstance(errand, PaceErrand):
        return _measure_pace(errand, stop)
    return _complete(errand, stop)


def _complete(errand: RunErrand, stop: Stopped) -> bool:
    folder = RunFolder(Path(errand.folder))
    resolved = resolve(config=Path(errand.config), environ={}, seed=errand.seed)
    if folder.holds_run() and not folder.never_trained():
        run = Run.load(folder.path, warn=_warn).changed(resolved)
    else:
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        run = Run.start(resolved, folder, _warn)
    if folder.facts().get("status") != "finished" and not _train(run, errand, stop):
        return False
    if stop.asked:
        return False
    if not folder.evaluation.is_file():
        # As many rows for every run, where an evaluation by itself would take as many as its time allows.
        run.evaluate(n=resolved.run.evaluate.n)
        folder.record(peak_memory=max(peak_memory(), folder.facts().get("peak_memory", 0)))
    write_report(folder.path)
    return True


def _train(run: Run, errand: RunErrand, stop: Stopped) -> bool:
    """Whether the training came to the end of its steps or of its seconds."""
    trainer, folder = run.assembly.trainer, run.folder
    budget = None if errand.seconds is None else SecondsBudget(folder, errand.seconds, trainer.stop)
    stop.tell(trainer.stop)
    try:
        result = train_run(run, [] if budget is None else [budget])
    except BaseException:
        if run.began:
            write_report(folder.path)
        raise
    finally:
        stop.tell(None)
    if result.status == "finished":
        return True
    if budget is None or not budget.over:
        return False
    _finish_at(run, result.step, f"its {errand.seconds:g} seconds of training were spent")
    return True


def _finish_at(run: Run, step: int, why: str) -> None:
    """A run that its budget ended is as finished as one that reached its last step, and shows what it came to."""
    stem = f"step-{step:06d}"
    if not (run.folder.samples / f"{stem}.png").exists():
        sampler = run.sampler()
        batch = run.preview_batch(sampler)
        run.write_preview(sampler.draw(len(batch), context=batch.context), batch, stem)
    run.folder.note(f"it ended after {step:,} of {run.resolved.run.train.steps:,} steps: {why}")
    run.folder.record(status="finished", steps=step)


class _Pace(Observer):
    """Times the steps of a training between its logging points."""

    def __init__(self, device: str) -> None:
        self.first: float | None = None
        self.per_step: list[float] = []
        self._device = device
        self._last: tuple[int, float] | None = None

    def started(self, step: int, until: int) -> None:
        self._last = None
        self.per_step.clear()

    def paced(self, step: int, seconds: float) -> None:
        self.first = seconds

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        now = time.perf_counter()
        if self._last is not None:
            passed = (now - self._last[1]) * own_share(shares, self._device)
            self.per_step.append(passed / (step - self._last[0]))
        self._last = step, now


def _measure_pace(errand: PaceErrand, stop: Stopped) -> bool:
    assembly = Assembly(resolve(config=Path(errand.config), environ={}, seed=errand.seed))
    trainer, pace = assembly.trainer, _Pace(assembly.device.type)
    stop.tell(trainer.stop)
    try:
        steps = 8
        while pace.first is None and not stop.asked:  # told once a second of steps has passed
            trainer.fit(assembly.stream, steps=steps, log_every=steps, observers=[pace], progress=False)
            steps *= 4
        if not stop.asked:
            assert pace.first is not None
            between = max(1, round(errand.seconds / _LOGGING_POINTS / pace.first))
            trainer.fit(
                assembly.stream, steps=between * (_LOGGING_POINTS + 1), log_every=between, observers=[pace],
                progress=False,
            )  # fmt: skip
    finally:
        stop.tell(None)
        assembly.close()
    if stop.asked:
        return False
    write_whole(Path(errand.out), json_text({"seconds_per_step": median(pace.per_step)}) + "\n")
    return True


def peak_memory() -> int:
    """The most memory this process had, in bytes: on the GPU where it uses one; 0 where the system does not say."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _warn(message: str) -> None:
    print(f"wganx: {visible(message)}", file=sys.stderr, flush=True)
