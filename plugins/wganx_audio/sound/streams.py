"""Sound files as streams, so that recordings of hours are read and written in bounded memory."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from wganx import SampleFormat, Source
from wganx_audio.sound.reading import Header, OpenSound
from wganx_audio.sound.writing import SoundWriter

FULL_SCALE = 32768.0
"""Streams speak in the units of what is stored, 16 bit, and without rounding to them: soft recordings of 24 bit keep
what they have."""


class SoundSource:
    """A sound file, read piece by piece: float32 ``(C, L)`` in the units of 16 bit.

    Attributes:
        header: what the file says of itself.
        format: of what is read.
        length: samples of each channel.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            DataError: this is no sound, it is empty, or it is cut short.
        """
        self._sound = OpenSound(path, str(path))
        self.header: Header = self._sound.header
        self.length = self.header.frames
        self.format = SampleFormat(
            axes=("channel", "time"),
            shape=(self.header.channels, None),
            value_range=(-FULL_SCALE, FULL_SCALE - 1),
            rate_hz=float(self.header.rate),
        )

    def read(self, start: int, count: int) -> Tensor:
        """`count` samples of each channel from `start` on, fewer at the end.

        Raises:
            DataError: the file is damaged there, or holds values that are no numbers.
        """
        return self._sound.read(start, count) * FULL_SCALE

    def close(self) -> None:
        self._sound.close()


class SoundSink:
    """A sound file with the rate, the channels and, where its container has it, the subtype of the source.

    It is marked as synthetic.
    """

    def __init__(self, path: Path, like: Source) -> None:
        """
        Raises:
            UsageError: the ending is none that can be written, or its container has not the rate of the source.
        """
        rate, (channels, _) = round(like.format.rate_hz or 1), like.format.shape
        header = (
            like.header if isinstance(like, SoundSource) else Header(like.length, rate, channels or 1, "", "PCM_16")
        )
        self._writer = SoundWriter(path, header)

    def write(self, chunk: Tensor) -> None:
        """Append samples ``(C, L)`` in the units of 16 bit, whole numbers or not."""
        self._writer.write(chunk.float() / FULL_SCALE)

    def close(self) -> None:
        self._writer.close()
