"""Two parallel segments: the example that made the case for W1.

Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017, example 1: the real samples lie on the segment ``{0} x [0, 1]``,
the fake ones on ``{θ} x [0, 1]``. Then ``W1 = |θ|``; and for every θ but 0 the Jensen-Shannon divergence is ``log 2``,
the total variation 1 and the Kullback-Leibler divergence infinite. Only W1 tells a generator which way to go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx import exact_w1
from wganx.wasserstein import Histogram, js_divergence, kl_divergence, total_variation
from wganx_points.lab.figure import BLUE, GREEN, GREY, INK, ORANGE, styled
from wganx_points.lab.findings import Finding, Shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

STEPS = 20  # of theta from 0 to 1
CELLS = 10  # of the histograms, along the segments
STRIDE = 0.001  # of the finite differences


@dataclass(frozen=True)
class _Curves:
    theta: Array
    w1: Array
    w1_slope: Array
    js: Array
    js_slope: Array
    tv: Array
    kl: Array


def demonstrate(seed: int, *, points: int = 128) -> Shown:
    """Both segments carry the same `points` random heights; theta goes from -1 to 1. Seconds."""
    rng = torch.Generator().manual_seed(seed)
    heights, others = torch.rand(2, points, generator=rng, dtype=torch.float64)
    theta = np.arange(-STEPS, STEPS + 1) / STEPS
    kl, js, tv = np.array([_divergences(heights, shift) for shift in theta]).T
    w1 = np.array([_w1(heights, heights, shift) for shift in theta])
    ahead, behind = (np.array([_w1(heights, heights, shift + side * STRIDE) for shift in theta]) for side in (1, -1))
    curves = _Curves(theta, w1, (ahead - behind) / (2 * STRIDE), js, _slope_by_side(theta, js), tv, kl)

    apart = theta != 0
    excess = np.array([_w1(heights, others, shift) for shift in theta[apart]]) - np.abs(theta[apart])
    findings = [
        _close("W1, largest deviation from |theta|", "0: W1 = |theta|", w1 - np.abs(theta), 1e-9),
        _close("dW1/dtheta, largest deviation from its sign", "0: +1 or -1", (curves.w1_slope - np.sign(theta)), 1e-6),
        Finding(
            "W1 of independent heights, most above |theta|",
            f"0 to 1/sqrt(n) = {points**-0.5:.3g}",
            float(excess.max()),
            bool(excess.min() >= -1e-9 and excess.max() <= points**-0.5),
        ),
        _close("JS, largest deviation from log 2", f"0: JS = log 2 = {math.log(2):.4f}", js[apart] - math.log(2), 1e-9),
        _close("dJS/dtheta, largest", "0: flat", curves.js_slope[apart], 1e-9),
        _close("TV, largest deviation from 1", "0: TV = 1", tv[apart] - 1, 1e-9),
        Finding("KL, smallest", "inf", float(kl[apart].min()), bool(np.isinf(kl[apart]).all())),
        _close("W1, JS, TV and KL at theta = 0", "0", np.array([w1[STEPS], js[STEPS], tv[STEPS], kl[STEPS]]), 1e-9),
    ]
    setting = (
        f"segments {{0}} x [0, 1] and {{theta}} x [0, 1] with the same {points} heights, theta from -1 to 1; "
        f"divergences of histograms with cells {1 / STEPS:g} x {1 / CELLS:g}"
    )
    return Shown(setting, findings, lambda: _draw(curves))


def _slope_by_side(theta: Array, values: Array) -> Array:
    """Difference quotients on either side of 0, where the divergences jump; not a number at 0 itself."""
    slope = np.full_like(values, np.nan)
    for side in (theta < 0, theta > 0):
        slope[side] = np.gradient(values[side], theta[side])
    return slope


def _w1(heights: Tensor, others: Tensor, theta: float) -> float:
    real, fake = (torch.stack([torch.full_like(y, x), y], dim=1) for x, y in ((0.0, heights), (float(theta), others)))
    return exact_w1(real, fake).value


def _divergences(heights: Tensor, theta: float) -> tuple[float, float, float]:
    """KL, JS and TV between the histograms of both segments."""
    real, fake = (_histogram(heights, shift) for shift in (0.0, theta))
    return float(kl_divergence(real, fake)), float(js_divergence(real, fake)), float(total_variation(real, fake))


def _histogram(heights: Tensor, theta: float) -> Histogram:
    # theta falls into the middle of a cell, so that no rounding decides which one.
    across = (np.arange(-STEPS, STEPS + 2) - 0.5) / STEPS
    along = np.linspace(0, 1, CELLS + 1)
    counts, *_ = np.histogram2d(np.full(len(heights), theta), heights.numpy(), bins=[across, along])
    return Histogram(torch.from_numpy(counts / counts.sum()).flatten())


def _close(what: str, expected: str, differences: Array, tolerance: float) -> Finding:
    largest = float(np.abs(differences).max())
    return Finding(what, expected, largest, largest <= tolerance)


def _draw(curves: _Curves) -> Figure:
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(8.4, 3.4))
        values, slopes = figure.subplots(1, 2, width_ratios=[1.25, 1])
        left, right = curves.theta < 0, curves.theta > 0
        values.plot(curves.theta, curves.w1, color=BLUE, label="W1")
        slopes.axhline(0, color=GREY, linewidth=0.8)
        for side, named in ((left, ""), (right, "_")):  # a label that starts with _ stays out of the legend
            values.plot(curves.theta[side], curves.tv[side], color=GREEN, label=f"{named}total variation")
            values.plot(curves.theta[side], curves.js[side], color=ORANGE, label=f"{named}Jensen-Shannon")
            slopes.plot(curves.theta[side], curves.w1_slope[side], color=BLUE, label=f"{named}W1")
            slopes.plot(curves.theta[side], curves.js_slope[side], color=ORANGE, label=f"{named}Jensen-Shannon")
        values.plot(0, 0, "o", color=INK, markersize=4)
        values.annotate("KL is infinite wherever theta is not 0", (0, 1.1), ha="center", color=GREY)
        values.set(xlabel="theta: where the generator put its segment", ylim=(-0.05, 1.42), title="distance")
        values.legend(loc="upper center", ncols=3)
        slopes.set(xlabel="theta", ylim=(-1.25, 1.25), title="derivative for theta")
        slopes.legend(loc="upper left")
    return figure
