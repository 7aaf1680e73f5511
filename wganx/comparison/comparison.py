"""A comparison: what was asked, what is equal and what varies, all numbers, and what may be said of them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import wganx
from wganx.comparison.alike import refuse_unlike
from wganx.comparison.comparing import Group, MetricTable, Standing, Tables, Versus, tabulate
from wganx.comparison.figures import duration
from wganx.comparison.folder import ComparisonFolder
from wganx.comparison.gathering import Differences, asked_groups, found_groups
from wganx.comparison.outcomes import FAILED, Outcome
from wganx.comparison.question import Question, read_question
from wganx.comparison.sharing import cut_short, equal_facts
from wganx.comparison.statements import NOT_SHOWN, statements
from wganx.experiments.configuring import full_name
from wganx.names import as_typed
from wganx.storage import json_text, write_whole

SCHEMA = 1
_COLUMNS = (
    "variant", "seed", "status", "reason", "steps", "seconds", "seconds_per_step", "metric", "better", "value", "floor",
    "ceiling", "folder",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        title: the question in a line.
        groups: the runs of every variant.
        differences: the settings in which variants differ, and in which alone.
        equal: what is the same for all, as pairs of name and text.
        cautions: what is not the same and should be, in sentences.
        question: as it was asked, where this comparison started its runs.
        folder: where paths are told from; None where nothing is written.
    """

    title: str
    groups: tuple[Group, ...]
    tables: Tables
    differences: Differences
    equal: tuple[tuple[str, str], ...]
    cautions: tuple[str, ...]
    question: Question | None = None
    folder: Path | None = None

    @property
    def statements(self) -> tuple[str, ...]:
        """What may be said of the numbers."""
        return (*self.cautions, *statements(self.tables))

    @property
    def commands(self) -> dict[str, str]:
        """How to go on with it, and how to make it anew."""
        if self.question is None or self.folder is None:
            return {}
        return {
            "resume": as_typed(["wganx", "compare", "--resume", str(self.folder)]),
            "reproduce": self.question.command,
        }

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data; what is not finite becomes None."""
        return {
            "schema": SCHEMA,
            "wganx": wganx.__version__,
            "title": self.title,
            "baseline": self.tables.baseline,
            "budget": _budget(self.question),
            "equal": dict(self.equal),
            "differences": {key: dict(values) for key, values in self.differences.items()},
            "failed_when": FAILED,
            "variants": [
                {**asdict(row), "failed": {str(seed): why for seed, why in row.failed.items()}}
                for row in self.tables.reliability
            ],
            "runs": [self._run(group, outcome) for group in self.groups for outcome in group.outcomes],
            "metrics": [_metric(table) for table in self.tables.metrics],
            "metrics_left_out": list(self.tables.left_out),
            "costs": [asdict(row) for row in self.tables.costs],
            "reach": dict(self.tables.reach),
            "statements": list(self.statements),
            "not_shown": list(NOT_SHOWN),
            "commands": self.commands,
        }

    def to_csv(self) -> str:
        """A line a run and value, for a spreadsheet."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(self._lines())
        return text.getvalue()

    def write(self, folder: ComparisonFolder) -> None:
        """Write ``comparison.json``."""
        folder.path.mkdir(parents=True, exist_ok=True)
        write_whole(folder.numbers, json_text(self.to_json(), indent=2, readable=True) + "\n")

    def _lines(self) -> Iterator[list[object]]:
        for group in self.groups:
            for outcome in group.outcomes:
                cost = outcome.cost
                told = [group.name, outcome.seed, outcome.status, outcome.reason]
                told += [cost.steps, cost.seconds, cost.per_step] if cost else ["", "", ""]
                for name in [table.name for table in self.tables.metrics if table.name in outcome.values] or [""]:
                    value = outcome.values.get(name)
                    shown = [value.better, value.generated, value.floor, value.ceiling] if value else [""] * 4
                    yield [*told, name, *shown, self.place(outcome)]

    def _run(self, group: Group, outcome: Outcome) -> dict[str, Any]:
        record = outcome.record
        protocol = {name: record[name] for name in record if name not in ("rows", "failures", "step")}
        return {
            "variant": group.name,
            "seed": outcome.seed,
            "folder": self.place(outcome),
            "status": outcome.status,
            "reason": outcome.reason,
            "cost": asdict(outcome.cost) if outcome.cost else None,
            "values": {name: value.generated for name, value in outcome.values.items()},
            "sampling": {name: value.interval for name, value in outcome.values.items() if value.interval},
            "floor": {name: value.floor for name, value in outcome.values.items()},
            "ceiling": {name: value.ceiling for name, value in outcome.values.items() if value.ceiling is not None},
            "protocol": protocol,
        }

    def place(self, outcome: Outcome) -> str:
        if self.folder is not None and outcome.folder.resolve().is_relative_to(self.folder.resolve()):
            return outcome.folder.resolve().relative_to(self.folder.resolve()).as_posix()
        return str(outcome.folder)


def compare_asked(folder: ComparisonFolder) -> Comparison:
    """The comparison in a folder, as far as its runs are.

    Raises:
        UsageError: there is none, or its evaluations are unlike.
    """
    question = read_question(folder.question)
    groups, differ = asked_groups(folder, question)
    _refuse_unlike(groups)
    groups_judged, tables = tabulate(groups, baseline=question.baseline, metrics=question.metrics, reach=question.reach)
    cautions = []
    if question.added:
        cautions.append(
            f"Added when there were numbers already: {'; '.join(question.added)}. Intervals assume that how many runs "
            "there are was settled before."
        )
    equal, unequal = equal_facts(groups, may_differ=() if question.seconds is None else ("updates", "measured at step"))
    of = f"{len(question.variants)} variants x {len(question.seeds)} seeds"
    if question.seconds is not None:
        budget = f"each {duration(question.seconds)} of training"
        cautions += cut_short(groups, question)
    else:
        steps = set(question.steps.values())
        budget = f"each {steps.pop():,} updates" if len(steps) == 1 else "each its updates"
    first = next(iter(question.configs.values()))
    title = f"{first['plugin']} / {first['scenario']}: {of}, {budget}"
    return Comparison(title, groups_judged, tables, differ, equal, (*cautions, *unequal), question, folder.path)


def compare_found(
    paths: Sequence[Path],
    *,
    baseline: str | None = None,
    metrics: Sequence[str] = (),
    reach: Mapping[str, float] | None = None,
    out: Path | None = None,
) -> Comparison:
    """The comparison of finished runs.

    Raises:
        UsageError: a path holds no finished, measured run, names are unknown, or the evaluations are unlike.
    """
    groups, differ = found_groups(paths)
    _refuse_unlike(groups)
    offered = list(
        dict.fromkeys(
            name
            for group in groups
            for outcome in group.done.values()
            for name, value in outcome.values.items()
            if value.better
        )
    )
    judged, tables = tabulate(
        groups,
        baseline=baseline or groups[0].name,
        metrics=[full_name(name, offered, "--metric") for name in metrics],
        reach={full_name(name, offered, "--reach"): score for name, score in (reach or {}).items()},
    )
    equal, unequal = equal_facts(groups)
    count = sum(len(group.outcomes) for group in groups)
    title = f"{count} runs of {len(groups)} {'variant' if len(groups) == 1 else 'variants'}"
    return Comparison(title, judged, tables, differ, equal, tuple(unequal), None, out)


def _refuse_unlike(groups: Sequence[Group]) -> None:
    measured = [(group, outcome) for group in groups for outcome in group.outcomes if outcome.record]
    names = {f"{group.name} (seed {outcome.seed})": outcome for group, outcome in measured}
    refuse_unlike(
        {name: outcome.record for name, outcome in names.items()},
        {name: outcome.seed for name, outcome in names.items()},
    )


def _budget(question: Question | None) -> dict[str, Any] | None:
    if question is None:
        return None
    return {"kind": "updates" if question.seconds is None else "seconds", "seconds": question.seconds} | {
        "steps": dict(question.steps)
    }


def _metric(table: MetricTable) -> dict[str, Any]:
    return {
        "name": table.name,
        "better": table.better,
        "floor": table.floor,
        "ceiling": table.ceiling,
        "standings": [_standing(standing) for standing in table.standings],
        "versus": [_versus(versus) for versus in table.versus],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    told = asdict(standing)
    told["median_among_failures"] = math.isinf(standing.median_of_all)
    return told


def _versus(versus: Versus) -> dict[str, Any]:
    told = asdict(versus)
    if versus.chance is not None:
        told["chance"]["probability"] = versus.chance.probability
    return told
