"""Clouds of points: synthetic ones with known modes, pairs of clouds, and the user's own files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from wganx import DataContext, SampleFormat, Split
from wganx.data import ArrayItems
from wganx_points.configs import (
    CLOUDS,
    CloudConfig,
    GaussianConfig,
    GridConfig,
    MoonsConfig,
    PairConfig,
    RingConfig,
    SwissRollConfig,
)

Array = NDArray[np.float64]
_STREAM: dict[Split, int] = {"train": 0, "heldout": 1}


@dataclass(frozen=True)
class Cloud:
    """Points ``(N, D)``, and where they come from if that is a mixture: centres ``(K, D)``, sigma, labels ``(N,)``."""

    points: Array
    centres: Array | None = None
    sigma: float = 0.0
    labels: NDArray[np.int64] | None = None


class ModeItems(ArrayItems):
    """Points of a Gaussian mixture that know its centres ``(K, D)``, in the order of the labels, and its sigma."""

    def __init__(
        self,
        tensors: Mapping[str, torch.Tensor],
        formats: Mapping[str, SampleFormat],
        centres: torch.Tensor,
        sigma: float,
    ) -> None:
        super().__init__(tensors, formats)
        self.centres = centres
        self.sigma = sigma


def open_cloud(config: CloudConfig, split: Split, context: DataContext) -> ArrayItems:
    """One synthetic cloud; `context.seed` and the split fix every point, and the splits are independent draws."""
    cloud = draw(config, np.random.default_rng([context.seed, _STREAM[split]]))
    tensors = {"sample": _float(cloud.points)}
    formats = {"sample": points_format(cloud.points.shape[1])}
    if cloud.labels is not None and cloud.centres is not None:
        tensors["label"] = torch.from_numpy(cloud.labels)
        formats["label"] = SampleFormat.label(tuple(f"mode {mode}" for mode in range(len(cloud.centres))))
    return _items(cloud, tensors, formats)


def open_pair(config: PairConfig, split: Split, context: DataContext) -> ArrayItems:
    """Items ``{"sample": target, "source": source}``, drawn independently of each other."""
    streams = np.random.default_rng([context.seed, _STREAM[split]]).spawn(2)
    source, target = (
        draw(CLOUDS[name](count=config.count), stream) for name, stream in zip((config.source, config.target), streams)
    )
    tensors = {"sample": _float(target.points), "source": _float(source.points)}
    return _items(target, tensors, {name: points_format(tensor.shape[1]) for name, tensor in tensors.items()})


def _items(cloud: Cloud, tensors: Mapping[str, torch.Tensor], formats: Mapping[str, SampleFormat]) -> ArrayItems:
    if cloud.centres is None:
        return ArrayItems(tensors, formats)
    return ModeItems(tensors, formats, _float(cloud.centres), cloud.sigma)


def points_format(dimension: int) -> SampleFormat:
    """Format of a point, the same in storage and in a batch: `dimension` coordinates, unbounded."""
    return SampleFormat(axes=("coordinate",), shape=(dimension,), value_range=None)


def _float(array: Array) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))


@singledispatch
def draw(config: CloudConfig, rng: np.random.Generator) -> Cloud:
    """`config.count` independent points of the cloud that `config` describes."""
    raise TypeError(f"no way to draw {type(config).__name__}")


@draw.register
def _ring(config: RingConfig, rng: np.random.Generator) -> Cloud:
    angles = np.arange(config.modes) * (2 * np.pi / config.modes)
    return _mixture(config.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), config, rng)


@draw.register
def _grid(config: GridConfig, rng: np.random.Generator) -> Cloud:
    ticks = config.spacing * (np.arange(config.side) - (config.side - 1) / 2)
    return _mixture(np.array(list(product(ticks, repeat=2))), config, rng)


def _mixture(centres: Array, config: RingConfig | GridConfig, rng: np.random.Generator) -> Cloud:
    labels = rng.integers(len(centres), size=config.count)
    points = centres[labels] + config.sigma * rng.standard_normal((config.count, 2))
    return Cloud(points, centres, config.sigma, labels)


@draw.register
def _swiss_roll(config: SwissRollConfig, rng: np.random.Generator) -> Cloud:
    from sklearn.datasets import make_swiss_roll

    roll, _ = make_swiss_roll(config.count, random_state=int(rng.integers(2**32)))
    scale = config.radius / (4.5 * np.pi)  # scikit-learn's spiral ends at this distance
    return Cloud(scale * roll[:, [0, 2]] + config.noise * rng.standard_normal((config.count, 2)))


@draw.register
def _moons(config: MoonsConfig, rng: np.random.Generator) -> Cloud:
    # scikit-learn's moons sit at evenly spaced angles, so two splits would share every position: drawn here instead.
    angle = np.pi * rng.random(config.count)
    arc = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    side = rng.choice([-1.0, 1.0], size=(config.count, 1))
    noise = config.noise * rng.standard_normal((config.count, 2))
    return Cloud(config.width / 3 * side * arc + noise)


@draw.register
def _gaussian(config: GaussianConfig, rng: np.random.Generator) -> Cloud:
    return Cloud(config.mean + config.scale * rng.standard_normal((config.count, config.dimension)))
