"""Sounds: datasets of them, and networks that learn to make more, or to say the same in another voice.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wganx import Architecture, DataCard, Dataset, Modality, Scenario, Task, hookimpl
from wganx_audio.configs.datasets import FormantSpeechConfig
from wganx_audio.configs.networks import (
    SpecganCriticConfig,
    SpecganGeneratorConfig,
    WaveganCriticConfig,
    WaveganGeneratorConfig,
)
from wganx_audio.configs.tasks import GenerateConfig

WGANX_API = 1


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(
            name="audio",
            summary="sounds",
            axes=("channel", "time"),
            write="wganx_audio.writers:write_sounds",
            preview="wganx_audio.writers:preview_sounds",
            open="wganx_audio.sound.streams:SoundSource",
            create="wganx_audio.sound.streams:SoundSink",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    return [
        Dataset(
            name="formant-speech",
            modality="audio",
            summary="words of three made-up languages by six speakers in four emotions, made by formants",
            config=FormantSpeechConfig,
            open="wganx_audio.datasets.formant_speech.items:open_formant_speech",
            card=DataCard(source="rendered when opened, by the seed", licence="MIT", offline=True, size="2,000 words"),
        ),
    ]


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="generate",
            modality="audio",
            summary="sounds from noise, and from labels or a text that is said",
            config=GenerateConfig,
            build="wganx_audio.tasks.generate:Generate",
            fit="wganx_audio.representations:fit_moments",
        ),
    ]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return [
        Architecture(
            name="specgan",
            modality="audio",
            role="generator",
            summary="spectrograms of any size, doubled from the smallest map on; labels, numbers and texts",
            config=SpecganGeneratorConfig,
            build="wganx_audio.networks.specgan:Generator",
        ),
        Architecture(
            name="specgan",
            modality="audio",
            role="critic",
            summary="strided convolutions of spectrograms of any size; labels, numbers and texts",
            config=SpecganCriticConfig,
            build="wganx_audio.networks.specgan:Critic",
        ),
        Architecture(
            name="wavegan",
            modality="audio",
            role="generator",
            summary="waveforms of any length from 64 samples on; labels, numbers and texts",
            config=WaveganGeneratorConfig,
            build="wganx_audio.networks.wavegan:Generator",
        ),
        Architecture(
            name="wavegan",
            modality="audio",
            role="critic",
            summary="strided convolutions of waveforms, with phase shuffle; labels, numbers and texts",
            config=WaveganCriticConfig,
            build="wganx_audio.networks.wavegan:Critic",
        ),
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "digits": "ten words of formant speech, each made on request, offline, in about eight minutes",
    }.items():
        yield Scenario(name=name, modality="audio", summary=summary, config=folder / f"{name}.yaml")
