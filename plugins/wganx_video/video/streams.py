"""Films as streams, read and written frame by frame in bounded memory."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from wganx import SampleFormat
from wganx_video.video.header import Header, Times
from wganx_video.video.reading import open_video


class VideoSource:
    """A film, read piece by piece: uint8 ``(T, C, H, W)``.

    Attributes:
        path: where it lies.
        header: what it is like.
        format: of what is read; `rate_hz` is None where the kind of file has no rate.
        length: how many frames there are.
        times: when each is shown, in seconds.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            DataError: this is no film, it is damaged, empty or cut short.
            MissingExtra: it is compressed, and PyAV is not installed.
        """
        self.path = path
        self._film = open_video(path, str(path), threads=0)
        self.header: Header = self._film.header
        self.length = self.header.frames
        self.times: Times = self._film.times
        self.format = SampleFormat(
            axes=("frame", "channel", "height", "width"),
            shape=(None, self.header.channels, self.header.height, self.header.width),
            value_range=(0.0, 255.0),
            rate_hz=None if self.header.rate is None else float(self.header.rate),
        )

    def read(self, start: int, count: int) -> Tensor:
        """`count` frames from `start` on, fewer at the end.

        Raises:
            DataError: the film is damaged there.
        """
        return self._film.read(start, count)

    def close(self) -> None:
        self._film.close()
