"""What is searched, as the command line has it: ``--search key=log:0.1..100``, ``key=1..8`` or ``key=a,b,c``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wganx.config import read_value
from wganx.errors import UsageError

if TYPE_CHECKING:
    from optuna import Trial

FIXED = {
    "dataset": "a search is on the same data",
    "plugin": "a search is within one plugin",
    "scenario": "a search is within one scenario",
    "seed": "every trial has the same seed",
    "device": "a search is on one device",
    "evaluate": "all trials are measured alike",
}
"""What cannot be searched, and why."""

_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_RANGE = re.compile(r"(?:(?P<scale>log|linear):)?(?P<low>[^.:,]+(?:\.\d*)?(?:e[+-]?\d+)?)\.\.(?P<high>[^:,]+)", re.I)


@dataclass(frozen=True)
class Axis:
    """One setting that is searched: between two ends, or among choices.

    Attributes:
        text: as it was typed; the same text is the same axis.
        whole: its values are whole numbers, because both ends are written so.
        log: drawn evenly by its logarithm.
    """

    key: str
    text: str
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, trial: Trial) -> Any:
        """The value that a trial has here."""
        if self.choices:
            # As text: Optuna keeps numbers and text only, and a choice may be a list.
            return json.loads(str(trial.suggest_categorical(self.key, [json.dumps(value) for value in self.choices])))
        if self.whole:
            return trial.suggest_int(self.key, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.key, self.low, self.high, log=self.log)


def parse_axes(texts: Sequence[str]) -> tuple[Axis, ...]:
    """The axes that ``--search`` texts describe.

    Raises:
        UsageError: one is not written as it should be, is given twice, or may not be searched.
    """
    if not texts:
        raise UsageError(
            "nothing to search: --search constraint.weight=log:0.1..100, --search train.critic_steps=1,3,5"
        )
    axes = [_parse(text) for text in texts]
    keys = [axis.key for axis in axes]
    for key in keys:
        if keys.count(key) > 1:
            raise UsageError(f"{key} is searched twice; give it once")
    return tuple(axes)


def combinations(axes: Sequence[Axis]) -> float:
    """How many different trials there are; infinite where a real number is searched."""
    sizes = [len(axis.choices) or (axis.high - axis.low + 1 if axis.whole else math.inf) for axis in axes]
    return math.prod(sizes)


def in_words(values: Mapping[str, Any]) -> str:
    """Values by key, short."""
    return "  ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in values.items()
    )


def _parse(text: str) -> Axis:
    where = f"--search {text}"
    key, equals, told = text.partition("=")
    key, told = key.strip(), told.strip()
    if not equals or not _KEY.fullmatch(key) or not told:
        raise UsageError(f"{where}: expected section.key=log:0.1..100, section.key=1..8 or section.key=a,b,c")
    for fixed, why in FIXED.items():
        if key.partition(".")[0] == fixed:
            raise UsageError(f"{where}: {key} cannot be searched: {why}")
    if ".." in told and (found := _RANGE.fullmatch(told)):
        return _range(key, text, where, found)
    choices = read_value(f"[{told}]", where)
    if len(choices) < 2 or ".." in told:
        raise UsageError(
            f"{where}: expected two ends, like log:0.1..100 or 1..8, or several choices, like a,b,c; one value is --set"
        )
    if len({json.dumps(choice) for choice in choices}) < len(choices):
        raise UsageError(f"{where}: a choice is given twice")
    return Axis(key, text, choices=tuple(choices))


def _range(key: str, text: str, where: str, found: re.Match[str]) -> Axis:
    try:
        low, high = float(found["low"]), float(found["high"])
    except ValueError:
        raise UsageError(f"{where}: the ends must be numbers, like 0.1..100") from None
    log = (found["scale"] or "").lower() == "log"
    whole = all(re.fullmatch(r"[+-]?\d+", found[end].strip()) for end in ("low", "high"))
    if not math.isfinite(low) or not math.isfinite(high) or not low < high:
        raise UsageError(f"{where}: the first end must lie below the second")
    if log and low <= 0:
        raise UsageError(f"{where}: a logarithmic range must lie above 0")
    return Axis(key, text, low, high, whole, log)
