"""What a run writes down while it trains."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from wganx.engine import Observer, slow_data
from wganx.evaluation import Evaluation
from wganx.health import Finding
from wganx.plugins import Observers
from wganx.plugins.contracts import RunInfo
from wganx.runs.folder import RunFolder, append_line

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

_PATIENCE = 3


class Recorder(Observer):
    """Keeps metrics, timings, TensorBoard events and the plugins' observers up to date; use as a context manager.

    ``metrics.jsonl`` holds only what the seed determines; clock times go to ``timings.jsonl``.
    """

    def __init__(self, folder: RunFolder, info: RunInfo, plugins: Observers, start: int, warn: Callable[[str], None]):
        self._folder = folder
        self._info = info
        self._plugins = plugins
        self._start = start
        self._warn = warn

    def __enter__(self) -> Recorder:
        self._folder.truncate_after(self._start)
        self._events = self._open_events(self._start)
        self._before: float = self._folder.facts().get("seconds", 0.0)
        self._begun = time.perf_counter()
        self._last = (self._start, self._begun)
        self._waited = 0  # logging points in a row at which most of the time went into data
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.close()
        self._folder.record(seconds=self.seconds())

    def seconds(self) -> float:
        """Time spent training, over all resumes."""
        return round(self._before + time.perf_counter() - self._begun, 3)

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        append_line(self._folder.metrics, {"step": step, **scalars})
        for name, value in scalars.items():
            self._events.add_scalar(name, value, step)
        self._plugins.progress(self._info, step, scalars)

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        now = time.perf_counter()
        steps, seconds = step - self._last[0], now - self._last[1]
        self._last = (step, now)
        speed = round(steps / seconds, 3)
        parts = {f"time/{part}": round(share, 4) for part, share in shares.items()}
        append_line(self._folder.timings, {"step": step, "seconds": self.seconds(), "steps_per_second": speed, **parts})
        self._events.add_scalar("steps_per_second", speed, step)
        self._waited = self._waited + 1 if (slow := slow_data(shares)) else 0
        if slow and self._waited == _PATIENCE:
            self._warn(slow)
            self._folder.note(slow)

    def found(self, finding: Finding) -> None:
        line = {"code": finding.code, "level": finding.level, "text": finding.text, "mend": finding.mend}
        append_line(self._folder.metrics, {"step": finding.step, "health": line})
        self._events.add_text("health", str(finding), finding.step)

    def evaluated(self, evaluation: Evaluation) -> None:
        """An evaluation during training."""
        scalars = {f"evaluate/{name}": value for name, value in evaluation.scalars().items()}
        append_line(self._folder.metrics, {"step": evaluation.step, **scalars})
        for name, value in scalars.items():
            self._events.add_scalar(name, value, evaluation.step)

    def previewed(self, step: int, path: Path) -> None:
        """A preview was written."""
        import numpy as np
        from PIL import Image

        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        self._events.add_image("samples", pixels, step, dataformats="HWC")
        self._plugins.samples_written(self._info, step, [path])

    def saved(self, step: int, path: Path) -> None:
        self._events.flush()
        self._folder.record(step=step, seconds=self.seconds())
        self._plugins.checkpoint_saved(self._info, step, path)

    def noted(self, message: str) -> None:
        self._warn(message)
        self._folder.note(message)

    def rolled_back(self, step: int, reason: str) -> None:
        self._folder.truncate_after(step)
        self._events.close()
        self._events = self._open_events(step)
        self._last = (step, time.perf_counter())

    def _open_events(self, step: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        # Events of later steps, left by a run that was killed or rolled back, are void from here on.
        return SummaryWriter(str(self._folder.path), purge_step=step + 1 if step else None)
