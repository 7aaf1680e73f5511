"""How patches of pictures are distributed, from fine detail to coarse shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import MetricContext, Sides, sliced_w1

PATCH = 7
SMALLEST = 16
"""Pixels of the coarsest level; a smaller picture has its own size alone."""
_PATCHES = 16_384
_PROJECTIONS = 128


def patch_distances(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Sliced W1 of 7 x 7 px patches on every level of a Laplacian pyramid (Karras et al. 2018), ``patches_32px`` etc.,
    and their mean ``patches``, which stands alone where there is one level.

    The finest level holds edges and texture, the last what is left at 16 px, colours and shapes. Patches are taken at
    random, as many from every picture, and normalised in each channel by the mean and deviation of their own set, so
    that contrast and brightness of a whole set are not seen here.
    """
    levels = zip(laplacian_pyramid(sides.candidate.real), laplacian_pyramid(sides.reference.real))
    found = {}
    for made_NCHW, real_NCHW in levels:
        rng = torch.Generator().manual_seed(context.seed)
        made, real = (_normalised(patches(level, rng)) for level in (made_NCHW, real_NCHW))
        distance = sliced_w1(made, real, projections=_PROJECTIONS, seed=context.seed)
        found[f"patches_{made_NCHW.shape[-1]}px"] = distance.value
    mean = sum(found.values()) / len(found)
    return {"patches": mean, **(found if len(found) > 1 else {})}


def laplacian_pyramid(x_NCHW: Tensor) -> Iterator[Tensor]:
    """The detail of every level, finest first: what a picture has above its own half size; and the rest at last.

    Halving and doubling are those of Burt and Adelson 1983, by the filter 1 4 6 4 1; summed up again, the levels give
    the picture.
    """
    while x_NCHW.shape[-1] >= 2 * SMALLEST and x_NCHW.shape[-1] % 2 == 0 and x_NCHW.shape[-2] % 2 == 0:
        half = _smooth(x_NCHW)[:, :, ::2, ::2]
        yield x_NCHW - doubled(half)
        x_NCHW = half
    yield x_NCHW


def doubled(x_NCHW: Tensor) -> Tensor:
    """A level at twice its size."""
    n, c, height, width = x_NCHW.shape
    wide = x_NCHW.new_zeros(n, c, 2 * height, 2 * width)
    wide[:, :, ::2, ::2] = x_NCHW
    return 4 * _smooth(wide)


def patches(x_NCHW: Tensor, rng: torch.Generator) -> Tensor:
    """Patches ``(P, C, 7, 7)`` at random places, as many from every picture."""
    n, _, height, width = x_NCHW.shape
    each = max(1, _PATCHES // n)
    size = min(PATCH, height, width)
    top = torch.randint(height - size + 1, (n, each, 1, 1), generator=rng) + torch.arange(size)[:, None]
    left = torch.randint(width - size + 1, (n, each, 1, 1), generator=rng) + torch.arange(size)
    picture = torch.arange(n)[:, None, None, None]
    found = x_NCHW.cpu().permute(0, 2, 3, 1)[picture, top, left]
    return found.flatten(0, 1).permute(0, 3, 1, 2)


def _normalised(patches_PCHW: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(patches_PCHW, dim=(0, 2, 3), keepdim=True)
    return ((patches_PCHW - mean) / deviation.clamp(min=1e-8)).flatten(1)


def _smooth(x_NCHW: Tensor) -> Tensor:
    weights = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=x_NCHW.dtype, device=x_NCHW.device) / 16
    channels = x_NCHW.shape[1]
    kernel = torch.outer(weights, weights).expand(channels, 1, 5, 5)
    return F.conv2d(F.pad(x_NCHW, (2, 2, 2, 2), mode="reflect"), kernel, groups=channels)
