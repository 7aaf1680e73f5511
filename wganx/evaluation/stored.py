"""``evaluation.json``, checked as it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from wganx.stored import Count, Record, checked, read_json

Value = float | None


class _Row(Record):
    metric: str
    value: str
    generated: Value = None
    better: str | None = None
    floor: Value = None
    baselines: dict[str, Value] | None = None
    interval: Annotated[list[Value], Field(min_length=2, max_length=2)] | None = None


class _Evaluation(Record):
    step: Count = 0
    n: Count = 0
    repeats: Count = 1
    fingerprint: str = ""
    rows: list[_Row] = Field(default_factory=list)
    failures: dict[str, str] = Field(default_factory=dict)
    skipped: dict[str, str] = Field(default_factory=dict)
    extractors: dict[str, str] = Field(default_factory=dict)


_EVALUATION = TypeAdapter(_Evaluation)


def read_evaluation(path: Path) -> dict[str, Any]:
    """What `Evaluation.to_json` gave.

    Raises:
        OSError: there is no such file.
        ValueError: it is no record of an evaluation.
    """
    found: dict[str, Any] = read_json(path)
    checked(_EVALUATION, found)
    return found
