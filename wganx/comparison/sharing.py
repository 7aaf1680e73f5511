"""What all runs of a comparison share, and what is to be said where they do not share what they should."""

from __future__ import annotations

from collections.abc import Sequence

from wganx.comparison.alike import own_data
from wganx.comparison.comparing import Group
from wganx.comparison.outcomes import Outcome
from wganx.comparison.question import Question
from wganx.runs import RunFolder

_PLANNED = 0.9


def equal_facts(
    groups: Sequence[Group], may_differ: Sequence[str] = ()
) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """What all runs share, and sentences about what they should and do not."""
    found: dict[str, list[str]] = {}
    for group in groups:
        for outcome in group.outcomes:
            for name, value in _facts(outcome).items():
                found.setdefault(name, [])
                if value not in found[name]:
                    found[name].append(value)
    same = tuple((name, values[0]) for name, values in found.items() if len(values) == 1)
    # A dataset that is drawn by the seed is another one for each seed; that they agree within a seed was seen to.
    unlike = [name for name, values in found.items() if len(values) > 1 and name not in ("data", *may_differ)]
    said = [f"The runs differ in {name}: {', '.join(found[name])}." for name in unlike]
    return same, [*said, *_learnt_apart(groups), *_untaken(groups)]


def _facts(outcome: Outcome) -> dict[str, str]:
    facts, record = RunFolder(outcome.folder).facts(), outcome.record
    if not facts or outcome.status != "done":
        return {}
    versions = facts.get("versions") or {}
    told = {
        "plugin": facts.get("plugin"),
        "scenario": facts.get("scenario"),
        "task": facts.get("task"),
        "data": (facts.get("data") or {}).get("fingerprint"),
        "updates": outcome.cost.steps if outcome.cost else None,
        "measured at step": record.get("step"),
        "samples a side": record.get("n"),
        "repeats": record.get("repeats"),
        "device": facts.get("device"),
        "precision": facts.get("precision"),
        "wganx": facts.get("wganx"),
        "torch": versions.get("torch"),
    }
    return {name: f"{v:,}" if isinstance(v, int) else str(v) for name, v in told.items() if v is not None}


def _untaken(groups: Sequence[Group]) -> list[str]:
    """Metrics that failed, and in how many runs."""
    failures: dict[str, list[str]] = {}
    for outcome in (outcome for group in groups for outcome in group.outcomes):
        for name, why in (outcome.record.get("failures") or {}).items():
            failures.setdefault(str(name), []).append(str(why))
    return [
        f"The metric {name} could not be taken in {len(why)} runs: {why[0].rstrip('.')}."
        for name, why in failures.items()
    ]


def _learnt_apart(groups: Sequence[Group]) -> list[str]:
    """That an extractor is another one for every seed, because it was learnt on that seed's data."""
    records = [outcome.record for group in groups for outcome in group.outcomes if outcome.record]
    names = dict.fromkeys(name for record in records for name in record.get("extractors") or {})
    apart = [name for name in names if len({(record.get("extractors") or {}).get(name) for record in records}) > 1]
    if not apart or not own_data(records):
        return []
    return [
        f"Every seed has data of its own, on which the extractor {', '.join(apart)} was learnt: its values compare "
        "within a seed, by pairs, and not from seed to seed."
    ]


def cut_short(groups: Sequence[Group], question: Question) -> list[str]:
    """Of equal seconds: that runs were slower than they were paced, and ended before their learning rate did."""
    short = [
        f"{group.name} seed {outcome.seed} ({outcome.cost.steps:,} of {question.steps[group.name]:,})"
        for group in groups
        for outcome in group.outcomes
        if outcome.status != "open" and outcome.cost and outcome.cost.steps < _PLANNED * question.steps[group.name]
    ]
    if not short:
        return []
    return [
        f"These runs spent their seconds before {_PLANNED:.0%} of the updates for which their learning rate was "
        f"planned, because the machine was slower then than when it was paced: {'; '.join(short)}."
    ]
