"""The settings of the networks; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wganx import Config


class SpecganGeneratorConfig(Config):
    """Any size of a spectrogram is made; what is doubled beyond it is cut off."""

    width: int = Field(64, ge=1, description="channels at half the size; doubled at every halving, up to 8 times")
    hidden: int = Field(0, ge=0, description="units of a dense layer between noise and the smallest map; 0 for none")
    block: Literal["plain", "residual"] = Field(
        "residual", description="convolutions at every size: one, or two with a shortcut beside them"
    )
    embedding: int = Field(64, ge=1, description="numbers that a label, a number or a text becomes")


class SpecganCriticConfig(Config):
    """No norm spans the batch, since the penalty on single samples forbids it."""

    width: int = Field(64, ge=1, description="channels at half the size; doubled at every halving, up to 8 times")
    hidden: int = Field(0, ge=0, description="units of a dense layer between the smallest map and the score; 0: none")
    block: Literal["plain", "residual"] = Field(
        "residual", description="convolutions at every size: one, or two with a shortcut beside them"
    )
    norm: Literal["none", "layer"] = Field("none", description="norm after all convolutions that halve but the first")
    embedding: int = Field(64, ge=1, description="numbers that a symbol of a text becomes")


class WaveganGeneratorConfig(Config):
    """The paper has width 64, transposed convolutions, and neither norm nor post filter."""

    width: int = Field(64, ge=1, description="channels before the last layer; doubled at every layer before it")
    hidden: int = Field(0, ge=0, description="units of a dense layer between noise and the shortest map; 0 for none")
    upsample: Literal["transposed", "nearest"] = Field(
        "transposed", description="how time is stretched; nearest leaves less of a pitched noise, and costs more"
    )
    norm: Literal["none", "batch"] = Field("none", description="norm after every layer but the last")
    post_filter: int = Field(0, ge=0, description="taps of a filter that is learnt last, 512 in the paper; 0 for none")
    embedding: int = Field(64, ge=1, description="numbers that a label, a number or a text becomes")


class WaveganCriticConfig(Config):
    """The paper has width 64 and shifts of up to 2."""

    width: int = Field(64, ge=1, description="channels after the first layer; doubled at every layer after it")
    hidden: int = Field(0, ge=0, description="units of a dense layer between the shortest map and the score; 0: none")
    phase_shuffle: int = Field(2, ge=0, description="most steps by which maps are shifted at random; 0 for none")
    embedding: int = Field(64, ge=1, description="numbers that a symbol of a text becomes")


class ConverterGeneratorConfig(Config):
    """Convolutions along time, of any number of frames; the bins of the spectrogram are their channels."""

    width: int = Field(128, ge=1, description="channels of every layer but the narrowest")
    bottleneck: int = Field(32, ge=1, description="channels between encoder and decoder, at a quarter of the frames")
    normalise: bool = Field(
        True, description="take mean and deviation of the bottleneck's channels away, and much of the voice with them"
    )
    residual: bool = Field(False, description="make a change of the source rather than a sound anew")
    embedding: int = Field(32, ge=1, description="numbers that a label becomes")


class ConverterCriticConfig(Config):
    """Convolutions over frequency and time; the score of a sound is the mean over its stretches."""

    width: int = Field(32, ge=1, description="channels after the first layer; doubled at every layer after it")
    hidden: int = Field(256, ge=1, description="channels where the frequencies come together")
    prosody: bool = Field(False, description="look at pitch and level beside the spectrogram")
