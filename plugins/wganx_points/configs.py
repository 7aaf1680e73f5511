"""The settings of every part, with their defaults; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from wganx import Config


class CloudConfig(Config):
    """A synthetic cloud; every split holds `count` independent points."""

    count: int = Field(10_000, ge=1, description="points in each split")


class RingConfig(CloudConfig):
    """`modes` Gaussians of standard deviation `sigma`, evenly spaced on a circle; the label is the mode."""

    modes: int = Field(8, ge=1, description="Gaussians on the circle")
    radius: float = Field(2.0, gt=0, description="of the circle")
    sigma: float = Field(0.05, gt=0, description="standard deviation of each Gaussian")


class GridConfig(CloudConfig):
    """`side` x `side` Gaussians of standard deviation `sigma`, `spacing` apart; the label is the mode."""

    side: int = Field(5, ge=1, description="Gaussians along each side")
    spacing: float = Field(1.0, gt=0, description="distance between neighbours")
    sigma: float = Field(0.05, gt=0, description="standard deviation of each Gaussian")


class SwissRollConfig(CloudConfig):
    """A spiral that ends at distance `radius` from the origin, blurred by `noise`."""

    radius: float = Field(2.0, gt=0, description="distance of the outer end from the origin")
    noise: float = Field(0.05, ge=0, description="standard deviation of the blur")


class MoonsConfig(CloudConfig):
    """Two interleaved half circles, `width` across both, blurred by `noise`."""

    width: float = Field(4.0, gt=0, description="extent of both moons together")
    noise: float = Field(0.05, ge=0, description="standard deviation of the blur")


class GaussianConfig(CloudConfig):
    """One isotropic Gaussian in any dimension; every coordinate has mean `mean` and deviation `scale`."""

    dimension: int = Field(2, ge=1, description="coordinates of a point")
    mean: float = Field(0.0, description="of every coordinate")
    scale: float = Field(1.0, gt=0, description="standard deviation of every coordinate")


CloudName = Literal["ring", "grid", "swiss-roll", "moons", "gaussian"]
CLOUDS: dict[CloudName, type[CloudConfig]] = {
    "ring": RingConfig,
    "grid": GridConfig,
    "swiss-roll": SwissRollConfig,
    "moons": MoonsConfig,
    "gaussian": GaussianConfig,
}


class PairConfig(CloudConfig):
    """Two clouds with their default settings, drawn independently: point i of one is no partner of point i."""

    source: CloudName = Field("moons", description="the cloud to start from")
    target: CloudName = Field("ring", description="the cloud to reach")


class FolderConfig(Config):
    """Points from a file or a folder of files."""

    root: Path = Field(description="a .npy or .csv file, or a folder or zip archive of them")
    heldout: float = Field(0.1, gt=0, lt=1, description="share of the rows held out, where no folders are splits")


class GenerateConfig(Config):
    """Points from noise; with labels, the generator is told which class to make and the critic which it sees."""

    labels: bool = Field(False, description="make, and judge, points of a given class")


class TranslateConfig(Config):
    """A map from source to target; a cost weight below 1 chooses among the maps and leaves the target alone."""

    cost_weight: float = Field(0.2, ge=0, description="price of moving a point by one unit")


class MlpConfig(Config):
    """A multi-layer perceptron."""

    width: int = Field(128, ge=1, description="units of a hidden layer")
    depth: int = Field(3, ge=1, le=1000, description="hidden layers")


class MlpCriticConfig(MlpConfig):
    """A multi-layer perceptron that scores."""

    dropout: float = Field(0.0, ge=0, lt=1, description="share of hidden units left out; the consistency term needs it")


class LipschitzMlpConfig(Config):
    """A perceptron of orthonormal layers, 1-Lipschitz whatever its weights; wants a learning rate near 5e-3."""

    width: int = Field(64, ge=2, multiple_of=2, description="units of a hidden layer, sorted in pairs")
    depth: int = Field(3, ge=1, le=1000, description="hidden layers")


class MlpGeneratorConfig(MlpConfig):
    """`residual` names an input of the sample's shape: the network then makes what is added to it, at first 0."""

    residual: str | None = Field(None, description="the input that the output is added to")
