"""The pair that grows, after Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability ...".

All layers are there from the first step, so that optimizer, average and checkpoints stay as they are; a stage uses
those up to its size. Samples always have the size of the last stage: the generator repeats the pixels of an earlier
one, and the critic averages over them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from wganx import BuildContext, ConfigError
from wganx_image.configs.networks import GrowingCriticConfig, GrowingGeneratorConfig
from wganx_image.growth import Growth
from wganx_image.networks.equalised import EqualisedConv2d, EqualisedLinear, pack_deviation, pixel_norm
from wganx_image.networks.labels import Labels
from wganx_image.networks.sizes import noise_length, picture_size

SIZES = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
PACK = 4
"""Samples whose deviation the packed critic is told, as in the paper's minibatch deviation."""


def widths_to(size: int, width: int) -> list[int]:
    """Channels at 4, 8, 16, ... px: `width` up to 32 px, then half as many at every doubling."""
    return [max(1, min(width, width * 32 // side)) for side in SIZES if side <= size]


class Stages(nn.Module):
    """A network of layers for 4, 8, 16, ... px, of which it uses those up to `size`.

    Attributes:
        size: of the present stage, in pixels.
        fading: whether its newest layers have a `share` below 1.
    """

    stage: Tensor
    share: Tensor

    def __init__(self, largest: int, growth: Growth | None = None) -> None:
        super().__init__()
        self.largest, self.growth = largest, growth
        self.size, self.fading = largest, False
        # What `at` says is kept in buffers, so that weights alone tell how far the network had grown.
        self.register_buffer("stage", torch.tensor([largest, 0]))
        self.register_buffer("share", torch.ones(()))
        self.register_load_state_dict_post_hook(_take_up)  # type: ignore[no-untyped-call]

    def at(self, step: int) -> Hashable:
        """Take the stage of a step: its size, and whether it fades, which is what a recorded step holds for."""
        if self.growth is None:
            return "grown"
        stage = self.growth.at(step)
        self.use(stage.size, stage.share, stage.fading)
        return str(stage)

    def use(self, size: int, share: float = 1.0, fading: bool = False) -> None:
        """Use the layers up to `size`, with a `share` of the newest where they are `fading` in."""
        with torch.no_grad():
            self.share.fill_(share)
            if (size, fading) != (self.size, self.fading):
                self.stage[0], self.stage[1] = size, int(fading)
        self.size, self.fading = size, fading

    def blend(self, old: Tensor, new: Tensor) -> Tensor:
        """Between the smaller network's (share 0) and the larger one's (share 1); exact at both ends."""
        return (1 - self.share) * old + self.share * new

    @property
    def last(self) -> int:
        """Number of the largest layers in use: 0 for those of 4 px."""
        return SIZES.index(self.size)


def _take_up(network: Stages, _: Any) -> None:
    if network.stage.device.type != "meta":
        network.size, network.fading = int(network.stage[0]), bool(network.stage[1])


class GrowingGenerator(Stages):
    """Noise to 4 x 4 px, blocks that repeat pixels and convolve twice, and a way from every size to the picture.

    Every convolution is followed by leaky ReLU and pixel norm; so is the noise, by the norm alone. In a fade the
    picture is a blend of the one made at half the size, its pixels repeated, and the new one.

    Args:
        noise: length of a row of noise.
        widths: channels at 4, 8, 16, ... px.
        channels: of the picture.
        squash: how the picture comes into -1 to 1: ``tanh``; ``clamp`` for weights that learned without.
        growth: the schedule; None for a network that is grown.

    Shapes:
        ``noise (N, noise)`` -> ``(N, channels, S, S)`` in [-1, 1], S the size of the last width.
    """

    def __init__(
        self,
        noise: int,
        widths: Sequence[int],
        channels: int,
        squash: Literal["tanh", "clamp"] = "tanh",
        growth: Growth | None = None,
    ) -> None:
        super().__init__(SIZES[len(widths) - 1], growth)
        self.squash = squash
        self.start = EqualisedLinear(noise, widths[0] * 16)
        self.first = EqualisedConv2d(widths[0], widths[0], 3)
        self.blocks = nn.ModuleList(
            nn.ModuleList([EqualisedConv2d(c_in, c_out, 3), EqualisedConv2d(c_out, c_out, 3)])
            for c_in, c_out in pairwise(widths)
        )
        self.to_picture = nn.ModuleList(EqualisedConv2d(width, channels, 1) for width in widths)
        self.rectify = nn.LeakyReLU(0.2)

    def forward(self, noise: Tensor) -> Tensor:
        x = self.start(pixel_norm(noise)).unflatten(1, (-1, 4, 4))
        x = self._settle(self.first(self._settle(x)))
        before = x
        for block in list(self.blocks)[: self.last]:
            before, x = x, repeat_pixels(x, 2)
            for convolution in cast(nn.ModuleList, block):
                x = self._settle(convolution(x))
        picture = self.to_picture[self.last](x)
        if self.fading:
            picture = self.blend(repeat_pixels(self.to_picture[self.last - 1](before), 2), picture)
        picture = picture.tanh() if self.squash == "tanh" else picture.clamp(-1, 1)
        return repeat_pixels(picture, self.largest // self.size)

    def _settle(self, x: Tensor) -> Tensor:
        return pixel_norm(self.rectify(x))


class GrowingCritic(Stages):
    """A way from the picture to the map of every size, convolutions that halve it, and one score.

    A picture is first averaged down to the present size r. The score of that is multiplied by ``largest / r``, by which
    averaging shortens gradients: the penalty then asks for slope 1 at the size that is looked at, and the score gap
    reads W1 between full-size pictures in all stages. In a fade the factor goes over geometrically.

    Shapes:
        ``x (N, channels, S, S)`` -> ``(N,)``, unbounded; with `pack` over 1 ``(P, pack, channels, S, S) -> (P,)``.
    """

    def __init__(self, widths: Sequence[int], channels: int, growth: Growth | None = None, pack: int = 1) -> None:
        super().__init__(SIZES[len(widths) - 1], growth)
        self.pack = pack
        self.from_picture = nn.ModuleList(EqualisedConv2d(channels, width, 1) for width in widths)
        self.blocks = nn.ModuleList(
            nn.ModuleList([EqualisedConv2d(c_in, c_in, 3), EqualisedConv2d(c_in, c_out, 3)])
            for c_out, c_in in pairwise(widths)
        )
        self.first = EqualisedConv2d(widths[0] + (pack > 1), widths[0], 3)
        self.dense = EqualisedLinear(widths[0] * 16, widths[0])
        self.decision = EqualisedLinear(widths[0], 1)
        self.rectify = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = average_pixels(x.flatten(0, 1) if self.pack > 1 else x, self.largest // self.size)
        h = self.rectify(self.from_picture[self.last](x))
        for number in reversed(range(self.last)):
            for convolution in cast(nn.ModuleList, self.blocks[number]):
                h = self.rectify(convolution(h))
            h = average_pixels(h, 2)
            if self.fading and number == self.last - 1:
                h = self.blend(self.rectify(self.from_picture[number](average_pixels(x, 2))), h)
        if self.pack > 1:
            packs = h.unflatten(0, (-1, self.pack))
            deviation = pack_deviation(packs).to(h.dtype)[:, None, None, None, None]
            h = torch.cat([packs, deviation.expand(*packs.shape[:2], 1, *packs.shape[3:])], 2).flatten(0, 1)
        h = self.rectify(self.first(h))
        score = self.decision(self.rectify(self.dense(h.flatten(1)))).squeeze(1) * self._factor()
        return cast(Tensor, score.unflatten(0, (-1, self.pack)).mean(1) if self.pack > 1 else score)

    def _factor(self) -> Tensor | float:
        """``largest / size``, twice that where a fade begins."""
        factor = self.largest / self.size
        return factor * torch.exp2(1 - self.share) if self.fading else factor


class Generator(GrowingGenerator):
    """The generator of a run: `GrowingGenerator`, by the schedule of the task ``grow``."""

    def __init__(self, config: GrowingGeneratorConfig, context: BuildContext) -> None:
        channels, size = picture_size(context, "growing generator", SIZES)
        _refuse_labels(context, "growing generator")
        noise = noise_length(context, "growing generator")
        growth = Growth.of(context.fitted, "growing generator")
        super().__init__(noise, widths_to(size, config.width), channels, config.squash, growth)
        self.at(0)


class Critic(GrowingCritic):
    """The critic of a run, which scores every picture by itself."""

    def __init__(self, config: GrowingCriticConfig, context: BuildContext, pack: int = 1) -> None:
        channels, size = picture_size(context, "growing critic", SIZES)
        _refuse_labels(context, "growing critic")
        growth = Growth.of(context.fitted, "growing critic")
        super().__init__(widths_to(size, config.width), channels, growth, pack)
        self.at(0)


class PackedCritic(Critic):
    """The critic of a run, which scores packs of four pictures and is told how much they differ."""

    def __init__(self, config: GrowingCriticConfig, context: BuildContext) -> None:
        super().__init__(config, context, PACK)


def repeat_pixels(x_NCHW: Tensor, factor: int) -> Tensor:
    """Every pixel `factor` times in both directions."""
    return x_NCHW if factor == 1 else functional.interpolate(x_NCHW, scale_factor=float(factor))


def average_pixels(x_NCHW: Tensor, factor: int) -> Tensor:
    """The mean of every `factor` x `factor` pixels; undoes `repeat_pixels`."""
    return x_NCHW if factor == 1 else functional.avg_pool2d(x_NCHW, factor)


def _refuse_labels(context: BuildContext, network: str) -> None:
    if Labels.of(context, network):
        raise ConfigError(f"the {network} makes pictures without classes, and this task gives it a label")
