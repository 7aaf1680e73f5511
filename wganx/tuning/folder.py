"""The folder of a search: what lies where, the table of its trials, and the best recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from wganx.config import resolve
from wganx.errors import UsageError
from wganx.experiments import training_clock
from wganx.experiments.configuring import given, plain
from wganx.runs import RunFolder
from wganx.storage import write_whole
from wganx.tuning.search import Search, extend, read_search

if TYPE_CHECKING:
    from optuna import Study

State = Literal["finished", "pruned", "failed", "unfinished"]


@dataclass(frozen=True)
class Tried:
    """A trial: its settings, how it ended, and the value it came to; of a pruned one the last reading."""

    number: int
    settings: Mapping[str, Any]
    state: State
    value: float | None
    step: int
    seconds: float
    why: str = ""


class SearchFolder:
    """Paths of one search.

    ``tune.yaml`` (what is asked), ``base.yaml`` (the ``--config`` under every trial), ``study.db`` (Optuna's own
    record), ``trials/000/`` (``config.yaml`` and ``run/``, a run folder), ``trials.yaml`` (the table), ``best.yaml``
    (a valid ``--config``).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.question = path / "tune.yaml"
        self.base = path / "base.yaml"
        self.study = path / "study.db"
        self.table = path / "trials.yaml"
        self.best = path / "best.yaml"
        self.logs = path / "jobs"

    def begin(self, asked: Search) -> Search:
        """Store what is asked, or go on with what is stored, with the budget that is asked now.

        Raises:
            UsageError: the folder holds something else, or another search.
        """
        if self.question.is_file():
            asked = extend(read_search(self.question), asked)
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise UsageError(f"{self.path} is not empty and holds no search; give another --out")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_whole(self.base, yaml.safe_dump(plain(asked.config), sort_keys=False, allow_unicode=True, width=110))
            write_whole(self.question, asked.to_yaml())
        except OSError as error:
            raise UsageError(f"cannot write into {self.path}: {error.strerror or error}; give another --out") from error
        return asked

    def config(self, number: int) -> Path:
        """The configuration of a trial."""
        return self.path / "trials" / f"{number:03d}" / "config.yaml"

    def run(self, number: int) -> RunFolder:
        """The run of a trial."""
        return RunFolder(self.path / "trials" / f"{number:03d}" / "run")


def tried(folder: SearchFolder, study: Study) -> list[Tried]:
    """All trials so far."""
    states: dict[str, State] = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
    found = []
    for trial in study.get_trials(deepcopy=False):
        clock = training_clock(folder.run(trial.number))
        settings = trial.user_attrs.get("settings", {})
        state = states.get(trial.state.name, "unfinished")
        value = None if state in ("failed", "unfinished") else trial.value
        step = clock.steps[-1] if clock.steps else 0
        why = str(trial.user_attrs.get("why", ""))
        found.append(Tried(trial.number, settings, state, value, step, round(clock.spent, 3), why))
    return found


def best_of(trials: Sequence[Tried], better: str) -> Tried | None:
    """The finished trial with the best value; None where none finished."""
    finished = [trial for trial in trials if trial.state == "finished" and trial.value is not None]
    sign = 1 if better == "lower" else -1
    return min(finished, key=lambda trial: sign * (trial.value or 0.0), default=None)


def write_results(folder: SearchFolder, search: Search, study: Study) -> None:
    trials = tried(folder, study)
    table = {"metric": search.metric, "better": search.better, "trials": [plain(asdict(trial)) for trial in trials]}
    write_whole(folder.table, yaml.safe_dump(table, sort_keys=False, allow_unicode=True, width=110))
    best = best_of(trials, search.better)
    if best is None:
        return
    config = yaml.safe_dump(with_settings(folder, best.settings), sort_keys=False, allow_unicode=True, width=110)
    finished = sum(trial.state == "finished" for trial in trials)
    head = (
        f"# Found by wganx tune: {search.metric} {best.value:.4g} ({search.better} is better), trial {best.number} of "
        f"{len(trials)} ({finished} finished), seed {search.seed}.\n"
        "# It was chosen by this very number, which flatters it: measure it anew with other seeds.\n"
    )
    write_whole(folder.best, head + config)


def with_settings(folder: SearchFolder, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the settings of a trial; options of a part that they replace leave with it."""
    return given(resolve(config=folder.base, overrides=dict(settings), environ={}))
