"""A translator of pictures into any domain, and the critic that judges patches of them.

Zhu et al. 2017, "CycleGAN", and Choi et al. 2018, "StarGAN": strided convolutions, residual blocks, and convolutions
that double the size again. Their instance norms look at the whole picture, so that a large one cut into tiles would
change its light from tile to tile. Here every place is normalised by itself (Karras et al. 2018, "Progressive growing
of GANs"), and what is made of a place depends on its neighbourhood alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, ConfigError, SampleFormat
from wganx.nn import ByName, init_he
from wganx_image.configs.networks import TranslatorCriticConfig, TranslatorGeneratorConfig
from wganx_image.networks.bounded import cut_off

_EPSILON = 1e-6
_REACH = 2.0
"""What a colour is multiplied by, and what is added to it, at most: white can become black."""


class Translator(nn.Module):
    """A picture in other domains.

    What is wanted is one vector, the sum of an embedding for each label. It scales and shifts every layer after the
    halvings. With `residual` the last layer says how the colours ``c`` of every place change, ``c + A c + b``, each
    number of ``A`` and ``b`` within 2 (affine as in Gharbi et al. 2017, "Deep bilateral learning"). So a translation
    begins with no change, edges stay sharp though what changes them is coarse, and light and dark can change places
    everywhere at once. What leaves [-1, 1] is cut off, and has gradients all the same: behind a tanh, black and white
    would stay as they are while all between them changes.

    Shapes:
        ``source (N, C, H, W)``, labels ``(N,)`` -> as source, in [-1, 1]. Height and width are free.

    Raises:
        ConfigError: the game hands over no source or no label, noise, or something else.
    """

    def __init__(self, config: TranslatorGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        channels = _channels(context.sample, "translator generator")
        if "source" not in context.inputs:
            raise ConfigError("the translator generator makes pictures of a source; it is for task.name=translate")
        if context.noise:
            raise ConfigError("the translator generator takes a source and no noise; set generator.noise=0")
        self.labels = _embeddings(context.inputs, config.embedding, "translator generator", beside=("source",))
        if not len(self.labels):
            raise ConfigError("the translator generator needs a label to choose; it is for task.name=translate")
        widths = [config.width * 2**halving for halving in range(config.halvings + 1)]
        self.halvings, self.residual = config.halvings, config.residual
        self.first = nn.Conv2d(channels, widths[0], 7)
        self.down = nn.ModuleList(nn.Conv2d(c_in, 2 * c_in, 4, stride=2) for c_in in widths[:-1])
        self.blocks = nn.ModuleList(_Block(widths[-1], config.embedding) for _ in range(config.blocks))
        self.up = nn.ModuleList(_Told(2 * c_out, c_out, config.embedding) for c_out in reversed(widths[:-1]))
        self.last = nn.Conv2d(widths[0], channels * (channels + 1) if config.residual else channels, 3)
        init_he(self)
        for module in self.modules():
            if isinstance(module, _Told):
                module.reset()
        # Blocks and, with `residual`, the whole begin with no change.
        closing = [cast(_Block, block).second.convolve for block in self.blocks]
        for layer in (*closing, *([self.last] if config.residual else [])):
            nn.init.zeros_(layer.weight)

    def forward(self, source: Tensor, **inputs: Tensor) -> Tensor:
        wanted = torch.stack([embed(inputs[name]) for name, embed in self.labels.items()]).sum(0)
        height, width = source.shape[2:]
        side = 2**self.halvings
        x = self.first(_bordered(_bordered(source, 0, -height % side, -width % side), 3))
        for halve in self.down:
            x = halve(_bordered(F.relu(_normalised(x)), 1))
        for block in self.blocks:
            x = block(x, wanted)
        for double in self.up:
            x = double(x, wanted, by=2)
        x = torch.tanh(self.last(_bordered(F.relu(_normalised(x)), 1))[..., :height, :width])
        return cut_off(source + _affine(_REACH * x, source)) if self.residual else x


class Critic(nn.Module):
    """Strided convolutions to a score of every patch, and what was asked for by projection; the mean is the picture's.

    The mean, and not the sum, so that gradients and their penalty do not grow with the size.

    Shapes:
        ``x (N, C, H, W)``, labels ``(N,)`` -> ``(N,)``, unbounded. Height and width are free, from ``2**halvings`` on.
    """

    def __init__(self, config: TranslatorCriticConfig, context: BuildContext) -> None:
        super().__init__()
        channels = _channels(context.sample, "translator critic")
        least = 2**config.halvings
        if any(side is not None and side < least for side in context.sample.shape[1:]):
            raise ConfigError(
                f"the translator critic halves {config.halvings} times, which needs pictures of {least} px, and these "
                f"are {context.sample}: lower critic.halvings, or raise dataset.size"
            )
        layers: list[nn.Module] = []
        for halving in range(config.halvings):
            c_out = config.width * min(2**halving, 8)
            layers += [nn.Conv2d(channels, c_out, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            channels = c_out
        self.patches = nn.Sequential(*layers)
        self.score = nn.Linear(channels, 1)
        self.labels = _embeddings(context.inputs, channels, "translator critic")
        init_he(self)
        for embed in self.labels.values():  # about the length of the score's own weights, so that neither drowns
            nn.init.normal_(embed.weight, std=(3 * channels) ** -0.5)

    def forward(self, x: Tensor, **inputs: Tensor) -> Tensor:
        h = self.patches(x).mean((2, 3))
        score = cast(Tensor, self.score(h)).squeeze(1)
        for name, embed in self.labels.items():
            score = score + (embed(inputs[name]) * h).sum(1)
        return score


class _Told(nn.Module):
    """Normalised place by place, scaled and shifted as the wanted domains say, rectified, and convolved.

    Perez et al. 2018, "FiLM: visual reasoning with a general conditioning layer".
    """

    def __init__(self, c_in: int, c_out: int, told: int) -> None:
        super().__init__()
        self.to_film = nn.Linear(told, 2 * c_in)
        self.convolve = nn.Conv2d(c_in, c_out, 3)

    def reset(self) -> None:
        """Scales and shifts begin small, so that the domains differ from the beginning and none is cut off."""
        nn.init.normal_(self.to_film.weight, std=0.1 * self.to_film.in_features**-0.5)

    def forward(self, x: Tensor, wanted: Tensor, by: int = 1) -> Tensor:
        scale, shift = self.to_film(wanted)[..., None, None].chunk(2, 1)
        x = F.relu(torch.addcmul(shift, 1 + scale, _normalised(x)))
        x = F.interpolate(x, scale_factor=float(by)) if by > 1 else x
        return cast(Tensor, self.convolve(_bordered(x, 1)))


class _Block(nn.Module):
    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.first, self.second = _Told(width, width, told), _Told(width, width, told)

    def forward(self, x: Tensor, wanted: Tensor) -> Tensor:
        return cast(Tensor, x + self.second(self.first(x, wanted), wanted))


def _affine(coefficients: Tensor, colours_NCHW: Tensor) -> Tensor:
    """``A c + b`` at every place, the first C * C of the coefficients being `A`, row by row."""
    n, channels, height, width = colours_NCHW.shape
    matrix = coefficients[:, : channels * channels].view(n, channels, channels, height, width)
    return (matrix * colours_NCHW[:, None]).sum(2) + coefficients[:, channels * channels :]


def _normalised(x: Tensor) -> Tensor:
    """Every place divided by the root mean square of its channels."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + _EPSILON)


def _bordered(x: Tensor, by: int, below: int | None = None, right: int | None = None) -> Tensor:
    """`x` with its outer rows and columns repeated; zeros there would darken the borders of every picture.

    By concatenation, since torch's own padding adds up gradients in any order on a GPU.
    """
    for axis, behind in ((2, below), (3, right)):
        length, behind = x.shape[axis], by if behind is None else behind
        if torch.compiler.is_exporting():  # sizes are symbols, so how many there are to concatenate is not known
            places = torch.arange(by + length + behind, device=x.device) - by
            x = x.index_select(axis, places.clamp(0, length - 1))
            continue
        first, last = x.narrow(axis, 0, 1), x.narrow(axis, length - 1, 1)
        x = torch.cat([*[first] * by, x, *[last] * behind], axis)
    return x


def _embeddings(
    inputs: Mapping[str, SampleFormat], width: int, network: str, beside: tuple[str, ...] = ()
) -> ByName[nn.Embedding]:
    """A vector for every class of every label.

    Raises:
        ConfigError: there are inputs that are no labels.
    """
    if others := sorted(name for name, format in inputs.items() if not format.is_label and name not in beside):
        raise ConfigError(f"the {network} takes labels, and this task gives it {', '.join(others)}")
    return ByName(
        {name: nn.Embedding(len(format.classes), width) for name, format in inputs.items() if format.is_label}
    )


def _channels(sample: SampleFormat, network: str) -> int:
    if sample.axes != ("channel", "height", "width"):
        raise ConfigError(f"the {network} works on pictures (channel, height, width), not on {sample}")
    channels = sample.shape[0]
    if channels is None:
        raise ConfigError(f"the {network} needs a fixed number of channels, and the samples are {sample}")
    return channels
