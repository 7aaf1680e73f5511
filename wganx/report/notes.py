"""What is wrong with a run, or was, in sentences a reader can act on: it heads the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wganx.plain import mapping, number, printable
from wganx.report.reading import RunRecord
from wganx.report.wording import figure

MOST_NOTES = 30
RESUME = "wganx resume ."


@dataclass(frozen=True)
class Note:
    """One finding: how grave it is, what it says, and the command that mends it."""

    level: Literal["bad", "warn", "info"]
    text: str
    command: str = ""


def run_notes(run: RunRecord, unreadable: Sequence[str]) -> tuple[Note, ...]:
    """Findings about `run`, gravest first; an empty tuple says that nothing stood out.

    `unreadable` says which samples could not be shown.
    """
    notes = [*_status(run), *_noted(run), *_found(run), *_beaten(run), *_readings(run), *_unmeasured(run)]
    notes += [Note("warn", text) for text in (*unreadable, *run.problems)]
    notes.sort(key=lambda note: ("bad", "warn", "info").index(note.level))
    if len(notes) > MOST_NOTES:
        left_out = len(notes) - MOST_NOTES
        notes = [*notes[:MOST_NOTES], Note("info", f"{left_out} more notes are in run.json.")]
    return tuple(notes)


def _status(run: RunRecord) -> list[Note]:
    status = run.facts.get("status")
    step, steps = number(run.facts.get("step")), number(run.facts.get("steps"))
    at = f"at step {figure(step)}" + ("" if steps is None else f" of {figure(steps)}")
    if status == "failed":
        reason = run.facts.get("error")
        return [Note("bad", f"The run failed {at}: {printable(reason)}" if reason else f"The run failed {at}.")]
    if status == "interrupted":
        reason = f": {printable(run.facts['error'])}" if run.facts.get("error") else ""
        return [Note("warn", f"The run was interrupted {at}{reason}. To go on, in this folder:", RESUME)]
    if status == "running":
        return [Note("info", f"The run was {at} when this page was written, and going on.")]
    return []


def _noted(run: RunRecord) -> list[Note]:
    noted = run.facts.get("notes")
    return [Note("warn", printable(text)) for text in noted] if isinstance(noted, list) else []


def _found(run: RunRecord) -> list[Note]:
    """What the health checks found, each with the steps between which it held; a roll-back may tell it again."""
    begun: dict[str, Mapping[str, Any]] = {}
    notes: list[Note] = []

    def tell(finding: Mapping[str, Any], until: str) -> None:
        level = finding.get("level")
        told = _sentence(finding.get("text"))
        if level != "info":
            told = f"From step {finding['step']:,} {until}: {told[:1].lower()}{told[1:]}"
        text = f"{printable(finding['code'])}. {told} {_sentence(finding.get('mend'))}"
        notes.append(Note(level if level in ("bad", "warn", "info") else "warn", text))

    for finding in run.findings:
        code = str(finding["code"])
        if finding.get("text"):
            begun.setdefault(code, finding)
        elif code in begun:
            tell(begun.pop(code), f"to {finding['step']:,}")
    for finding in begun.values():
        tell(finding, "on")
    return notes


def _sentence(text: object) -> str:
    words = printable(text or "")
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _readings(run: RunRecord) -> list[Note]:
    """Readings that were not finite."""
    notes = []
    for name, curve in run.curves.items():
        gaps = curve.steps[~np.isfinite(curve.values)]
        if len(gaps):
            many = f"at {curve.missing} readings, first " if curve.missing > 1 else ""
            notes.append(Note("warn", f"{name} was not finite {many}at step {int(gaps[0]):,}."))
    return notes


def _beaten(run: RunRecord) -> list[Note]:
    """Trivial solutions that do as well as the generator, or better."""
    told = mapping(run.evaluation).get("defeats")
    return [Note("bad", _sentence(text)) for text in (told if isinstance(told, list) else [])]


def _unmeasured(run: RunRecord) -> list[Note]:
    """Metrics that failed when the run was evaluated."""
    failures = mapping(mapping(run.evaluation).get("failures"))
    return [
        Note("warn", f"The metric {printable(name)} was not measured: {printable(reason)}")
        for name, reason in failures.items()
    ]
