"""Clouds of points in the plane and above: the smallest complete plugin, and the one to copy.

This module only declares what there is. Everything that needs torch is imported when it is first used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wganx import (
    Architecture,
    Batch,
    BuildContext,
    DataCard,
    DataContext,
    Dataset,
    Game,
    Items,
    Metric,
    MetricContext,
    Modality,
    SampleFormat,
    Scenario,
    Split,
    Task,
    hookimpl,
)
from wganx_points.configs import (
    CLOUDS,
    CloudConfig,
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
    from torch import Tensor, nn

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
    return [Modality(name="points", summary="points in space", axes=("coordinate",), write=_write, preview=_preview)]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    for name, config in CLOUDS.items():
        yield Dataset(
            name=name,
            modality="points",
            summary=_SUMMARIES[name],
            config=config,
            open=_open_cloud,
            card=_SYNTHETIC,
        )
    yield Dataset(
        name="pair",
        modality="points",
        summary="a source cloud and a target cloud, unpaired",
        config=PairConfig,
        open=_open_pair,
        card=_SYNTHETIC,
    )
    yield Dataset(
        name="folder",
        modality="points",
        summary="your own .npy and .csv files, one point a row",
        config=FolderConfig,
        open=_open_folder,
        card=DataCard(source="your own files", licence="yours", offline=True),
        folder=True,
        suffixes=(".csv", ".npy"),
        probe=_probe,
    )


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="generate",
            modality="points",
            summary="points from noise, with labels of a chosen class",
            config=GenerateConfig,
            build=_generate,
        ),
        Task(
            name="translate",
            modality="points",
            summary="move a source cloud onto a target cloud at little cost",
            config=TranslateConfig,
            build=_translate,
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
            build=_mlp_generator,
        ),
        Architecture(
            name="mlp",
            modality="points",
            role="critic",
            summary="perceptron with leaky rectifiers",
            config=MlpCriticConfig,
            build=_mlp_critic,
        ),
        Architecture(
            name="lipschitz-mlp",
            modality="points",
            role="critic",
            summary="perceptron of orthonormal layers, for constraint.name=by-construction",
            config=LipschitzMlpConfig,
            build=_lipschitz_critic,
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
            compute=_modes,
            better={"modes": "higher", "high_quality": "higher", "label_match": "higher"},
        ),
        Metric(
            name="exact-w1",
            modality="points",
            summary="exact Wasserstein-1 distance to the held-out points",
            compute=_w1,
            better={"w1": "lower"},
        ),
        Metric(
            name="transport-cost",
            modality="points",
            summary="how far points were moved, beside the least distance possible",
            compute=_transport_cost,
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


def _open_cloud(config: CloudConfig, split: Split, context: DataContext) -> Items:
    from wganx_points.datasets import open_cloud

    return open_cloud(config, split, context)


def _open_pair(config: PairConfig, split: Split, context: DataContext) -> Items:
    from wganx_points.datasets import open_pair

    return open_pair(config, split, context)


def _open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    from wganx_points.folder import open_folder

    return open_folder(config, split, context)


def _probe(data: bytes, path: str) -> Mapping[str, str]:
    from wganx_points.folder import probe

    return probe(data, path)


def _generate(config: GenerateConfig, sample: SampleFormat) -> Game:
    from wganx_points.tasks import Generate

    return Generate(config, sample)


def _translate(config: TranslateConfig, sample: SampleFormat) -> Game:
    from wganx_points.tasks import Translate

    return Translate(config, sample)


def _mlp_generator(config: MlpGeneratorConfig, context: BuildContext) -> nn.Module:
    from wganx_points.networks.mlp import MlpGenerator

    return MlpGenerator(config, context)


def _mlp_critic(config: MlpCriticConfig, context: BuildContext) -> nn.Module:
    from wganx_points.networks.mlp import MlpCritic

    return MlpCritic(config, context)


def _lipschitz_critic(config: LipschitzMlpConfig, context: BuildContext) -> nn.Module:
    from wganx_points.networks.lipschitz import lipschitz_critic

    return lipschitz_critic(config, context)


def _modes(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    from wganx_points.metrics import modes

    return modes(candidate, reference, context)


def _w1(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    from wganx_points.metrics import w1

    return w1(candidate, reference, context)


def _transport_cost(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    from wganx_points.metrics import transport_cost

    return transport_cost(candidate, reference, context)


def _write(samples: Tensor, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    from wganx_points.writers import write_points

    return write_points(samples, format, folder, stem)


def _preview(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Path:
    from wganx_points.writers import preview_points

    return preview_points(samples, reference, format, folder, stem)
