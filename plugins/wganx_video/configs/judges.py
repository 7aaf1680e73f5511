"""Options of the judges: metrics and extractors of films."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from wganx import Config


class PixelsConfig(Config):
    """Which pixels are compared, and in what colours; tables of upscaling differ in both."""

    colour: Literal["all", "y"] = Field("all", description="y: the luma of BT.601 alone, 16 to 235 of 255")
    border: int = Field(0, ge=0, description="pixels at every edge that are left out; often the scale")


class FuturesConfig(Config):
    """How many futures are drawn."""

    futures: int = Field(10, ge=2, description="futures drawn of every past, the best of which counts")


class LpipsConfig(Config):
    """Where the weights of LPIPS lie."""

    weights: Path | None = Field(
        None,
        description="alexnet-owt-7be5be79.pth or vgg16-397923af.pth, or the state of a whole LPIPS; null: where torch "
        "keeps its checkpoints",
    )


class I3dConfig(Config):
    """Where the weights of I3D lie."""

    weights: Path | None = Field(
        None,
        description="rgb_imagenet.pt, weights alone, or i3d_torchscript.pt, TorchScript whose code runs; null: where "
        "torch keeps its checkpoints",
    )
