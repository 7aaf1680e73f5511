"""Options of the tasks; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from wganx import Config
from wganx_video.configs.films import FilmOptions, InterpolateFilmOptions, PredictFilmOptions


class ClipsConfig(Config):
    """What is done to clips in training alone; held-out clips stay whole and as they are."""

    crop: int | None = Field(None, ge=8, description="height and width of a random part of each clip; null: all of it")
    flip: bool = Field(False, description="mirror half of the clips left to right")


class LossesConfig(Config):
    """Losses of the generator beside the adversarial one, whose gradient for a sample has length 1.

    Each is scaled such that its weight means the same for clips of every size.
    """

    fidelity: float = Field(
        5.0, ge=0, description="k: weight of the distance to the truth, whose gradient has length 1 too"
    )
    absolute: float = Field(
        0.0, ge=0, description="weight of the absolute differences; of what is mostly black they ask for all black"
    )
    gradient_difference: float = Field(0.1, ge=0, description="weight of the differences of edges, which keeps sharp")
    temporal_difference: float = Field(0.0, ge=0, description="weight of the differences of motion from frame to frame")


class PredictConfig(ClipsConfig, LossesConfig, PredictFilmOptions):
    """Frames to come from those before them."""

    past: int = Field(5, ge=1, description="frames that are given")
    future: int = Field(5, ge=1, description="frames that follow and are made")
    futures: int = Field(
        1, ge=1, description="draws of noise, the nearest of which has to be near the truth; above 1 they may differ"
    )


class InterpolateConfig(ClipsConfig, LossesConfig, InterpolateFilmOptions):
    """Frames between others."""

    kept: tuple[int, ...] = Field((0, 2), min_length=2, description="places in a clip of the frames that are given")
    missing: tuple[int, ...] = Field((), description="places of those that are made; none: all between that are not")
    time: Literal["fixed", "any"] = Field(
        "fixed", description="any: one frame at whatever time between two; it is an input, 0 for the first, 1 the last"
    )
    reverse: bool = Field(False, description="turn half of the training clips backwards")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("kept", "missing"):
            places: tuple[int, ...] = getattr(self, name)
            if any(later <= earlier for earlier, later in pairwise(places)):
                raise ValueError(f"{name} must rise, as 0, 2, 4; got {', '.join(map(str, places))}")
        if self.kept[0] != 0:
            raise ValueError(f"kept counts from the first frame that is given, so it starts with 0, not {self.kept[0]}")
        if strange := [place for place in self.missing if place not in self._between]:
            raise ValueError(f"missing names {strange[0]}, which is kept, or does not lie between frames that are")
        if not self._between:
            raise ValueError("kept leaves no frame to be made between; leave one out, as in 0, 2")
        if self.time == "any" and (len(self.kept) > 2 or self.missing):
            raise ValueError("time=any makes one frame between two: name two in kept, as [0, 6], and none in missing")
        return self

    @property
    def made(self) -> tuple[int, ...]:
        """Places of the frames that are made."""
        return self.missing or self._between

    @property
    def _between(self) -> tuple[int, ...]:
        return tuple(place for place in range(self.kept[-1]) if place not in self.kept)


class UpscaleConfig(ClipsConfig, LossesConfig, FilmOptions):
    """Larger frames from small ones: the dataset's own pairs, or clips that are made small here."""

    scale: Literal[2, 3, 4, 8] = Field(2, description="how many times as high and wide")
    frames: int = Field(5, ge=1, description="frames that are given; several show more than one does")
    output: Literal["all", "middle"] = Field("all", description="which of them are made larger")
    low: Literal["auto", "made"] = Field(
        "auto", description="small clips: auto: the dataset's own where it has some; made: always from the large"
    )
    blur: float = Field(0.0, ge=0, description="largest deviation of a blur before shrinking, in pixels of the large")
    noise: float = Field(0.0, ge=0, le=1, description="largest deviation of noise on the small, 1 from black to white")
    compression: int = Field(
        0,
        ge=0,
        le=99,
        description="strongest loss of a compression by blocks of 8 px, 100 - quality as of JPEG; 0: none",
    )
    consistency: float = Field(0.0, ge=0, description="weight of the shrunken output's distance to what was given")
    reverse: bool = Field(False, description="turn half of the training clips backwards")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.output == "middle" and not self.frames % 2:
            raise ValueError(f"output=middle needs an odd number of frames, not {self.frames}")
        if self.temporal_difference and (self.output == "middle" or self.frames == 1):
            raise ValueError(
                "temporal_difference compares frames that are made with the next; make several, or leave it 0"
            )
        if self.crop and self.crop % self.scale:
            raise ValueError(f"crop must be a multiple of scale, {self.scale}, and {self.crop} is none")
        return self
