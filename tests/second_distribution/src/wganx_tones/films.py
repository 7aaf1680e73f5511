"""Films as ``.npy`` files of grey frames, uint8 ``(T, H, W)``: longer than memory, read and written in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field

from wganx import Architecture, Config, DataCard, Dataset, Modality, Scenario, Task, hookimpl

WGANX_API = 1


class FilmsConfig(Config):
    """Windows of `frames` frames; films named ``SCENE_*.npy`` stay together in a split."""

    root: Path = Field(description="a folder or zip archive of .npy films")
    frames: int = Field(4, ge=2, multiple_of=2)


class BrightenConfig(Config):
    """`dark`: what the light of the given frames is multiplied by."""

    dark: float = Field(0.5, gt=0, lt=1)


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(
            name="film",
            summary="grey films",
            axes=("frame", "height", "width"),
            write="wganx_tones.film_parts:write_films",
            preview="wganx_tones.film_parts:preview_films",
            open="wganx_tones.film_parts:NpySource",
            create="wganx_tones.film_parts:NpySink",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    return [
        Dataset(
            name="films",
            modality="film",
            summary="windows of your own films",
            config=FilmsConfig,
            open="wganx_tones.film_parts:open_films",
            card=DataCard(source="your own files", licence="yours", offline=True),
            folder=True,
            suffixes=(".npy",),
        )
    ]


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="brighten",
            modality="film",
            summary="a film from a darker one",
            config=BrightenConfig,
            build="wganx_tones.film_parts:Brighten",
        )
    ]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    for role, place in (("generator", "Brightener"), ("critic", "FilmCritic")):
        yield Architecture(
            name="small",
            modality="film",
            role=role,  # type: ignore[arg-type]
            summary="one convolution",
            build=f"wganx_tones.film_parts:{place}",
        )


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    config: Mapping[str, object] = {
        "dataset": {"name": "films"},
        "task": {"name": "brighten"},
        "generator": {"name": "small", "noise": 0},
        "critic": {"name": "small"},
        "train": {"steps": 10, "batch_size": 8, "critic_steps": 1, "ema": 0.5},
        "log": {"every": 5},
        "preview": {"every": 10, "count": 2},
        "checkpoint": {"every": 5},
        "evaluate": {"n": 8},
    }
    return [Scenario(name="brighten", modality="film", summary="films made brighter, in seconds", config=config)]
