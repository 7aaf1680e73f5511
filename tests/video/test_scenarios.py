"""The scenarios of films: each is a valid run, and the tiny ones end with frames of what was given."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import wganx_video

import wganx
from wganx.config import resolve

NAMES = [scenario.name for scenario in wganx_video.wganx_scenarios()]
TASKS = {"prediction": "predict", "interpolation": "interpolate", "super": "upscale"}


def test_prediction_is_what_a_training_of_films_is_by_default():
    assert resolve(plugin="video", environ={}).run.scenario == "prediction"


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_resolves(name: str) -> None:
    run = resolve(plugin="video", scenario=name, environ={}).run
    assert run.task.name == TASKS[name.split("-")[0]]
    assert run.generator.noise == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("-tiny")])
def test_a_tiny_scenario_ends_with_frames_of_what_was_given(name: str, tmp_path: Path) -> None:
    run = wganx.train(
        plugin="video", scenario=name, out=tmp_path / "run", overrides={"train.steps": 2, "device": "cpu"}
    )
    sampler = wganx.load_generator(run.folder.path)
    rng = torch.Generator().manual_seed(0)
    context = {
        name: torch.rand(2, *(size or 16 for size in format.shape), generator=rng)
        for name, format in sampler.context.items()
    }
    drawn = sampler.draw(2, seed=1, context=context)
    assert sampler.sample is not None
    assert drawn.shape[1:] == sampler.sample.shape
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    larger = {name: frames.repeat_interleave(2, 3).repeat_interleave(3, 4) for name, frames in context.items()}
    assert sampler.draw(2, context=larger).shape[3:] == (2 * drawn.shape[3], 3 * drawn.shape[4])
