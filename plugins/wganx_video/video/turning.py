"""How a film is turned before it is shown, as a phone that was held upright notes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_ONE = 65536
_NEARLY = 0.01


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the eight ways to lay a picture onto another without touching a pixel.

    Attributes:
        lies: rows become columns, first of all.
        down: then rows are put upside down.
        across: and columns from right to left.
    """

    lies: bool = False
    down: bool = False
    across: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Turn:
        """By the display matrix of a frame: ``(x, y) -> (a x + c y, b x + d y)``; of those that do not turn by quarters
        nothing is done."""
        beside: Any = frame.side_data  # going through it gives what is in it, whatever its type says
        noted = next((data for data in beside if data.type.name == "DISPLAYMATRIX"), None)
        if noted is None:
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(noted), dtype=np.int32)[:5] / _ONE
        size = max(abs(a), abs(b), abs(c), abs(d))
        if abs(b) + abs(c) < _NEARLY * size:
            return cls(False, bool(d < 0), bool(a < 0))
        if abs(a) + abs(d) < _NEARLY * size:
            return cls(True, bool(b < 0), bool(c < 0))
        return cls()

    @property
    def clockwise(self) -> int:
        """Degrees, of the turn that is left where a mirror is taken away."""
        if not self.lies:
            return 180 if self.down else 0
        return 90 if self.across else 270

    def size(self, height: int, width: int) -> tuple[int, int]:
        return (width, height) if self.lies else (height, width)

    def __call__(self, picture_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.lies:
            picture_CHW = picture_CHW.transpose(0, 2, 1)
        turned_CHW = picture_CHW[:, :: -1 if self.down else 1, :: -1 if self.across else 1]
        return np.ascontiguousarray(turned_CHW)
