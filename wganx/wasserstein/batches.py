"""Many problems of one kind at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from wganx.wasserstein.numbers import Number
from wganx.wasserstein.samples import Samples, Weights, as_tensor, asks_gradient


def batched(
    distance: Callable[..., Number], x: Samples, y: Samples, *, weights: Weights | None = None, **options: Any
) -> Tensor:
    """The distance of each of B problems: ``(B,)`` in float64, with the graph, on the device of the samples.

    ``batched(exact_w1, x, y)[k]`` is ``exact_w1(x[k], y[k])``. The problems are solved one after the other; a seed
    draws the same for each.

    Args:
        distance: a function of this package that returns a `Distance`, a `Divergence` or a `Transport`.
        x: samples ``(B, n, ...)``.
        y: samples ``(B, m, ...)``.
        weights: ``(a, b)``, each ``(B, n)`` or ``(B, m)``, or without the first axis where they are those of every
            problem; handed on where given.
        options: of `distance`.

    Raises:
        ValueError: sides of different numbers of problems, or none; a function that returns no such number, or one
            without the gradient that is asked for; and what `distance` refuses, with the problem it was.
    """
    x, y = as_tensor(x, graph=True), as_tensor(y, graph=True)
    if min(x.ndim, y.ndim) < 2 or len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"batches of problems are (B, n, ...) and (B, m, ...); got {tuple(x.shape)} and {tuple(y.shape)}"
        )
    sides = None if weights is None else [_of_each(side, len(x)) for side in weights]
    found = []
    for k in range(len(x)):
        own = {} if sides is None else {"weights": [side[k] for side in sides]}
        try:
            found.append(_tensor(distance(x[k], y[k], **own, **options), x))
        except ValueError as error:
            raise ValueError(f"problem {k} of {len(x)}: {error}") from error
    if asks_gradient(x, y, *(sides or ())) and not all(value.requires_grad for value in found):
        name = getattr(distance, "__name__", "the function")
        raise ValueError(f"{name} has no gradient, which what it was given requires: pass x.detach()")
    return torch.stack(found)


def _of_each(weights: Samples, count: int) -> Tensor:
    given = as_tensor(weights, "weights", graph=True)
    if given.ndim == 1:
        return given.expand(count, -1)
    if given.ndim != 2 or len(given) != count:
        raise ValueError(f"weights of {count} problems are (B, n), or (n,) for all; got {tuple(given.shape)}")
    return given


def _tensor(found: object, like: Tensor) -> Tensor:
    if not isinstance(found, Number):
        raise ValueError(f"batched needs a function that returns a distance, not {type(found).__name__}")
    value = torch.tensor(found.value, dtype=torch.float64) if found.tensor is None else found.tensor
    return value.to(like.device, torch.float64)
