"""The convolutional pair of Radford et al. 2016, "Unsupervised representation learning with DCGANs".

Their critic has batch norm; this one cannot, since the penalty on single samples forbids it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from wganx import BuildContext
from wganx.nn import ProjectionHead, init_he, init_normal
from wganx_image.configs.networks import DcganCriticConfig, DcganGeneratorConfig
from wganx_image.networks.attention import attention_after, attention_at, check_attention
from wganx_image.networks.labels import Labels
from wganx_image.networks.norms import batch_norm, normalised, sample_norm
from wganx_image.networks.sizes import noise_length, picture_size

SIZES = (16, 32, 64, 128)


def _widths(size: int, width: int) -> list[int]:
    """Channels from half the picture's size down to 4 x 4."""
    return [width * min(2**halving, 8) for halving in range(int(math.log2(size)) - 2)]


class _Block(nn.Module):
    """Twice the size, then norm and rectifier."""

    def __init__(self, c_in: int, c_out: int, upsample: str, labels: Labels) -> None:
        super().__init__()
        self.up = _doubling(c_in, c_out, upsample, bias=False)
        self.norm = batch_norm(c_out, labels)
        self.rectify = nn.ReLU()

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        return cast(Tensor, self.rectify(normalised(self.norm, self.up(x), label)))


def _doubling(c_in: int, c_out: int, upsample: str, bias: bool) -> nn.Module:
    if upsample == "transposed":
        return nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=bias)
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(c_in, c_out, 3, padding=1, bias=bias))


class Generator(nn.Module):
    """Noise to a 4 x 4 map, doubled until it has the picture's size; tanh at the end.

    With labels, every norm has the scale and shift of the sample's classes.

    Shapes:
        ``noise (N, noise)``, ``(N,)`` each label -> ``(N, C, size, size)`` in [-1, 1].
    """

    def __init__(self, config: DcganGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        channels, size = picture_size(context, "dcgan generator", SIZES)
        labels = self.labels = Labels.of(context, "dcgan generator")
        widths = _widths(size, config.width)[::-1]
        length = noise_length(context, "dcgan generator")
        self.mix: nn.Module = nn.Identity()
        if config.hidden:
            self.mix = nn.Sequential(nn.Linear(length, config.hidden), nn.ReLU())
        self.start = nn.Linear(config.hidden or length, widths[0] * 16, bias=False)
        self.start_norm = batch_norm(widths[0], labels)
        self.rectify = nn.ReLU()
        self.blocks = nn.ModuleList(_Block(c_in, c_out, config.upsample, labels) for c_in, c_out in pairwise(widths))
        self.attention = attention_after("dcgan", widths[1:], config.attention, config.attention_size)
        self.to_picture = _doubling(widths[-1], channels, config.upsample, bias=True)
        self.squash = nn.Tanh()
        init_normal(self)

    def forward(self, noise: Tensor, /, **labels: Tensor) -> Tensor:
        label = self.labels.numbers(labels)
        x = self.start(self.mix(noise)).unflatten(1, (-1, 4, 4))
        x = self.rectify(normalised(self.start_norm, x, label))
        for number, block in enumerate(self.blocks):
            x = block(x, label)
            if str(number) in self.attention:
                x = self.attention[str(number)](x)
        return cast(Tensor, self.squash(self.to_picture(x)))


class Critic(nn.Module):
    """Strided convolutions down to 4 x 4, then one linear score, plus the projection on the classes of its labels.

    Shapes:
        ``x (N, C, size, size)``, ``(N,)`` each label -> ``(N,)``, unbounded.
    """

    def __init__(self, config: DcganCriticConfig, context: BuildContext) -> None:
        super().__init__()
        channels, size = picture_size(context, "dcgan critic", SIZES)
        self.labels = Labels.of(context, "dcgan critic")
        widths = _widths(size, config.width)
        dropout = [nn.Dropout(config.dropout)] if config.dropout else []
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2), *dropout]
        sizes = [size // 2 // 2**number for number in range(len(widths))]
        check_attention("dcgan critic", config.attention, config.attention_size, sizes)
        layers += attention_at(sizes[0], widths[0], config.attention, config.attention_size)
        for side, (c_in, c_out) in zip(sizes[1:], pairwise(widths)):
            convolution = nn.Conv2d(c_in, c_out, 4, stride=2, padding=1)
            layers += [convolution, sample_norm(c_out, config.norm), nn.LeakyReLU(0.2), *dropout]
            layers += attention_at(side, c_out, config.attention, config.attention_size)
        layers.append(nn.Flatten())
        if config.hidden:
            layers += [nn.Linear(widths[-1] * 16, config.hidden), nn.LeakyReLU(0.2), *dropout]
        self.features = nn.Sequential(*layers)
        self.head = ProjectionHead(config.hidden or widths[-1] * 16, self.labels.classes, len(self.labels))
        init_he(self)  # at N(0, 0.02²) the scores of a narrow critic start too flat to learn in time

    def forward(self, x: Tensor, /, **labels: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.features(x), self.labels.numbers(labels)))
