"""Films as streams, read and written frame by frame in bounded memory."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from wganx import DataError, SampleFormat, Source
from wganx_video.video.header import USUAL_RATE, Header, Times
from wganx_video.video.reading import open_video
from wganx_video.video.sniffing import DEMUXERS
from wganx_video.video.writing import (
    PLAIN,
    Codec,
    Form,
    Writer,
    as_pictures,
    check_encoding,
    check_ending,
    create_writer,
)

log = logging.getLogger(__name__)

_FINEST_RATIO = 100_000


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


class VideoSink:
    """A film that is like another: its size, times, sound, colours, unless something else is expected.

    It is marked as synthetic. Frames are shown when those of the source are. Of a film with another rate, frame n lies
    where n times the ratio of the rates leads between these, so that a rate that varies still does; behind the last of
    the source it goes on at the interval that is usual in it, as the last frame of a screen recording stands long.
    """

    def __init__(self, path: Path, like: Source) -> None:
        """
        Args:
            path: where to write: a container, .gif, .webp, .png, .npy, or a folder of frames where it has no ending.
            like: what it is made from.

        Raises:
            UsageError: the ending is none that can be written.
        """
        check_ending(path)
        self._path, self._like = path, like
        self._codec: Codec | None = None
        self._crf: int | None = None
        self._format = like.format
        self._rate = rate = _rate_of(like)
        known = getattr(like, "times", None)
        self._times = known if isinstance(known, Times) else Times.steady(like.length, rate)
        self._ratio = Fraction(1)
        self._writer: Writer | None = None
        self._count = 0

    def expect(self, format: SampleFormat) -> None:
        """Frames of another size or rate will come.

        Raises:
            ValueError: some came already.
        """
        if self._writer is not None:
            raise ValueError("what is expected has to be said before the first frame is written")
        self._format = format
        if format.rate_hz is not None:
            self._ratio = Fraction(format.rate_hz / float(self._rate)).limit_denominator(_FINEST_RATIO)

    def encode(self, codec: Codec | None, crf: int | None) -> None:
        """How the frames to come are compressed; None for what is usual.

        Args:
            crf: the quality; lower is better, and larger.

        Raises:
            UsageError: the kind of file has no such codec, or its quality cannot be chosen.
        """
        check_encoding(self._path, codec, crf)
        self._codec, self._crf = codec, crf

    def write(self, chunk: Tensor) -> None:
        """Append frames ``(T, C, H, W)``, uint8 or floating point in 0 .. 255.

        Raises:
            ValueError: they are of another size than was expected.
            UsageError: the kind of file cannot hold such frames.
            DataError: the disk takes no more.
            MissingExtra: the kind of file needs PyAV, which is not installed.
        """
        if not self._format.fits(tuple(chunk.shape)):
            raise ValueError(
                f"frames {tuple(chunk.shape)} came where {self._format} was expected; say so by expect(format) before "
                "the first are written"
            )
        for picture_HWC in as_pictures(chunk):
            if self._writer is None:
                self._writer = create_writer(self._path, self._form(*picture_HWC.shape))
            self._writer.add(picture_HWC, self._time(self._count))
            self._count += 1

    def close(self) -> None:
        """End the film.

        Raises:
            DataError: no frame was written, or the disk takes no more.
        """
        if self._writer is None:
            raise DataError(f"{self._path}: no frame was written")
        self._writer.close()

    def _form(self, height: int, width: int, channels: int) -> Form:
        rate = self._rate * self._ratio
        if not isinstance(self._like, VideoSource):
            return Form(channels=channels, height=height, width=width, rate=rate, codec=self._codec, crf=self._crf)
        header, colour = self._like.header, self._like.header.colour
        if header.depth > 8 and header.kind in DEMUXERS:
            log.warning("%s has %d bits a value; what is made of it has 8", self._like.path, header.depth)
        if header.interlaced:
            log.warning(
                "%s is interlaced: each frame is two half frames of different times, and goes through as one; "
                "deinterlace it first",
                self._like.path,
            )
        # What has no description, because it is no film of a camera, gets that of today's screens.
        plain = header.kind not in DEMUXERS or colour.matrix == 0
        return Form(
            channels=channels,
            height=height,
            width=width,
            rate=rate,
            base=self._times.base / self._ratio.numerator,
            colour=PLAIN if plain else colour,
            pixel_aspect=header.pixel_aspect,
            beside=self._like.path if header.kind in DEMUXERS else None,
            heard=bool(header.sound),
            codec=self._codec,
            crf=self._crf,
        )

    def _time(self, number: int) -> Fraction:
        position = number / self._ratio
        before = min(int(position), len(self._times) - 1)
        begin = self._times[before]
        step = self._times[before + 1] - begin if before + 1 < len(self._times) else self._times.usual(self._rate)
        return begin + (position - before) * step


def _rate_of(like: Source) -> Fraction:
    if isinstance(like, VideoSource) and like.header.rate is not None:
        return like.header.rate
    hertz = like.format.rate_hz
    return USUAL_RATE if hertz is None else Fraction(hertz).limit_denominator(1001)
