"""Waveforms: the pair of Donahue et al. 2019, "Adversarial audio synthesis", for any length and labels."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from wganx import BuildContext, ConfigError
from wganx.nn import init_he
from wganx_audio.configs.networks import WaveganCriticConfig, WaveganGeneratorConfig
from wganx_audio.networks.conditioning import (
    ConditionedHead,
    ConditionedNorm,
    Conditions,
    noise_length,
    refuse_other_inputs,
    start_over,
)

_KERNEL = 25
_SHORTEST = 16
_MOST_WIDENED = 32


class Stages:
    """How a length comes about: a map of 16 to 31 steps, stretched by 4 again and again, and once by 2 where needed.

    16,384 samples are 16 steps and five times 4, as in the paper; 32,768 begin with 2. What no such product is comes
    from the next that is longer: a generator cuts off its end, and a critic is shown silence there.

    Attributes:
        start: steps of the shortest map.
        strides: of the critic's layers, from the waveform on.
        full: samples of the product.
    """

    def __init__(self, length: int) -> None:
        doublings = (length // _SHORTEST).bit_length() - 1
        self.strides = [4] * (doublings // 2) + [2] * (doublings % 2)
        self.start = -(-length // 2**doublings)
        self.full = self.start * 2**doublings
        self.length = length

    def widths(self, width: int) -> list[int]:
        """Channels after every layer of the critic."""
        return [width * min(2**level, _MOST_WIDENED) for level in range(len(self.strides))]


class PhaseShuffle(nn.Module):
    """Shifts maps along time by a number of steps drawn anew at every call, in training; ends are reflected.

    One shift in ``[-most, most]`` for the whole batch, as in the paper: what is the same in every position of a
    generator's stretched maps can no longer tell fakes from real ones. It is drawn on the device, from the stream of
    the training, so a recorded step draws it anew and nothing waits for it.

    Shapes:
        ``x (N, C, L)``, L above `most` -> the same.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        last = x.shape[2] - 1
        shift = torch.randint(-self.most, self.most + 1, (1,), device=x.device)
        # Reflected at 0, then at the last step: the same as padding by reflection and cutting out, in one copy.
        place_L = (torch.arange(last + 1, device=x.device) + shift).abs()
        return x.index_select(2, last - (last - place_L).abs())

    def extra_repr(self) -> str:
        return f"most={self.most}"


class Generator(nn.Module):
    """Noise to the shortest map, stretched layer by layer with 25 taps until it is a waveform; tanh at the end.

    What is chosen goes beside the noise and scales and shifts every map; a text is laid along the time of the shortest
    map as well.

    Shapes:
        ``noise (N, noise)``, labels and numbers ``(N,)``, texts ``(N, length)`` -> ``(N, C, L)`` in [-1, 1].

    Raises:
        ConfigError: samples are no waveforms of one length, there is no vector of noise, or the task gives the network
            something else than labels, numbers and texts.
    """

    def __init__(self, config: WaveganGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        refuse_other_inputs(context, "wavegan generator")
        channels, self.stages = waveform_stages(context, "wavegan generator")
        widths = self.stages.widths(config.width)[::-1]
        strides = self.stages.strides[::-1]
        self.conditions = Conditions(context.inputs, config.embedding, config.embedding)
        seen = noise_length(context, "wavegan generator") + self.conditions.width
        self.mix: nn.Module = nn.Identity()
        if config.hidden:
            self.mix = nn.Sequential(nn.Linear(seen, config.hidden), nn.ReLU())
        self.start = nn.Linear(config.hidden or seen, widths[0] * self.stages.start)
        self.say = nn.Conv1d(config.embedding, widths[0], 3, padding=1, bias=False)
        if not self.conditions.texts:
            del self.say
        norm = nn.BatchNorm1d if config.norm == "batch" else None
        self.norms = nn.ModuleList(ConditionedNorm(norm, channels, self.conditions.width) for channels in widths)
        self.layers = nn.ModuleList(
            _stretching(c_in, c_out, stride, config.upsample)
            for (c_in, c_out), stride in zip(pairwise([*widths, channels]), strides)
        )
        self.rectify = nn.ReLU()
        init_he(self)
        _init_transposed(self)
        start_over(self)
        with torch.no_grad():  # the sounds of a dataset are far softer than the square waves that tanh would start as
            _last_weight(self.layers[-1]).mul_(0.1)
        self.filter: nn.Module = nn.Identity()
        if config.post_filter:
            self.filter = PostFilter(channels, config.post_filter)

    def forward(self, noise: Tensor, **inputs: Tensor) -> Tensor:
        chosen = self.conditions(inputs) if inputs else None
        seen = noise if chosen is None else torch.cat([noise, chosen], dim=1)
        x = self.start(self.mix(seen)).unflatten(1, (-1, self.stages.start))
        if (text := self.conditions.over_time(inputs, self.stages.start)) is not None:
            x = x + self.say(text)
        for norm, layer in zip(self.norms, self.layers):
            x = layer(self.rectify(norm(x, chosen)))
        return torch.tanh(self.filter(x[:, :, : self.stages.length]))


class Critic(nn.Module):
    """Strided convolutions of 25 taps down to the shortest map, then one score, and its projection on what was chosen.

    Maps are shifted at random after every layer but the last, see `PhaseShuffle`.

    Shapes:
        ``x (N, C, L)``, labels and numbers ``(N,)``, texts ``(N, length)`` -> ``(N,)``, unbounded.

    Raises:
        ConfigError: as for the generator.
    """

    def __init__(self, config: WaveganCriticConfig, context: BuildContext) -> None:
        super().__init__()
        refuse_other_inputs(context, "wavegan critic")
        channels, stages = waveform_stages(context, "wavegan critic")
        widths = stages.widths(config.width)
        self.missing = stages.full - stages.length
        layers: list[nn.Module] = []
        for number, ((c_in, c_out), stride) in enumerate(zip(pairwise([channels, *widths]), stages.strides), 1):
            layers += [nn.Conv1d(c_in, c_out, _KERNEL, stride=stride, padding=_KERNEL // 2), nn.LeakyReLU(0.2)]
            if config.phase_shuffle and number < len(widths):
                layers.append(PhaseShuffle(config.phase_shuffle))
        layers.append(nn.Flatten())
        features = widths[-1] * stages.start
        if config.hidden:
            layers += [nn.Linear(features, config.hidden), nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.head = ConditionedHead(config.hidden or features, context.inputs, config.embedding)
        init_he(self)
        start_over(self)

    def forward(self, x: Tensor, **inputs: Tensor) -> Tensor:
        if self.missing:
            x = functional.pad(x, (0, self.missing))
        return cast(Tensor, self.head(self.features(x), inputs))


class PostFilter(nn.Module):
    """One filter for every channel, learnt with the generator: it can take out what stretching leaves at its pitches.

    Starts as the sound itself.

    Shapes:
        ``x (N, C, L)`` -> the same.
    """

    def __init__(self, channels: int, taps: int) -> None:
        super().__init__()
        self.channels = channels
        self.sides = ((taps - 1) // 2, taps // 2)
        self.taps = nn.Parameter(torch.zeros(1, 1, taps))
        with torch.no_grad():
            self.taps[0, 0, self.sides[0]] = 1

    def forward(self, x: Tensor) -> Tensor:
        alone = functional.pad(x.flatten(0, 1)[:, None], self.sides)
        return functional.conv1d(alone, self.taps).view_as(x)


def _stretching(c_in: int, c_out: int, stride: int, upsample: str) -> nn.Module:
    if upsample == "nearest":
        return nn.Sequential(
            nn.Upsample(scale_factor=float(stride)), nn.Conv1d(c_in, c_out, _KERNEL, padding=_KERNEL // 2)
        )
    # (L - 1) stride - 2 padding + kernel + 1 is L times the stride for both.
    padding = (_KERNEL + 1 - stride) // 2
    return nn.ConvTranspose1d(c_in, c_out, _KERNEL, stride=stride, padding=padding, output_padding=1)


def _init_transposed(network: nn.Module) -> None:
    """As `init_he`, with the taps that meet in one output as fan-in."""
    for layer in network.modules():
        if isinstance(layer, nn.ConvTranspose1d):
            fan_in = layer.in_channels * _KERNEL / layer.stride[0]
            nn.init.normal_(layer.weight, std=(2 / fan_in) ** 0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _last_weight(layer: nn.Module) -> Tensor:
    *_, weight = (parameter for parameter in layer.parameters() if parameter.ndim > 1)
    return weight


def waveform_stages(context: BuildContext, network: str) -> tuple[int, Stages]:
    """Channels and lengths of the waveforms that `network` is built for.

    Raises:
        ConfigError: the samples are no waveforms of one length, or too short.
    """
    if context.sample.axes != ("channel", "time"):
        raise ConfigError(
            f"the {network} works on waveforms (channel, time), not on {context.sample}: "
            "set task.representation=waveform, or use specgan for spectrograms"
        )
    if None in context.sample.shape:
        raise ConfigError(f"the {network} is built for sounds of one length: set dataset.length")
    channels, length = context.sample.sizes
    if length < 4 * _SHORTEST:
        raise ConfigError(f"the {network} needs {4 * _SHORTEST} samples at least, not {length}: set dataset.length")
    return channels, Stages(length)
