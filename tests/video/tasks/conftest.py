"""Films that are no files, and sinks that keep what is written."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wganx import SampleFormat


class Film:
    """A source that is no file, and remembers which frames are read.

    Args:
        frames_TCHW: uint8.
    """

    def __init__(self, frames_TCHW: Tensor, rate: float | None = 25.0) -> None:
        self.frames_TCHW, self.length = frames_TCHW, len(frames_TCHW)
        self.format = SampleFormat(
            axes=("frame", "channel", "height", "width"),
            shape=(None, *frames_TCHW.shape[1:]),
            value_range=(0.0, 255.0),
            rate_hz=rate,
        )
        self.places: list[int] = []

    def read(self, start: int, count: int) -> Tensor:
        piece = self.frames_TCHW[start : start + count]
        self.places += range(start, start + len(piece))
        return piece

    def close(self) -> None: ...


class Written:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.chunks: list[Tensor] = []
        self.expected: SampleFormat | None = None

    def expect(self, format: SampleFormat) -> None:
        assert not self.chunks, "said after the first frame"
        self.expected = format

    def write(self, chunk: Tensor) -> None:
        assert chunk.dtype == torch.uint8
        self.chunks.append(chunk)

    def close(self) -> None: ...

    @property
    def frames_TCHW(self) -> Tensor:
        return torch.cat(self.chunks)


@pytest.fixture(scope="session")
def film_of() -> type[Film]:
    return Film


@pytest.fixture(scope="session")
def new_sink() -> type[Written]:
    return Written


@pytest.fixture
def noise_film():
    """A film of noise, which no two frames have in common."""

    def film(frames: int, channels: int = 3, height: int = 24, width: int = 40, *, seed: int = 0, **options) -> Film:
        rng = torch.Generator().manual_seed(seed)
        drawn = torch.randint(0, 256, (frames, channels, height, width), generator=rng, dtype=torch.uint8)
        return Film(drawn, **options)

    return film


@pytest.fixture
def flat_film():
    """A film whose frames have one value each, so that it is seen of what a made frame is made."""

    def film(values: list[int], channels: int = 1, size: int = 16, **options) -> Film:
        frames = torch.tensor(values, dtype=torch.uint8)[:, None, None, None].repeat(1, channels, size, size)
        return Film(frames, **options)

    return film


@pytest.fixture
def written() -> Written:
    return Written()
