"""Clips of a few frames for the games: each frame says which it is, and each row too."""

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
