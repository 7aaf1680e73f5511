"""Clips of a few frames for the games, which say which they are; films that are no files, and sinks that keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from wganx import Formats, Game, SampleFormat

AXES = ("frame", "channel", "height", "width")


class Clips:
    """`rows` clips of smooth random frames; the first pixel of a frame is ``10 * row + frame``."""

    def __init__(self, rows: int, frames: int, channels: int, height: int, width: int, low: int) -> None:
        rng = torch.Generator().manual_seed(0)
        self.sample = torch.randint(0, 256, (rows, frames, channels, height, width), generator=rng).to(torch.uint8)
        self.sample[..., 0, 0] = (10 * torch.arange(rows)[:, None, None] + torch.arange(frames)[:, None]).to(
            torch.uint8
        )
        self.all = {"sample": self.sample}
        self.formats = {
            "sample": SampleFormat(axes=AXES, shape=self.sample.shape[1:], value_range=(0.0, 255.0), rate_hz=25.0)
        }
        if low:
            self.all["low"] = self.sample[..., ::low, ::low].contiguous()
            shape = self.all["low"].shape[1:]
            self.formats["low"] = SampleFormat(axes=AXES, shape=shape, value_range=(0.0, 255.0), rate_hz=25.0)

    def __len__(self) -> int:
        return len(self.sample)

    def __getitem__(self, index: int) -> Mapping[str, Tensor]:
        return {name: tensor[index] for name, tensor in self.all.items()}


@pytest.fixture(scope="session")
def clips() -> Callable[..., Clips]:
    """``clips(rows=4, frames=10, channels=1, height=16, width=24, low=0)``: `low` times smaller ones beside them."""

    def make(
        rows: int = 4, frames: int = 10, channels: int = 1, height: int = 16, width: int = 24, low: int = 0
    ) -> Clips:
        return Clips(rows, frames, channels, height, width, low)

    return make


@pytest.fixture(scope="session")
def play() -> Callable[..., Game]:
    """``play(Game, Config, clips, **options)``."""

    def build(
        game: type, config: type, clips: Clips, fitted: Mapping[str, Tensor] | None = None, **options: object
    ) -> Game:
        made: Game = game(config.model_validate(options), Formats(clips.formats, fitted))
        return made

    return build


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class Film:
    """A source that is no file, and remembers which frames are read.

    Args:
        frames_TCHW: uint8.
    """

    def __init__(self, frames_TCHW: Tensor, rate: float | None = 25.0) -> None:
        self.frames_TCHW, self.length = frames_TCHW, len(frames_TCHW)
        self.format = SampleFormat(
            axes=AXES,
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
