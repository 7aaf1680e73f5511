"""Clips in pairs, and metrics as an evaluation calls them, on the plugin's own games."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import wganx_video
from torch import Tensor
from wganx_video.configs.tasks import InterpolateConfig, PredictConfig, UpscaleConfig
from wganx_video.tasks.interpolate import Interpolate
from wganx_video.tasks.predict import Predict
from wganx_video.tasks.upscale import Upscale

from wganx import Batch, ExtractorContext, Formats, Game, MetricContext, SampleFormat, Sides
from wganx.evaluation import Features

AXES = ("frame", "channel", "height", "width")


def game(task: str = "predict", *, channels: int = 1, size: int = 16, frames: int = 7, **options: Any) -> Game:
    """A game on clips of `frames` frames."""
    stored = SampleFormat(axes=AXES, shape=(frames, channels, size, size), value_range=(0.0, 255.0), rate_hz=10.0)
    formats = Formats({"sample": stored})
    if task == "predict":
        return Predict(PredictConfig(**{"past": 3, "future": 4, **options}), formats)
    if task == "interpolate":
        return Interpolate(InterpolateConfig(**{"kept": (0, 2, 4), **options}), formats)
    return Upscale(UpscaleConfig(**{"frames": 3, **options}), formats)


def clips(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def numbers(
    metric: str, made: Tensor, true: Tensor, played: Game | None = None, *, given: dict[str, Tensor] | None = None,
    again: Callable[[int], Tensor] | None = None, extractors: dict[str, Any] | None = None, **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """What a metric of the plugin finds in samples and their truth."""
    (found,) = [each for each in wganx_video.wganx_metrics() if each.name == metric]
    played = played or game(channels=made.shape[2], size=made.shape[3], frames=3 + made.shape[1], future=made.shape[1])
    features = Features(lambda name: load(name, played, **(extractors or {}).get(name, {})), torch.device("cpu"))
    context = MetricContext(
        config=found.config(**options), game=played, items=lambda split: [], features=features, seed=0
    )
    given = given or {}
    sides = Sides(Batch(made, given), Batch(true, given), Batch(true.flip(0), given), again)
    before = made.clone(), true.clone()
    result = dict(found.factory("compute")(sides, context))
    assert torch.equal(made, before[0])
    assert torch.equal(true, before[1])
    assert all(isinstance(value, float | dict) for value in result.values())
    return result


def load(name: str, played: Game, **options: Any) -> torch.nn.Module:
    (found,) = [each for each in wganx_video.wganx_extractors() if each.name == name]
    context = ExtractorContext(
        game=played, items=lambda split: [], keep=lambda learn: learn(), device=torch.device("cpu")
    )
    network: torch.nn.Module = found.factory("load")(found.config(**options), context)
    return network
