"""A run as a notebook and a terminal show it: how it stands, what was read last, and what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wganx.records import last_line, read_lines
from wganx.runs.folder import RunFolder
from wganx.tables import Picture, Table, figure

LARGEST_PICTURE = 500_000
"""Bytes of a preview that a notebook keeps; a larger one is left to the report."""
_READINGS = {"w1_raw": "W1, raw", "w1_corrected": "W1, corrected", "w1_heldout": "W1, held out",
             "distance": "distance", "distance_heldout": "distance, held out", "score_gap": "score gap",
             "gradient_norm": "gradient norm"}  # fmt: skip


def run_table(folder: RunFolder) -> Table:
    """What the records of a run say, with its newest preview."""
    facts = folder.facts()
    last, amiss = _last_readings(folder)
    if facts.get("status") == "running":  # run.json is as old as the last checkpoint
        facts["step"] = max(int(last.get("step", 0)), facts.get("step", 0))
    rows = [("status", str(facts.get("status", "not begun"))), ("step", _steps(facts))]
    if "seconds" in facts:
        rows.append(("seconds", figure(float(facts["seconds"]))))
    rows += [(name, str(facts[name])) for name in ("seed", "device", "error") if facts.get(name) is not None]
    rows += [(words, figure(last[name])) for name, words in _READINGS.items() if name in last]
    names = " / ".join(str(facts[name]) for name in ("plugin", "scenario") if facts.get(name))
    title = f"Run {folder.path}" + (f": {names}" if names else "")
    return Table(title, (), rows, [*amiss, *_report(folder)], _preview(folder))


def _steps(facts: dict[str, Any]) -> str:
    step, steps = facts.get("step", 0), facts.get("steps")
    return str(step) if steps is None else f"{step} of {steps}"


def _last_readings(folder: RunFolder) -> tuple[dict[str, Any], list[str]]:
    """The readings of the last logging point, and the findings that still hold there."""
    held: dict[str, str] = {}
    for line in read_lines(folder.metrics, saying='"health"'):
        found = line.get("health")
        if found is not None and found["level"] != "info":
            held.pop(found["code"], None)
            if found.get("text"):
                held[found["code"]] = f"{found['code']} {found['text']}; {found['mend']}"
    return last_line(folder.metrics, having=_READINGS) or {}, list(held.values())


def _report(folder: RunFolder) -> list[str]:
    return [f"report  {folder.report}"] if folder.report.is_file() else []


def _preview(folder: RunFolder) -> Picture | None:
    newest = max(folder.samples.glob("step-*.png"), key=_step, default=None)
    if newest is None or newest.stat().st_size > LARGEST_PICTURE:
        return None
    return Picture(newest.read_bytes(), f"Samples of step {_step(newest)}: {newest}")


def _step(picture: Path) -> int:
    digits = picture.stem.removeprefix("step-")
    return int(digits) if digits.isdecimal() else -1
