"""What a network of clips is built for: the frames it is given, and those that are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from wganx import BuildContext, ConfigError

_GIVEN: tuple[Literal["past", "frames", "low"], ...] = ("past", "frames", "low")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Frames that are given and frames that are made, at places of one clip.

    Attributes:
        key: under which name frames are given: ``past`` to predict, ``frames`` to interpolate, ``low`` to upscale.
        given: places of the given frames.
        made: places of the made ones.
        channels: of a frame.
        scale: how many times larger the made frames are.
        timed: whether the time of the made frame is an input.
        size: height and width of the made frames, None where free.
    """

    key: Literal["past", "frames", "low"]
    given: tuple[int, ...]
    made: tuple[int, ...]
    channels: int
    scale: int
    timed: bool
    size: tuple[int | None, int | None]

    @classmethod
    def of(cls, context: BuildContext, network: str) -> Pair:
        """What `context` describes.

        Raises:
            ConfigError: no clips, or inputs that `network` has no use for; says what it is for.
        """
        sample, inputs = context.sample, context.inputs
        if sample.axes != ("frame", "channel", "height", "width"):
            raise ConfigError(f"the {network} is for clips (frame, channel, height, width), not for {sample}")
        names = [name for name in _GIVEN if name in inputs]
        others = sorted(set(inputs) - {*_GIVEN, "time"})
        if len(names) != 1 or others:
            got = ", ".join(inputs) or "nothing"
            raise ConfigError(
                f"the {network} makes frames of frames: it is for task.name=predict, interpolate or upscale, which "
                f"give it past, frames or low, and this task gives it {got}"
            )
        signal = cast("dict[str, Any]", dict(sample.signal))
        frames, channels, height, width = sample.shape
        if frames is None or channels is None:
            raise ConfigError(
                f"the {network} folds frames into channels and needs a fixed number of both, not {sample}"
            )
        given = inputs[names[0]].shape[0] or 0
        return cls(
            key=names[0],
            given=tuple(signal.get("given", range(given))),
            made=tuple(signal.get("made", range(given, given + frames))),
            channels=channels,
            scale=int(signal.get("scale", 1)),
            timed="time" in inputs,
            size=(height, width),
        )
