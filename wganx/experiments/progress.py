"""How far an errand is, read from the folder it works in."""

from __future__ import annotations

from pathlib import Path

from wganx.experiments.clock import training_clock
from wganx.experiments.errand import Errand, RunErrand
from wganx.runs import RunFolder
from wganx.stored import read_yaml


def reached(errand: Errand) -> str:
    """In words: ``step 300 of 2000, 12.3 s``; empty before its first logging point."""
    if not isinstance(errand, RunErrand):
        return ""
    clock = training_clock(RunFolder(Path(errand.folder)))
    if not clock.steps:
        return ""
    try:
        steps = int(read_yaml(Path(errand.config))["train"]["steps"])
    except (OSError, KeyError, TypeError, ValueError):
        return f"step {clock.steps[-1]:,}, {clock.spent:.3g} s of training"
    return f"step {clock.steps[-1]:,} of {steps:,}, {clock.spent:.3g} s of training"
