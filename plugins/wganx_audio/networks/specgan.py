"""Spectrograms as pictures: the pair of Donahue et al. 2019, "Adversarial audio synthesis", for any size and labels.

Theirs is for 128 x 128, plain and unconditional, with convolutions of 5 x 5.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from wganx import BuildContext, ConfigError
from wganx.nn import init_he
from wganx_audio.configs.networks import SpecganCriticConfig, SpecganGeneratorConfig
from wganx_audio.networks.conditioning import (
    ConditionedHead,
    ConditionedNorm,
    Conditions,
    noise_length,
    refuse_other_inputs,
    start_over,
)

_SMALLEST = 4
_MOST_WIDENED = 8

Stride = tuple[int, int]
"""How often a map is smaller, along bins and along frames: 2 or 1."""


class Levels:
    """The sizes of the maps between a spectrogram of ``(bins, frames)`` and the smallest, of 4 to 7 on each axis.

    An axis of n is halved ``floor(log2(n / 4))`` times. Where that does not come out even, maps are larger than the
    spectrogram: a generator cuts off what lies beyond its end, and a critic is shown zeros there. The axis that is
    halved less often is halved while the maps are large.

    Attributes:
        full: the size of the largest map.
        start: the size of the smallest.
        strides: of every halving, from the largest on, (2, 2), (2, 1) or (1, 2).
    """

    def __init__(self, bins: int, frames: int) -> None:
        halvings = [max(0, int(math.log2(size / _SMALLEST))) if size > _SMALLEST else 0 for size in (bins, frames)]
        count = max(halvings)
        self.start = tuple(-(-size // 2**times) for size, times in zip((bins, frames), halvings))
        self.full = tuple(size * 2**times for size, times in zip(self.start, halvings))
        self.strides = [_stride(level, halvings) for level in range(count)]
        self.cut = (bins, frames)

    def widths(self, width: int) -> list[int]:
        """Channels after every halving."""
        return [width * min(2**level, _MOST_WIDENED) for level in range(len(self.strides))]


def _stride(level: int, halvings: list[int]) -> Stride:
    tall, wide = (2 if level < times else 1 for times in halvings)
    return tall, wide


class _Up(nn.Module):
    """Larger by `stride`: nearest neighbour, then a convolution; with a second one and a shortcut if residual."""

    def __init__(self, c_in: int, c_out: int, stride: Stride, conditions: int, residual: bool) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=tuple(float(step) for step in stride))
        self.rectify = nn.ReLU()
        self.norm = ConditionedNorm(nn.BatchNorm2d, c_in, conditions)
        self.first = nn.Conv2d(c_in, c_out, 3, padding=1, bias=not residual)
        self.residual = residual
        if residual:
            self.second_norm = ConditionedNorm(nn.BatchNorm2d, c_out, conditions)
            self.second = nn.Conv2d(c_out, c_out, 3, padding=1)
            self.shortcut = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, conditions: Tensor | None) -> Tensor:
        h = self.first(self.up(self.rectify(self.norm(x, conditions))))
        if self.residual:
            # A convolution of one position commutes with the stretching: apply it where the map is smaller.
            h = self.second(self.rectify(self.second_norm(h, conditions))) + self.up(self.shortcut(x))
        return cast(Tensor, h)


class _Down(nn.Module):
    """Smaller by `stride`: a strided convolution; with a second one and a shortcut if residual."""

    def __init__(self, c_in: int, c_out: int, stride: Stride, norm: str, residual: bool) -> None:
        super().__init__()
        self.first = _halving(c_in, c_out, stride)
        self.norm = nn.GroupNorm(1, c_out) if norm == "layer" else nn.Identity()
        self.rectify = nn.LeakyReLU(0.2)
        self.residual = residual
        if residual:
            self.second = nn.Conv2d(c_out, c_out, 3, padding=1)
            self.shrink = nn.AvgPool2d(stride)
            self.shortcut = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.first(self.rectify(x)))
        if self.residual:
            h = self.second(self.rectify(h)) + self.shortcut(self.shrink(x))
        return cast(Tensor, h)


def _halving(c_in: int, c_out: int, stride: Stride) -> nn.Conv2d:
    """A convolution that looks at two steps beyond what it leaves out, and at one where it leaves nothing out."""
    return nn.Conv2d(c_in, c_out, (stride[0] + 2, stride[1] + 2), stride=stride, padding=1)


class _StretchedConvolution(nn.Module):
    """What stretching a map by nearest neighbour and then convolving it with 5 x 5 taps gives, a tenth as dear.

    Of the taps that lie on copies of one value only their sum counts, so that the small map is convolved instead, to
    one channel for every place that a value becomes (Shi et al. 2016, "Real-time single image and video
    super-resolution using an efficient sub-pixel convolutional neural network"). Free taps for every place would leave
    a pattern as fine as the stretching; these cannot.
    """

    TAPS = 5

    def __init__(self, c_in: int, c_out: int, stride: Stride) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(c_in, c_out, self.TAPS)
        self.stride = stride
        for axis, step in enumerate(stride):
            self.register_buffer(f"sums_{axis}", self._sums(step), persistent=False)

    @classmethod
    def _sums(cls, step: int) -> Tensor:
        """``(step, small, TAPS)``: 1 where a tap on the large map falls on that of the small one, for every place."""
        reach = cls.TAPS // 2
        small = -(-reach // step)
        taps = torch.arange(-reach, reach + 1)
        places = [(place + taps).div(step, rounding_mode="floor") for place in range(step)]
        return (torch.stack(places)[:, None] == torch.arange(-small, small + 1)[:, None]).float()

    def forward(self, x: Tensor) -> Tensor:
        sums_PIK, sums_QJL = self.get_buffer("sums_0"), self.get_buffer("sums_1")
        taps = torch.einsum("ockl,pik,qjl->opqcij", self.convolve.weight, sums_PIK, sums_QJL).flatten(0, 2)
        bias = None if self.convolve.bias is None else self.convolve.bias.repeat_interleave(math.prod(self.stride))
        padding = (taps.shape[2] // 2, taps.shape[3] // 2)
        tall, wide = self.stride
        bins, frames = x.shape[2:]
        places = functional.conv2d(x, taps, bias, padding=padding).reshape(x.shape[0], -1, tall, wide, bins, frames)
        return places.permute(0, 1, 4, 2, 5, 3).reshape(x.shape[0], -1, tall * bins, wide * frames)


class Generator(nn.Module):
    """Noise to the smallest map, doubled until it has the spectrogram's size; tanh at the end.

    What is chosen goes beside the noise and into the norms; a text is laid along the time of the smallest map as well.

    Shapes:
        ``noise (N, noise)``, labels and numbers ``(N,)``, texts ``(N, length)`` -> ``(N, C, F, T)`` in [-1, 1].

    Raises:
        ConfigError: samples are no spectrograms of one size, there is no vector of noise, or the task gives the network
            something else than labels, numbers and texts.
    """

    def __init__(self, config: SpecganGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        refuse_other_inputs(context, "specgan generator")
        channels, self.levels = spectrogram_levels(context, "specgan generator")
        widths = self.levels.widths(config.width)[::-1]
        self.conditions = Conditions(context.inputs, config.embedding, config.embedding)
        seen = noise_length(context, "specgan generator") + self.conditions.width
        self.mix: nn.Module = nn.Identity()
        if config.hidden:
            self.mix = nn.Sequential(nn.Linear(seen, config.hidden), nn.ReLU())
        self.start = nn.Linear(config.hidden or seen, widths[0] * math.prod(self.levels.start))
        self.say = nn.Conv1d(config.embedding, widths[0] * self.levels.start[0], 3, padding=1, bias=False)
        if not self.conditions.texts:
            del self.say
        self.blocks = nn.ModuleList(
            _Up(c_in, c_out, stride, self.conditions.width, config.block == "residual")
            for (c_in, c_out), stride in zip(pairwise(widths), self.levels.strides[:0:-1])
        )
        self.norm = ConditionedNorm(nn.BatchNorm2d, widths[-1], self.conditions.width)
        self.rectify = nn.ReLU()
        self.to_spectrogram = _StretchedConvolution(widths[-1], channels, self.levels.strides[0])
        init_he(self)
        start_over(self)

    def forward(self, noise: Tensor, **inputs: Tensor) -> Tensor:
        chosen = self.conditions(inputs) if inputs else None
        seen = noise if chosen is None else torch.cat([noise, chosen], dim=1)
        x = self.start(self.mix(seen)).unflatten(1, (-1, *self.levels.start))
        if (text := self.conditions.over_time(inputs, self.levels.start[1])) is not None:
            x = x + self.say(text).unflatten(1, (-1, self.levels.start[0]))
        for block in self.blocks:
            x = block(x, chosen)
        x = self.to_spectrogram(self.rectify(self.norm(x, chosen)))
        bins, frames = self.levels.cut
        return torch.tanh(x[:, :, :bins, :frames])


class Critic(nn.Module):
    """Strided convolutions down to the smallest map, then one score, and its projection on what was chosen.

    Shapes:
        ``x (N, C, F, T)``, labels and numbers ``(N,)``, texts ``(N, length)`` -> ``(N,)``, unbounded.

    Raises:
        ConfigError: as for the generator.
    """

    def __init__(self, config: SpecganCriticConfig, context: BuildContext) -> None:
        super().__init__()
        refuse_other_inputs(context, "specgan critic")
        channels, levels = spectrogram_levels(context, "specgan critic")
        widths = levels.widths(config.width)
        self.missing = tuple(full - size for full, size in zip(levels.full, levels.cut))
        layers: list[nn.Module] = [_halving(channels, widths[0], levels.strides[0])]
        for (c_in, c_out), stride in zip(pairwise(widths), levels.strides[1:]):
            layers.append(_Down(c_in, c_out, stride, config.norm, config.block == "residual"))
        layers += [nn.LeakyReLU(0.2), nn.Flatten()]
        features = widths[-1] * math.prod(levels.start)
        if config.hidden:
            layers += [nn.Linear(features, config.hidden), nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.head = ConditionedHead(config.hidden or features, context.inputs, config.embedding)
        init_he(self)
        start_over(self)

    def forward(self, x: Tensor, **inputs: Tensor) -> Tensor:
        bins, frames = self.missing
        if bins or frames:
            x = functional.pad(x, (0, frames, 0, bins))
        return cast(Tensor, self.head(self.features(x), inputs))


def spectrogram_levels(context: BuildContext, network: str) -> tuple[int, Levels]:
    """Channels and map sizes of the spectrograms that `network` is built for.

    Raises:
        ConfigError: the samples are no spectrograms of one size.
    """
    if context.sample.axes != ("channel", "frequency", "frame"):
        raise ConfigError(
            f"the {network} works on spectrograms (channel, frequency, frame), not on {context.sample}: "
            "set task.representation=linear, or use wavegan for waveforms"
        )
    if None in context.sample.shape:
        raise ConfigError(f"the {network} is built for sounds of one length: set dataset.length")
    channels, bins, frames = context.sample.sizes
    if max(bins, frames) < 2 * _SMALLEST:
        raise ConfigError(f"the {network} needs 8 bins or 8 frames at least, not {bins} x {frames}")
    return channels, Levels(bins, frames)
