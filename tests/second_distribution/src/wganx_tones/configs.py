"""The settings of every part; imports no torch."""

from __future__ import annotations

from pydantic import Field

from wganx import Config


class SinesConfig(Config):
    """`count` tones in each split, `length` samples of one of the `pitches`, with a random phase and loudness."""

    count: int = Field(512, ge=2)
    length: int = Field(64, ge=16, multiple_of=4)
    rate_hz: float = Field(8000.0, gt=0)
    pitches: tuple[float, ...] = Field((500.0, 1000.0, 1500.0), min_length=1, description="in Hz")


class GenerateConfig(Config):
    """`flip`: every second training tone is turned upside down, which nobody hears."""

    flip: bool = True


class ConvConfig(Config):
    """Two convolutions, the inner one with `width` channels."""

    width: int = Field(16, ge=1)
