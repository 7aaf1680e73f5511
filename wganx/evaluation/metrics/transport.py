"""Wasserstein-1 distances of features: exact, sliced, and between bounds."""

from __future__ import annotations

from torch import Tensor

from wganx.wasserstein import bracket_w1, exact_w1, sliced_w1


def exact_transport(x: Tensor, y: Tensor) -> float:
    """Exact W1 of two sets of features, by `wganx.exact_w1`, in the units of the features.

    Between finite samples in many dimensions it lies well above 0, so read it beside the floor.
    """
    return float(exact_w1(x, y).value)


def sliced_transport(x: Tensor, y: Tensor, *, seed: int) -> float:
    """Sliced W1 of two sets of features, by `wganx.sliced_w1`: 256 directions drawn by `seed`."""
    return float(sliced_w1(x, y, seed=seed).value)


def transport_bracket(x: Tensor, y: Tensor, *, seed: int) -> dict[str, float]:
    """Bounds of the W1 of what the features were drawn from, by `wganx.bracket_w1`.

    Returns:
        ``lower`` and ``upper`` bounds, and the estimate ``point``.
    """
    found = bracket_w1(x, y, seed=seed)
    return {part: float(getattr(found, part)) for part in ("lower", "point", "upper")}
