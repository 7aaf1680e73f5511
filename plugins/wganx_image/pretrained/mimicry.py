"""The residual WGAN-GP generator of kwotsin/mimicry, 32 and 48 px, as its checkpoints want it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, ConfigError, DataError, Pretrained, SampleFormat
from wganx_image.configs.networks import MimicryGeneratorConfig
from wganx_image.networks.labels import Labels
from wganx_image.networks.sizes import noise_length, picture_size

SIZES = (32, 48)
_BLOCKS = 3
_PARTS = {"norm_in": "b1", "first": "c1", "norm_between": "b2", "second": "c2", "shortcut": "c_sc"}


def _widths(width: int, narrowing: bool) -> list[int]:
    return [width >> (block if narrowing else 0) for block in range(_BLOCKS + 1)]


class _Block(nn.Module):
    """Twice the size by bilinear interpolation, before the first convolution and on the shortcut."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.norm_in, self.norm_between = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)
        self.first = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.second = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.shortcut = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(_doubled(F.relu(self.norm_in(x))))
        h = self.second(F.relu(self.norm_between(h)))
        made: Tensor = h + self.shortcut(_doubled(x))
        return made


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Generator(nn.Module):
    """Noise to an eighth of the size, doubled by three residual blocks; tanh at the end.

    Shapes:
        ``noise (N, noise)`` -> ``(N, C, size, size)`` in [-1, 1].
    """

    def __init__(self, config: MimicryGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        channels, size = picture_size(context, "mimicry generator", SIZES)
        if Labels.of(context, "mimicry generator"):
            raise ConfigError("the mimicry generator takes no labels: set task.labels=false")
        widths = _widths(config.width, config.narrowing)
        self.side = size // 2**_BLOCKS
        self.start = nn.Linear(noise_length(context, "mimicry generator"), self.side**2 * widths[0])
        self.blocks = nn.ModuleList(_Block(c_in, c_out) for c_in, c_out in pairwise(widths))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_picture = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, noise: Tensor) -> Tensor:
        x = self.start(noise).unflatten(1, (-1, self.side, self.side))
        for block in self.blocks:
            x = block(x)
        made: Tensor = self.to_picture(F.relu(self.norm(x))).tanh()
        return made


def read(content: Mapping[str, Any], path: Path) -> Pretrained | None:
    """The generator of a checkpoint, or of its state dict alone; None where it is no generator of that project.

    Raises:
        DataError: it is one, of another size or with labels, or tensors are missing.
    """
    stored = content.get("model_state_dict", content)
    if not isinstance(stored, Mapping) or not {"l1.weight", "block2.c1.weight"} <= stored.keys():
        return None
    if "block5.c1.weight" in stored or "b5.running_mean" not in stored:
        raise DataError(f"{path} is a generator of mimicry, and only those of WGAN-GP with 32 and 48 px are read")
    names = _names()
    if lacking := sorted(theirs for theirs in names.values() if not isinstance(stored.get(theirs), Tensor)):
        raise DataError(f"{path} lacks {lacking[0]} of mimicry's WGAN-GP generator")
    width = len(stored["block2.b1.running_mean"])
    side = round((len(stored["l1.bias"]) / width) ** 0.5)
    return Pretrained(
        generator="mimicry",
        options={"width": width, "narrowing": len(stored["block2.c1.bias"]) != width},
        weights={ours: stored[theirs] for ours, theirs in names.items()},
        sample=SampleFormat(
            axes=("channel", "height", "width"),
            shape=(len(stored["c5.bias"]), side * 2**_BLOCKS, side * 2**_BLOCKS),
            value_range=(-1.0, 1.0),
        ),
        noise=(stored["l1.weight"].shape[1],),
    )


def _names() -> dict[str, str]:
    """Their names by ours."""
    layers = {"start": "l1", "norm": "b5", "to_picture": "c5"}
    layers |= {
        f"blocks.{block}.{ours}": f"block{block + 2}.{theirs}"
        for block in range(_BLOCKS)
        for ours, theirs in _PARTS.items()
    }
    norms = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {
        f"{ours}.{kind}": f"{theirs}.{kind}"
        for ours, theirs in layers.items()
        for kind in (norms if "norm" in ours else ("weight", "bias"))
    }
