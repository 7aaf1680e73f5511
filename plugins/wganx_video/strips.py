"""Films to look at: their frames in rows on one sheet, and clips side by side that move together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Pixels = NDArray[np.uint8]
"""A frame ``(H, W, 3)``."""

CLEAREST = 0.5
"""Differences from here on have their full colour, on every sheet, so that sheets can be compared."""

_PAPER, _INK, _FAINT, _MARK = (24, 26, 31), (214, 218, 226), (128, 134, 146), (245, 166, 35)
_ALIKE, _DARKER, _LIGHTER = (0, 0, 0), (80, 170, 255), (255, 140, 50)
_LABEL, _LINE, _GAP, _EDGE = 66, 15, 3, 10
_SHEET_CELL, _CLIP_CELL = (48, 128), (96, 256)
"""Least and most pixels of a frame's sides, on sheets and in clips."""
_WIDE = 420
"""Blocks narrower than this stand two beside each other."""


@dataclass(frozen=True)
class Row:
    """Frames under one name.

    Attributes:
        frames: by column.
        numbers: what stands above the columns, where that is to be told.
    """

    name: str
    frames: Mapping[int, Pixels]
    numbers: Mapping[int, str] | None = None


@dataclass(frozen=True)
class Panel:
    """What moves in one place of a clip: a frame for every moment, or none yet.

    Attributes:
        made: whether the frame of each moment was made, which is marked.
    """

    name: str
    frames: Sequence[Pixels | None]
    made: Sequence[bool]


def visible(frames: Tensor) -> list[Pixels]:
    """Frames ``(T, C, H, W)`` in [0, 1] as colours: grey, RGB, RGBA on grey; of other channels the mean as grey."""
    frames = torch.nan_to_num(frames.detach().float().cpu()).clamp(0, 1)
    channels = frames.shape[1]
    if channels == 4:
        frames = frames[:, :3] * frames[:, 3:] + 0.5 * (1 - frames[:, 3:])
    elif channels != 3:
        frames = frames.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    return list((frames * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())


def difference(made: Tensor, true: Tensor) -> list[Pixels]:
    """Where frames ``(T, C, H, W)`` are lighter than their truth (orange) and darker (blue); black where alike.

    Of several channels the one that differs most tells how much, and their sum which way: none cancels another.
    """
    apart = torch.nan_to_num((made - true).detach().float().cpu(), nan=1.0)
    strength = (apart.abs().amax(1, keepdim=True) / CLEAREST).clamp(0, 1)
    colours = [torch.tensor(colour).view(1, 3, 1, 1).float() for colour in (_ALIKE, _DARKER, _LIGHTER)]
    alike, darker, lighter = colours
    towards = torch.where(apart.sum(1, keepdim=True) < 0, darker, lighter)
    return list((alike + strength * (towards - alike)).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())


def draw_sheet(blocks: Sequence[Sequence[Row]], *, differs: bool) -> Tensor:
    """All blocks of rows on one sheet, uint8 ``(3, H, W)``; each begins with its number.

    Args:
        differs: whether a row tells differences, whose colours are then explained.
    """
    size = _cell(next((frame for rows in blocks for row in rows for frame in row.frames.values()), None), _SHEET_CELL)
    columns = 1 + max((column for rows in blocks for row in rows for column in row.frames), default=0)
    width = _LABEL + columns * (size[0] + _GAP)
    heights = [sum(size[1] + _GAP + (_LINE if row.numbers else 0) for row in rows) for rows in blocks]
    height = max(heights, default=size[1])
    beside = min(2 if width < _WIDE else 1, max(len(blocks), 1))
    deep = max(math.ceil(len(blocks) / beside), 1)
    legend = 2 * _LINE if differs else 0
    sheet = Image.new(
        "RGB", (_EDGE + beside * (width + _EDGE), _EDGE + deep * (height + _EDGE) + legend), _PAPER
    )  # fmt: skip
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for index, rows in enumerate(blocks):
        down, right = divmod(index, beside)
        left, top = _EDGE + right * (width + _EDGE), _EDGE + down * (height + _EDGE)
        for place, row in enumerate(rows):
            if row.numbers:
                for column, number in row.numbers.items():
                    middle = left + _LABEL + column * (size[0] + _GAP) + size[0] // 2
                    draw.text((middle, top + _LINE - 3), number, fill=_FAINT, font=font, anchor="ms")
                top += _LINE
            if place == 0:
                draw.text((left, top + 2), str(index + 1), fill=_FAINT, font=font)
            draw.text((left + _LABEL - 6, top + size[1] // 2), row.name, fill=_INK, font=font, anchor="rm")
            for column, frame in row.frames.items():
                sheet.paste(_sized(frame, size), (left + _LABEL + column * (size[0] + _GAP), top))
            top += size[1] + _GAP
    if differs:
        _explain(draw, font, sheet.height - _EDGE - _LINE // 2)
    return torch.from_numpy(np.array(sheet)).permute(2, 0, 1)


def draw_clip(panels: Sequence[Panel], moments: Sequence[str]) -> list[Image.Image]:
    """A picture for each moment, with the panels beside each other.

    Args:
        moments: what each moment is called.
    """
    size = _cell(next((frame for panel in panels for frame in panel.frames if frame is not None), None), _CLIP_CELL)
    width = _GAP + len(panels) * (size[0] + 2 * _GAP)
    font = ImageFont.load_default(11)
    pictures = []
    for moment, told in enumerate(moments):
        picture = Image.new("RGB", (width, size[1] + 2 * _LINE + 2 * _GAP), _PAPER)
        draw = ImageDraw.Draw(picture)
        for place, panel in enumerate(panels):
            left, top = 2 * _GAP + place * (size[0] + 2 * _GAP), _LINE + _GAP
            draw.text((left, _LINE - 3), panel.name, fill=_INK, font=font, anchor="ls")
            frame = panel.frames[moment]
            if frame is None:
                continue
            picture.paste(_sized(frame, size), (left, top))
            draw.rectangle(
                (left - 1, top - 1, left + size[0], top + size[1]), outline=_MARK if panel.made[moment] else _FAINT
            )
        draw.text((2 * _GAP, picture.height - 4), told, fill=_FAINT, font=font, anchor="ls")
        pictures.append(picture)
    return pictures


def _cell(frame: Pixels | None, sides: tuple[int, int]) -> tuple[int, int]:
    """Width and height to show frames at: enlarged by a whole factor where small, shrunken where large."""
    least, most = sides
    height, width = (least, least) if frame is None else frame.shape[:2]
    factor = max(math.ceil(least / max(height, width)), 1)
    share = min(1.0, most / (factor * max(height, width)))
    return max(round(width * factor * share), 1), max(round(height * factor * share), 1)


def _sized(frame: Pixels, size: tuple[int, int]) -> Image.Image:
    """Enlarged pixel by pixel, so that nothing is smoothed; shrunken by means."""
    picture = Image.fromarray(np.ascontiguousarray(frame))
    larger = size[0] >= picture.width
    return picture.resize(size, Image.Resampling.NEAREST if larger else Image.Resampling.BOX)


def _explain(draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, middle: int) -> None:
    left = _EDGE + _LABEL
    for colour, told in ((_DARKER, "darker than the truth"), (_LIGHTER, f"lighter; full colour from {CLEAREST:g} on")):
        draw.rectangle((left, middle - 5, left + 10, middle + 5), fill=colour)
        draw.text((left + 16, middle), told, fill=_INK, font=font, anchor="lm")
        left += 30 + round(draw.textlength(told, font=font))
