"""Trying one setting after another: Optuna proposes and prunes, every trial is a run folder, and all can go on."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from wganx.errors import MissingExtra, WganxError
from wganx.evaluation.stored import read_evaluation
from wganx.experiments import Ending, RunErrand, Watch, carry_out_all, training_clock
from wganx.experiments.configuring import with_looks
from wganx.experiments.errand import Errand
from wganx.lock import locked
from wganx.records import read_lines
from wganx.runs import RunFolder
from wganx.storage import json_text, write_whole
from wganx.tuning.folder import SearchFolder, Tried, tried, with_settings, write_results
from wganx.tuning.search import Search
from wganx.tuning.space import combinations

if TYPE_CHECKING:
    from optuna import Study, Trial

_STARTUP, _STARTUP_SHARE = 10, 3
_BEFORE_PRUNING = 3
_WARM_UP_SHARE = 5


def carry_out_search(folder: SearchFolder, search: Search, *, watch: Watch | None = None) -> tuple[list[Tried], bool]:
    """Try until the budget is spent, or someone asks to stop; the trials so far, and whether it was stopped.

    The same seed gives the same trials, also when the search was stopped in between and gone on with.

    Raises:
        MissingExtra: Optuna is not installed.
        UsageError: another process searches in the folder.
    """
    optuna = _optuna()
    with locked(folder.path):
        study = _open_study(optuna, folder, search)
        stopped = False
        while not stopped and not _budget_spent(folder, search, study):
            trial = _next_trial(optuna, study, search)
            stopped = not _try(optuna, folder, search, study, trial, watch or Watch())
            write_results(folder, search, study)
        return tried(folder, study), stopped


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra('wganx tune searches with Optuna: pip install "wganx[tune]"') from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _open_study(optuna: Any, folder: SearchFolder, search: Search) -> Study:
    from sqlalchemy.pool import NullPool  # comes with Optuna

    # By a connection, not by its address: a question mark in a folder's name would end the path of an address.
    connect = partial(sqlite3.connect, folder.study)
    storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs={"creator": connect, "poolclass": NullPool})
    study: Study = optuna.create_study(
        storage=storage,
        study_name="wganx",
        direction="minimize" if search.better == "lower" else "maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=_BEFORE_PRUNING, n_warmup_steps=search.steps // _WARM_UP_SHARE
        ),
    )
    return study


def _budget_spent(folder: SearchFolder, search: Search, study: Study) -> bool:
    trials = study.get_trials(deepcopy=False)
    if any(not trial.state.is_finished() for trial in trials):
        return False  # what was begun is ended first
    if search.trials is not None and len(trials) >= search.trials:
        return True
    if len({_fingerprint(trial.user_attrs.get("settings", {})) for trial in trials}) >= combinations(search.axes):
        return True
    spent = sum(training_clock(folder.run(trial.number)).spent for trial in trials)
    return search.seconds is not None and spent >= search.seconds


def _next_trial(optuna: Any, study: Study, search: Search) -> Trial:
    """The trial that was begun and not ended, or a new one.

    Optuna keeps trials and not the state of its sampler, which would begin anew with its seed and propose the same
    again: so every trial has a sampler of its own, seeded by the search's seed and the trial's number.
    """
    begun = [trial for trial in study.get_trials(deepcopy=False) if not trial.state.is_finished()]
    number = begun[0].number if begun else len(study.get_trials(deepcopy=False))
    startup = _STARTUP if search.trials is None else max(1, min(_STARTUP, search.trials // _STARTUP_SHARE))
    study.sampler = optuna.samplers.TPESampler(seed=search.seed * 100_003 + number, n_startup_trials=startup)
    trial: Trial = optuna.trial.Trial(study, begun[0]._trial_id) if begun else study.ask()
    return trial


def _try(optuna: Any, folder: SearchFolder, search: Search, study: Study, trial: Trial, watch: Watch) -> bool:
    """Whether the trial came to an end, whatever that was; False where someone stopped it."""
    settings = {axis.key: axis.suggest(trial) for axis in search.axes}
    trial.set_user_attr("settings", settings)
    states = optuna.trial.TrialState
    if (same := _tried_before(study, trial.number, settings)) is not None:
        trial.set_user_attr("why", f"the settings of trial {same.number}")
        study.tell(trial, same.value if same.state == states.COMPLETE else None, state=same.state)
        return True
    try:
        config = _write_config(folder, search, trial.number, settings)
    except WganxError as error:  # these settings do not go together
        trial.set_user_attr("why", str(error))
        study.tell(trial, state=states.FAIL)
        return True
    run = folder.run(trial.number)
    errand = RunErrand(f"trial-{trial.number:03d}", str(config), str(run.path), search.seed)
    pruning = _Pruning(watch, trial, run, search.metric)
    (ending,) = carry_out_all([errand], folder.logs, watch=pruning) or [Ending(errand.name, "stopped")]
    # All readings count, in their order, however far the run had come when it was looked at: so the same is pruned.
    if pruning.look():
        trial.set_user_attr("why", f"at step {pruning.step:,} worse than the median of the trials before")
        study.tell(trial, state=states.PRUNED)
    elif ending.state == "failed":
        trial.set_user_attr("why", ending.said)
        study.tell(trial, state=states.FAIL)
    elif ending.state == "stopped":
        return False
    elif not math.isfinite(value := _value(run, search.metric)):
        trial.set_user_attr("why", f"{search.metric} is not finite")
        study.tell(trial, state=states.FAIL)
    else:
        study.tell(trial, value)
    return True


class _Pruning(Watch):
    """Reports the evaluations of a run on its way, and says when it is not worth going on with."""

    def __init__(self, watch: Watch, trial: Trial, run: RunFolder, metric: str) -> None:
        self._trial, self._run, self._key = trial, run, f"evaluate/{metric}"
        # Of a trial that goes on, what was reported before is known.
        known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        self.step = max(known, default=-1)
        self._pruned = bool(known) and trial.should_prune()
        self.began, self.looked = watch.began, watch.looked  # type: ignore[method-assign]
        self.ended, self.stopping = watch.ended, watch.stopping  # type: ignore[method-assign]

    def enough(self, errand: Errand) -> bool:
        return self.look()

    def look(self) -> bool:
        """Whether it is to be pruned, after all readings up to now."""
        for step, value in self._new():
            if self._pruned:
                break
            self.step = step
            self._trial.report(value, step)
            self._pruned = self._trial.should_prune()
        return self._pruned

    def _new(self) -> Iterator[tuple[int, float]]:
        for line in read_lines(self._run.metrics, saying=json.dumps(self._key)):
            value = line.get(self._key)
            if line["step"] > self.step and isinstance(value, float | int) and math.isfinite(value):
                yield line["step"], float(value)


def _tried_before(study: Study, number: int, settings: Mapping[str, Any]) -> Any:
    """An earlier trial of the same settings, which would give the same; None where there is none."""
    own = _fingerprint(settings)
    for trial in study.get_trials(deepcopy=False):
        if trial.number < number and _fingerprint(trial.user_attrs.get("settings", {})) == own:
            return trial
    return None


def _fingerprint(settings: Mapping[str, Any]) -> str:
    return json_text(dict(sorted(settings.items())))


def _write_config(folder: SearchFolder, search: Search, number: int, settings: Mapping[str, Any]) -> Path:
    config = with_looks(with_settings(folder, settings), int(settings.get("train.steps", search.steps)))
    path = folder.config(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=110))
    return path


def _value(run: RunFolder, metric: str) -> float:
    with suppress(OSError, ValueError):
        for row in read_evaluation(run.evaluation).get("rows", ()):
            if f"{row['metric']}/{row['value']}" == metric and row["generated"] is not None:
                return float(row["generated"])
    return math.nan
