"""What a search asks, resolved once and stored as ``tune.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from wganx.config import resolve
from wganx.errors import UsageError
from wganx.experiments.configuring import full_name, given, plain, rankable
from wganx.stored import read_yaml
from wganx.tuning.space import Axis, parse_axes

SCHEMA = 1


@dataclass(frozen=True)
class Search:
    """What is searched, by what, and how long.

    Attributes:
        config: what lies over the scenario in every trial, nested: a ``--config``.
        metric: ``metric/value`` of the held-out evaluation.
        trials: how many in all; None for no limit but the seconds.
        seconds: of training in all, after which no further trial begins; None for no such limit.
        seed: of the search and of every trial.
        command: what was typed.
    """

    axes: tuple[Axis, ...]
    config: Mapping[str, Any]
    metric: str
    better: Literal["lower", "higher"]
    steps: int
    seed: int
    trials: int | None = None
    seconds: float | None = None
    command: str = ""

    def to_yaml(self) -> str:
        """The search as text that `read_search` reads back."""
        told = {
            "schema": SCHEMA,
            "command": self.command,
            "search": [axis.text for axis in self.axes],
            "metric": self.metric,
            "better": self.better,
            "steps": self.steps,
            "seed": self.seed,
            "trials": self.trials,
            "seconds": self.seconds,
            "config": self.config,
        }
        return yaml.safe_dump(plain(told), sort_keys=False, allow_unicode=True, width=110)


def read_search(path: Path) -> Search:
    """The search of a folder's ``tune.yaml``.

    Raises:
        UsageError: the file is not there, or holds no search of this version.
    """
    try:
        told = read_yaml(path)
        if told.pop("schema") != SCHEMA:
            raise UsageError(f"{path} was written by another version of wganx; start anew, with another --out")
        return Search(axes=parse_axes(told.pop("search")), **told)
    except OSError as error:
        raise UsageError(f"there is no search in {path.parent}: it has no {path.name}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"{path} holds no search that can be read: {error}; restore it, or start anew") from error


def ask_search(
    axes: Sequence[Axis],
    *,
    metric: str | None,
    trials: int | None = None,
    seconds: float | None = None,
    command: str = "",
    **choice: Any,
) -> Search:
    """The search over `axes` of the run that `choice` makes (see `wganx.config.resolve`).

    Raises:
        UsageError: there is no budget, no such metric or setting, or the configuration is wrong.
    """
    if trials is None and seconds is None:
        raise UsageError("a search has a budget: --trials N, --seconds S of training in all, or both")
    seed = choice.pop("seed", None) or 0
    resolved = resolve(**choice)
    offered = rankable(resolved)
    if metric is None:
        raise UsageError(f"--metric names the value that decides; there are: {', '.join(offered) or 'none'}")
    name = full_name(metric, offered, "--metric")
    metric_name, _, value = name.partition("/")
    _refuse_unknown(axes, choice)
    return Search(
        axes=tuple(axes),
        config=given(resolved),
        metric=name,
        better=resolved.metrics[metric_name].metric.better[value],
        steps=resolved.run.train.steps,
        seed=seed,
        trials=trials,
        seconds=seconds,
        command=command,
    )


def extend(stored: Search, asked: Search) -> Search:
    """The stored search with the budget that is asked now.

    Raises:
        UsageError: something else is asked.
    """
    for what, one, other in (
        ("searched settings", [axis.text for axis in stored.axes], [axis.text for axis in asked.axes]),
        ("metric", stored.metric, asked.metric),
        ("seed", stored.seed, asked.seed),
        ("configuration", stored.config, asked.config),
    ):
        if one != other:
            shown = "" if what == "configuration" else f" ({_short(one)}, now {_short(other)})"
            raise UsageError(
                f"this search was started with another {what}{shown}; give another --out, or go on with it as it is: "
                "--resume"
            )
    return replace(stored, trials=asked.trials, seconds=asked.seconds)


def _refuse_unknown(axes: Sequence[Axis], choice: Mapping[str, Any]) -> None:
    """Before anything starts: each setting exists, and takes an end or a choice of its axis.

    Those of a part that another axis chooses cannot be tried alone; a trial in which they do not fit fails by itself.
    """
    named = {axis.key.partition(".")[0] for axis in axes if axis.key.endswith(".name")}
    for axis in axes:
        if axis.key.partition(".")[0] in named and not axis.key.endswith(".name"):
            continue
        for value in axis.choices or (_end(axis, axis.low), _end(axis, axis.high)):
            overrides = {**(choice.get("overrides") or {}), axis.key: value}
            resolve(**{**choice, "overrides": overrides})


def _end(axis: Axis, end: float) -> float | int:
    return int(end) if axis.whole else end


def _short(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
