"""What a network may be built for."""

from __future__ import annotations

from collections.abc import Sequence

from wganx import BuildContext, ConfigError


def picture_size(context: BuildContext, network: str, sizes: Sequence[int]) -> tuple[int, int]:
    """Channels and side length of the square pictures that `network` is built for.

    Raises:
        ConfigError: the samples are no square pictures of one of `sizes`.
    """
    allowed = ", ".join(str(size) for size in sizes)
    if context.sample.axes != ("channel", "height", "width"):
        raise ConfigError(f"the {network} works on pictures (channel, height, width), not on {context.sample}")
    channels, height, width = context.sample.sizes
    if height != width or height not in sizes:
        raise ConfigError(
            f"the {network} does not fit pictures of {width} x {height} px; "
            f"it is made for square ones of {allowed} px: set dataset.size to one of these"
        )
    return channels, height


def noise_length(context: BuildContext, network: str) -> int:
    """Length of the noise vector.

    Raises:
        ConfigError: there is no noise, which `network` makes its samples of, or it is no vector.
    """
    if not context.noise:
        raise ConfigError(f"the {network} makes samples of noise: set generator.noise to 1 or more")
    if len(context.noise) > 1:
        raise ConfigError(
            f"the {network} takes a vector of noise, not {context.noise}: set generator.noise to one number"
        )
    return context.noise[0]
