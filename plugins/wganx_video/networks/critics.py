"""Critics of clips: the frames that are made beside those that are given, and one score for all.

With `crop` a critic looks at a random part of the frames in full size and at all of them at half the size, as the two
discriminators of Clark et al. 2019, "Adversarial video generation on complex datasets", share the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, ConfigError
from wganx.nn import init_he
from wganx_video.configs.networks import FoldedCriticConfig, SpacetimeCriticConfig
from wganx_video.networks.pairs import Pair
from wganx_video.networks.starts import enlarge


class FoldedCritic(nn.Module):
    """All frames as channels of one map, strided convolutions, the mean over all places, and a linear score.

    Shapes:
        ``x (N, M, C, H, W)``, and ``past``, ``frames`` with ``time (N,)``, or ``low`` -> ``(N,)``, unbounded. H and W
        are free, from ``2 ** halvings`` on.
    """

    def __init__(self, config: FoldedCriticConfig, context: BuildContext) -> None:
        super().__init__()
        self.pair = pair = _pair(config, context, "folded critic")
        channels = (len(pair.given) + len(pair.made)) * pair.channels + pair.timed
        self.looks = _Looks(channels, config)

    def forward(self, x: Tensor, **given: Tensor) -> Tensor:
        h = torch.cat([_at_full_size(self.pair, given).flatten(1, 2), x.flatten(1, 2)], 1)
        if self.pair.timed:
            h = torch.cat([h, given["time"][:, None, None, None].to(h.dtype).expand(-1, 1, *h.shape[2:])], 1)
        return cast(Tensor, self.looks(h))


class SpacetimeCritic(nn.Module):
    """Convolutions over time, height and width; every frame at its place, those given and those made as channels apart.

    Shapes:
        as `FoldedCritic`.
    """

    def __init__(self, config: SpacetimeCriticConfig, context: BuildContext) -> None:
        super().__init__()
        self.pair = pair = _pair(config, context, "spacetime critic")
        self.looks = _Looks(2 * pair.channels + pair.timed, config, over_time=True)
        places = sorted({*pair.given, *pair.made})
        self.places = len(places)
        # Where on the time axis, without gaps, each frame lies.
        self.given, self.made = ([places.index(place) for place in those] for those in (pair.given, pair.made))

    def forward(self, x: Tensor, **given: Tensor) -> Tensor:
        frames = _at_full_size(self.pair, given)
        h = torch.cat([self._in_time(frames, self.given), self._in_time(x, self.made)], 2).transpose(1, 2)
        if self.pair.timed:
            time = given["time"][:, None, None, None, None].to(h.dtype)
            h = torch.cat([h, time.expand(-1, 1, *h.shape[2:])], 1)
        return cast(Tensor, self.looks(h))

    def _in_time(self, frames_NTCHW: Tensor, at: list[int]) -> Tensor:
        """The frames at their places among all, zeros at the others."""
        if len(at) == self.places:
            return frames_NTCHW
        nothing = torch.zeros_like(frames_NTCHW[:, 0])
        return torch.stack(
            [frames_NTCHW[:, at.index(place)] if place in at else nothing for place in range(self.places)], 1
        )


class _Looks(nn.Module):
    """One look at the whole map, or a near one at a part and a far one at the whole; the mean of their scores.

    In evaluation the near look goes over the whole as well. The part is the same of all rows, and drawn on the device
    from the stream of the training.
    """

    def __init__(self, channels: int, config: FoldedCriticConfig, *, over_time: bool = False) -> None:
        super().__init__()
        self.crop = config.crop
        self.near = _Look(channels, config, over_time)
        self.far = _Look(channels, config, over_time) if config.crop else None

    def forward(self, x: Tensor) -> Tensor:
        if self.far is None or self.crop is None:
            return cast(Tensor, self.near(x))
        height, width = x.shape[-2:]
        rows = x.transpose(1, 2).flatten(0, 1) if x.ndim == 5 else x
        half = F.avg_pool2d(rows, 2)
        if x.ndim == 5:
            half = torch.unflatten(half, 0, (-1, x.shape[2])).transpose(1, 2)
        far: Tensor = self.far(half)
        if self.training:
            for axis, size in ((-2, height), (-1, width)):
                if size > self.crop:
                    first = torch.randint(0, size - self.crop + 1, (1,), device=x.device)
                    x = x.index_select(x.ndim + axis, first + torch.arange(self.crop, device=x.device))
        return (cast(Tensor, self.near(x)) + far) / 2


class _Look(nn.Module):
    """Strided convolutions, over time as well from the second on, and a linear score of their mean."""

    def __init__(self, channels: int, config: FoldedCriticConfig, over_time: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for halving in range(config.halvings):
            c_out = config.width * 2**halving
            if over_time:
                layers.append(nn.Conv3d(channels, c_out, (3, 4, 4), (1 + (halving > 0), 2, 2), 1))
            else:
                layers.append(nn.Conv2d(channels, c_out, 4, 2, 1))
            layers.append(nn.LeakyReLU(0.2))
            channels = c_out
        self.layers = nn.Sequential(*layers)
        self.score = nn.Linear(channels, 1)
        init_he(self)

    def forward(self, x: Tensor) -> Tensor:
        # The mean, and not the sum, so that scores and their slopes do not grow with the frames.
        return cast(Tensor, self.score(self.layers(x).flatten(2).mean(2))).squeeze(1)


def _pair(config: FoldedCriticConfig, context: BuildContext, network: str) -> Pair:
    """What the critic is built for, where its frames are large enough."""
    pair = Pair.of(context, network)
    least = 2**config.halvings * (2 if config.crop else 1)
    if any(size is not None and size < least for size in pair.size):
        raise ConfigError(
            f"the {network} halves frames {config.halvings} times and needs {least} px, and the samples are "
            f"{context.sample}: lower critic.halvings"
        )
    if config.crop and config.crop < 2**config.halvings:
        raise ConfigError(f"critic.crop={config.crop} is too small to be halved {config.halvings} times")
    return pair


def _at_full_size(pair: Pair, given: Mapping[str, Tensor]) -> Tensor:
    """The frames that are given, as large as those that are made."""
    frames = given[pair.key]
    return frames if pair.scale == 1 else enlarge(frames, pair.scale)
