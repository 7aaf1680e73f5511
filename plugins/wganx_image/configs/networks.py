"""Options of the networks; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wganx import Config


class DcganGeneratorConfig(Config):
    """Transposed convolutions are lighter than resizing before a plain one, and tend to leave a checkerboard."""

    width: int = Field(64, ge=1, description="channels at half the size; doubled at every halving, up to 8 times")
    upsample: Literal["resize", "transposed"] = Field("resize", description="how maps are doubled")
    hidden: int = Field(0, ge=0, description="units of a dense layer between noise and the 4 x 4 map; 0 for none")


class DcganCriticConfig(Config):
    """No norm spans the batch, since the penalty on single samples forbids it."""

    width: int = Field(64, ge=1, description="channels at half the size; doubled at every halving, up to 8 times")
    norm: Literal["none", "layer", "instance"] = Field("none", description="norm after all convolutions but the first")
    hidden: int = Field(0, ge=0, description="units of a dense layer between the 4 x 4 map and the score; 0 for none")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of hidden units left out; the consistency term needs it")


class ResnetGeneratorConfig(Config):
    """The paper has 128 at 32 px and 64 at 64 px."""

    width: int = Field(128, ge=1, description="channels of all blocks at 32 px, of the last block at 64 px")


class ResnetCriticConfig(Config):
    """The paper has 128 at 32 px and 64 at 64 px."""

    width: int = Field(128, ge=1, description="channels of all blocks at 32 px, of the first convolution at 64 px")
    norm: Literal["none", "layer"] = Field("none", description="norm before the rectifiers of the blocks")


class GanZooGeneratorConfig(Config):
    """What the shapes and the stored settings of a checkpoint say; `wganx train --init FILE` fills it in."""

    widths: tuple[int, ...] = Field((64, 64, 32), min_length=1, description="channels at 4, 8, 16, ... px")
    leak: float = Field(0.2, ge=0, lt=1, description="slope of the rectifiers below zero")
    equalised: bool = Field(True, description="scale every layer's output, bias included, by He's constant")
    fade: float = Field(0.0, ge=0, le=1, description="share of the size before, of a checkpoint taken inside a fade")
    labels: tuple[str, ...] = Field((), description="order in which labels join the noise, each as one of its classes")


class MimicryGeneratorConfig(Config):
    """The residual generator that has 32 or 48 px in its own project; its width is that of the first block."""

    width: int = Field(256, ge=8, description="channels of the first block")
    narrowing: bool = Field(False, description="half the channels at each block, as at 48 px; the same ones as at 32")
