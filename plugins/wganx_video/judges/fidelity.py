"""How near samples are to their truth, pixel by pixel: errors, PSNR, SSIM, and the course of all three."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from wganx import MetricContext, Sides
from wganx_video.judges.pixels import Numbers, pairs, suffix
from wganx_video.judges.similarity import ssim, ssim_legacy

BEST_DB = 60.0
"""The most that a PSNR is, as in libvmaf for 8 bits: without it a still frame, copied, would be worth infinitely much
in a mean, and hide all others. Errors from rounding to 8 bits alone give 59 dB."""


class Errors(NamedTuple):
    """Of every frame ``(N, T)``, sums over channels and pixels; `values` is how many these are."""

    squared: Tensor
    absolute: Tensor
    values: int


def error(sides: Sides, context: MetricContext) -> Numbers:
    """Errors to the truth, on values in [0, 1] that are cut off there.

    ``mse`` and ``mae`` are sums over channels and pixels, and means over clips and frames, as in OpenSTL's tables: they
    grow with the size of frames. ``mse_pixel`` and ``mae_pixel`` are means over all values.
    """
    squared, absolute, values = errors(sides, context)
    found = {"mse": squared.mean(), "mae": absolute.mean()}
    found |= {"mse_pixel": squared.mean() / values, "mae_pixel": absolute.mean() / values}
    return {f"{name}{suffix(context)}": float(value) for name, value in found.items()}


def psnr(sides: Sides, context: MetricContext) -> Numbers:
    """Peak signal-to-noise ratio in dB, ``-10 log10 MSE`` with a peak of 1.

    ``psnr`` is that of every frame, and then the mean; ``psnr_global`` that of the mean error of all frames, which is
    never more. No PSNR is above 60 dB, as in libvmaf.
    """
    squared, _, values = errors(sides, context)
    found = {"psnr": decibels(squared / values).mean(), "psnr_global": decibels(squared.mean() / values)}
    return {f"{name}{suffix(context)}": float(value) for name, value in found.items()}


def structure(sides: Sides, context: MetricContext) -> Numbers:
    """Structural similarity frame by frame, and then the mean: ``ssim`` and ``ssim_legacy``.

    The two are no match for each other; frames too small for the window of one have none of it.
    """
    ways = {"ssim": ssim, "ssim_legacy": ssim_legacy}
    found = {name: _of_frames(sides, context, way) for name, way in ways.items()}
    return {f"{name}{suffix(context)}": float(rows.mean()) for name, rows in found.items() if rows is not None}


def steps(sides: Sides, context: MetricContext) -> Numbers:
    """The course along a sample's frames: ``mse_first`` and ``mse_last``, and three numbers step by step.

    These are ``mse_steps``, ``psnr_steps`` and ``ssim_steps``, in the conventions of `error`, `psnr` and `structure`.
    Nothing where a sample has but one frame.
    """
    squared, _, values = errors(sides, context)
    if squared.shape[1] < 2:
        return {}
    found: Numbers = {"mse_first": float(squared[:, 0].mean()), "mse_last": float(squared[:, -1].mean())}
    courses = {"mse": squared, "psnr": decibels(squared / values), "ssim": _of_frames(sides, context, ssim)}
    for name, rows in courses.items():
        if rows is not None:
            found[f"{name}_steps"] = {f"step {step}": value for step, value in enumerate(rows.mean(0).tolist(), 1)}
    return found


def errors(sides: Sides, context: MetricContext) -> Errors:
    """Of every frame of the samples."""
    squared, absolute, values = [], [], 1
    for made, true in pairs(sides, context):
        apart = (made - true).double()
        squared.append(apart.square().sum((2, 3, 4)).cpu())
        absolute.append(apart.abs().sum((2, 3, 4)).cpu())
        values = made[0, 0].numel()
    return Errors(torch.cat(squared), torch.cat(absolute), values)


def decibels(mse: Tensor) -> Tensor:
    """PSNR of mean squared errors of values with a peak of 1."""
    return (-10 * mse.log10()).clamp(max=BEST_DB)


def _of_frames(sides: Sides, context: MetricContext, way: Callable[[Tensor, Tensor], Tensor | None]) -> Tensor | None:
    found = [way(made, true) for made, true in pairs(sides, context)]
    known = [rows.cpu() for rows in found if rows is not None]
    return torch.cat(known) if known else None
