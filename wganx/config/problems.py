"""What is wrong with a configuration, in the words a user can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from wganx.config.layers import Merged
from wganx.config.sources import Key
from wganx.errors import ConfigError, did_you_mean
from wganx.names import shortened


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where, what, and the source of the value if it has one."""

    key: Key
    fault: str
    origin: str | None = None

    def __str__(self) -> str:
        source = f"\n      from {self.origin}" if self.origin else ""
        return f"  {'.'.join(self.key)}: {self.fault}{source}"


MOST_SHOWN = 50
"""Problems that are told one by one, and for whose names others are suggested."""


def failure(problems: Sequence[Problem]) -> ConfigError:
    """All problems as one error; of thousands, the first."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems):,} problems"
    more = [f"  and {len(problems) - MOST_SHOWN:,} more"] if len(problems) > MOST_SHOWN else []
    return ConfigError("\n".join([f"{count} in the configuration", *map(str, problems[:MOST_SHOWN]), *more]))


def validation_problems(error: ValidationError, model: type[BaseModel], merged: Merged) -> list[Problem]:
    """The faults pydantic found in `model`, with names it could not know."""
    problems: list[Problem] = []
    for fault in error.errors(include_url=False):
        key = tuple(str(part) for part in fault["loc"])
        if fault["type"] == "missing":
            problems.append(Problem(key, f"has no value; give it, e.g. --set {'.'.join(key)}=..."))
        elif fault["type"] == "extra_forbidden":
            origin = merged.origin(key) or merged.sources_within(key)
            problems.append(Problem(key, _unknown(key, model, suggests=len(problems) < MOST_SHOWN), origin))
        else:
            between = isinstance(fault["input"], Mapping)
            origin = merged.sources_within(key) if between else merged.origin(key)
            problems.append(Problem(key, _wrong(fault["msg"], fault["input"]), origin))
    return problems


def _wrong(message: str, given: Any) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if isinstance(given, Mapping):
        return text
    hint = "; to keep it text, quote it: '\"...\"'" if "valid string" in text else ""
    return f"{text} (got {shortened(repr(given))}){hint}"


def _unknown(key: Key, model: type[BaseModel], *, suggests: bool) -> str:
    if not suggests:
        return "no such option"
    owner = _model_at(model, key[:-1])
    known = list(owner.model_fields) if owner else []
    if len(key) > 1:
        listed = f"; options: {', '.join(known)}" if known else ""
        return f"no such option{did_you_mean(key[-1], known) or listed}"
    homes = [
        f"{name}.{key[0]}" for name in known if (inner := _model_at(model, (name,))) and key[0] in inner.model_fields
    ]
    if homes:
        return f"no such section; did you mean {' or '.join(map(repr, homes))}?"
    return f"no such section{did_you_mean(key[0], known) or '; sections: ' + ', '.join(known)}"


def _model_at(model: type[BaseModel], key: Key) -> type[BaseModel] | None:
    for name in key:
        declared = model.model_fields.get(name)
        if declared is None:
            return None
        kinds = (declared.annotation, *get_args(declared.annotation))
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if len(inner) != 1:
            return None
        model = inner[0]
    return model
