"""Options of the tasks, and of the representation that they all play in."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from wganx import Config


class RepresentationConfig(Config):
    """How a sound is shown to the networks; what of this a representation has no use for is refused where it is set."""

    representation: Literal["waveform", "linear", "mel", "phase"] = Field(
        "linear",
        description="waveform: samples as they are; linear: log magnitudes of a spectrogram; mel: the same in bands as "
        "wide as the ear's; phase: log magnitudes, and the instantaneous frequency beside them",
    )
    window: int = Field(
        256, ge=16, le=65_536, multiple_of=4, description="samples of a spectrogram's window, twice its bins"
    )
    hop: int = Field(64, ge=1, description="samples from one window to the next; a quarter of the window sounds best")
    bands: int = Field(80, ge=8, description="bands of a mel spectrogram")
    floor_db: float = Field(-80.0, ge=-160, lt=0, description="what is softer counts as this, in dB of a full sine")
    reach: float = Field(
        3.0, ge=0.01, le=100, description="deviations from its bin's mean that become 1, or more for the loudest"
    )
    iterations: int = Field(60, ge=1, le=10_000, description="of Griffin and Lim's search for phases")
    vocoder: str | None = Field(
        None,
        min_length=1,
        description="an installed vocoder, by name, that makes sound of magnitudes in place of that search",
    )

    @model_validator(mode="after")
    def _hop_within_window(self) -> Self:
        if self.hop > self.window // 2:
            raise ValueError(f"hop must be half of the window at most, {self.window // 2}, or sound is lost between")
        return self

    @model_validator(mode="after")
    def _bins_for_every_band(self) -> Self:
        if self.representation == "mel" and self.bands > self.window // 2:
            raise ValueError(
                f"{self.bands} bands cannot be made of the {self.window // 2} bins of window={self.window}; "
                "take fewer bands, or a longer window"
            )
        return self


class GenerateConfig(RepresentationConfig):
    """Sounds from noise, and from what is chosen of them."""

    labels: Literal["auto"] | tuple[str, ...] = Field(
        (), description="labels that both players are told, by name; auto: all that the dataset has"
    )
    text: bool = Field(False, description="tell both players what is said; needs a dataset with texts")
    mismatch: float = Field(
        0.0, ge=0, description="weight of real sounds with the conditions of others, fakes to the critic too"
    )
    invert: bool = Field(False, description="turn half of the waveforms upside down in training, which nobody hears")

    @model_validator(mode="after")
    def _inverts_waveforms(self) -> Self:
        if self.invert and self.representation != "waveform":
            raise ValueError("invert has a meaning for representation=waveform alone; a spectrogram shows no sign")
        return self


class ConvertConfig(RepresentationConfig):
    """One class of a recording made into another, without recordings of both to learn from. Weights of losses are of
    the generator, whose adversarial loss has 1."""

    convert: tuple[str, ...] = Field(("speaker",), min_length=1, description="labels that can be chosen anew, by name")
    keep: tuple[str, ...] = Field((), description="labels that are to stay what they were, by name")
    intensity: bool = Field(
        False, description="make how much of the label that is converted first a number, 0 to 1.5, that can be chosen"
    )
    neutral: str | None = Field(None, description="the class that intensity 0 means; null: what all have in common")

    target: float = Field(1.0, ge=0, description="weight of the classifier's finding the wanted class")
    kept: float = Field(1.0, ge=0, description="weight of the classifier's finding what is to stay")
    cycle: float = Field(10.0, ge=0, description="weight of the distance from the source, there and back")
    identity: float = Field(5.0, ge=0, description="weight of the distance of a sound converted to what it is")
    identity_later: float = Field(1.0, ge=0, description="the same from step `settle` on")
    settle: int = Field(1000, ge=0, description="step from which the identity counts less")
    content: float = Field(0.0, ge=0, description="weight of what the converted sound is encoded as staying the same")
    contour: float = Field(0.0, ge=0, description="weight of pitch and level, there and back")

    classifier: int = Field(16, ge=4, multiple_of=4, description="channels of the classifier that helps, at full size")
    classifier_noise: float = Field(0.0, ge=0, description="deviation of noise on what the classifier is shown")
    prosody: bool = Field(False, description="show the classifier pitch and level beside the spectrogram")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.representation in ("waveform", "phase"):
            raise ValueError(
                f"a conversion takes its phases from the source, so representation={self.representation} has no use "
                "here; choose linear or mel"
            )
        if both := sorted(set(self.convert) & set(self.keep)):
            raise ValueError(f"{', '.join(both)} cannot be converted and kept; name it once")
        if self.neutral is not None and not self.intensity:
            raise ValueError("neutral is what intensity 0 means; set intensity=true, or leave it out")
        return self
