"""Losses of frames with a truth, each for clips ``(N, T, C, H, W)``, scaled so that a weight does not depend on sizes.

A 1-Lipschitz critic gives every sample a gradient of length 1 at most. The distance below has a gradient of length
exactly 1, so that its weight k is the true ratio of fidelity to the critic's pull, for clips of any size. A mean of
absolute differences over N values would have one of ``1 / sqrt(N)``; here it is ``sqrt(N)`` times that.
"""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_video.configs.tasks import LossesConfig


def distance(fake: Tensor, real: Tensor) -> Tensor:
    """``E ||fake - real||``, the norm of each sample not squared."""
    lengths_N: Tensor = (fake.float() - real.float()).flatten(1).norm(dim=1)
    return lengths_N.mean()


def absolute(fake: Tensor, real: Tensor) -> Tensor:
    """``E sqrt(N) mean |fake - real|`` over the N values of each sample; its gradient has length 1."""
    return _scaled_mean(fake.float() - real.float())


def gradient_difference(fake: Tensor, real: Tensor) -> Tensor:
    """``E sqrt(N) mean ||d fake| - |d real||`` of neighbours along height and width (Mathieu et al. 2015), halved.

    Frames that are one pixel high or wide have no neighbours along that axis.
    """
    terms = [
        _scaled_mean(fake.float().diff(dim=axis).abs() - real.float().diff(dim=axis).abs())
        for axis in (3, 4)
        if fake.shape[axis] > 1
    ]
    return torch.stack(terms).mean() if terms else 0 * fake.sum()


def temporal_difference(fake: Tensor, real: Tensor) -> Tensor:
    """``E sqrt(N) mean |d fake - d real|`` of each frame and the next."""
    return _scaled_mean((fake.float() - real.float()).diff(dim=1))


def _scaled_mean(differences: Tensor) -> Tensor:
    values_NV = differences.flatten(1)
    scale: float = values_NV.shape[1] ** 0.5
    return scale * values_NV.abs().mean()


def weighted_losses(
    config: LossesConfig, fake: Tensor, real: Tensor, *, in_time: tuple[Tensor, Tensor]
) -> dict[str, Tensor]:
    """What the options ask for, weighted; `in_time` are both as they are seen in time, given frames between."""
    pairs = {
        "fidelity": (distance, (fake, real)),
        "absolute": (absolute, (fake, real)),
        "gradient_difference": (gradient_difference, (fake, real)),
        "temporal_difference": (temporal_difference, in_time),
    }
    return {name: getattr(config, name) * loss(*both) for name, (loss, both) in pairs.items() if getattr(config, name)}
