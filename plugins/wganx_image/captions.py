"""Words beside pictures: over the columns of a grid, and before its rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from wganx import SampleFormat
from wganx_image.writers import draw_grid

_LINE = 12
_HEADER = 16
"""Height of a line of words, and of one line above a grid, in pixels."""


def draw_sheet(samples: Tensor, format: SampleFormat, rows: Sequence[str], columns: Sequence[str]) -> Tensor:
    """Samples line by line in a table, with words before its lines and over its columns; uint8 ``(C, H, W)``.

    Raises:
        DataError: the samples have neither 1 nor 3 channels.
    """
    grid = draw_grid(samples, format, columns=len(columns))
    beside = margin([[words] if words else [] for words in rows], grid) if any(rows) else grid[:, :, :0]
    above = header(columns, grid)
    corner = above[:, :, :1].expand(-1, -1, beside.shape[2])
    return torch.cat([torch.cat([corner, above], 2), torch.cat([beside, grid], 2)], 1)


def header(captions: Sequence[str], grid_CHW: Tensor) -> Tensor:
    """White with a caption over the middle of every column, as wide as the grid; each is cut to its column's width."""
    width = grid_CHW.shape[2]
    height = _HEADER * (1 + max(caption.count("\n") for caption in captions))
    above = Image.new("L", (width, height), 255)
    for column, caption in enumerate(captions):
        left, right = (round(edge * width / len(captions)) for edge in (column, column + 1))
        own = Image.new("L", (right - left, height), 255)
        ImageDraw.Draw(own).multiline_text((own.width / 2, 1), caption, fill=0, anchor="ma", align="center")
        above.paste(own, (left, 0))
    return torch.from_numpy(np.array(above)).expand(grid_CHW.shape[0], -1, -1)


def margin(captions: Sequence[Sequence[str]], grid_CHW: Tensor) -> Tensor:
    """A margin of white with the lines of a caption before the middle of every row, as high as the grid.

    A row that has more lines than its height has room for ends with ``...``.
    """
    height = grid_CHW.shape[1]
    room = max(1, height // len(captions) // _LINE)
    shown = [lines if len(lines) <= room else [*lines[: room - 1], "..."] for lines in captions]
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    width = max(int(measure.textlength(line)) for lines in shown for line in lines) + 8
    beside = Image.new("L", (width, height), 255)
    for row, lines in enumerate(shown):
        top = (row + 0.5) * height / len(captions) - len(lines) * _LINE / 2
        for number, line in enumerate(lines):
            ImageDraw.Draw(beside).text((4, top + number * _LINE), line, fill=0)
    return torch.from_numpy(np.array(beside)).expand(grid_CHW.shape[0], -1, -1)
