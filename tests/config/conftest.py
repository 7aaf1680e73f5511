"""A plugin with settings of its own, and `resolve` on it without the environment of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wganx.config import Resolved

TONES = """
from pathlib import Path
from pydantic import Field, model_validator
from wganx import Architecture, Config, DataCard, Dataset, Metric, Modality, Scenario, Task, hookimpl

WGANX_API = 1
CARD = DataCard(source="made up", licence="none", offline=True)


class Sines(Config):
    pitch: float = Field(440.0, gt=0)
    title: str = "A"


class Chords(Config):
    pitch: float = 220.0
    low: int = 1
    high: int = 3

    @model_validator(mode="after")
    def _rises(self):
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class Folder(Config):
    root: Path
    size: int = 16


class Net(Config):
    width: int = Field(32, ge=1)


class Wide(Config):
    columns: int = 8


class Empty(Config):
    pass


class Weighted(Config):
    weights: dict[str, float] = {}


def _never(*args, **kwargs):
    raise AssertionError("nothing is built when a configuration is resolved")


@hookimpl
def wganx_modalities():
    return [Modality(name="tone", summary="", axes=("time",), write=_never, preview=_never)]


@hookimpl
def wganx_datasets():
    def make(name, config, **more):
        return Dataset(**{
            "name": name, "modality": "tone", "summary": "", "config": config, "open": _never, "card": CARD, **more
        })

    return [
        make("sines", Sines),
        make("chords", Chords),
        make("folder", Folder, folder=True),
        make("disc", Folder),
        make("pixels", Empty, modality="picture"),
    ]


@hookimpl
def wganx_tasks():
    return [
        Task(name="generate", modality="tone", summary="", config=Empty, build=_never),
        Task(name="convert", modality="tone", summary="", config=Weighted, build=_never),
    ]


@hookimpl
def wganx_architectures():
    def make(name, role, config, lipschitz=False):
        return Architecture(
            name=name, modality="tone", role=role, summary="", config=config, build=_never, lipschitz=lipschitz
        )

    return [
        make("small", "generator", Net), make("wide", "generator", Wide), make("small", "critic", Net),
        make("orthonormal", "critic", Net, lipschitz=True),
    ]


@hookimpl
def wganx_metrics():
    return [
        Metric(name="pitch", modality="tone", summary="", compute=_never, better={"pitch_error": "lower"}),
        Metric(name="tempo", modality="tone", summary="", compute=_never, better={"tempo_error": "lower"}),
        Metric(name="voice", modality="tone", summary="", compute=_never, tasks=("convert",)),
    ]


@hookimpl
def wganx_scenarios():
    first = {
        "dataset": {"name": "sines", "pitch": 660.0, "feed": "resident"},
        "task": {"name": "generate"},
        "generator": {"name": "small", "width": 48, "noise": 16},
        "critic": {"name": "small"},
        "constraint": {"weight": 5.0},
        "train": {"steps": 100},
    }
    return [
        Scenario(name="first", modality="tone", summary="", config=first),
        Scenario(name="second", modality="tone", summary="", config=Path(__file__).parent / "second.yaml"),
    ]
"""

SECOND = """\
dataset:
  name: chords
task: {name: convert, weights: {pitch: 1.0, tempo: 2.0}}
generator:
  name: wide
critic:
  name: small
train:
  steps: 7
"""


@pytest.fixture
def tones(fake_distribution: Callable[..., Path], only_fake_plugins: None) -> str:
    """The plugin's name, installed, with a scenario from a mapping and one from a file."""
    site = fake_distribution("wganx-tones", "0.3", {"tones": "wx_tones"}, {"wx_tones": TONES})
    (site / "second.yaml").write_text(SECOND, encoding="utf-8")
    return "tones"


@pytest.fixture
def resolve(tones: str) -> Callable[..., Resolved]:
    """`wganx.config.resolve` with plugin ``tones`` and an empty environment unless told otherwise."""
    from wganx import config

    def call(*settings: str, **named: Any) -> Resolved:
        return config.resolve(**{"plugin": tones, "settings": settings, "environ": {}, **named})

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a configuration file and return its path."""

    def file(text: str, name: str = "run.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return file
