"""Spectrograms of sounds on one sheet, with axes in seconds and hertz."""

from __future__ import annotations

import math
from collections.abc import Sequence
from unicodedata import combining, normalize

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

CELL = (208, 128)
"""Width and height of one spectrogram, pixels."""
COLUMNS = 4
LOUDEST_DB, SOFTEST_DB = -10.0, -80.0
"""Of a full sine: what is drawn lightest and darkest, the same on every sheet, so that sheets can be compared."""

_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 46, 14, 20, 34, 12
_INK, _EDGE, _PAPER = (58, 62, 70), (150, 155, 163), (255, 255, 255)
_WINDOW_SECONDS = 0.032
# Darkness to light, each step as far from the last to the eye.
_COLOURS = ((8, 6, 32), (58, 20, 96), (128, 36, 118), (204, 66, 92), (246, 138, 64), (252, 246, 190))


def draw_sheet(waves: Sequence[Tensor], rate: float, captions: Sequence[str], columns: int = COLUMNS) -> Tensor:
    """Spectrograms of the sounds row by row, uint8 ``(3, H, W)``.

    All have the time axis of the longest, and the frequencies up to half the rate; of several channels the mean power
    is drawn.

    Args:
        waves: each ``(C, L)``, 1 being the full scale.
        captions: what stands above each.
    """
    columns = max(min(columns, len(waves)), 1)
    rows = max(math.ceil(len(waves) / columns), 1)
    seconds = max((wave.shape[-1] for wave in waves), default=1) / rate
    width, height = CELL
    size = (_LEFT + columns * (width + _GAP) - _GAP + _RIGHT, rows * (height + _TOP) + _BOTTOM)
    picture = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(11)
    for index, (wave_CL, caption) in enumerate(zip(waves, captions)):
        row, column = divmod(index, columns)
        left, top = _LEFT + column * (width + _GAP), row * (height + _TOP) + _TOP
        shown = max(round(width * wave_CL.shape[-1] / rate / seconds), 1)
        picture.paste(_spectrogram(wave_CL, rate).resize((shown, height), Image.Resampling.BILINEAR), (left, top))
        draw.rectangle((left - 1, top - 1, left + width, top + height), outline=_EDGE)
        draw.text((left, top - 4), _drawable(caption), fill=_INK, font=font, anchor="ls")
        if column == 0:
            for hertz in _ticks(rate / 2, 4):
                y = top + height * (1 - hertz / (rate / 2))
                draw.line((left - 5, y, left - 1, y), fill=_EDGE)
                draw.text((left - 8, y), _hertz(hertz), fill=_INK, font=font, anchor="rm")
        if index + columns >= len(waves):  # nothing below
            for second in _ticks(seconds, 4):
                x = left + width * second / seconds
                draw.line((x, top + height, x, top + height + 4), fill=_EDGE)
                draw.text((x, top + height + 6), f"{second:g}", fill=_INK, font=font, anchor="mt")
    draw.text((_LEFT - 8, size[1] - 6), "Hz", fill=_INK, font=font, anchor="rs")
    draw.text((_LEFT, size[1] - 6), "seconds", fill=_INK, font=font, anchor="ls")
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def _spectrogram(wave_CL: Tensor, rate: float) -> Image.Image:
    """Highest frequency on top; the window is about 32 ms long at any rate."""
    window = 2 ** max(round(math.log2(_WINDOW_SECONDS * rate)), 4)
    wave_CL = torch.nan_to_num(wave_CL.detach().float().cpu())
    # Of long sounds no more frames than four times what the picture shows.
    hop = max(window // 4, wave_CL.shape[-1] // (4 * CELL[0]))
    spectrum_CFT = torch.stft(
        wave_CL, window, hop, window=torch.hann_window(window), pad_mode="constant", return_complex=True
    )
    power_FT = (spectrum_CFT.abs() * (4 / window)).square().mean(0)
    level_FT = 10 * power_FT.clamp_min(1e-12).log10()
    shade_FT = ((level_FT - SOFTEST_DB) / (LOUDEST_DB - SOFTEST_DB)).clamp(0, 1).flip(0)
    return Image.fromarray(_coloured(shade_FT.numpy()))


def _coloured(shade_HW: NDArray[np.float32]) -> NDArray[np.uint8]:
    places = np.linspace(0, 1, len(_COLOURS))
    channels = [np.interp(shade_HW, places, [colour[channel] for colour in _COLOURS]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _drawable(text: str) -> str:
    """A text in the letters that the font has: without accents, a question mark for what has no such form."""
    apart = normalize("NFKD", text)
    return "".join(sign for sign in apart if not combining(sign)).encode("ascii", "replace").decode("ascii")


def _ticks(highest: float, about: int) -> list[float]:
    """Round numbers from 0 up to `highest`, about so many."""
    rough = highest / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    return [round(index * step, 9) for index in range(math.floor(highest / step + 1e-6) + 1)]


def _hertz(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
