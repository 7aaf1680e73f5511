"""From the outcomes of runs to the tables of a comparison; what is said of them is `wganx.comparison.statements`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from wganx.comparison.outcomes import Outcome
from wganx.comparison.statistics import (
    Better,
    Chance,
    Difference,
    Ends,
    Summary,
    chance_to_beat,
    difference,
    median_of_all,
    summarise,
    wilson_interval,
)
from wganx.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Group:
    """The runs of one variant, a seed each; several of one seed are refused where groups are made."""

    name: str
    outcomes: tuple[Outcome, ...]

    @property
    def done(self) -> dict[int, Outcome]:
        """Finished runs by seed."""
        return {outcome.seed: outcome for outcome in self.outcomes if outcome.status == "done"}

    @property
    def failed(self) -> dict[int, str]:
        """Why runs failed, by seed."""
        return {outcome.seed: outcome.reason for outcome in self.outcomes if outcome.status == "failed"}

    @property
    def waiting(self) -> int:
        """Runs that are neither."""
        return sum(outcome.status == "open" for outcome in self.outcomes)


@dataclass(frozen=True)
class Standing:
    """One variant in one metric.

    Attributes:
        values: of the finished runs, by seed.
        sampling: where an evaluation had several blocks, the interval of each run's own number: another width than
            that over seeds, and never in its stead.
        median_of_all: with failures as worst; infinite where it falls among them.
    """

    variant: str
    values: Mapping[int, float]
    sampling: Mapping[int, Ends]
    summary: Summary
    median_of_all: float


@dataclass(frozen=True)
class Versus:
    """A variant beside the baseline in one metric."""

    variant: str
    baseline: str
    difference: Difference
    chance: Chance | None


@dataclass(frozen=True)
class MetricTable:
    """All variants in one metric, on one axis from the floor to the ceiling.

    Attributes:
        floor: the mean over the runs of what real samples reach.
        ceiling: the mean of what the worst trivial solution does; None without any.
    """

    name: str
    better: Better
    floor: float
    ceiling: float | None
    standings: tuple[Standing, ...]
    versus: tuple[Versus, ...]


@dataclass(frozen=True)
class Reliability:
    """How many runs of a variant were started, finished and failed, and what failure rate that leaves."""

    variant: str
    started: int
    finished: int
    failed: Mapping[int, str]
    waiting: int
    rate: Ends


@dataclass(frozen=True)
class CostRow:
    """What a variant's runs took.

    Attributes:
        per_step: median over the runs of their median seconds a step.
        spread: the least quartile and the greatest over the runs; None where no run had enough readings.
        seconds: of training, median over the runs that came to its end, as are `steps`.
        memory: the most any had, in bytes.
        reached: by ``metric/value``, the training seconds of every seed that reached the stated score.
    """

    variant: str
    per_step: float | None
    spread: Ends | None
    seconds: float | None
    steps: int | None
    memory: int | None
    reached: Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class Tables:
    """All numbers of a comparison."""

    baseline: str
    reliability: tuple[Reliability, ...]
    metrics: tuple[MetricTable, ...]
    costs: tuple[CostRow, ...]
    reach: Mapping[str, float]
    left_out: tuple[str, ...]


def tabulate(
    groups: Sequence[Group], *, baseline: str, metrics: Sequence[str] = (), reach: Mapping[str, float] | None = None
) -> tuple[tuple[Group, ...], Tables]:
    """The groups, with runs that are worse than the ceiling counted as failed, and their tables.

    Args:
        metrics: ``metric/value`` names; all that every finished run has and that can be ranked by default. By the
            first one a run is judged to be worse than the ceiling.

    Raises:
        UsageError: an unknown name, or no value that all finished runs share.
    """
    names = [group.name for group in groups]
    if baseline not in names:
        raise UsageError(f"no variant {baseline!r}; variants: {', '.join(names)}{did_you_mean(baseline, names)}")
    finished = [outcome for group in groups for outcome in group.done.values()]
    shared, partly = _shared(finished)
    for name in (*metrics, *(reach or {})):
        if finished and name not in (*shared, *partly):
            raise UsageError(
                f"no value {name!r} that can be ranked; there are: {', '.join([*shared, *partly]) or 'none'}"
                f"{did_you_mean(name, [*shared, *partly])}"
            )
    chosen = list(metrics or shared)
    if finished and not chosen:
        raise UsageError("the evaluations share no value that can be ranked; measure all runs by the same metrics")
    judged = tuple(replace(group, outcomes=tuple(_judge(each, chosen) for each in group.outcomes)) for group in groups)
    measured = [outcome for outcome in finished if all(name in outcome.values for name in chosen)]
    return judged, Tables(
        baseline=baseline,
        reliability=tuple(_reliability(group) for group in judged),
        metrics=tuple(_metric_table(name, judged, baseline, measured) for name in chosen if measured),
        costs=tuple(_cost_row(group, reach or {}) for group in judged),
        reach=dict(reach or {}),
        left_out=tuple(name for name in partly if name not in chosen),
    )


def _shared(outcomes: Sequence[Outcome]) -> tuple[list[str], list[str]]:
    """Names of the values that can be ranked: those that every run has, and a number in one; and the others."""
    every = list(dict.fromkeys(name for one in outcomes for name, value in one.values.items() if value.better))
    shared = [
        name
        for name in every
        if all(name in one.values for one in outcomes)
        and any(math.isfinite(one.values[name].generated) for one in outcomes)
    ]
    return shared, [name for name in every if name not in shared]


def _judge(outcome: Outcome, chosen: Sequence[str]) -> Outcome:
    """The outcome, as one that failed where a chosen value is no number, or the first worse than the ceiling."""
    if outcome.status != "done":
        return outcome
    reason = ""
    for name in chosen:
        value = outcome.values.get(name)
        if value is None:
            why = (outcome.record.get("failures") or {}).get(name.partition("/")[0], "not measured")
            reason = reason or f"{name} could not be taken: {why}"
        elif not math.isfinite(value.generated):
            reason = reason or f"{name} is not finite"
        elif name == chosen[0] and value.ceiling is not None:
            sign = 1 if value.better == "lower" else -1
            if sign * value.generated > sign * value.ceiling:
                told = f"{value.generated:.4g} is worse than every trivial solution ({value.ceiling:.4g})"
                reason = reason or f"{name} {told}"
    return replace(outcome, status="failed", reason=reason) if reason else outcome


def _reliability(group: Group) -> Reliability:
    failed, finished = group.failed, len(group.done)
    ended = len(failed) + finished
    return Reliability(
        group.name, len(group.outcomes), finished, failed, group.waiting, wilson_interval(len(failed), ended)
    )


def _metric_table(name: str, groups: Sequence[Group], baseline: str, finished: Sequence[Outcome]) -> MetricTable:
    better = finished[0].values[name].better
    assert better is not None
    ceilings = [value for one in finished if (value := one.values[name].ceiling) is not None]
    standings = {group.name: _standing(name, group, better) for group in groups}
    failed = {group.name: len(group.failed) for group in groups}
    return MetricTable(
        name=name,
        better=better,
        floor=_mean([one.values[name].floor for one in finished]),
        ceiling=_mean(ceilings) if ceilings else None,
        standings=tuple(standings.values()),
        versus=tuple(
            _versus(standings[group.name], standings[baseline], better, failed)
            for group in groups
            if group.name != baseline
        ),
    )


def _standing(name: str, group: Group, better: Better) -> Standing:
    values = {seed: outcome.values[name].generated for seed, outcome in group.done.items()}
    sampling = {
        seed: around for seed, outcome in group.done.items() if (around := outcome.values[name].interval) is not None
    }
    known = list(values.values())
    return Standing(group.name, values, sampling, summarise(known), median_of_all(known, len(group.failed), better))


def _versus(one: Standing, other: Standing, better: Better, failed: Mapping[str, int]) -> Versus:
    both = all(standing.values or failed[standing.variant] for standing in (one, other))
    chance = (
        chance_to_beat(
            list(one.values.values()), list(other.values.values()), better,
            failed_a=failed[one.variant], failed_b=failed[other.variant],
        )
        if both
        else None
    )  # fmt: skip
    return Versus(one.variant, other.variant, difference(one.values, other.values), chance)


def _cost_row(group: Group, reach: Mapping[str, float]) -> CostRow:
    # Of all that trained to the end, whatever became of them.
    ended = [outcome for outcome in group.outcomes if outcome.record]
    costs = [outcome.cost for outcome in ended if outcome.cost is not None]
    paces = [cost.per_step for cost in costs if cost.per_step is not None]
    spreads = [cost.spread for cost in costs if cost.spread is not None]
    memory = [cost.memory for cost in costs if cost.memory]
    reached = {
        name: {each.seed: at for each in ended if (at := each.seconds_to(name, score)) is not None}
        for name, score in reach.items()
    }
    return CostRow(
        variant=group.name,
        per_step=median(paces) if paces else None,
        spread=(min(low for low, _ in spreads), max(high for _, high in spreads)) if spreads else None,
        seconds=median(cost.seconds for cost in costs) if costs else None,
        steps=round(median(cost.steps for cost in costs)) if costs else None,
        memory=max(memory) if memory else None,
        reached=reached,
    )


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
