"""Looking into sounds and clips: the loudness of a sound, a smaller copy of it, the frames of a clip in one picture.

What cannot be decoded is shown without, so nothing here raises for a damaged file.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wganx.report.pictures import SIDE_LIMIT, as_webp

COLUMNS = 100
"""Of a drawing of loudness."""
DEPTH = 40
"""Its height, in the units of its path."""
MOST_PIXELS = 16_000_000


@dataclass(frozen=True)
class Strip:
    """Every frame of a clip, row by row in one WebP: `columns` beside each other, each shown for `milliseconds`."""

    data: bytes
    frames: int
    columns: int
    milliseconds: int


def loudness(data: bytes) -> tuple[str, float]:
    """SVG path of the peaks of a sound, `COLUMNS` wide and `DEPTH` high, and its length in seconds; empty and 0 if it
    cannot be decoded."""
    decoded = _decoded(io.BytesIO(data))
    if decoded is None:
        return "", 0.0
    sound, rate = decoded
    loud = np.abs(sound).max(axis=1)
    edges = np.linspace(0, len(loud), COLUMNS + 1).astype(np.intp)[:-1]
    peaks = np.maximum.reduceat(loud, np.minimum(edges, len(loud) - 1))
    half = np.round(DEPTH / 2 * np.clip(peaks, 0, 1)).astype(int).tolist()
    middle = DEPTH // 2
    return "".join(f"M{x} {middle - h}V{middle + h}" for x, h in enumerate(half)), len(loud) / rate


def as_mp3(path: Path) -> bytes | None:
    """A sound as MP3, or None where that cannot be done (sampling rates that MP3 has not, a damaged file)."""
    import soundfile

    decoded = _decoded(path)
    if decoded is None or "MP3" not in soundfile.available_formats():
        return None
    content = io.BytesIO()
    try:
        soundfile.write(content, decoded[0][:, :2], decoded[1], format="MP3")
    except (soundfile.SoundFileError, OSError, ValueError, TypeError):
        return None
    return content.getvalue()


def as_strip(data: bytes, most: int) -> Strip | None:
    """The frames of an animated picture as a strip, evenly spread where there are more than `most`; None for one of a
    single frame, or too large or damaged."""
    try:
        with Image.open(io.BytesIO(data), formats=("GIF", "WEBP")) as clip:
            count = getattr(clip, "n_frames", 1)
            stride = math.ceil(count / most)
            frames = math.ceil(count / stride)
            columns = math.ceil(math.sqrt(frames))
            width, height = clip.width * columns, clip.height * math.ceil(frames / columns)
            if count < 2 or max(width, height) > SIDE_LIMIT or width * height > MOST_PIXELS:
                return None
            strip = Image.new("RGB", (width, height))
            shown_for = 0
            for index in range(count):
                clip.seek(index)
                clip.load()  # WebP says how long a frame lasts when it has been read
                shown_for += int(clip.info.get("duration") or 100)
                if index % stride == 0:
                    row, column = divmod(index // stride, columns)
                    strip.paste(clip.convert("RGB"), (column * clip.width, row * clip.height))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None
    return Strip(as_webp(strip, quality=85)[0], frames, columns, max(20, round(shown_for / frames)))


def _decoded(source: Path | io.BytesIO) -> tuple[NDArray[np.float32], int] | None:
    """Samples ``(N, channels)`` in -1..1 and how many of them make a second."""
    import soundfile

    try:
        sound, rate = soundfile.read(source, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError):
        return None
    return (np.nan_to_num(sound), int(rate)) if len(sound) and rate else None
