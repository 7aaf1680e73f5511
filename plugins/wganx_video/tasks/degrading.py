"""How small frames are made of large ones: blur, antialiased bicubic shrinking, noise, compression, 8 bits."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx_video.configs.tasks import UpscaleConfig
from wganx_video.networks.starts import shrink

# Quantisation of luminance at quality 50, ITU-T T.81 (1992), annex K.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def degrade(large_NTCHW: Tensor, config: UpscaleConfig, rng: torch.Generator | None) -> Tensor:
    """Small clips ``(N, T, C, H / s, W / s)`` of large ones, both in [0, 1], in steps of 1 / 255.

    With `rng` each clip has strengths of its own, drawn evenly from 0 to what the options say. Without, all have half
    of that, and the same noise every time: clips to evaluate on are always the same.
    """
    count, device = len(large_NTCHW), large_NTCHW.device

    def strength(most: float) -> Tensor:
        if rng is None:
            return torch.full((count,), most / 2, device=device)
        return most * torch.rand(count, generator=rng, device=device)

    x = large_NTCHW
    if config.blur:
        x = blurred(x, strength(config.blur), reach=math.ceil(3 * config.blur))
    x = shrink(x, config.scale)
    if config.noise:
        x = x + strength(config.noise)[:, None, None, None, None] * _noise(x, rng)
    if config.compression:
        x = compressed(x.clamp(0, 1), 100 - strength(config.compression))
    return (x.clamp(0, 1) * 255).round() / 255


def blurred(x_NTCHW: Tensor, deviation_N: Tensor, *, reach: int) -> Tensor:
    """A Gaussian blur, of each row its own, over `reach` pixels to each side; edges are repeated."""
    along = torch.arange(-reach, reach + 1, device=x_NTCHW.device)
    taps_NK = torch.exp(-0.5 * (along / deviation_N[:, None].clamp_min(1e-3)) ** 2)
    taps_NK = taps_NK / taps_NK.sum(1, keepdim=True)
    count = x_NTCHW.shape[1] * x_NTCHW.shape[2]
    rows = x_NTCHW.flatten(0, 2)[None]
    taps = taps_NK.repeat_interleave(count, 0)
    rows = F.conv2d(F.pad(rows, (reach, reach, 0, 0), mode="replicate"), taps[:, None, None, :], groups=len(taps))
    rows = F.conv2d(F.pad(rows, (0, 0, reach, reach), mode="replicate"), taps[:, None, :, None], groups=len(taps))
    return rows[0].view(x_NTCHW.shape)


def compressed(x_NTCHW: Tensor, quality_N: Tensor) -> Tensor:
    """What JPEG's quantisation of luminance at a quality (1 to 100) of each row its own leaves of every channel.

    Frames are padded to blocks of 8 x 8 px, transformed by cosines, rounded to multiples of the table, and back.
    """
    height, width = x_NTCHW.shape[3:]
    padded = F.pad(x_NTCHW.flatten(0, 1), (0, -width % 8, 0, -height % 8), mode="replicate")
    down, across = padded.shape[2] // 8, padded.shape[3] // 8
    blocks = padded.view(*padded.shape[:2], down, 8, across, 8).transpose(3, 4)  # (N T, C, down, across, 8, 8)
    along = torch.arange(8, device=x_NTCHW.device)
    cosines = torch.cos(math.pi / 8 * (along + 0.5) * along[:, None]) / 2
    cosines[0] /= math.sqrt(2)
    quality_N = quality_N.clamp(1, 100)
    percent_N = torch.where(quality_N < 50, 5000 / quality_N, 200 - 2 * quality_N)
    table = torch.tensor(_LUMINANCE, device=x_NTCHW.device)
    steps_N88 = ((table * percent_N[:, None, None] + 50) / 100).floor().clamp(1, 255)
    steps = steps_N88.repeat_interleave(x_NTCHW.shape[1], 0)[:, None, None, None]
    kept = (cosines @ (blocks * 255 - 128) @ cosines.T / steps).round() * steps
    back = ((cosines.T @ kept @ cosines + 128) / 255).transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return back[..., :height, :width].clamp(0, 1).reshape(x_NTCHW.shape)


def _noise(like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Normal noise; without `rng` that of a fixed seed, the same for every row."""
    if rng is None:
        fixed = torch.Generator(like.device).manual_seed(0)
        return torch.randn(1, *like.shape[1:], generator=fixed, device=like.device).expand_as(like)
    return torch.randn(like.shape, generator=rng, device=like.device)
