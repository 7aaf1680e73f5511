"""How much pictures of one set resemble each other in structure."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from wganx import MetricContext, MissingExtra, Sides

_KERNEL = 11
_BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of Wang, Simoncelli and Bovik 2003
_CHUNK = 100


def mean_similarity(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Mean multi-scale SSIM of random pairs of samples (Odena, Olah and Shlens 2017), 1 where all are the same.

    By torchmetrics, on as many of the five scales as the pictures are large enough for, whose weights then sum to 1.
    To be read beside the floor: above it samples are more alike than real pictures are, below it they may simply be
    noisy. Empty for pictures below 12 px.

    Raises:
        MissingExtra: torchmetrics is not installed.
    """
    real_NCHW, format = sides.candidate.real.float(), context.game.sample
    scales = [scale for scale in range(5) if (_KERNEL - 1) * 2**scale < min(real_NCHW.shape[2:])]
    if not scales or len(real_NCHW) < 2:
        return {}
    try:
        from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim
    except ImportError as error:
        raise MissingExtra('multi-scale SSIM is computed by torchmetrics: pip install "wganx[metrics]"') from error
    low, high = format.value_range or (-1.0, 1.0)
    betas = tuple(beta / sum(_BETAS[: len(scales)]) for beta in _BETAS[: len(scales)])
    order = torch.randperm(len(real_NCHW), generator=torch.Generator().manual_seed(context.seed))
    one, other = ((real_NCHW[half] - low) / (high - low) for half in order[: len(order) // 2 * 2].chunk(2))
    found = [
        ms_ssim(a, b, data_range=1.0, kernel_size=_KERNEL, betas=betas, normalize="relu", reduction="none")
        for a, b in zip(torch.split(one, _CHUNK), torch.split(other, _CHUNK))
    ]
    return {"ms_ssim": torch.cat([each.reshape(-1) for each in found]).double().mean().item()}
