"""What was fitted to a dataset when a run started: plain data and tensors in one file that executes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from wganx.errors import DataError, PluginFailed
from wganx.parts import Part
from wganx.plugins.contracts import Fitted
from wganx.storage import write_whole
from wganx.stored import checked, open_file

_PLAIN: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_NAMES: TypeAdapter[list[str]] = TypeAdapter(list[str])


@dataclass(frozen=True, slots=True)
class FittedParts:
    """What was fitted when a run started.

    Attributes:
        dataset: what `Dataset.fit` found; all that opening the data is told.
        task: what `Task.fit` found.
    """

    dataset: Fitted = field(default_factory=dict)
    task: Fitted = field(default_factory=dict)

    @property
    def both(self) -> Fitted:
        return {**self.dataset, **self.task}


def check_fitted(found: object, part: Part, beside: Fitted | None = None) -> Fitted:
    """What the `fit` of a dataset or task returned, if it can be stored `beside` what is there already.

    Raises:
        PluginFailed: it is no mapping from names to tensors and what JSON can hold, or a name is taken.
    """
    try:
        plain = {name: value for name, value in dict(found).items() if not isinstance(value, Tensor)}  # type: ignore[call-overload]
        json.dumps(plain)
        if not all(isinstance(name, str) for name in dict(found)):  # type: ignore[call-overload]
            raise TypeError("its names are no texts")
    except (TypeError, ValueError) as error:
        raise PluginFailed(
            f"{part.origin}: {part}: fit must return names with tensors or plain data, and did not: {error}"
        ) from error
    fitted: Fitted = dict(found)  # type: ignore[call-overload]
    if taken := sorted(fitted.keys() & (beside or {}).keys()):
        raise PluginFailed(
            f"{part.origin}: {part}: fit found {', '.join(taken)}, which the dataset's own fit found too; "
            "give it another name"
        )
    return fitted


def store_fitted(path: Path, parts: FittedParts) -> None:
    """Write what was fitted as one safetensors file; the plain part is JSON in its header."""
    fitted = parts.both
    tensors = {name: value.detach().cpu().contiguous() for name, value in fitted.items() if isinstance(value, Tensor)}
    plain = {name: value for name, value in fitted.items() if not isinstance(value, Tensor)}
    # An empty file of this format has no header to speak of, so there is always one tensor.
    metadata = {"plain": json.dumps(plain), "task": json.dumps(sorted(parts.task))}
    write_whole(path, save({**tensors, "": torch.zeros(0)}, metadata=metadata))


def read_fitted(path: Path, *, expected: bool = False) -> FittedParts:
    """What `store_fitted` wrote; empty where there is no such file and none is `expected`.

    Raises:
        DataError: the file is damaged, or missing where it is expected.
    """
    if not path.exists():
        if expected:
            raise DataError(f"{path} is missing; it holds what was fitted to the data of this run, so copy it too")
        return FittedParts()
    try:
        open_file(path).close()
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            plain = checked(_PLAIN, json.loads(metadata["plain"]))
            found = {**plain, **{name: file.get_tensor(name) for name in file.keys() if name}}  # noqa: SIM118
            names: list[str] = checked(_NAMES, json.loads(metadata.get("task", "[]")))
            of_task = set(names)
            if lost := sorted(of_task - found.keys()):
                raise ValueError(f"it holds no {lost[0]}")
    except (SafetensorError, KeyError, ValueError, OSError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}; it holds what was fitted to the data of this run") from error
    return FittedParts(
        {name: value for name, value in found.items() if name not in of_task},
        {name: found[name] for name in sorted(of_task)},
    )
