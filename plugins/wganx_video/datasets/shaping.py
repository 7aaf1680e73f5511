"""Frames brought to one size and to one number of channels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import DataError

Resized = Literal["crop", "pad", "stretch"]

_LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""


def to_channels(clip_TCHW: Tensor, channels: int, name: str) -> Tensor:
    """Frames uint8 with as many channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.

    Grey becomes colour by repetition, colour becomes grey as luma; what is transparent becomes white, as on a page.

    Raises:
        DataError: one of both has more than four channels, which nothing is known of.
    """
    here = clip_TCHW.shape[1]
    if here == channels:
        return clip_TCHW
    if max(here, channels) > 4:
        raise DataError(
            f"{name} has {here} channels, and {channels} are wanted; leave it out, or set dataset.channels={here}"
        )
    alpha = clip_TCHW[:, -1:] if here in (2, 4) else None
    plain = clip_TCHW if alpha is None else clip_TCHW[:, :-1]
    wants_alpha = channels in (2, 4)
    if alpha is not None and not wants_alpha:
        opaque = alpha.float() / 255
        plain = (plain.float() * opaque + 255 * (1 - opaque)).round().to(torch.uint8)
    if (wanted := channels - wants_alpha) != plain.shape[1]:
        plain = plain.expand(-1, 3, -1, -1) if wanted == 3 else _luma(plain)
    if not wants_alpha:
        return plain.contiguous()
    return torch.cat([plain, torch.full_like(plain[:, :1], 255) if alpha is None else alpha], 1)


def to_size(clip_TCHW: Tensor, height: int, width: int, fit: Resized) -> Tensor:
    """Frames uint8 ``(T, C, height, width)``, resized by antialiased bicubic interpolation where that is needed."""
    there_h, there_w = clip_TCHW.shape[2:]
    if (there_h, there_w) == (height, width):
        return clip_TCHW
    if fit == "stretch":
        return _resized(clip_TCHW, height, width)
    if fit == "pad":
        scale = min(height / there_h, width / there_w)
        inner_h, inner_w = max(1, round(there_h * scale)), max(1, round(there_w * scale))
        top, left = (height - inner_h) // 2, (width - inner_w) // 2
        around = (left, width - inner_w - left, top, height - inner_h - top)
        return F.pad(_resized(clip_TCHW, inner_h, inner_w), around)
    scale = min(there_h / height, there_w / width)
    part_h, part_w = min(there_h, round(height * scale)), min(there_w, round(width * scale))
    top, left = (there_h - part_h) // 2, (there_w - part_w) // 2
    return _resized(clip_TCHW[:, :, top : top + part_h, left : left + part_w], height, width)


def _luma(rgb_TCHW: Tensor) -> Tensor:
    weights_C = torch.tensor(_LUMA)[:, None, None]
    return (rgb_TCHW.float() * weights_C).sum(1, keepdim=True).round().to(torch.uint8)


def _resized(clip_TCHW: Tensor, height: int, width: int) -> Tensor:
    if clip_TCHW.shape[2:] == (height, width):
        return clip_TCHW.contiguous()
    found = clip_TCHW.new_empty((*clip_TCHW.shape[:2], height, width))
    for frame, made in zip(clip_TCHW, found):  # one at a time: those of a cinema's film are large in floating point
        exact = F.interpolate(frame[None].float(), (height, width), mode="bicubic", antialias=True)
        made.copy_(exact[0].round().clamp(0, 255))
    return found
