"""Short tones: a sound-like modality, datasets, tasks and networks that wganx knows nothing of.

Declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from wganx import (
    Architecture,
    DataCard,
    Dataset,
    Extractor,
    Metric,
    Modality,
    Scenario,
    Task,
    hookimpl,
)
from wganx_tones.configs import (
    BandsConfig,
    ConvConfig,
    DenoiseConfig,
    GenerateConfig,
    PsnrConfig,
    SinesConfig,
    WavConfig,
)

WGANX_API = 1

_SYNTHETIC = DataCard(source="drawn when opened, by the seed", licence="MIT", offline=True)


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(
            name="tone",
            summary="short sounds",
            axes=("channel", "time"),
            write="wganx_tones.writers:write_wav",
            preview="wganx_tones.writers:preview_tones",
            open="wganx_tones.streams:WavSource",
            create="wganx_tones.streams:WavSink",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    return [
        Dataset(
            name="sines",
            modality="tone",
            summary="sine tones of several pitches, soft and loud",
            config=SinesConfig,
            open="wganx_tones.datasets:open_sines",
            fit="wganx_tones.datasets:fit_spectrum",
            card=_SYNTHETIC,
        ),
        Dataset(
            name="wav",
            modality="tone",
            summary="windows of your own WAV files, of any length",
            config=WavConfig,
            open="wganx_tones.datasets:open_wav",
            card=DataCard(source="your own files", licence="yours", offline=True),
            folder=True,
            suffixes=(".wav",),
        ),
    ]


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="generate",
            modality="tone",
            summary="log spectra from noise, of a pitch and a loudness",
            config=GenerateConfig,
            build="wganx_tones.generate:Generate",
        ),
        Task(
            name="denoise",
            modality="tone",
            summary="a tone from one with noise on it",
            config=DenoiseConfig,
            build="wganx_tones.denoise:Denoise",
        ),
    ]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    for role, name, summary, place in (
        ("generator", "small", "two layers, for spectra", "SmallGenerator"),
        ("generator", "filter", "convolutions over a noisy tone", "Filter"),
        ("critic", "small", "two layers, for anything", "SmallCritic"),
    ):
        yield Architecture(
            name=name,
            modality="tone",
            role=role,  # type: ignore[arg-type]
            summary=summary,
            config=ConvConfig,
            build=f"wganx_tones.networks:{place}",
        )


@hookimpl
def wganx_extractors() -> Iterable[Extractor]:
    return [
        Extractor(
            name="bands",
            modality="tone",
            summary="mean power in bands of frequency",
            config=BandsConfig,
            load="wganx_tones.metrics:Bands",
            card=_SYNTHETIC,
        )
    ]


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return [
        Metric(
            name="band-distance",
            modality="tone",
            summary="distance of the mean power in bands of frequency",
            compute="wganx_tones.metrics:band_distance",
            better={"band_distance": "lower"},
        ),
        Metric(
            name="psnr",
            modality="tone",
            summary="peak signal-to-noise ratio against the true tone, in dB",
            config=PsnrConfig,
            compute="wganx_tones.metrics:psnr",
            better={"psnr": "higher"},
            tasks=("denoise",),
        ),
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "tiny": "three pitches, soft and loud, in seconds",
        "denoise": "noise taken off tones, in seconds",
    }.items():
        yield Scenario(name=name, modality="tone", summary=summary, config=folder / f"{name}.yaml")


@hookimpl
def wganx_commands() -> Iterable[click.Command]:
    return [pitches]


@click.command()
def pitches() -> None:
    """The pitches of the dataset 'sines' unless the configuration says otherwise."""
    for pitch in SinesConfig().pitches:
        click.echo(f"{pitch:g} Hz")
