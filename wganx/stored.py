"""Reading what lies on disk: ordinary files of a limited size, and plain data of a known kind.

What is stored may have been cut short, altered, or made by somebody else. It is checked here once, where it is read, so
that nobody further on has to wonder what a value may be.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

T = TypeVar("T")

LARGEST = 64 << 20
"""Bytes of the largest record that is read; a checkpoint's is some kB."""
LARGEST_YAML = 1 << 20
PATIENCE = 10.0
"""Seconds that a pipe's writer has to write more."""
MOST_VALUES = 100_000
"""Of a YAML file; a configuration has some hundred."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""A whole number of things, which every reader of JSON keeps exactly."""
Number = Annotated[float, Field(allow_inf_nan=False)]


class Record(BaseModel):
    """Base of what is known of a record: types as they are, without conversion; what else it holds is kept as it is."""

    model_config = ConfigDict(extra="allow", strict=True)
    # Said here: Sphinx adds what pydantic's own class says to its annotations, which a later record would take over.
    __pydantic_extra__: dict[str, Any]


def open_file(path: Path) -> BufferedReader:
    """An ordinary file, to be read; a pipe, which may have no end, is not waited for.

    Raises:
        OSError: it is neither a file nor a link to one, or cannot be read.
    """

    file = open(path, "rb", opener=_at_once)  # noqa: SIM115 - the caller closes it; a descriptor would have no name
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no ordinary file but a folder, a pipe or a device", str(path))
    return file


def _at_once(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # nobody need write into a pipe


def read_at_most(path: Path, most: int) -> bytes:
    """The first `most` bytes of a file, or of what is written into a pipe: ``--config <(command)``.

    Raises:
        OSError: it cannot be read, or is a pipe into which nothing was written for `PATIENCE` seconds.
    """
    with open(path, "rb", buffering=0, opener=_at_once) as file:
        is_pipe = stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)
        found, until = b"", time.monotonic() + PATIENCE
        while len(found) < most:
            part = file.read(most - len(found))  # None where a writer has written nothing yet
            if part:
                found, until = found + part, time.monotonic() + PATIENCE
            elif part == b"" and (found or not is_pipe):
                break
            elif time.monotonic() > until:
                raise OSError(errno.ETIMEDOUT, f"it is a pipe, into which nothing was written for {PATIENCE:.0f} s")
            else:
                time.sleep(0.02)
        return found


def text_of(path: Path, most: int = LARGEST) -> str:
    """What an ordinary file of at most `most` bytes says, as UTF-8.

    Raises:
        OSError: there is none, or it is larger.
        ValueError: it is not UTF-8.
    """
    with open_file(path) as file:
        if (size := os.fstat(file.fileno()).st_size) > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, where {most:,} are the most that is read", str(path))
        return file.read(most).decode("utf-8")


def read_json(path: Path, most: int = LARGEST) -> Any:
    """What a JSON file says.

    Raises:
        OSError: as `text_of`.
        ValueError: it is not JSON in UTF-8.
    """
    try:
        return json.loads(text_of(path, most))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_yaml(path: Path, most: int = LARGEST_YAML) -> Any:
    """What a YAML file says, as plain data; by aliases it may not become larger than `MOST_VALUES`.

    Raises:
        OSError: as `text_of`.
        ValueError: it is no YAML in UTF-8, or says too much.
    """
    try:
        node = yaml.compose(text_of(path, most), Loader=yaml.SafeLoader)
        if node is None:
            return None
        if _values_in(node, {}) > MOST_VALUES:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values")
        return yaml.constructor.SafeConstructor().construct_document(node)
    except RecursionError as error:
        raise ValueError("it is nested too deep, or contains itself") from error
    except (yaml.YAMLError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split())) from error


def _values_in(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for, those of an alias counted as often as it is there."""
    if id(node) not in known:
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            inner = node.value
        elif isinstance(node, yaml.MappingNode):
            inner = [each for pair in node.value for each in pair]
        known[id(node)] = 1 + sum(_values_in(each, known) for each in inner)
    return known[id(node)]


def checked(kind: TypeAdapter[T], value: Any) -> T:
    """`value`, once it is known to be of a kind.

    Raises:
        ValueError: it is not; says where and what was expected, in one line without what stands there.
    """
    try:
        return kind.validate_python(value, strict=True)
    except (ValidationError, RecursionError) as error:
        raise ValueError(first_problem(error)) from error


def first_problem(error: ValidationError | RecursionError) -> str:
    """What is wrong first, as ``about.noise.0: Input should be a valid integer``."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) if str(part).isprintable() else repr(part) for part in problem["loc"])[:100]
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
