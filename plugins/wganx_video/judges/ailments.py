"""What can go wrong with made frames; that all clips are alike is seen by WX030."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx import Vitals
from wganx_video.judges.sight import gradient

_FLAT = 0.03
_COPIED = 0.1
_BLURRED = 0.25
_RESTLESS = 2.0
_LITTLE = 0.002
"""Mean differences below half a step of 8 bits say nothing."""


def constant(vitals: Vitals) -> str | None:
    """Frames of one colour, such as black: their values spread less than 3 % as far as those of real frames.

    Plain absolute differences as the main loss lead there, where most of every frame is background: black is the median
    of what may come.
    """
    if vitals.fake.ndim != 5:
        return None
    real, fake = (x.float().flatten(3).std(3, correction=0).mean().item() for x in (vitals.real, vitals.fake))
    if real > _LITTLE and fake < _FLAT * real:
        level = vitals.fake.float().mean().item()
        return f"made frames are all one colour (level {level:.2f}; spread {fake:.1e}, of real frames {real:.2f})"
    return None


def copied(vitals: Vitals) -> str | None:
    """Made frames that are copies of given ones: ten times nearer to one of these than the true frames are."""
    given = next((vitals.context[name] for name in ("past", "frames") if name in vitals.context), None)
    if vitals.fake.ndim != 5 or given is None or given.shape[2:] != vitals.fake.shape[2:]:
        return None
    real, fake = (_to_nearest(x.float(), given.float()) for x in (vitals.real, vitals.fake))
    if real > _LITTLE and fake < _COPIED * real:
        return f"made frames copy a given one: they differ from it by {fake:.4f}, true frames by {real:.4f}"
    return None


def blurred(vitals: Vitals) -> str | None:
    """Made frames without edges: their mean gradient is below a quarter of that of real frames."""
    if vitals.fake.ndim != 5 or min(vitals.fake.shape[3:]) < 2:
        return None
    real, fake = (gradient(x.float()).mean().item() for x in (vitals.real, vitals.fake))
    if real > _LITTLE and fake < _BLURRED * real and constant(vitals) is None:
        return f"made frames are blurred: their sharpness is {fake / real:.2f} of that of real frames"
    return None


def flickering(vitals: Vitals) -> str | None:
    """Made frames that change from one to the next more than twice as much as real ones do."""
    if vitals.fake.ndim != 5 or vitals.fake.shape[1] < 2:
        return None
    real, fake = (x.float().diff(dim=1).abs().mean().item() for x in (vitals.real, vitals.fake))
    if fake > _RESTLESS * real + _LITTLE:
        return f"made films flicker: they change by {fake:.4f} from frame to frame, real ones by {real:.4f}"
    return None


def _to_nearest(frames_NTCHW: Tensor, given_NKCHW: Tensor) -> float:
    """Mean absolute difference of frames to the given frame of their clip that is the nearest."""
    differences = [(frames_NTCHW - one).abs().mean((2, 3, 4)) for one in torch.split(given_NKCHW, 1, dim=1)]
    return torch.stack(differences).amin(0).mean().item()
