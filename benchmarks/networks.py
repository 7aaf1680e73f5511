"""The networks that the speed comparisons train: plain modules of torch, and those of plugins as they have them.

Every critic is built with the activation it is given, so that one initial state serves a critic with the stock
`torch.nn.LeakyReLU` and one with the constant-mask activation of `handwritten`. No critic normalises over the batch,
and no layer before a normalisation has a bias (its gradient would be rounding alone, which Adam turns into steps).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from wganx_audio.configs.networks import (
    SpecganCriticConfig,
    SpecganGeneratorConfig,
    WaveganCriticConfig,
    WaveganGeneratorConfig,
)
from wganx_audio.networks import specgan, wavegan
from wganx_image.configs.networks import GrowingCriticConfig, GrowingGeneratorConfig, R3Config
from wganx_image.growth import Growth
from wganx_image.networks import growing, r3
from wganx_video.configs.networks import FoldedCriticConfig, FoldnetGeneratorConfig
from wganx_video.networks.critics import FoldedCritic
from wganx_video.networks.foldnet import FoldNet

from wganx import BuildContext, SampleFormat

Activation = Callable[[], nn.Module]


def leaky_relu() -> nn.Module:
    """The stock activation of the critics, slope 0.2 below zero."""
    return nn.LeakyReLU(0.2)


@dataclass(frozen=True)
class Network:
    """A generator and a critic of one kind of sample.

    Attributes:
        sample: shape of one sample.
        noise: shape of one noise sample.
        batch: samples in a batch, such that five critic updates and one generator update take seconds on one core.
        critic_norm: whether the critic normalises, and so has a true second derivative between its kinks.
    """

    name: str
    sample: tuple[int, ...]
    noise: tuple[int, ...]
    batch: int
    make_generator: Callable[[], nn.Module]
    make_critic: Callable[[Activation], nn.Module]
    critic_norm: bool = False

    def reals(self, count: int, batch: int, device: torch.device) -> list[Tensor]:
        """`count` batches ``(batch, *sample)`` of what stands for data: uniform in [-1, 1], always the same."""
        rng = torch.Generator().manual_seed(1)
        return [(torch.rand(batch, *self.sample, generator=rng) * 2 - 1).to(device) for _ in range(count)]


def mlp_generator(noise: int = 64, width: int = 512, values: int = 2) -> nn.Module:
    layers: list[nn.Module] = []
    for features in (noise, width, width):
        layers += [nn.Linear(features, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, values))


def mlp_critic(activation: Activation, width: int = 512, values: int = 2) -> nn.Module:
    layers: list[nn.Module] = []
    for features in (values, width, width):
        layers += [nn.Linear(features, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten(0))


def dcgan_generator(size: int, width: int, noise: int = 128) -> nn.Module:
    """From 4x4 to `size` by stride-2 transposed convolutions with batch norm; `width` channels before the last."""
    channels = width * size // 8
    layers: list[nn.Module] = [
        nn.Linear(noise, channels * 16, bias=False), nn.Unflatten(1, (channels, 4, 4)),
        nn.BatchNorm2d(channels), nn.ReLU(),
    ]  # fmt: skip
    while channels > width:
        layers += [
            nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels // 2), nn.ReLU(),
        ]  # fmt: skip
        channels //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1), nn.Tanh())


def dcgan_critic(activation: Activation, size: int, width: int, *, layer_norm: bool = False) -> nn.Module:
    """From `size` to 4x4 by stride-2 convolutions, channels doubling from `width`; LayerNorm is GroupNorm(1)."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), activation()]
    channels = width
    while channels < width * size // 8:
        layers.append(nn.Conv2d(channels, channels * 2, 4, stride=2, padding=1, bias=not layer_norm))
        channels *= 2
        layers += [nn.GroupNorm(1, channels), activation()] if layer_norm else [activation()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 16, 1), nn.Flatten(0))


class UpBlock(nn.Module):
    """Residual block of the generator that doubles height and width."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.BatchNorm2d(channels), nn.ReLU(), nn.Upsample(scale_factor=2),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1),
        )  # fmt: skip
        self.shortcut = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        # The 1x1 convolution before the upsampling: the same function at a quarter of the work.
        short: Tensor = F.interpolate(self.shortcut(x), scale_factor=2)
        out: Tensor = short + self.main(x)
        return out


class DownBlock(nn.Module):
    """Residual block of the critic, which may halve height and width by average pooling."""

    def __init__(self, inputs: int, outputs: int, activation: Activation, *, down: bool, first: bool = False) -> None:
        super().__init__()
        before = [] if first else [activation()]
        self.main = nn.Sequential(
            *before, nn.Conv2d(inputs, outputs, 3, padding=1), activation(), nn.Conv2d(outputs, outputs, 3, padding=1)
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if down else nn.Identity()
        self.pool = nn.AvgPool2d(2) if down else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shortcut(self.pool(x)) + self.pool(self.main(x))
        return out


class SpatialMean(nn.Module):
    """``(N, C, H, W)`` to ``(N, C)``."""

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x.mean((2, 3))
        return out


def resnet_generator(width: int = 32, noise: int = 128) -> nn.Module:
    blocks = [UpBlock(width) for _ in range(3)]
    return nn.Sequential(
        nn.Linear(noise, width * 16), nn.Unflatten(1, (width, 4, 4)), *blocks,
        nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 3, 3, padding=1), nn.Tanh(),
    )  # fmt: skip


def resnet_critic(activation: Activation, width: int = 32) -> nn.Module:
    return nn.Sequential(
        DownBlock(3, width, activation, down=True, first=True), DownBlock(width, width, activation, down=True),
        DownBlock(width, width, activation, down=False), DownBlock(width, width, activation, down=False),
        activation(), SpatialMean(), nn.Linear(width, 1), nn.Flatten(0),
    )  # fmt: skip


def with_activation(critic: nn.Module, activation: Activation) -> nn.Module:
    """The critic, every leaky ReLU of which is replaced by `activation`."""
    for part in list(critic.modules()):
        for name, child in part.named_children():
            if isinstance(child, nn.LeakyReLU):
                setattr(part, name, activation())
    return critic


WAVEFORM = SampleFormat(axes=("channel", "time"), shape=(1, 4096), rate_hz=8000)
SPECTROGRAM = SampleFormat(axes=("channel", "frequency", "frame"), shape=(1, 64, 64), rate_hz=8000)


def wavegan_generator(width: int = 32, noise: int = 100) -> nn.Module:
    """The plugin's: 4,096 samples from 16 steps by four transposed convolutions of 25 taps, without normalisation."""
    return wavegan.Generator(WaveganGeneratorConfig(width=width), BuildContext(sample=WAVEFORM, noise=(noise,)))


def wavegan_critic(activation: Activation, width: int = 32) -> nn.Module:
    """The plugin's. No phase shuffle: it draws numbers of its own inside the network, and all ways must end alike."""
    config = WaveganCriticConfig(width=width, phase_shuffle=0)
    return with_activation(wavegan.Critic(config, BuildContext(sample=WAVEFORM)), activation)


def specgan_generator(width: int = 32, noise: int = 128) -> nn.Module:
    """The plugin's residual one, with batch norm."""
    return specgan.Generator(SpecganGeneratorConfig(width=width), BuildContext(sample=SPECTROGRAM, noise=(noise,)))


def specgan_critic(activation: Activation, width: int = 32) -> nn.Module:
    """The plugin's residual one."""
    critic = specgan.Critic(SpecganCriticConfig(width=width), BuildContext(sample=SPECTROGRAM))
    return with_activation(critic, activation)


def picture(size: int, noise: int = 0) -> BuildContext:
    """Colour pictures, for networks that are grown already."""
    sample = SampleFormat(axes=("channel", "height", "width"), shape=(3, size, size), value_range=(-1.0, 1.0))
    grown = Growth(size, start=size)
    return BuildContext(sample=sample, noise=(noise,) if noise else (), fitted={"growth": grown.to_json()})


def r3_generator(width: int = 48, noise: int = 64) -> nn.Module:
    """The plugin's pair without norms."""
    return r3.Generator(R3Config(width=width, blocks=1), picture(32, noise))


def r3_critic(activation: Activation, width: int = 48) -> nn.Module:
    return with_activation(r3.Critic(R3Config(width=width, blocks=1), picture(32)), activation)


def growing_generator(width: int = 32, noise: int = 64) -> nn.Module:
    """The plugin's, in its last stage."""
    return growing.Generator(GrowingGeneratorConfig(width=width), picture(32, noise))


def growing_critic(activation: Activation, width: int = 32) -> nn.Module:
    return with_activation(growing.Critic(GrowingCriticConfig(width=width), picture(32)), activation)


def clip(frames: int) -> SampleFormat:
    return SampleFormat(axes=("frame", "channel", "height", "width"), shape=(frames, 1, 32, 32), value_range=(0.0, 1.0))


PREDICTION = BuildContext(sample=clip(5), inputs={"past": clip(5)})
"""Five frames that follow five."""


class Foretelling(nn.Module):
    """The plugin's predictor, whose past stands where others have noise; past and future are the sample."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.network = FoldNet(FoldnetGeneratorConfig(width=width), PREDICTION)

    def forward(self, past: Tensor) -> Tensor:
        return torch.cat([past, self.network(past=past)], 1)


class JudgingBoth(nn.Module):
    """The plugin's critic of a future beside its past, which are given as one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.network = FoldedCritic(FoldedCriticConfig(width=width), PREDICTION)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.network(x[:, 5:], past=x[:, :5])
        return scores


def video_generator(width: int = 96) -> nn.Module:
    return Foretelling(width)


def video_critic(activation: Activation, width: int = 32) -> nn.Module:
    return with_activation(JudgingBoth(width), activation)


NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network("mlp", (2,), (64,), 256, mlp_generator, mlp_critic),
        Network(
            "dcgan-32", (3, 32, 32), (128,), 64, lambda: dcgan_generator(32, 32), lambda act: dcgan_critic(act, 32, 32)
        ),
        Network(
            "dcgan-32-layernorm",
            (3, 32, 32),
            (128,),
            64,
            lambda: dcgan_generator(32, 32),
            lambda act: dcgan_critic(act, 32, 32, layer_norm=True),
            critic_norm=True,
        ),
        Network(
            "dcgan-64", (3, 64, 64), (128,), 32, lambda: dcgan_generator(64, 64), lambda act: dcgan_critic(act, 64, 64)
        ),
        Network("resnet-32", (3, 32, 32), (128,), 16, resnet_generator, resnet_critic),
        Network("r3-32", (3, 32, 32), (64,), 16, r3_generator, r3_critic),
        Network("growing-32", (3, 32, 32), (64,), 16, growing_generator, growing_critic),
        Network("wavegan-4096", (1, 4096), (100,), 16, wavegan_generator, wavegan_critic),
        Network("specgan-64", (1, 64, 64), (128,), 16, specgan_generator, specgan_critic),
        Network("video-predict-32", (10, 1, 32, 32), (5, 1, 32, 32), 24, video_generator, video_critic),
    )
}


def describe(network: Network, batch: int) -> str:
    """One line: the sample, the batch and the numbers of parameters."""
    sizes = [
        sum(p.numel() for p in m.parameters()) for m in (network.make_generator(), network.make_critic(leaky_relu))
    ]
    shape = " x ".join(map(str, network.sample))
    return (
        f"{network.name}: samples of {shape} ({math.prod(network.sample):,} values), batch {batch}, "
        f"generator {sizes[0]:,} and critic {sizes[1]:,} parameters"
    )
