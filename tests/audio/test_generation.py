"""The scenarios of generation: each is a valid run, and the tiny ones end with sounds."""

from __future__ import annotations

from pathlib import Path

import pytest
import wganx_audio

import wganx
from wganx.config import resolve

NAMES = [
    name for name in (s.name for s in wganx_audio.wganx_scenarios()) if name.split("-")[0] not in ("voice", "emotion")
]
NAMES += ["emotion-generation", "emotion-generation-tiny", "emotion-generation-gpu"]
TINY = [name for name in NAMES if name.endswith("-tiny")]


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_resolves(name: str) -> None:
    assert resolve(plugin="audio", scenario=name, environ={}).run.task.name == "generate"


@pytest.mark.parametrize("name", TINY)
def test_a_tiny_scenario_ends_with_sounds_of_what_was_chosen(name: str, tmp_path: Path) -> None:
    run = wganx.train(
        plugin="audio", scenario=name, out=tmp_path / "run", overrides={"train.steps": 2, "device": "cpu"}
    )
    sampler = wganx.load_generator(run.folder.path)
    given = {"word": "two"} if "word" in sampler.context else {"text": "mano", "language": "open"}
    drawn = sampler.draw(2, seed=1, given=given)
    assert drawn.isfinite().all()
    assert drawn.shape[1:] == sampler.sample.shape
    assert list((run.folder.path / "samples").glob("*.wav"))
