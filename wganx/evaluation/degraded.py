"""Spoilt copies of real samples: what a metric must tell from them, and so a ceiling to read it by."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx.batch import Batch, SampleFormat
from wganx.plugins.contracts import Baseline

_CHANNEL = "channel"
_BLURRED_BY = 16
"""The blur's deviation is one such part of an axis, and at least 1."""


def degraded(format: SampleFormat) -> dict[str, Baseline]:
    """Ways to spoil samples of a format, by name.

    ``shuffled``: the values of each sample at other places, the same for all channels; of points, every coordinate
    drawn from another point. ``blurred``: a Gaussian blur along every axis but the channel's, with a deviation of a
    sixteenth of the axis; points have none.
    """
    places = [place + 1 for place, axis in enumerate(format.axes) if axis != _CHANNEL]
    if len(format.axes) == 1 and format.rate_hz is None:
        return {"shuffled": _coordinates_shuffled}
    if not places:
        return {}
    return {
        "blurred": lambda batch, rng: blurred(batch.real, places),
        "shuffled": lambda batch, rng: _places_shuffled(batch, rng, places),
    }


def without(names: Mapping[str, Baseline], taken: Mapping[str, Baseline]) -> dict[str, Baseline]:
    """Those whose names the task's own baselines leave free."""
    return {name: baseline for name, baseline in names.items() if name not in taken}


def blurred(x: Tensor, places: list[int], deviation: float | None = None) -> Tensor:
    """A Gaussian blur of samples ``(N, ...)`` along the axes at `places`, edges repeated.

    Args:
        deviation: in values along the axis; a sixteenth of the axis, and at least 1, by default.
    """
    for place in places:
        size = x.shape[place]
        spread = max(size / _BLURRED_BY, 1.0) if deviation is None else deviation
        reach = min(math.ceil(3 * spread), size - 1)
        if reach < 1:
            continue
        offsets = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
        weights = torch.exp(-(offsets**2) / (2 * spread**2))
        rows = x.movedim(place, -1)
        flat = F.pad(rows.reshape(-1, 1, size), (reach, reach), mode="replicate")
        flat = F.conv1d(flat, (weights / weights.sum())[None, None])
        x = flat.reshape(rows.shape).movedim(-1, place)
    return x.contiguous()


def _places_shuffled(batch: Batch, rng: torch.Generator, places: list[int]) -> Tensor:
    x = batch.real
    fixed = [axis for axis in range(x.ndim) if axis not in places]
    moved = x.permute(*fixed, *places)
    flat = moved.reshape(*(x.shape[axis] for axis in fixed), -1)
    order = torch.rand(len(x), flat.shape[-1], generator=rng, device=x.device).argsort(dim=1)
    for _ in fixed[1:]:
        order = order.unsqueeze(1)
    shuffled = flat.gather(-1, order.expand_as(flat)).reshape(moved.shape)
    back = [(fixed + places).index(axis) for axis in range(x.ndim)]
    return shuffled.permute(back).contiguous()


def _coordinates_shuffled(batch: Batch, rng: torch.Generator) -> Tensor:
    x = batch.real
    order = torch.rand(x.shape, generator=rng, device=x.device).argsort(dim=0)
    return x.gather(0, order)
