"""A generator that folds time and small squares of pixels into channels, and adds to what is known without learning.

Folding pixels is the sub-pixel convolution of Shi et al. 2016, "Real-time single image and video super-resolution"; the
body of residual blocks without batch norm is that of Lim et al. 2017, "Enhanced deep residual networks for single image
super-resolution"; the mixer is the block of Trockman and Kolter 2022, "Patches are all you need?".
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, ConfigError
from wganx_video.configs.networks import FoldnetGeneratorConfig
from wganx_video.networks.motion import MOTIONS, carried, neighbours
from wganx_video.networks.pairs import Pair
from wganx_video.networks.starts import blank, blend, blend_weights, enlarge, last_frame, mean_of_past, time_weights

_FOLD = {"past": 4, "frames": 2, "low": 1}
_STARTS = {"blank": blank, "last-frame": last_frame, "mean-of-past": mean_of_past}


class FoldNet(nn.Module):
    """Frames of frames: ``start + network``, cut off at 0 and 1.

    The last convolution starts at zero, so that an untrained network gives its start: the linear blend of the frames
    around, the bicubic enlargement, a blank frame or what else `start` says. Noise is laid over the whole map.

    Shapes:
        ``past (N, K, C, H, W)``, ``frames`` and ``time (N,)``, or ``low (N, K, C, H / s, W / s)``; ``noise (N, Z)``
        where there is some -> ``(N, M, C, H, W)`` in [0, 1]. H and W are free.

    Raises:
        ConfigError: the task is none of the three, or `start` is none of the task's.
    """

    weights_MK: Tensor
    shares_M: Tensor

    def __init__(self, config: FoldnetGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        self.pair = pair = Pair.of(context, "foldnet generator")
        if len(context.noise) > 1:
            raise ConfigError(
                f"the foldnet generator takes a vector of noise, not {context.noise}: set generator.noise to one number"
            )
        if pair.key != "past" and config.start != "auto":
            raise ConfigError(f"generator.start={config.start} is for task.name=predict; leave it out")
        if pair.key != "frames" and config.motion:
            raise ConfigError("generator.motion=true is for task.name=interpolate; leave it out")
        self.motion = MOTIONS if config.motion else 0
        self.start = "blank" if config.start == "auto" else config.start
        self.noise_length = sum(context.noise)
        self.fold = config.fold or _FOLD[pair.key]
        weights_MK = torch.zeros(0, 0) if pair.key != "frames" or pair.timed else blend_weights(pair.given, pair.made)
        self.register_buffer("weights_MK", weights_MK, persistent=False)
        _, after = neighbours(pair.given, pair.made) if weights_MK.numel() else ([], [])
        self.register_buffer("shares_M", weights_MK[range(len(after)), after], persistent=False)
        c_in = len(pair.given) * pair.channels * self.fold**2 + pair.timed + self.noise_length
        self.first = nn.Conv2d(c_in, config.width, 3, padding=1)
        block = _Mixer if config.block == "mixer" else _Plain
        self.blocks = nn.Sequential(*(block(config.width, config.norm) for _ in range(config.blocks)))
        c_out = len(pair.made) * (pair.channels + self.motion) * (self.fold * pair.scale) ** 2
        self.last = nn.Conv2d(config.width, c_out, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, *noise: Tensor, **inputs: Tensor) -> Tensor:
        given_NKCHW = inputs[self.pair.key]
        height, width = (size * self.pair.scale for size in given_NKCHW.shape[3:])
        h = self.first(self._folded(given_NKCHW, noise, inputs))
        h = self.last(h + self.blocks(h))
        change = F.pixel_shuffle(h, self.fold * self.pair.scale)[..., :height, :width]
        change_NMCHW = torch.unflatten(change, 1, (len(self.pair.made), self.pair.channels + self.motion))
        if self.motion:
            motion_NM5HW, change_NMCHW = change_NMCHW[:, :, : self.motion], change_NMCHW[:, :, self.motion :]
            return bounded(self._carried(given_NKCHW, motion_NM5HW, inputs) + change_NMCHW)
        return bounded(self._start(given_NKCHW, inputs) + change_NMCHW)

    def _folded(self, given_NKCHW: Tensor, noise: tuple[Tensor, ...], inputs: dict[str, Tensor]) -> Tensor:
        """All that is given as one map, at 1 / `fold` of the size."""
        x = given_NKCHW.flatten(1, 2)
        # Repeated at the edges, where reflection would need frames larger than what is missing.
        x = F.pad(x, (0, -x.shape[3] % self.fold, 0, -x.shape[2] % self.fold), mode="replicate")
        x = F.pixel_unshuffle(x, self.fold)
        beside = list(noise)
        if self.pair.timed:
            beside.append(inputs["time"][:, None].to(x.dtype))
        maps = [each[:, :, None, None].expand(-1, -1, *x.shape[2:]) for each in beside]
        return torch.cat([x, *maps], 1) if maps else x

    def _carried(self, given_NKCHW: Tensor, motion_NM5HW: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        # Frame by frame, for a list of places would have to be sent to the device in the middle of a recorded step.
        before, after = (
            torch.stack([given_NKCHW[:, index] for index in side], 1)
            for side in neighbours(self.pair.given, self.pair.made)
        )
        share = inputs["time"][:, None] if self.pair.timed else self.shares_M
        return carried(before, after, share[..., None, None, None], motion_NM5HW)

    def _start(self, given_NKCHW: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        match self.pair.key:
            case "past":
                return _STARTS[self.start](given_NKCHW, len(self.pair.made))
            case "frames":
                return blend(given_NKCHW, time_weights(inputs["time"]) if self.pair.timed else self.weights_MK)
            case "low":
                first = self.pair.given.index(self.pair.made[0])
                return enlarge(given_NKCHW[:, first : first + len(self.pair.made)], self.pair.scale)


class _Bounded(torch.autograd.Function):
    """``clamp(x, 0, 1)``, whose gradient reaches what lies outside wherever it asks for a way back.

    The plain one gives no gradient outside: what was black by mistake would stay black for ever.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        outward = ((x < 0) & (grad > 0)) | ((x > 1) & (grad < 0))
        return grad.masked_fill(outward, 0)


def bounded(x: Tensor) -> Tensor:
    """``clamp(x, 0, 1)`` that can be learnt through."""
    if torch.is_grad_enabled() and x.requires_grad:
        return cast(Tensor, _Bounded.apply(x))  # type: ignore[no-untyped-call]
    return x.clamp(0, 1)


class _PixelNorm(nn.Module):
    """The channels of every place to mean square 1, and a scale for each: tiles of a frame give what the whole does."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6) * self.scale[:, None, None]


def _norm(channels: int, name: str) -> nn.Module:
    match name:
        case "pixel":
            return _PixelNorm(channels)
        case "group":
            return nn.GroupNorm(next(groups for groups in (8, 4, 2, 1) if channels % groups == 0), channels)
        case _:
            return nn.Identity()


class _Plain(nn.Module):
    """``x + conv(silu(conv(silu(norm(x)))))``."""

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        self.change = nn.Sequential(
            _norm(channels, norm),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.change(x))


class _Mixer(nn.Module):
    """``x + conv1(silu(conv1(norm(conv7(x)))))``, the first convolution channel by channel, the others across them."""

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            _norm(channels, norm),
            nn.Conv2d(channels, 2 * channels, 1),
            nn.SiLU(),
            nn.Conv2d(2 * channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.change(x))
