"""What is known of a film, and what every opened film can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from threading import RLock
from typing import Self, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

USUAL_RATE = Fraction(25)
"""Frames a second of what has no rate of its own: folders of pictures, and arrays."""

_SAME_RATE = 1e-3
_FINEST = 100_000


@dataclass(frozen=True, slots=True)
class Colour:
    """How numbers are meant, by the code points of ITU-T H.273, as containers and codecs note them; 2 (range: 0) where
    nothing is noted.

    Attributes:
        range: 1 for 16 .. 235, 2 for 0 .. 255.
        primaries: 1 for BT.709, 9 for BT.2020, ...
        transfer: 1 for BT.709, 16 for PQ, 18 for HLG, ...
        matrix: 1 for BT.709, 5 and 6 for BT.601, 9 for BT.2020, ...
    """

    range: int = 0
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound track: its codec, samples a second, channels."""

    codec: str
    rate: int
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a film is like.

    Attributes:
        frames: how many are shown and can be decoded; counted, whatever the file says.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; of arrays any number.
        height: of what is read, so after `rotation`.
        width: the same.
        rate: frames a second, the mean where they come at varying times; None where the kind of file has none.
        kind: mp4, mov, webm, mkv, avi, gif, webp, frames, npy, ...
        codec: how frames are stored.
        depth: bits of a stored value; what is read has 8.
        rotation: degrees by which frames were turned clockwise in reading, as a phone noted it.
        sound: the sound tracks.
        colour: what the numbers of the file mean.
        pixel_aspect: width of a pixel by its height.
        interlaced: whether a frame is two half frames, of different times.
    """

    frames: int
    channels: int
    height: int
    width: int
    rate: Fraction | None
    kind: str
    codec: str = ""
    depth: int = 8
    rotation: int = 0
    sound: tuple[Sound, ...] = ()
    colour: Colour = Colour()
    pixel_aspect: Fraction = Fraction(1)
    interlaced: bool = False


class Times(Sequence[Fraction]):
    """When each frame is shown, in seconds, exactly; 8 bytes a frame."""

    def __init__(self, ticks: NDArray[np.int64], base: Fraction) -> None:
        """
        Args:
            ticks: times in multiples of `base`, which rise.
            base: seconds.
        """
        self.ticks, self.base = ticks, base

    @classmethod
    def steady(cls, frames: int, rate: Fraction) -> Times:
        """`frames` of them at an unchanging `rate`, from 0 on."""
        return cls(np.arange(frames, dtype=np.int64), 1 / rate)

    def __len__(self) -> int:
        return len(self.ticks)

    @overload
    def __getitem__(self, index: int) -> Fraction: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fraction]: ...
    def __getitem__(self, index: int | slice) -> Fraction | list[Fraction]:
        if isinstance(index, slice):
            return [int(tick) * self.base for tick in self.ticks[index]]
        return int(self.ticks[index]) * self.base

    def rate(self, said: Fraction | None = None) -> Fraction | None:
        """Frames a second: what the file `said` of itself where the times agree but for their rounding, else their
        mean; None of a single frame of which nothing was said."""
        if len(self) < 2:
            return said if said and 0 < said < 1000 else None
        intervals = len(self) - 1
        length = int(self.ticks[-1] - self.ticks[0]) * self.base
        if said and abs(intervals / said - length) <= max(2 * self.base, length * Fraction(_SAME_RATE)):
            return said
        return Fraction(intervals / length).limit_denominator(_FINEST)

    def vary(self, rate: Fraction) -> bool:
        """Whether a frame is shown at another time than `rate` says, by more than the times are rounded."""
        steady_F = np.arange(len(self)) * float(1 / rate / self.base)
        off_F = np.abs(self.ticks - self.ticks[0] - steady_F) if len(self) else steady_F
        return bool((off_F > 2 + 0.1 * float(1 / rate / self.base)).any())

    def usual(self, rate: Fraction) -> Fraction:
        """Seconds from a frame to the next: what `rate` says, or the median where times vary."""
        if len(self) < 2 or not self.vary(rate):
            return 1 / rate
        return int(np.median(np.diff(self.ticks))) * self.base


class Frames(ABC):
    """An opened film. `read` may be called by several threads; they wait for each other.

    Attributes:
        name: what it is called in messages.
        header: what it is like.
        times: when each frame is shown, in seconds. The first need not be shown at 0: sound may begin earlier.
    """

    name: str
    header: Header
    times: Times

    def __init__(self) -> None:
        self._lock = RLock()

    def read(self, start: int, count: int, step: int = 1) -> Tensor:
        """Frames `start`, ``start + step``, ..., `count` of them, fewer at the end: uint8 ``(T, C, H, W)``.

        Reading on is quick. Going elsewhere decodes from the key frame before it on.

        Raises:
            DataError: a frame cannot be decoded; says which can.
        """
        if start < 0 or count < 0 or step < 1:
            raise ValueError(f"frames from 0 on, in steps of at least 1; got {start=}, {count=}, {step=}")
        known = self.header
        numbers = range(start, known.frames, step)[:count]
        film_TCHW = torch.empty((len(numbers), known.channels, known.height, known.width), dtype=torch.uint8)
        with self._lock:
            for row, number in enumerate(numbers):
                film_TCHW[row] = torch.from_numpy(self._picture(number))
        return film_TCHW

    @abstractmethod
    def _picture(self, number: int) -> NDArray[np.uint8]:
        """A frame ``(C, H, W)``."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file; a second time does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
