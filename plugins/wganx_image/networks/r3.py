"""A pair without any norm, after Huang et al. 2024, "The GAN is dead; long live the GAN!" (R3GAN).

Residual blocks with grouped convolutions, biases at the activations alone, fix-up initialisation in the place of norms,
bilinear resampling. Made for the objective ``relativistic`` under ``r1+r2``; it trains under others too.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from wganx import BuildContext
from wganx.nn import ClassEmbedding, ProjectionHead
from wganx_image.configs.networks import R3Config
from wganx_image.networks.growing import widths_to
from wganx_image.networks.labels import Labels
from wganx_image.networks.sizes import noise_length, picture_size

SIZES = (16, 32, 64, 128, 256)
_SLOPE = 0.2
_GAIN = math.sqrt(2 / (1 + _SLOPE**2))  # keeps the size of what passes a leaky rectifier
_EXPANSION = 2


class _BiasedActivation(nn.Module):
    """``leaky_relu(x + b)``, one b a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.rectify = nn.LeakyReLU(_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.rectify(x + self.bias))


class _Residual(nn.Module):
    """``x + contract(act(group(act(expand(x)))))``: 1 x 1 to twice the channels, 3 x 3 in groups, 1 x 1 back.

    Fix-up: the last convolution starts at zero and the others at He's deviation times ``blocks ** -1/4``, by which a
    network of that many blocks starts with the slope of one (Zhang et al. 2019, "Fixup Initialization").
    """

    def __init__(self, channels: int, group: int, blocks: int) -> None:
        super().__init__()
        inner = channels * _EXPANSION
        groups = inner // math.gcd(inner, group)
        self.expand = _convolution(channels, inner, 1, gain=_GAIN * blocks**-0.25)
        self.first = _BiasedActivation(inner)
        self.group = _convolution(inner, inner, 3, groups=groups, gain=_GAIN * blocks**-0.25)
        self.second = _BiasedActivation(inner)
        self.contract = _convolution(inner, channels, 1, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.contract(self.second(self.group(self.first(self.expand(x))))))


class _Up(nn.Module):
    """Twice the size by bilinear interpolation, after the change of channels."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.change = nn.Identity() if c_in == c_out else _convolution(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(self.change(x), scale_factor=2.0, mode="bilinear")


class _Down(nn.Module):
    """Half the size by the filter that bilinear interpolation is the transpose of, before the change of channels."""

    taps: Tensor

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("taps", torch.outer(line, line), persistent=False)
        self.change = nn.Identity() if c_in == c_out else _convolution(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        taps = self.taps.expand(channels, 1, 4, 4)
        return cast(Tensor, self.change(functional.conv2d(x, taps, stride=2, padding=1, groups=channels)))


class Generator(nn.Module):
    """Noise to a learnt basis of 4 x 4 px, blocks, and doubling until the picture has its size; tanh at the end.

    With labels, an embedding of the classes as long as the noise joins it.

    Shapes:
        ``noise (N, noise)``, ``(N,)`` each label -> ``(N, C, size, size)`` in [-1, 1].
    """

    def __init__(self, config: R3Config, context: BuildContext) -> None:
        super().__init__()
        channels, size = picture_size(context, "r3 generator", SIZES)
        labels, length = Labels.of(context, "r3 generator"), noise_length(context, "r3 generator")
        widths = widths_to(size, config.width)
        self.labels = labels
        self.embed = ClassEmbedding(labels.classes, length) if labels else None
        self.start = nn.Linear(length * (2 if labels else 1), widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(widths[0], 4, 4))
        blocks = config.blocks * len(widths)
        layers: list[nn.Module] = [_Residual(widths[0], config.group, blocks) for _ in range(config.blocks)]
        for c_in, c_out in pairwise(widths):
            layers += [_Up(c_in, c_out), *(_Residual(c_out, config.group, blocks) for _ in range(config.blocks))]
        self.layers = nn.Sequential(*layers)
        self.to_picture = _convolution(widths[-1], channels, 1)
        self.squash = nn.Tanh()
        if self.embed is not None:
            with torch.no_grad():
                self.embed.weight.mul_(len(labels) ** -0.5)  # so that the sum has the size of one
        nn.init.normal_(self.start.weight, std=self.start.in_features**-0.5)

    def forward(self, noise: Tensor, /, **labels: Tensor) -> Tensor:
        label = self.labels.numbers(labels)
        if self.embed is not None:
            noise = torch.cat([noise, self.embed(label)], 1)
        x = self.basis * self.start(noise)[:, :, None, None]
        return cast(Tensor, self.squash(self.to_picture(self.layers(x))))


class Critic(nn.Module):
    """Blocks and halving down to 4 x 4 px, each channel weighed by a learnt basis, then one score.

    With labels, the projection on the classes is added.

    Shapes:
        ``x (N, C, size, size)``, ``(N,)`` each label -> ``(N,)``, unbounded.
    """

    def __init__(self, config: R3Config, context: BuildContext) -> None:
        super().__init__()
        channels, size = picture_size(context, "r3 critic", SIZES)
        self.labels = Labels.of(context, "r3 critic")
        widths = widths_to(size, config.width)[::-1]
        blocks = config.blocks * len(widths)
        layers: list[nn.Module] = [_convolution(channels, widths[0], 1)]
        layers += [_Residual(widths[0], config.group, blocks) for _ in range(config.blocks)]
        for c_in, c_out in pairwise(widths):
            layers += [_Down(c_in, c_out), *(_Residual(c_out, config.group, blocks) for _ in range(config.blocks))]
        self.layers = nn.Sequential(*layers)
        self.basis = _convolution(widths[-1], widths[-1], 4, groups=widths[-1], padding=0)
        self.head = ProjectionHead(widths[-1], self.labels.classes, len(self.labels))

    def forward(self, x: Tensor, /, **labels: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.basis(self.layers(x)).flatten(1), self.labels.numbers(labels)))


def _convolution(
    c_in: int, c_out: int, kernel: int, *, groups: int = 1, gain: float = 1.0, padding: int | None = None
) -> nn.Conv2d:
    """Without bias, its weights N(0, gain² / fan-in); the size stays unless `padding` says otherwise."""
    padding = kernel // 2 if padding is None else padding
    layer = nn.Conv2d(c_in, c_out, kernel, padding=padding, groups=groups, bias=False)
    nn.init.normal_(layer.weight, std=gain * (c_in // groups * kernel**2) ** -0.5)
    return layer
