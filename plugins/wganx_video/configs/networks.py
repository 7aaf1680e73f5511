"""The settings of the networks; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wganx import Config


class FoldnetGeneratorConfig(Config):
    """Time is folded into channels, and squares of `fold` x `fold` pixels too. Any height and width."""

    fold: int | None = Field(
        None, ge=1, le=16, description="side of the squares; null: 4 to predict, 2 to interpolate, 1 to upscale"
    )
    width: int = Field(64, ge=1, description="channels of all layers between the first and the last")
    blocks: int = Field(4, ge=0, le=1000, description="residual blocks")
    block: Literal["plain", "mixer"] = Field(
        "plain", description="plain: two 3 x 3 convolutions; mixer: 7 x 7 channel by channel, then 1 x 1 across them"
    )
    norm: Literal["none", "pixel", "group"] = Field(
        "pixel", description="norm in the blocks: of a place's channels, or of groups over the whole frame"
    )
    motion: bool = Field(
        False, description="to interpolate: carry frames along a flow before they are blended; for what moves far"
    )
    start: Literal["auto", "blank", "last-frame", "mean-of-past"] = Field(
        "auto", description="what the network adds to: auto: the linear blend, bicubic, and to predict a blank frame"
    )


class FoldedCriticConfig(Config):
    """Time is folded into channels: strided convolutions of all frames at once. Any height and width."""

    width: int = Field(32, ge=1, description="channels at half the size; doubled at every halving")
    halvings: int = Field(3, ge=1, description="strided convolutions")
    crop: int | None = Field(
        None, ge=8, description="look at a random part of this height and width, and at the whole at half the size"
    )


class SpacetimeCriticConfig(FoldedCriticConfig):
    """Convolutions over time as well, of 3 frames each: four times the work on a CPU."""
