"""Short tones: a modality, dataset, task and networks that wganx knows nothing of.

Declares what there is; everything that needs torch is imported when it is first used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
    RunInfo,
    SampleFormat,
    Scenario,
    Split,
    Task,
    hookimpl,
)
from wganx_tones.configs import ConvConfig, GenerateConfig, SinesConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

WGANX_API = 1


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [Modality(name="tone", summary="short sounds", axes=("channel", "time"), write=_write, preview=_preview)]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    card = DataCard(source="drawn when opened, by the seed", licence="MIT", offline=True)
    return [
        Dataset(name="sines", modality="tone", summary="sine tones", config=SinesConfig, open=_open_sines, card=card)
    ]


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [Task(name="generate", modality="tone", summary="tones from noise", config=GenerateConfig, build=_generate)]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return [
        Architecture(
            name="small",
            modality="tone",
            role="generator",
            summary="two convolutions",
            config=ConvConfig,
            build=_generator,
        ),
        Architecture(
            name="small",
            modality="tone",
            role="critic",
            summary="two convolutions",
            config=ConvConfig,
            build=_critic,
        ),
    ]


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return [
        Metric(
            name="spectrum",
            modality="tone",
            summary="distance of the mean spectra",
            compute=_spectrum,
            better={"spectrum_distance": "lower"},
        )
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    config = Path(__file__).parent / "scenarios" / "tiny.yaml"
    return [Scenario(name="tiny", modality="tone", summary="three pitches, in seconds", config=config)]


@hookimpl
def wganx_commands() -> Iterable[click.Command]:
    return [pitches]


@hookimpl
def wganx_samples_written(run: RunInfo, step: int, paths: Sequence[Path]) -> None:
    """Keep a diary of the previews in the run folder."""
    with (run.folder / "tones.txt").open("a", encoding="utf-8") as diary:
        diary.writelines(f"step {step}: {path.name}\n" for path in paths)


@click.command()
def pitches() -> None:
    """The pitches of the dataset 'sines' unless the configuration says otherwise."""
    for pitch in SinesConfig().pitches:
        click.echo(f"{pitch:g} Hz")


def _open_sines(config: SinesConfig, split: Split, context: DataContext) -> Items:
    from wganx_tones.data import open_sines

    return open_sines(config, split, context)


def _generate(config: GenerateConfig, sample: SampleFormat) -> Game:
    from wganx_tones.tasks import Generate

    return Generate(config, sample)


def _generator(config: ConvConfig, context: BuildContext) -> nn.Module:
    from wganx_tones.networks import Generator

    return Generator(config, context)


def _critic(config: ConvConfig, context: BuildContext) -> nn.Module:
    from wganx_tones.networks import Critic

    return Critic(config, context)


def _spectrum(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    from wganx_tones.metrics import spectrum_distance

    return spectrum_distance(candidate, reference, context)


def _write(samples: Tensor, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    from wganx_tones.writers import write_wav

    return write_wav(samples, format, folder, stem)


def _preview(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Path:
    from wganx_tones.writers import preview_waves

    return preview_waves(samples, reference, format, folder, stem)
