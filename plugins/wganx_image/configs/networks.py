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
    attention: Literal["none", "dot", "l2"] = Field("none", description="self-attention over the pixels of one map")
    attention_size: int = Field(16, ge=4, description="width and height of the map that has it, in pixels")


class DcganCriticConfig(Config):
    """No norm spans the batch, since the penalty on single samples forbids it."""

    width: int = Field(64, ge=1, description="channels at half the size; doubled at every halving, up to 8 times")
    norm: Literal["none", "layer", "instance"] = Field("none", description="norm after all convolutions but the first")
    hidden: int = Field(0, ge=0, description="units of a dense layer between the 4 x 4 map and the score; 0 for none")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of hidden units left out; the consistency term needs it")
    attention: Literal["none", "dot", "l2"] = Field("none", description="self-attention over the pixels of one map")
    attention_size: int = Field(16, ge=4, description="width and height of the map that has it, in pixels")


class ResnetGeneratorConfig(Config):
    """The paper has 128 at 32 px and 64 at 64 px; 64 at 128 px too."""

    width: int = Field(128, ge=1, description="channels of all blocks at 32 px, of the last block at more")
    attention: Literal["none", "dot", "l2"] = Field("none", description="self-attention over the pixels of one map")
    attention_size: int = Field(16, ge=4, description="width and height of the map that has it, in pixels")


class ResnetCriticConfig(Config):
    """The paper has 128 at 32 px and 64 at 64 px; 64 at 128 px too."""

    width: int = Field(128, ge=1, description="channels of all blocks at 32 px, of the first convolution at more")
    norm: Literal["none", "layer"] = Field("none", description="norm before the rectifiers of the blocks")
    attention: Literal["none", "dot", "l2"] = Field("none", description="self-attention over the pixels of one map")
    attention_size: int = Field(16, ge=4, description="width and height of the map that has it, in pixels")


class GrowingGeneratorConfig(Config):
    """The paper has 512, and 512 numbers of noise."""

    width: int = Field(128, ge=1, description="channels up to 32 px; halved at every doubling beyond")
    squash: Literal["tanh", "clamp"] = Field(
        "tanh", description="how pictures come into their range; clamp for weights that learned without"
    )


class GrowingCriticConfig(Config):
    """The paper has 512."""

    width: int = Field(128, ge=1, description="channels up to 32 px; halved at every doubling beyond")


class R3Config(Config):
    """The paper has 768 channels, 2 blocks and groups of 16 at 32 px, in both networks."""

    width: int = Field(128, ge=1, description="channels up to 32 px; halved at every doubling beyond")
    blocks: int = Field(2, ge=1, le=1000, description="residual blocks at every size")
    group: int = Field(16, ge=1, description="channels that a grouped convolution mixes")


class TranslatorGeneratorConfig(Config):
    """Halved, changed by residual blocks, and doubled again; of any height and width."""

    width: int = Field(64, ge=1, description="channels at full size; doubled at every halving")
    halvings: int = Field(2, ge=0, le=4, description="how often height and width are halved before the blocks")
    blocks: int = Field(6, ge=1, le=1000, description="residual blocks at the smallest size")
    embedding: int = Field(32, ge=1, description="length of the vector that the wanted domains become")
    residual: bool = Field(True, description="change the source's colours place by place, and make no picture anew")


class TranslatorCriticConfig(Config):
    """The mean score of all patches; no norm, since the penalty on single samples allows few."""

    width: int = Field(64, ge=1, description="channels at half the size; doubled at every halving, up to 8 times")
    halvings: int = Field(4, ge=1, le=6, description="how often height and width are halved; more see larger patches")


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
