"""Films that several tests of the video plugin share: each frame has its number burnt into its pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

HEIGHT, WIDTH = 48, 64
_BITS = 8


def _numbered(number: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A frame ``(H, W, 3)``: its number in black and white blocks along its top, and a coloured square that moves."""
    frame_HWC = np.full((height, width, 3), 90, dtype=np.uint8)
    block = width // _BITS
    for bit in range(_BITS):
        frame_HWC[: height // 3, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    at = 2 * number % (width - 8)
    frame_HWC[height // 2 : height // 2 + 16, at : at + 8] = (200, 30, 60)
    return frame_HWC


def _number_in(frame_CHW: Tensor) -> int:
    """The number that is burnt into a frame ``(C, H, W)``."""
    _, height, width = frame_CHW.shape
    block = width // _BITS
    top_W = frame_CHW[:3, : height // 3].float().mean((0, 1))
    return sum(int(top_W[bit * block + 2 : (bit + 1) * block - 2].mean() > 125) << bit for bit in range(_BITS))


def _numbers_in(film_TCHW: Tensor) -> list[int]:
    return [_number_in(frame_CHW) for frame_CHW in film_TCHW]


def _film(
    path: Path,
    codec: str = "libx264",
    *,
    frames: int = 40,
    rate: Fraction | int = 25,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: Sequence[int] | None = None,
    rotation: int | None = None,
    sound: str | None = None,
    colour: tuple[int, int, int, int] | None = None,
    draw: Callable[[int], NDArray[np.uint8]] | None = None,
) -> Path:
    """A film of numbered frames.

    Args:
        times: when each is shown, in ms.
        rotation: degrees counter-clockwise that are noted.
        sound: codec of a tone beside it.
        colour: range, primaries, transfer, matrix that are noted.
    """
    av = pytest.importorskip("av", reason="needs the extra video")
    height, width = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        context = stream.codec_context
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if colour is not None:
            context.color_range, context.color_primaries, context.color_trc, context.colorspace = colour
        if times is not None:
            context.time_base = Fraction(1, 1000)
        heard = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        if heard is not None:
            length = round(48_000 * frames / rate)
            for start in range(0, length, 1024):
                tone = np.sin(np.arange(start, start + 1024) * 0.05).astype(np.float32)[None] * 0.3
                samples = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                samples.sample_rate, samples.pts, samples.time_base = 48_000, start, Fraction(1, 48_000)
                container.mux(heard.encode(samples))
            container.mux(heard.encode(None))
        for number in range(frames):
            picture = draw(number) if draw else _numbered(number, height, width)
            layout = {1: "gray", 3: "rgb24", 4: "rgba"}[picture.shape[2]]
            frame = av.VideoFrame.from_ndarray(picture[..., 0] if layout == "gray" else picture, format=layout)
            if colour is not None:
                frame = frame.reformat(
                    format=pixels, dst_colorspace={1: 1, 9: 9}.get(colour[3], 5), dst_color_range=colour[0]
                )
                frame.color_range, frame.colorspace = colour[0], colour[3]
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def numbered() -> Callable[..., NDArray[np.uint8]]:
    return _numbered


@pytest.fixture(scope="session")
def numbers_in() -> Callable[[Tensor], list[int]]:
    return _numbers_in


@pytest.fixture(scope="session")
def film() -> Callable[..., Path]:
    return _film
