"""Options of the tasks; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wganx import Config


class GenerateConfig(Config):
    """Pictures from noise."""

    labels: bool | Literal["auto"] = Field(
        False, description="tell the generator which class to make, and the critic which it sees; auto: where there are"
    )
    flip: bool = Field(False, description="mirror half of the training pictures left to right")


class GrowConfig(Config):
    """Pictures from noise, small ones first; the schedule by which both networks grow to the dataset's size."""

    flip: bool = Field(False, description="mirror half of the training pictures left to right")
    start: int = Field(4, ge=4, description="width and height of the first stage, in pixels; doubled until it is all")
    first_steps: int = Field(2000, ge=1, description="steps of the first stage")
    stage_steps: int = Field(4000, ge=1, description="steps of every later stage, its fade among them")
    fade_steps: int = Field(1000, ge=0, description="steps in which the new layers of a stage are faded in")
