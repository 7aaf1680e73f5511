"""The settings of every part; imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from wganx import Config


class SinesConfig(Config):
    """`count` tones in each split, `length` samples of one of the `pitches`, soft or loud, with a random phase."""

    count: int = Field(256, ge=2)
    length: int = Field(512, ge=64)
    rate_hz: float = Field(8000.0, gt=0)
    pitches: tuple[float, ...] = Field((500.0, 1000.0, 1500.0), min_length=1, description="in Hz")
    window: int = Field(128, ge=16, multiple_of=4, description="samples of a spectrum's window")
    hop: int = Field(32, ge=4, description="samples from one window to the next")

    @classmethod
    def migrate(cls, values: dict[str, Any], written_by: str) -> dict[str, Any]:
        """Before 0.1.0 the pitches were called `frequencies`."""
        if "frequencies" in values:
            values["pitches"] = values.pop("frequencies")
        return values


class WavConfig(Config):
    """Windows of `length` samples of WAV files; files named ``SPEAKER_*.wav`` stay together in a split."""

    root: Path = Field(description="a folder or zip archive of WAV files")
    length: int = Field(512, ge=64)


class GenerateConfig(Config):
    """`labels`: pitch and loudness can be chosen. `flip`: training tones are turned upside down, which nobody hears."""

    labels: bool = True
    flip: bool = True


class DenoiseConfig(Config):
    """Noise of deviation `level` lies on the tones."""

    level: float = Field(0.2, gt=0)
    fidelity: float = Field(10.0, ge=0, description="weight of the mean squared error")


class ConvConfig(Config):
    """An inner layer of `width` units or channels."""

    width: int = Field(32, ge=1)


class PsnrConfig(Config):
    """The `peak` that the ratio is of; null for half the width of the samples' range."""

    peak: float | None = Field(None, gt=0)


class BandsConfig(Config):
    """How many `bands` there are."""

    bands: int = Field(8, ge=2)
