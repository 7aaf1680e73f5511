"""What a process of its own is sent to do, and how it is told: as JSON on its command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RunErrand:
    """Train one run to its end, measure it and write its report; goes on where an earlier process was stopped.

    Attributes:
        name: what it is called among the others.
        config: path of a valid ``--config``.
        folder: of the run.
        seed: of the run.
        seconds: of training after which it ends, if not at its last step; None for no such limit.
    """

    name: str
    config: str
    folder: str
    seed: int
    seconds: float | None = None


@dataclass(frozen=True)
class PaceErrand:
    """Find out how long a step of a configuration takes: nothing of the training is kept.

    Attributes:
        seconds: to measure for, after the first steps.
        out: file for ``{"seconds_per_step": ...}``.
    """

    name: str
    config: str
    seed: int
    seconds: float
    out: str


Errand = RunErrand | PaceErrand
_KINDS: dict[str, type[RunErrand] | type[PaceErrand]] = {"run": RunErrand, "pace": PaceErrand}


def to_text(errand: Errand) -> str:
    """The errand as one line."""
    kind = next(kind for kind, known in _KINDS.items() if isinstance(errand, known))
    return json.dumps({"kind": kind, **asdict(errand)})


def from_text(text: str) -> Errand:
    """The errand that `to_text` told."""
    told: dict[str, Any] = json.loads(text)
    return _KINDS[told.pop("kind")](**told)
