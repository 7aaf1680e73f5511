"""The residual pair of Gulrajani et al. 2017, "Improved training of Wasserstein GANs", for 32 and 64 px.

At 128 px its widths are those of Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks".
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, cast

from torch import Tensor, nn

from wganx import BuildContext
from wganx.nn import ProjectionHead, init_he
from wganx_image.configs.networks import ResnetCriticConfig, ResnetGeneratorConfig
from wganx_image.networks.attention import attention_after, attention_at, check_attention
from wganx_image.networks.labels import Labels
from wganx_image.networks.norms import batch_norm, normalised, sample_norm
from wganx_image.networks.sizes import noise_length, picture_size

# Channels, in units of the configured width: of the 4 x 4 map, then after every doubling.
_GENERATOR_WIDTHS: dict[int, tuple[int, ...]] = {
    32: (1, 1, 1, 1),
    64: (8, 8, 4, 2, 1),
    128: (16, 16, 8, 4, 2, 1),
}
# Channels after every block, and whether the block halves the size.
_CRITIC_BLOCKS: dict[int, tuple[tuple[int, Literal["down", "none"]], ...]] = {
    32: ((1, "down"), (1, "down"), (1, "none"), (1, "none")),
    64: ((2, "down"), (4, "down"), (8, "down"), (8, "down")),
    128: ((2, "down"), (4, "down"), (8, "down"), (16, "down"), (16, "down")),
}
SIZES = tuple(_GENERATOR_WIDTHS)


class _Residual(nn.Module):
    """``shortcut(x) + conv(relu(norm(conv(relu(norm(x))))))``, doubled or halved on both paths.

    ``rectify_input=False`` leaves out the first rectifier, for a block whose input is the picture itself: it would
    throw away all dark values.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        norms: tuple[nn.Module, nn.Module],
        resize: Literal["up", "down", "none"],
        rectify_input: bool = True,
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleList(norms)
        self.rectify_input = nn.ReLU() if rectify_input else nn.Identity()
        self.up = nn.Upsample(scale_factor=2) if resize == "up" else nn.Identity()
        self.first = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.rectify = nn.ReLU()
        self.second = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.down = nn.AvgPool2d(2) if resize == "down" else nn.Identity()
        self.shortcut = nn.Identity() if (c_in, resize) == (c_out, "none") else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.first(self.up(self.rectify_input(normalised(self.norms[0], x, label))))
        h = self.down(self.second(self.rectify(normalised(self.norms[1], h, label))))
        # A 1 x 1 convolution commutes with both ways of resizing: apply it where the map is smaller.
        return cast(Tensor, h + self.up(self.shortcut(self.down(x))))


class Generator(nn.Module):
    """Noise to a 4 x 4 map, residual blocks that double it, then norm, rectifier, convolution and tanh.

    With labels, every norm has the scale and shift of the sample's classes.

    Shapes:
        ``noise (N, noise)``, ``(N,)`` each label -> ``(N, C, size, size)`` in [-1, 1].
    """

    def __init__(self, config: ResnetGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        channels, size = picture_size(context, "resnet generator", SIZES)
        labels = self.labels = Labels.of(context, "resnet generator")
        widths = [config.width * factor for factor in _GENERATOR_WIDTHS[size]]
        self.start = nn.Linear(noise_length(context, "resnet generator"), widths[0] * 16)
        self.blocks = nn.ModuleList(
            _Residual(c_in, c_out, (batch_norm(c_in, labels), batch_norm(c_out, labels)), "up")
            for c_in, c_out in pairwise(widths)
        )
        self.attention = attention_after("resnet", widths[1:], config.attention, config.attention_size)
        self.norm = batch_norm(widths[-1], labels)
        self.to_picture = nn.Sequential(nn.ReLU(), nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Tanh())
        init_he(self)

    def forward(self, noise: Tensor, /, **labels: Tensor) -> Tensor:
        label = self.labels.numbers(labels)
        x = self.start(noise).unflatten(1, (-1, 4, 4))
        for number, block in enumerate(self.blocks):
            x = block(x, label)
            if str(number) in self.attention:
                x = self.attention[str(number)](x)
        return cast(Tensor, self.to_picture(normalised(self.norm, x, label)))


class Critic(nn.Module):
    """Residual blocks that halve the picture, then one score, plus the projection on the classes of its labels.

    At 32 px the score is read from the mean over the 8 x 8 map, at more from all of the 4 x 4 map.

    Shapes:
        ``x (N, C, size, size)``, ``(N,)`` each label -> ``(N,)``, unbounded.
    """

    def __init__(self, config: ResnetCriticConfig, context: BuildContext) -> None:
        super().__init__()
        channels, size = picture_size(context, "resnet critic", SIZES)
        widths = [config.width * factor for factor, _ in _CRITIC_BLOCKS[size]]
        self.pooled = size == 32
        stem = channels if self.pooled else config.width
        layers: list[nn.Module] = [] if self.pooled else [nn.Conv2d(channels, stem, 3, padding=1)]
        sides, side = [], size
        for c_in, c_out, (_, resize) in zip([stem, *widths], widths, _CRITIC_BLOCKS[size]):
            on_picture = not layers
            norms = (sample_norm(c_in, "none" if on_picture else config.norm), sample_norm(c_out, config.norm))
            layers.append(_Residual(c_in, c_out, norms, resize, rectify_input=not on_picture))
            side = side // 2 if resize == "down" else side
            if side not in sides:  # once, where several blocks leave the size
                layers += attention_at(side, c_out, config.attention, config.attention_size)
            sides.append(side)
        check_attention("resnet critic", config.attention, config.attention_size, sides)
        self.features = nn.Sequential(*layers, nn.ReLU() if self.pooled else nn.Identity())
        self.labels = Labels.of(context, "resnet critic")
        features = widths[-1] * (1 if self.pooled else 16)
        self.head = ProjectionHead(features, self.labels.classes, len(self.labels))
        init_he(self)

    def forward(self, x: Tensor, /, **labels: Tensor) -> Tensor:
        h = self.features(x)
        h = h.mean(dim=(2, 3)) if self.pooled else h.flatten(1)
        return cast(Tensor, self.head(h, self.labels.numbers(labels)))
