"""The lines of a record, each checked as it is read: a value of another kind is as good as none."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Container, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter
from pydantic_core import from_json

from wganx.storage import lines_from_the_end, open_to_add
from wganx.stored import Count, Record, checked, open_file

LONGEST = 16 << 20
"""Bytes of a line; those of wganx have some hundred."""
_LARGEST = 2**63


def read_lines(path: Path, saying: str = "") -> Iterator[dict[str, Any]]:
    """The lines of a ``.jsonl`` file that are whole, each with its ``step``; nothing when it is missing.

    A ``null`` is a reading that was no finite number, and comes back as NaN. A line that was cut short or damaged is
    left out, and the others stay.

    Args:
        saying: only lines in which this text stands, which of a long record is ten times as fast.
    """
    if not path.exists():
        return
    wanted = saying.encode()
    with open_file(path) as file:
        for text in chain.from_iterable(blocks_of_lines(file)):
            if wanted in text and (line := known_line(parsed(text))) is not None:
                yield _with_nan(line)


def blocks_of_lines(file: BinaryIO, block: int = 1 << 20) -> Iterator[list[bytes]]:
    """The lines of a file from where it is, without their breaks, those of some `block` bytes at a time.

    Of a line of more than `LONGEST` bytes only the beginning comes: nobody wrote it, and it must not fill the memory.
    """
    begun = b""
    while read := file.read(block):
        *lines, rest = read.split(b"\n")
        if lines:
            lines[0] = begun + lines[0]
            begun = b""
            yield lines
        begun += rest if len(begun) < LONGEST else b""
    if begun:
        yield [begun]


def last_line(path: Path, having: Container[str] = ("step",)) -> dict[str, Any] | None:
    """The last of `read_lines` that has one of these readings, sought from the end; None where there is none."""
    if not path.exists():
        return None
    with open_file(path) as file:
        for _, text in lines_from_the_end(file, LONGEST):
            line = known_line(parsed(text))
            if line is not None and any(name in having for name in line):
                return _with_nan(line)
    return None


def cut_after(path: Path, step: int) -> None:
    """End a record, whose steps rise, with its last whole line of `step` or before.

    The file is only made shorter, for which a full disk has room.

    Raises:
        OSError: it cannot be written, or is a link; it is as it was.
    """
    if not path.exists():
        return
    with open_to_add(path) as file:
        kept = 0
        for start, text in lines_from_the_end(file, LONGEST):
            line = known_line(parsed(text))
            if line is not None and line["step"] <= step:
                kept = start + len(text)
                break
        end = file.seek(0, os.SEEK_END)
        if kept and kept == end:
            file.write(b"\n")
        elif end > (kept := kept + bool(kept)):
            file.truncate(kept)
        else:
            return
        os.fsync(file.fileno())


def parsed(text: bytes) -> object:
    """What JSON says; None of what is none.

    Numbers are read several times as fast as `json` does; it is asked where the faster one sees none, as in halves of
    letters.
    """
    try:
        return from_json(text)
    except ValueError:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None


class _Finding(Record):
    code: str
    level: str
    text: str | None
    mend: str


_STEP: TypeAdapter[Any] = TypeAdapter(Count)
_FINDING: TypeAdapter[Any] = TypeAdapter(_Finding)


def known_line(found: Any) -> dict[str, Any] | None:
    """A line of ``metrics.jsonl`` or ``timings.jsonl``: a step with numbers, or a finding; None where it is none.

    A number that is none, or too large to be one, is left out; ``null`` was not finite, and stays.
    """
    if not isinstance(found, dict) or isinstance(step := found.get("step"), bool) or not _is(_STEP, step):
        return None
    return {name: value for name, value in found.items() if _is_reading(name, value)}


def _with_nan(line: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in line.items()}


def _is_reading(name: str, value: Any) -> bool:
    if name == "health":
        return _is(_FINDING, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return -_LARGEST < value < _LARGEST
    return value is None or isinstance(value, float)


def _is(kind: TypeAdapter[Any], value: Any) -> bool:
    try:
        checked(kind, value)
    except ValueError:
        return False
    return True
