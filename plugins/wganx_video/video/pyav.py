"""Films in containers, by PyAV: exact random access, and a header that is counted and not believed."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from wganx import DataError
from wganx_video.video.decoding import AGAIN, Decoder, pyav
from wganx_video.video.header import Colour, Frames, Header, Sound, Times
from wganx_video.video.index import Index, build_index
from wganx_video.video.sniffing import missing_bytes
from wganx_video.video.turning import Turn

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_LAYOUTS = {1: "gray", 2: "gbrap", 3: "gbrp", 4: "gbrap"}
_PLANES = {1: (0,), 2: (0, 3), 3: (2, 0, 1), 4: (2, 0, 1, 3)}
"""Where the channels lie: to planes FFmpeg converts faster, and to the same values, than to pixels."""
_RECENT, _RECENT_PIXELS = 8, 2**27
"""Decoded frames that are kept, for windows that overlap, and how large they may be together."""
_NEARER = 8
"""Packets that are rather decoded than sought past."""


@dataclass(frozen=True, slots=True, eq=False)
class _Film:
    """What is found out of a file once, and then holds until it changes."""

    header: Header
    index: Index
    turn: Turn
    coded: tuple[int, int]
    """Height and width as decoded, before they are turned."""


class OpenFilm(Frames):
    """A film in a container; one decoder stays open for reading on."""

    def __init__(self, file: BinaryIO, name: str, kind: str, *, threads: int = 1) -> None:
        """
        Args:
            file: it, seekable; it is closed with this.
            name: what it is called in messages.
            kind: as `kind_of` has it.
            threads: that decode; 0 for one a core.

        Raises:
            DataError: it holds no film, or is damaged or cut short.
            MissingExtra: PyAV is not installed.
        """
        super().__init__()
        self.name, self._file = name, file
        self._decoder: Decoder | None = None
        self._kind, self._threads = kind, threads
        try:
            self._film = _known(file, self._learn)
        except BaseException:
            self.close()
            raise
        self.header = self._film.header
        self.times = Times(self._film.index.ticks_F, self._film.index.base)
        self._converter = pyav(name).video.reformatter.VideoReformatter()
        self._coming: Iterator[tuple[int, VideoFrame]] = iter(())
        self._recent: deque[tuple[int, VideoFrame]] = deque(
            maxlen=max(min(_RECENT_PIXELS // (self.header.height * self.header.width), _RECENT), 1)
        )
        self._at = -1  # the frame that came last
        self._fed = 0  # packets that the decoder has had

    def close(self) -> None:
        with self._lock:
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None
            self._file.close()

    def _learn(self) -> _Film:
        if missing := missing_bytes(self._file, self._kind):
            raise DataError(f"{self.name} is cut short: {self._what_is_left(missing)}; {AGAIN}")
        decoder = self._opened()
        index, first = build_index(decoder, self.name)
        film = _described(decoder, index, first, self._kind)
        decoder.rewind()
        return film

    def _opened(self) -> Decoder:
        if self._decoder is None:
            self._decoder = Decoder(self._file, self.name, self._kind, self._threads)
        return self._decoder

    def _what_is_left(self, missing: int) -> str:
        told, frames = f"its last {missing:,} bytes or more are missing", 0
        with suppress(DataError):
            decoder = self._opened()
            number = -1
            for number, packet in enumerate(decoder.packets()):
                frames += len(decoder.decode(packet, number))
            frames += len(decoder.decode(None, number + 1))
        if not frames:
            return told + ", and nothing of it can be decoded"
        said = self._opened().stream.frames
        return f"{told}; {frames:,}{f' of {said:,}' if said > frames else ''} frames are there"

    def _picture(self, number: int) -> NDArray[np.uint8]:
        frame = self._frame(number)
        if (frame.height, frame.width) != self._film.coded:
            height, width = self._film.coded
            raise DataError(
                f"{self.name} changes its size at frame {number:,}, from {width}x{height} to "
                f"{frame.width}x{frame.height}; cut it there, or leave it out"
            )
        converted = self._converter.reformat(
            frame,
            format=_LAYOUTS[self.header.channels],
            dst_color_range=2,
            interpolation=_EXACT,
            threads=1,
        )
        return self._film.turn(np.stack([_values(converted, place) for place in _PLANES[self.header.channels]]))

    def _frame(self, number: int) -> VideoFrame:
        for known, frame in self._recent:
            if known == number:
                return frame
        index = self._film.index
        key = index.key_before(number)
        near = number > self._at >= 0 and (key is None or index.key_K[key] < self._fed + _NEARER)
        if near and (found := self._reached(number)):
            return found
        # Some key packets are none (pictures that are renewed little by little): then from one before.
        back = 1
        while key is not None:
            if self._begin_at(key) and (found := self._reached(number)):
                return found
            key, back = (key - back if key >= back else None), 2 * back
        self._begin()
        if found := self._reached(number):
            return found
        raise DataError(
            f"{self.name} is damaged: frame {number:,} of {self.header.frames:,} cannot be decoded"
            f"{_which_can(number)}; {AGAIN}"
        )

    def _reached(self, number: int) -> VideoFrame | None:
        """The frame, if what is decoded from here on has it."""
        for shown, frame in self._coming:
            self._at = shown
            self._recent.append((shown, frame))
            if shown == number:
                return frame
            if shown > number:
                return None
        return None

    def _begin(self) -> None:
        decoder = self._opened()
        decoder.rewind()
        self._coming = self._decoded(decoder, 0, None)
        self._at = -1
        self._recent.clear()

    def _begin_at(self, key: int) -> bool:
        """Whether the key packet was found."""
        decoder, index = self._opened(), self._film.index
        decoder.seek(int(index.seek_K[key]))
        self._recent.clear()
        self._at = -1
        packets = decoder.packets()
        wanted = int(index.key_K[key])
        first = next(packets, None)
        number = None if first is None else index.number_of(first)
        if first is None or number is None or number > wanted:
            return False
        while number < wanted:
            first = next(packets, None)
            number += 1
            if first is None:
                return False
        self._coming = self._decoded(decoder, wanted, first)
        return True

    def _decoded(
        self, decoder: Decoder, number: int, first: Packet[VideoStream] | None
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Frames with their numbers, as they are shown; `first` is a packet that was taken already."""
        index, frame_P = self._film.index, self._film.index.frame_P
        packets = decoder.packets()
        while packet := first or next(packets, None):
            first = None
            if not index.agrees(packet, number):
                return  # MPEG streams give the times of others after a seek
            self._fed = number + 1
            for found, frame in decoder.decode(packet, number):
                if frame_P[found] >= 0:
                    yield int(frame_P[found]), frame
            number += 1
        for found, frame in decoder.decode(None, number):
            if frame_P[found] >= 0:
                yield int(frame_P[found]), frame


_EXACT = 4 | 0x2000 | 0x4000 | 0x40000
"""Bicubic, colour at full resolution, rounded exactly: of pictures without colour nothing is lost."""


def _values(frame: VideoFrame, place: int) -> NDArray[np.uint8]:
    """A channel ``(H, W)``; rows are longer in memory."""
    plane = frame.planes[place]
    return np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]


def _which_can(number: int) -> str:
    return f", 0 to {number - 1:,} can" if number else ""


def _described(decoder: Decoder, index: Index, first: VideoFrame, kind: str) -> _Film:
    stream = decoder.stream
    parts = first.format.components
    alpha = any(part.is_alpha for part in parts)
    grey = len(parts) - alpha == 1 and not first.format.has_palette
    turn = Turn.of(first)
    height, width = turn.size(first.height, first.width)
    times = Times(index.ticks_F, index.base)
    aspect = stream.codec_context.sample_aspect_ratio or stream.sample_aspect_ratio or Fraction(1)
    header = Header(
        frames=len(times),
        channels=(1 if grey else 3) + alpha,
        height=height,
        width=width,
        rate=times.rate(stream.average_rate),
        kind=kind,
        codec=stream.codec_context.codec.canonical_name,
        depth=max(part.bits for part in parts),
        rotation=turn.clockwise,
        sound=tuple(
            Sound(
                sound.codec_context.codec.canonical_name, sound.codec_context.sample_rate, sound.codec_context.channels
            )
            for sound in decoder.container.streams.audio
            if sound.codec_context is not None
        ),
        colour=Colour(first.color_range, first.color_primaries, first.color_trc, first.colorspace),
        pixel_aspect=1 / aspect if turn.lies and aspect else aspect or Fraction(1),
        interlaced=first.interlaced_frame,
    )
    return _Film(header, index, turn, (first.height, first.width))


_MOST_FRAMES = 1_000_000
_films: OrderedDict[tuple[int, ...], _Film] = OrderedDict()
_films_lock = Lock()


def _known(file: BinaryIO, learn: Callable[[], _Film]) -> _Film:
    """What was found out of this very file before, by anybody in this process: a window of a film is read without
    going through all its packets again."""
    try:
        told = os.fstat(file.fileno())
    except (OSError, AttributeError):  # in memory, or in an archive
        return learn()
    key = told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns
    with _films_lock:
        if key in _films:
            _films.move_to_end(key)
            return _films[key]
    film = learn()
    with _films_lock:
        _films[key] = film
        while len(_films) > 1 and sum(known.header.frames for known in _films.values()) > _MOST_FRAMES:
            _films.popitem(last=False)
    return film
