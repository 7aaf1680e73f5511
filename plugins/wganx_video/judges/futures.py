"""Several futures of one past: how near the best of them comes to what happened, and how far they lie apart."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from wganx import MetricContext, Sides
from wganx_video.configs.judges import FuturesConfig
from wganx_video.judges.fidelity import decibels
from wganx_video.judges.pixels import Numbers, together, unit
from wganx_video.judges.similarity import ssim


def futures(sides: Sides, context: MetricContext) -> Numbers:
    """The best of several futures by each measure of its own, as in Denton and Fergus 2018, and their diversity.

    ``best_mse``, ``best_psnr`` and ``best_ssim`` are those of the future of each clip that is the best one, its frames'
    mean, in the conventions of the metrics `error`, `psnr` and `ssim`; ``mean_mse`` that of all futures.
    ``diversity`` is the mean absolute difference between two futures of a clip, per value: 0 where noise changes
    nothing. Nothing for a generator without noise.
    """
    if sides.again is None:
        return {}
    config, format = context.config, context.game.sample
    count = config.futures if isinstance(config, FuturesConfig) else FuturesConfig().futures
    drawn = [unit(made, format) for made in (sides.candidate.real, *map(sides.again, range(1, count)))]
    true = unit(sides.truth.real, format)
    measured = [_measures(made, true) for made in drawn]
    by_name = {name: torch.stack([each[name] for each in measured]) for name in measured[0]}  # (futures, N)
    found: Numbers = {"best_mse": float(by_name["mse"].amin(0).mean()), "mean_mse": float(by_name["mse"].mean())}
    found |= {f"best_{name}": float(rows.amax(0).mean()) for name, rows in by_name.items() if name != "mse"}
    apart = [float((a - b).abs().double().mean()) for a, b in combinations(drawn, 2)]
    return {**found, "diversity": sum(apart) / len(apart)}


def _measures(made: Tensor, true: Tensor) -> dict[str, Tensor]:
    """Of every clip ``(N,)``, the mean over its frames."""
    found: dict[str, list[Tensor]] = {}
    for some, others in together(made, true):
        squared_NT = (some - others).double().square().sum((2, 3, 4))
        of_frames = {
            "mse": squared_NT,
            "psnr": decibels(squared_NT / some[0, 0].numel()),
            "ssim": ssim(some, others),
        }
        for name, rows_NT in of_frames.items():
            if rows_NT is not None:
                found.setdefault(name, []).append(rows_NT.mean(1).cpu())
    return {name: torch.cat(rows) for name, rows in found.items()}
