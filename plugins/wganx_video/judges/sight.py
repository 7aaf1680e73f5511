"""What errors do not tell: whether frames are as sharp as real ones, and whether films move as these do."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from wganx import MetricContext, Sides
from wganx_video.judges.pixels import Numbers, together, unit
from wganx_video.timeline import timeline_of


def gradient(frames: Tensor) -> Tensor:
    """Mean size of the differences to the next pixel, down and right, of frames ``(..., C, H, W)``: ``(...)``."""
    down = (frames[..., 1:, :] - frames[..., :-1, :]).abs()
    right = (frames[..., :, 1:] - frames[..., :, :-1]).abs()
    return down.double().flatten(-3).mean(-1) + right.double().flatten(-3).mean(-1)


def sharpness(sides: Sides, context: MetricContext) -> Numbers:
    """``sharpness``: the mean gradient of all samples over that of their truth; blur lies below 1, noise above.

    ``sharpness_gap`` is its distance to 1, which ranks. Nothing where the truth has no edge at all.
    """
    format, made, true = context.game.sample, 0.0, 0.0
    for some, others in together(sides.candidate.real, sides.truth.real):
        made += float(gradient(unit(some, format)).sum())
        true += float(gradient(unit(others, format)).sum())
    if not true:
        return {}
    return {"sharpness": made / true, "sharpness_gap": abs(made / true - 1)}


def flicker(sides: Sides, context: MetricContext) -> Numbers:
    """How films change from frame to frame, where a made frame is one of the two.

    ``flicker`` is the mean size of the error of these differences, in [0, 1]: a still error costs nothing, one that
    jumps does, and so does a seam between given and made frames. ``motion`` is the mean size of the differences over
    that of the truth: 0 for a still picture, above 1 where it flickers. Nothing where frames have no neighbours.
    """
    format = context.game.sample
    line = timeline_of(sides.candidate, format, sides.candidate.real.shape[1])
    is_made = line.is_made()
    touched = torch.tensor([a or b for a, b in pairwise(is_made)], dtype=torch.bool)
    if not bool(touched.any()):
        return {}
    wrong, made, true, many = 0.0, 0.0, 0.0, 0
    # Rows of what was given go along with the rows of both.
    rows = [unit(line.whole(side.real), format) for side in (sides.candidate, sides.truth)]
    for some, others in together(*rows):
        changes, right = (_changes(each)[:, touched.to(each.device)] for each in (some, others))
        wrong += float((changes - right).abs().double().sum())
        made += float(changes.abs().double().sum())
        true += float(right.abs().double().sum())
        many += changes.numel()
    return {"flicker": wrong / many, **({"motion": made / true} if true else {})}


def _changes(frames_NTCHW: Tensor) -> Tensor:
    return frames_NTCHW[:, 1:] - frames_NTCHW[:, :-1]
