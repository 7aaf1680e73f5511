"""Options of the tasks that only whole films have a use for: flags of ``wganx sample RUN --source``."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from wganx import Config


class FilmOptions(Config):
    """How a film of any length and size goes through a network; a task's options have these beside their own."""

    cut: float | None = Field(
        0.25,
        gt=0,
        lt=1,
        description="a scene is cut where the grey of neighbouring frames, at an eighth of the size, differs by more "
        "than this on average, black to white being 1; null: nowhere",
    )
    tile: int | None = Field(
        None, ge=8, description="side of the squares, in pixels of the film, that go through the network by themselves "
        "and are faded into each other; as large as memory allows where it is left out",
    )  # fmt: skip
    codec: Literal["h264", "h265", "vp9", "ffv1"] | None = Field(
        None, description="how a film file is compressed; null: what its kind usually has, as H.264 in mp4, VP9 in webm"
    )
    crf: int | None = Field(
        None, ge=0, description="its quality, from 0 to 51 (VP9: 63), lower being better and larger; null: as good as "
        "the original looks"
    )  # fmt: skip


class PredictFilmOptions(FilmOptions):
    """Of `predict`: the film goes on beyond its end."""

    roll: int | None = Field(
        None, ge=1, description="frames that follow the last one of a film; as many as are foretold at once by default"
    )


class InterpolateFilmOptions(FilmOptions):
    """Of `interpolate`: more frames, or others, in the same time."""

    factor: int | None = Field(
        None, ge=2, description="frames for each one of a film; as many as the training had by default"
    )
    fps: float | None = Field(None, gt=0, description="frames a second, in place of a factor")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.factor is not None and self.fps is not None:
            raise ValueError("factor and fps both say how many frames there will be; give one of them")
        return self


FILM = ("cut", "tile", "codec", "crf")
"""For `wganx.Task.applied` of `upscale`."""
PREDICT_FILM = ("roll", *FILM)
INTERPOLATE_FILM = ("factor", "fps", *FILM)
