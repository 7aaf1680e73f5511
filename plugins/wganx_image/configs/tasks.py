"""Options of the tasks; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wganx import Config

AugmentationName = Literal["colour", "translation", "cutout"]


class GenerateConfig(Config):
    """Pictures from noise."""

    labels: bool | Literal["auto"] = Field(
        False, description="tell the generator which class to make, and the critic which it sees; auto: where there are"
    )
    flip: bool = Field(False, description="mirror half of the training pictures left to right")
    augment: tuple[AugmentationName, ...] = Field(
        (), description="changes of what the critic is shown, real and made alike, for few pictures"
    )
    augment_probability: float = Field(0.5, ge=0, le=1, description="how often each change of augment is made")
