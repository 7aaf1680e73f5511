"""Plugins as an author would write them, small and without torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

TONES = """
from wganx import (Architecture, Config, DataCard, Dataset, HealthCheck, Metric, Modality, Scenario, Task, hookimpl)

WGANX_API = 1


class Nothing(Config):
    pass


def _never(*args, **kwargs):
    raise AssertionError("factories are not called when a plugin is loaded")


@hookimpl
def wganx_modalities():
    return [Modality(name="tone", summary="sounds", axes=("time",), write=_never, preview=_never)]


@hookimpl
def wganx_datasets():
    card = DataCard(source="made up", licence="none", offline=True)
    yield Dataset(name="sines", modality="tone", summary="", config=Nothing, open=_never, card=card)
    yield Dataset(name="saws", modality="tone", summary="", config=Nothing, open=_never, card=card)


@hookimpl
def wganx_tasks():
    return [Task(name="generate", modality="tone", summary="", config=Nothing, build=_never)]


@hookimpl
def wganx_architectures():
    return [
        Architecture(name="small", modality="tone", role=role, summary=role, config=Nothing, build=_never)
        for role in ("generator", "critic")
    ]


@hookimpl
def wganx_metrics():
    return [
        Metric(name="pitch", modality="tone", summary="", compute=_never, better={"pitch_error": "lower"}),
        Metric(name="tempo", modality="tone", summary="", compute=_never, tasks=("convert",)),
    ]


@hookimpl
def wganx_health_checks():
    return [HealthCheck(name="flat", code="TN001", summary="", modality="tone", mend="", inspect=_never)]


@hookimpl
def wganx_scenarios():
    return (Scenario(name=name, modality="tone", summary="", config={}) for name in ("first", "second"))
"""


@pytest.fixture
def tones() -> str:
    """Source of a complete plugin module."""
    return TONES


@pytest.fixture
def install_tones(fake_distribution: Callable[..., Path], only_fake_plugins: None, tones: str) -> Callable[..., str]:
    """Install the complete plugin, as ``tones`` of wganx-tones 0.3 unless told otherwise."""

    def install(name: str = "tones", source: str = tones) -> str:
        fake_distribution(f"wganx-{name}", "0.3", {name: f"wx_{name}"}, {f"wx_{name}": source})
        return name

    return install
