"""Frames brought along a flow: what moves is carried to where it is at the time of the missing frame, not faded.

The synthesis of Liu et al. 2017, "Video frame synthesis using deep voxel flow", with the flow of each side its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx_video.networks.starts import in_single

MOTIONS = 5
"""Maps of each made frame: the flow into the frame before, that into the frame after, and the share of the latter."""

_REACH = 8.0
"""Pixels of flow for an output of 1, so that weights of usual size reach far."""


def neighbours(given: Sequence[int], made: Sequence[int]) -> tuple[list[int], list[int]]:
    """Which of the given frames lie before and after each made one."""
    after = [next(index for index, place in enumerate(given) if place > other) for other in made]
    return [index - 1 for index in after], after


def warped(frames_NMCHW: Tensor, flow_NM2HW: Tensor) -> Tensor:
    """Each frame looked at `flow` pixels away, x before y, bilinearly; the edge is repeated."""
    height, width = frames_NMCHW.shape[3:]
    device = frames_NMCHW.device
    with in_single(frames_NMCHW):
        flow = flow_NM2HW.flatten(0, 1).float()
        across = torch.arange(width, device=device) + flow[:, 0]
        down = torch.arange(height, device=device)[:, None] + flow[:, 1]
        grid = torch.stack([(2 * across + 1) / width - 1, (2 * down + 1) / height - 1], 3)
        seen = F.grid_sample(frames_NMCHW.flatten(0, 1).float(), grid, padding_mode="border", align_corners=False)
        return torch.unflatten(seen, 0, frames_NMCHW.shape[:2])


def carried(before_NMCHW: Tensor, after_NMCHW: Tensor, share: Tensor, motion_NM5HW: Tensor) -> Tensor:
    """The frames before and after, each along its flow, blended; without any motion the linear blend.

    Args:
        share: of the frame after in the blend, to be broadcast to ``(N, M, 1, 1, 1)``.
    """
    flows, more = _REACH * motion_NM5HW[:, :, :4], motion_NM5HW[:, :, 4:]
    share = (share + more).clamp(0, 1)
    return torch.lerp(warped(before_NMCHW, flows[:, :, :2]), warped(after_NMCHW, flows[:, :, 2:]), share)
