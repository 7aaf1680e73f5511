"""Clips of a batch: which frames, which part of them, and which way round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from wganx import ConfigError, Formats, SampleFormat
from wganx_video.configs.tasks import ClipsConfig


def clip_format(formats: Formats, task: str, frames: int, key: str = "sample") -> SampleFormat:
    """The format of a dataset's clips, which have `frames` frames at least.

    Raises:
        ConfigError: they are no clips, have too few frames, or values without a range.
    """
    format = formats.need(key, f"task.name={task}")
    if format.axes != ("frame", "channel", "height", "width"):
        raise ConfigError(f"task.name={task} needs clips (frame, channel, height, width), and {key!r} is {format}")
    if format.shape[0] is not None and format.shape[0] < frames:
        raise ConfigError(
            f"task.name={task} takes {frames} frames of each clip, and this dataset's clips have {format.shape[0]}: "
            "raise dataset.frames, or take fewer"
        )
    if format.value_range is None:
        raise ConfigError(f"task.name={task} needs to know the range of values in {key!r}, and their format names none")
    return format


def frames_of(format: SampleFormat, shape: tuple[int | None, ...], **signal: Any) -> SampleFormat:
    """The format of frames as networks see them: in [0, 1]."""
    return replace(format, shape=shape, value_range=(0.0, 1.0), signal={**format.signal, **signal})


def to_unit(clips: Tensor, format: SampleFormat) -> Tensor:
    """Stored values to [0, 1]."""
    low, high = format.value_range or (0.0, 255.0)
    return ((clips.float() - low) / (high - low)).clamp(0, 1)


def window(clips_NTCHW: Tensor, frames: int, starts_N: Tensor | None) -> Tensor:
    """`frames` frames from each row's own start on, or from the first."""
    if starts_N is None or clips_NTCHW.shape[1] == frames:
        return clips_NTCHW[:, :frames]
    device = clips_NTCHW.device
    rows = torch.arange(len(clips_NTCHW), device=device)[:, None]
    return clips_NTCHW[rows, starts_N[:, None] + torch.arange(frames, device=device)]


def random_starts(clips_NTCHW: Tensor, frames: int, rng: torch.Generator) -> Tensor:
    """A start for each row, at which `frames` frames are left."""
    spare = clips_NTCHW.shape[1] - frames + 1
    return torch.randint(spare, (len(clips_NTCHW),), generator=rng, device=clips_NTCHW.device)


def augmented(
    clips: list[Tensor], config: ClipsConfig, rng: torch.Generator, *, reverse: bool = False, scale: int = 1
) -> list[Tensor]:
    """The same random part, mirroring and direction of time for every tensor of a row.

    Args:
        clips: ``(N, T, C, H, W)``, and perhaps the same `scale` times smaller.
        reverse: turn half of the rows backwards.
    """
    first = clips[0]
    if config.crop:
        small = [size // scale for size in first.shape[3:]]
        part = config.crop // scale
        if min(small) < part:
            raise ConfigError(
                f"task.crop={config.crop} is larger than the clips, which have {first.shape[4]} x {first.shape[3]} px"
            )
        tops, lefts = (
            torch.randint(size - part + 1, (len(first),), generator=rng, device=first.device) for size in small
        )
        factors = [clip.shape[3] // small[0] for clip in clips]
        clips = [_part(clip, tops * by, lefts * by, part * by) for clip, by in zip(clips, factors)]
    for axis, wanted in ((4, config.flip), (1, reverse)):
        if wanted:
            turned = torch.rand(len(first), 1, 1, 1, 1, generator=rng, device=first.device) < 0.5
            clips = [torch.where(turned, clip.flip(axis), clip) for clip in clips]
    return clips


def _part(clips_NTCHW: Tensor, tops_N: Tensor, lefts_N: Tensor, size: int) -> Tensor:
    along = torch.arange(size, device=clips_NTCHW.device)
    rows_N = torch.arange(len(clips_NTCHW), device=clips_NTCHW.device)[:, None, None]
    # Indexed axes come first, those between them after.
    cut_NHWTC = clips_NTCHW.permute(0, 3, 4, 1, 2)[
        rows_N, (tops_N[:, None] + along)[:, :, None], (lefts_N[:, None] + along)[:, None, :]
    ]
    return cut_NHWTC.permute(0, 3, 4, 1, 2)
