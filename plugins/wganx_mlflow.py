"""Runs in MLflow: settings, curves, evaluations, samples, findings and how a run ended.

``wganx train --plugin image --extension mlflow``. Where to is MLflow's own business (``MLFLOW_TRACKING_URI``; by itself
a file ``mlflow.db`` in the working folder), and so is the experiment (``MLFLOW_EXPERIMENT_NAME``, or ``wganx``). A run
that is resumed goes on in the same MLflow run. While a server is away, what it should hear is kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wganx import Finding, MissingExtra, Outcome, RunInfo, hookimpl

WGANX_API = 1

KEY = "wganx.key"
"""The tag by which a resumed run finds its MLflow run again; MLflow's searches know no way to write a quote."""
LONGEST = 5_000
"""Letters of a setting or of a tag."""
LEAST_PATIENCE, MOST_PATIENCE = 30.0, 600.0
"""Seconds between two tries to reach a server that is away."""
STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}

_QUIET = {
    # Nothing is sent anywhere that was not asked for.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A server that is away costs a training seconds, not the minutes of MLflow's own patience.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


@hookimpl
def wganx_run_started(run: RunInfo) -> None:
    _tracked[run.folder] = _Tracked.begin(run)


@hookimpl
def wganx_progress(run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
    _tell(run, lambda tracked: tracked.numbers(step, scalars))


@hookimpl
def wganx_evaluated(run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
    named = {f"evaluate/{name}": value for name, value in scalars.items()}
    _tell(run, lambda tracked: tracked.numbers(step, named))


@hookimpl
def wganx_samples_written(run: RunInfo, step: int, paths: Sequence[Path]) -> None:
    _tell(run, lambda tracked: tracked.samples(step, paths))


@hookimpl
def wganx_found(run: RunInfo, finding: Finding) -> None:
    _tell(run, lambda tracked: tracked.tag(f"finding.{finding.code}", f"step {finding.step}: {finding}"))


@hookimpl
def wganx_rolled_back(run: RunInfo, step: int, reason: str) -> None:
    _tell(run, lambda tracked: tracked.tag("rolled back", f"to step {step}: {reason}"))


@hookimpl
def wganx_run_finished(run: RunInfo, outcome: Outcome) -> None:
    if (tracked := _tracked.pop(run.folder, None)) is not None:
        tracked.end(outcome)


def _tell(run: RunInfo, what: Callable[[_Tracked], None]) -> None:
    if (tracked := _tracked.get(run.folder)) is not None:
        tracked.tell(what)


@dataclass
class _Tracked:
    """One run at MLflow, through a client of its own: what else a script tracks is left alone.

    Attributes:
        untold: what could not be told yet, in order.
        again: when it is tried again, in seconds of the monotonic clock.
        patience: seconds until then.
    """

    client: Any
    id: str
    untold: deque[Callable[[_Tracked], None]] = field(default_factory=deque)
    again: float = 0.0
    patience: float = field(default_factory=lambda: LEAST_PATIENCE)

    @classmethod
    def begin(cls, run: RunInfo) -> _Tracked:
        """The MLflow run of a folder: a new one, or for a run that goes on the one it has.

        Raises:
            MissingExtra: MLflow is not installed.
        """
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise MissingExtra('MLflow is not installed: pip install "wganx[mlflow]"') from error
        client = MlflowClient()
        experiment = _experiment(client)
        folder = str(run.folder.resolve())
        key = hashlib.sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()
        tracked = _known(client, experiment, key) if run.step else None
        if tracked is None:
            made = client.create_run(experiment, run_name=run.folder.name, tags={KEY: key, "wganx.folder": folder})
            tracked = cls(client, made.info.run_id)
        else:
            client.update_run(tracked.id, status="RUNNING")
        tracked.settings(run)
        return tracked

    def tell(self, what: Callable[[_Tracked], None]) -> None:
        """Tell MLflow all that is untold, or keep it for later where it cannot be told."""
        self.untold.append(what)
        if time.monotonic() < self.again:
            return
        try:
            self._tell_all()
            self.patience = LEAST_PATIENCE
        except Exception as error:
            if self.patience == LEAST_PATIENCE:
                reason = _one_line(error)
                logging.getLogger("wganx").warning("MLflow cannot be told now (%s); it is kept, and told later", reason)
            self.again = time.monotonic() + self.patience
            self.patience = min(2 * self.patience, MOST_PATIENCE)

    def _tell_all(self) -> None:
        while self.untold:
            try:
                self.untold[0](self)
            except Exception as error:
                # What MLflow does not take, as a value that is none to it, it will never take.
                if not 400 <= getattr(error, "get_http_status_code", lambda: 500)() < 429:
                    raise
                logging.getLogger("wganx").warning("MLflow does not take what it is told: %s", _one_line(error))
            self.untold.popleft()

    def settings(self, run: RunInfo) -> None:
        """The configuration. MLflow's parameters are for ever: of a resumed run, what changed becomes a tag."""
        from mlflow.entities import Param

        wanted = {name: text[:LONGEST] for name, text in _flat({**run.config, "device": run.device})}
        known = self.client.get_run(self.id).data.params
        new = [Param(name, text) for name, text in wanted.items() if name not in known]
        for some in _parts(new, 100):
            self.client.log_batch(self.id, params=some)
        for name, text in wanted.items():
            if known.get(name, text) != text:
                self.tag(f"from step {run.step}: {name}", text)
        if (run.folder / "config.yaml").is_file():
            self.client.log_artifact(self.id, str(run.folder / "config.yaml"))

    def numbers(self, step: int, scalars: Mapping[str, float]) -> None:
        """Points of curves."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        for some in _parts([Metric(_plain(name), value, now, step) for name, value in scalars.items()], 500):
            self.client.log_batch(self.id, metrics=some)

    def samples(self, step: int, paths: Sequence[Path]) -> None:
        """The picture of a preview, under MLflow's slider of steps; sounds and clips as files."""
        from PIL import Image

        for path in paths:
            if path.suffix != ".png":
                if path.is_file():
                    self.client.log_artifact(self.id, str(path), "samples")
                continue
            try:
                with Image.open(path) as opened:
                    picture = opened.convert("RGB")
            except OSError:  # gone, or no picture
                continue
            self.client.log_image(self.id, picture, key="samples", step=step, synchronous=True)

    def tag(self, name: str, text: str) -> None:
        """Words."""
        self.client.set_tag(self.id, _plain(name), text[:LONGEST])

    def end(self, outcome: Outcome) -> None:
        """How it ended, and all that is untold."""
        self._tell_all()
        self.numbers(outcome.step, {"step": float(outcome.step)})
        if outcome.error:
            self.tag("error", outcome.error)
        self.client.set_terminated(self.id, STATUS[outcome.status])


_tracked: dict[Path, _Tracked] = {}
"""The runs that go on now, by folder."""


def _experiment(client: Any) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "wganx")
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def _known(client: Any, experiment: str, key: str) -> _Tracked | None:
    """The newest MLflow run of a folder."""
    found = client.search_runs([experiment], f"tags.`{KEY}` = '{key}'", order_by=["start_time DESC"])
    return _Tracked(client, found[0].info.run_id) if found else None


def _flat(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings by dotted name, as MLflow has them."""
    for name, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        elif value not in (None, {}, []):
            yield f"{prefix}{name}", str(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _plain(name: str) -> str:
    """A name of a curve or tag in the letters that MLflow takes."""
    return re.sub(r"[^\w/.\- :]", "_", name)


def _parts(things: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    """As much as MLflow takes at once."""
    return (things[start : start + most] for start in range(0, len(things), most))
