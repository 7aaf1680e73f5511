"""The settings of the datasets; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from wganx import Config

Bounce = Literal["elastic", "random"]


class MovingConfig(Config):
    """Glyphs that cross a square at a constant speed and bounce off its edges; where they overlap, the brighter shows.

    With `bounce=random` the direction after a wall is drawn anew, so that a clip has several futures.
    """

    count: int = Field(2000, ge=2, description="clips to learn from; a quarter more are held out")
    frames: int = Field(10, ge=1, description="of a clip")
    size: int = Field(32, ge=16, description="height and width of a frame in px")
    digits: int = Field(2, ge=1, description="that move in a clip")
    step: float = Field(0.12, gt=0, lt=1, description="way from frame to frame, as a share of what is free to move in")
    bounce: Bounce = Field("elastic", description="elastic: as light off a mirror; random: anywhere away from the wall")


class BouncingDigitsConfig(MovingConfig):
    """Scikit-learn's handwritten digits; those of held-out clips are in no clip to learn from."""

    digit: int = Field(14, ge=8, description="height and width of a digit in px")

    @model_validator(mode="after")
    def _digits_fit(self) -> BouncingDigitsConfig:
        if self.digit >= self.size:
            raise ValueError(f"digits of {self.digit} px have no room to move in frames of {self.size}")
        return self


class MovingMnistConfig(MovingConfig):
    """MNIST's digits as they are, 28 px; as the benchmark of that name has them: ten frames and ten more, 64 px."""

    root: Path = Field(Path("data"), description="the folder of MNIST's files, or of mnist_test_seq.npy, or one above")
    count: int = Field(10_000, ge=2, description="clips to learn from; a quarter more are held out, or those published")
    frames: int = Field(20, ge=1, description="of a clip")
    size: int = Field(64, ge=32, description="height and width of a frame in px")
    step: float = Field(0.1, gt=0, lt=1, description="way from frame to frame, as a share of what is free to move in")


class SpritesConfig(Config):
    """Discs, squares, triangles and crosses that move in straight lines over a slope of colour; borders are smooth."""

    count: int = Field(2000, ge=2, description="clips to learn from; a quarter more are held out")
    frames: int = Field(10, ge=1, description="of a clip")
    height: int = Field(32, ge=8)
    width: int = Field(32, ge=8)
    shapes: int = Field(2, ge=1, description="that move in a clip")
    step: float = Field(0.06, gt=0, lt=1, description="way from frame to frame, as a share of the shorter side")
