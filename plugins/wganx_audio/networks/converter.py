"""A converter of any class into any other, and the critic that judges stretches of its sounds.

Kaneko and Kameoka et al., "StarGAN-VC" (2018) and "StarGAN-VC2" (2019): gated convolutions, a narrow encoding, and a
decoder whose layers are told the target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, ConfigError, SampleFormat
from wganx.nn import ByName, init_he
from wganx_audio.configs.networks import ConverterCriticConfig, ConverterGeneratorConfig
from wganx_audio.networks.conditioning import ConditionedHead, Film, start_over
from wganx_audio.networks.prosody import ProsodyEncoder

HALVINGS = 2
"""How often the generator's encoder halves the frames."""
FEWEST_FRAMES = 16

_PATCH_HALVINGS = 4


class Converter(nn.Module):
    """A source's spectrogram in another class.

    Gated convolutions encode it into `bottleneck` channels at a quarter of the frames. Each layer of the decoder is
    normalised, scaled and shifted as the target says. With `residual` the last layer's answer is added to the source
    before the tanh.

    Shapes:
        ``source (N, C, F, T)``, labels ``(N,)``, and the number ``intensity (N,)`` where there is one -> as source, in
        [-1, 1]. T is free.
    """

    def __init__(self, config: ConverterGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        channels, bins = _spectrogram(context.sample, "converter generator")
        if "source" not in context.inputs:
            raise ConfigError("the converter generator makes sounds of a source; it is for task.name=convert")
        if context.noise:
            raise ConfigError("the converter generator makes sounds of a source, not of noise; set generator.noise=0")
        rows, width, narrow = channels * bins, config.width, config.bottleneck
        self.target = Target(context.inputs, config.embedding)
        self.encoder = nn.Sequential(
            _Gated(rows, width, 9), _Gated(width, width, 9, stride=2), _Gated(width, width, 9, stride=2)
        )
        self.narrow = nn.Conv1d(width, narrow, 5, padding=2)
        self.normalise = nn.InstanceNorm1d(narrow) if config.normalise else nn.Identity()
        self.decoder = nn.ModuleList(_Told(c_in, width, 5, config.embedding) for c_in in (narrow, *[width] * HALVINGS))
        self.last = nn.Conv1d(width, rows, 9, padding=4)
        self.residual = config.residual
        start_over(self)
        if config.residual:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(cast(Tensor, self.last.bias))

    def encode(self, source: Tensor) -> Tensor:
        """What is said, ``(N, bottleneck, T / 4)``."""
        x = source.flatten(1, 2)
        x = F.pad(x, (0, -x.shape[2] % 2**HALVINGS), mode="replicate")
        return cast(Tensor, self.normalise(self.narrow(self.encoder(x))))

    def forward(self, source: Tensor, **inputs: Tensor) -> Tensor:
        target, x = self.target(inputs), self.encode(source)
        for number, layer in enumerate(self.decoder):
            x = layer(F.interpolate(x, scale_factor=2.0) if number else x, target)
        x = self.last(x)[..., : source.shape[3]].unflatten(1, source.shape[1:3])
        if self.residual:
            x = x + torch.atanh(source.clamp(-0.98, 0.98))
        return torch.tanh(x)


class Critic(nn.Module):
    """Convolutions to a score of every stretch of 16 frames, and what was asked for by projection; the mean is the
    sound's.

    The mean, and not the sum, so that gradients and their penalty do not grow with the length.

    Shapes:
        ``x (N, C, F, T)``, labels and numbers ``(N,)`` -> ``(N,)``, unbounded. T is free, from 16 on.
    """

    def __init__(self, config: ConverterCriticConfig, context: BuildContext) -> None:
        super().__init__()
        channels, bins = _spectrogram(context.sample, "converter critic")
        layers: list[nn.Module] = []
        for halving in range(_PATCH_HALVINGS):
            c_out = config.width * 2**halving
            layers += [nn.Conv2d(channels, c_out, 4, 2, 1), nn.LeakyReLU(0.2)]
            channels, bins = c_out, bins // 2
        self.patches = nn.Sequential(*layers)
        self.prosody = ProsodyEncoder(context.sample, config.width * 2, _PATCH_HALVINGS) if config.prosody else None
        joined = channels * bins + (config.width * 2 if config.prosody else 0)
        self.hidden = nn.Sequential(nn.Conv1d(joined, config.hidden, 3, padding=1), nn.LeakyReLU(0.2))
        self.head = ConditionedHead(config.hidden, context.inputs, 1)
        init_he(self)
        start_over(self)

    def forward(self, x: Tensor, **inputs: Tensor) -> Tensor:
        h = self.patches(x).flatten(1, 2)
        if self.prosody is not None:
            h = torch.cat([h, self.prosody(x)], 1)
        return cast(Tensor, self.head(self.hidden(h).mean(2), inputs))


class Target(nn.Module):
    """What a sound is to become as one vector: the sum of its labels' embeddings.

    A number whose format's signal says that it is ``of`` a label goes from what is neutral (0) to that label (1), and
    on: ``e = neutral + number * (label - neutral)``. Neutral is the embedding of the class ``from``, or the mean of all
    where the signal names none.

    Shapes:
        inputs by name, each ``(N,)`` -> ``(N, width)``.
    """

    def __init__(self, inputs: Mapping[str, SampleFormat], width: int) -> None:
        super().__init__()
        labels = {name: format for name, format in inputs.items() if format.is_label}
        if not labels:
            raise ConfigError("the converter generator needs a label to convert to; it is for task.name=convert")
        self.labels = ByName({name: nn.Embedding(len(format.classes), width) for name, format in labels.items()})
        self.numbers: dict[str, tuple[str, int | None]] = {}
        for name, format in inputs.items():
            if format.is_number:
                signal: Any = format.signal
                neutral = signal["from"]
                index = None if neutral is None else labels[signal["of"]].classes.index(neutral)
                self.numbers[signal["of"]] = (name, index)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        parts = []
        for label, embed in self.labels.items():
            part = embed(inputs[label])
            if label in self.numbers:
                number, index = self.numbers[label]
                neutral = embed.weight.mean(0) if index is None else embed.weight[index]
                part = torch.lerp(neutral.expand_as(part), part, inputs[number][:, None].to(part.dtype))
            parts.append(part)
        return torch.stack(parts).sum(0)


class _Gated(nn.Module):
    """A convolution, half of whose channels are the gates of the others."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.convolve = nn.Conv1d(c_in, 2 * c_out, kernel, stride, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(self.convolve(x), 1)


class _Told(nn.Module):
    """A gated convolution that is normalised, scaled and shifted as the target says."""

    def __init__(self, c_in: int, c_out: int, kernel: int, told: int) -> None:
        super().__init__()
        self.convolve = nn.Conv1d(c_in, 2 * c_out, kernel, padding=kernel // 2)
        self.film = Film(nn.InstanceNorm1d(2 * c_out), 2 * c_out, told)

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        return F.glu(self.film(self.convolve(x), target), 1)


def _spectrogram(sample: SampleFormat, network: str) -> tuple[int, int]:
    """Channels and bins of a spectrogram that is long and high enough."""
    if sample.axes != ("channel", "frequency", "frame"):
        raise ConfigError(f"the {network} is for spectrograms, and the samples here are {sample}")
    channels, bins, frames = sample.shape
    if channels is None or bins is None:
        raise ConfigError(f"the {network} needs a fixed number of channels and bins, and the samples are {sample}")
    if bins < FEWEST_FRAMES or (frames is not None and frames < FEWEST_FRAMES):
        raise ConfigError(
            f"the {network} needs {FEWEST_FRAMES} bins and frames, and the samples are {sample}: make task.hop "
            "smaller, or dataset.length longer"
        )
    return channels, bins
