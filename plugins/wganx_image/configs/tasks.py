"""Options of the tasks; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from wganx import Config
from wganx_image.configs.datasets import named_once

AugmentationName = Literal["colour", "translation", "cutout"]

TRANSLATE_FILE = ("seen_at",)
"""Options of translate that are of files alone."""


class GenerateConfig(Config):
    """Pictures from noise."""

    labels: bool | Literal["auto"] | tuple[str, ...] = Field(
        False,
        description="labels by name, of which the generator is told what to make; true: all; auto: those there are",
    )
    conditioning: Literal["projection", "classifier"] = Field(
        "projection", description="how labels are enforced: the critic is told them, or a classifier has to find them"
    )
    target: float = Field(
        0.1, ge=0, description="weight of the classifier's finding the wanted class, for the generator"
    )
    classifier: int = Field(16, ge=4, multiple_of=4, description="channels of the classifier that helps, at full size")
    flip: bool = Field(False, description="mirror half of the training pictures left to right")
    augment: tuple[AugmentationName, ...] = Field(
        (), description="changes of what the critic is shown, real and made alike, for few pictures"
    )
    augment_probability: Annotated[float, Field(ge=0, le=1)] | Literal["adaptive"] = Field(
        0.5, description="how often each change of augment is made; adaptive: as often as the critic overfits"
    )

    @field_validator("labels", mode="before")
    @classmethod
    def _one_label(cls, value: object) -> object:
        return (value,) if isinstance(value, str) and value != "auto" else value

    @field_validator("labels")
    @classmethod
    def _labels_once(cls, names: bool | str | tuple[str, ...]) -> bool | str | tuple[str, ...]:
        return named_once(names) if isinstance(names, tuple) else names

    @model_validator(mode="after")
    def _classifies_labels(self) -> Self:
        if self.conditioning == "classifier" and not self.labels:
            raise ValueError("conditioning=classifier needs labels that it can find; set labels=auto, or name some")
        if self.conditioning != "classifier":
            for name in ("target", "classifier"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(
                        f"{name} has a meaning for conditioning=classifier alone; set that, or leave it out"
                    )
        return self

    @model_validator(mode="after")
    def _adapts_something(self) -> Self:
        if self.augment_probability == "adaptive" and not self.augment:
            raise ValueError(
                "augment_probability=adaptive says how often, and augment names no change: "
                "add task.augment=[colour, translation, cutout]"
            )
        return self


class GrowConfig(Config):
    """Pictures from noise, small ones first; the schedule by which both networks grow to the dataset's size."""

    flip: bool = Field(False, description="mirror half of the training pictures left to right")
    start: int = Field(4, ge=4, description="width and height of the first stage, in pixels; doubled until it is all")
    first_steps: int = Field(2000, ge=1, description="steps of the first stage")
    stage_steps: int = Field(4000, ge=1, description="steps of every later stage, its fade among them")
    fade_steps: int = Field(1000, ge=0, description="steps in which the new layers of a stage are faded in")


class TranslateConfig(Config):
    """Pictures of one domain made into another, without pairs to learn from. Weights of losses are of the generator,
    whose adversarial loss has 1."""

    domains: Literal["auto"] | tuple[str, ...] = Field(
        "auto", description="labels that can be chosen anew, by name; auto: all that the dataset has"
    )
    flip: bool = Field(False, description="mirror half of the training pictures left to right")

    target: float = Field(1.0, ge=0, description="weight of the classifier's finding the wanted domain")
    cycle: float = Field(10.0, ge=0, description="weight of the distance from the source, there and back")
    identity: float = Field(5.0, ge=0, description="weight of the distance of a picture translated to what it is")

    classifier: int = Field(16, ge=4, multiple_of=4, description="channels of the classifier that helps, at full size")

    seen_at: int | None = Field(
        None, ge=8, description="of a file: shorter side of the copy whose change it is given, in px; null: no copy"
    )

    @field_validator("domains")
    @classmethod
    def _domains_once(cls, names: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not names:
            raise ValueError("a translation needs a label to choose anew; name one, or say auto")
        return names if isinstance(names, str) else named_once(names)
