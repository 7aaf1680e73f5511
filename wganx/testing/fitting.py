"""What `fit` of a dataset or task finds: the same every time, and fit to be stored in a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from wganx.testing.check import fail


def check_fit(fit: Callable[[], Mapping[str, Any]], mend: str) -> None:
    """Fits twice and compares; `mend` is said where both differ, and what cannot be stored fails the check too."""
    found, again = fit(), fit()
    for name, value in found.items():
        if isinstance(value, Tensor):
            if not torch.equal(value, again[name]):
                fail(f"{name!r} differs between two fits", mend)
            continue
        try:
            stored = json.loads(json.dumps(value))
        except (TypeError, ValueError):
            fail(f"{name!r} is a {type(value).__name__}", "return tensors, or what JSON can hold")
        if _plain(stored) != _plain(json.loads(json.dumps(again[name]))):
            fail(f"{name!r} differs between two fits", mend)


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
