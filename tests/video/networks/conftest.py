"""What networks of clips are built for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wganx import BuildContext, SampleFormat

AXES = ("frame", "channel", "height", "width")


def _format(*shape: int | None, **signal: object) -> SampleFormat:
    return SampleFormat(axes=AXES, shape=shape, value_range=(0.0, 1.0), rate_hz=25.0, signal=signal)


def _predicts(channels: int = 1, past: int = 3, future: int = 2, side: int | None = 16, noise: int = 0) -> BuildContext:
    given, made = list(range(past)), list(range(past, past + future))
    sample = _format(future, channels, side, side, given=given, made=made)
    inputs = {"past": _format(past, channels, side, side)}
    return BuildContext(sample=sample, noise=(noise,) if noise else (), inputs=inputs)


def _interpolates(
    channels: int = 1,
    kept: tuple[int, ...] = (0, 2, 4),
    missing: tuple[int, ...] = (1, 3),
    side: int | None = 16,
    timed: bool = False,
) -> BuildContext:
    sample = _format(len(missing), channels, side, side, given=list(kept), made=list(missing))
    inputs = {"frames": _format(len(kept), channels, side, side)}
    if timed:
        inputs["time"] = SampleFormat.number(0.0, 1.0, usual=0.5)
    return BuildContext(sample=sample, inputs=inputs)


def _upscales(channels: int = 1, frames: int = 3, scale: int = 2, small: int = 8, middle: bool = False) -> BuildContext:
    made = [frames // 2] if middle else list(range(frames))
    side = small * scale
    sample = _format(len(made), channels, side, side, given=list(range(frames)), made=made, scale=scale)
    return BuildContext(sample=sample, inputs={"low": _format(frames, channels, small, small)})


@pytest.fixture(scope="session")
def predicts() -> Callable[..., BuildContext]:
    return _predicts


@pytest.fixture(scope="session")
def interpolates() -> Callable[..., BuildContext]:
    return _interpolates


@pytest.fixture(scope="session")
def upscales() -> Callable[..., BuildContext]:
    return _upscales
