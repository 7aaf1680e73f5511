"""Clouds of points in the plane and above: the smallest complete plugin.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from wganx import (
    Architecture,
    DataCard,
    Dataset,
    Metric,
    Modality,
    Scenario,
    Task,
    hookimpl,
)
from wganx_points.configs import (
    CLOUDS,
    CloudName,
    FolderConfig,
    GenerateConfig,
    LipschitzMlpConfig,
    MlpCriticConfig,
    MlpGeneratorConfig,
    PairConfig,
    TranslateConfig,
)

if TYPE_CHECKING:
    import click

WGANX_API = 1

_SYNTHETIC = DataCard(source="drawn when opened, by the seed", licence="MIT", offline=True)
_SUMMARIES: dict[CloudName, str] = {
    "ring": "8 Gaussians on a circle",
    "grid": "25 Gaussians on a 5 x 5 grid",
    "swiss-roll": "a spiral",
    "moons": "two interleaved half circles",
    "gaussian": "one Gaussian in any dimension",
}


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(
            name="points",
            summary="points in space",
            axes=("coordinate",),
            write="wganx_points.writers:write_points",
            preview="wganx_points.writers:preview_points",
            turned_back="A sample is a point: its coordinates, in the units of the data.",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    for name, config in CLOUDS.items():
        yield Dataset(
            name=name,
            modality="points",
            summary=_SUMMARIES[name],
            config=config,
            open="wganx_points.datasets:open_cloud",
            card=_SYNTHETIC,
        )
    yield Dataset(
        name="pair",
        modality="points",
        summary="a source cloud and a target cloud, unpaired",
        config=PairConfig,
        open="wganx_points.datasets:open_pair",
        card=_SYNTHETIC,
    )
    yield Dataset(
        name="folder",
        modality="points",
        summary="your own .npy and .csv files, one point a row",
        config=FolderConfig,
        open="wganx_points.folder:open_folder",
        card=DataCard(source="your own files", licence="yours", offline=True),
        folder=True,
        suffixes=(".csv", ".npy"),
        layout={"near/first.npy": "a folder a class; files side by side have none", "far/second.csv": ""},
        probe="wganx_points.folder:probe",
    )


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="generate",
            modality="points",
            summary="points from noise, with labels of a chosen class",
            config=GenerateConfig,
            build="wganx_points.tasks:Generate",
        ),
        Task(
            name="translate",
            modality="points",
            summary="move a source cloud onto a target cloud at little cost",
            config=TranslateConfig,
            build="wganx_points.tasks:Translate",
        ),
    ]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return [
        Architecture(
            name="mlp",
            modality="points",
            role="generator",
            summary="perceptron with a linear output, plain or added to an input",
            config=MlpGeneratorConfig,
            build="wganx_points.networks.mlp:MlpGenerator",
        ),
        Architecture(
            name="mlp",
            modality="points",
            role="critic",
            summary="perceptron with leaky rectifiers",
            config=MlpCriticConfig,
            build="wganx_points.networks.mlp:MlpCritic",
        ),
        Architecture(
            name="lipschitz-mlp",
            modality="points",
            role="critic",
            summary="perceptron of orthonormal layers, for constraint.name=by-construction",
            config=LipschitzMlpConfig,
            build="wganx_points.networks.lipschitz:lipschitz_critic",
            lipschitz=True,
        ),
    ]


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return [
        Metric(
            name="modes",
            modality="points",
            summary="modes covered, and the share of samples within 3 sigma of one",
            compute="wganx_points.metrics:modes",
            better={"modes": "higher", "high_quality": "higher", "label_match": "higher"},
        ),
        Metric(
            name="exact-w1",
            modality="points",
            summary="exact Wasserstein-1 distance to the held-out points",
            compute="wganx_points.metrics:w1",
            better={"w1": "lower"},
        ),
        Metric(
            name="transport-cost",
            modality="points",
            summary="how far points were moved, beside the least distance possible",
            compute="wganx_points.metrics:transport_cost",
            better={"excess": "lower"},
            tasks=("translate",),
        ),
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "ring": "8 Gaussians on a circle, in a minute",
        "grid": "25 Gaussians on a grid, in a few minutes",
        "swiss-roll": "a spiral",
        "moons": "two half circles",
        "ring-labels": "the ring, every mode made on request",
        "moons-to-ring": "moves two half circles onto the ring at nearly the least cost",
    }.items():
        yield Scenario(name=name, modality="points", summary=summary, config=folder / f"{name}.yaml")


@hookimpl
def wganx_commands() -> Iterable[click.Command]:
    from wganx_points.lab import lab

    return [lab]
