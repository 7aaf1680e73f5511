"""What was fitted to a dataset when a run started: plain data and tensors in one file that executes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from wganx.errors import DataError, PluginFailed
from wganx.parts import Part
from wganx.plugins.contracts import Fitted
from wganx.storage import write_whole


def check_fitted(found: object, dataset: Part) -> Fitted:
    """What a dataset's `fit` returned, if it can be stored.

    Raises:
        PluginFailed: it is no mapping from names to tensors and what JSON can hold.
    """
    try:
        plain = {name: value for name, value in dict(found).items() if not isinstance(value, Tensor)}  # type: ignore[call-overload]
        json.dumps(plain)
        if not all(isinstance(name, str) for name in dict(found)):  # type: ignore[call-overload]
            raise TypeError("its names are no texts")
    except (TypeError, ValueError) as error:
        raise PluginFailed(
            f"{dataset.origin}: {dataset}: fit must return names with tensors or plain data, and did not: {error}"
        ) from error
    return dict(found)  # type: ignore[call-overload,no-any-return]


def store_fitted(path: Path, fitted: Fitted) -> None:
    """Write what was fitted as one safetensors file; the plain part is JSON in its header."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in fitted.items() if isinstance(value, Tensor)}
    plain = {name: value for name, value in fitted.items() if not isinstance(value, Tensor)}
    # An empty file of this format has no header to speak of, so there is always one tensor.
    write_whole(path, save({**tensors, "": torch.zeros(0)}, metadata={"plain": json.dumps(plain)}))


def read_fitted(path: Path, *, expected: bool = False) -> Fitted:
    """What `store_fitted` wrote; empty where there is no such file and none is `expected`.

    Raises:
        DataError: the file is damaged, or missing where it is expected.
    """
    if not path.exists():
        if expected:
            raise DataError(f"{path} is missing; it holds what was fitted to the data of this run, so copy it too")
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            plain = json.loads((file.metadata() or {})["plain"])
            return {**plain, **{name: file.get_tensor(name) for name in file.keys() if name}}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}; it holds what was fitted to the data of this run") from error
