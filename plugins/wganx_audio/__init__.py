"""Sounds: datasets of them, and networks that learn to make more, or to say the same in another voice.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wganx import Architecture, DataCard, Dataset, Modality, Scenario, Task, hookimpl
from wganx_audio.configs.datasets import (
    CORPORA,
    MENDS,
    SUFFIXES,
    CorpusConfig,
    FolderConfig,
    FormantSpeechConfig,
    TableConfig,
    WordsConfig,
)
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
    yield Dataset(
        name="formant-speech",
        modality="audio",
        summary="words of three made-up languages by six speakers in four emotions, made by formants",
        config=FormantSpeechConfig,
        open="wganx_audio.datasets.formant_speech.items:open_formant_speech",
        card=DataCard(source="rendered when opened, by the seed", licence="MIT", offline=True, size="2,000 words"),
    )
    for name, summary, config in (
        ("folder", "your own recordings, in a folder or a .zip archive of one", FolderConfig),
        ("table", "your own recordings, with labels and texts in a CSV or TSV file", TableConfig),
    ):
        yield Dataset(
            name=name,
            modality="audio",
            summary=summary,
            config=config,
            open=f"wganx_audio.datasets.{name}:open_{name}",
            fit=f"wganx_audio.datasets.{name}:fit_{name}",
            card=DataCard(source="your own files", licence="yours", offline=True),
            folder=name == "folder",
            suffixes=SUFFIXES,
            mends=MENDS,
            probe="wganx_audio.sound.probing:probe",
            listing="wganx_audio.datasets.table:list_table" if name == "table" else None,
        )
    for name, (place, summary, source, licence, size) in CORPORA.items():
        corpus = f"wganx_audio.datasets.corpora.{place}"
        yield Dataset(
            name=name,
            modality="audio",
            summary=summary,
            config=WordsConfig if place.startswith("words:") else CorpusConfig,
            open=f"{corpus}.open",
            fit=f"{corpus}.fit",
            listing=f"{corpus}.listing",
            card=DataCard(source=source, licence=licence, offline=False, size=size),
            suffixes=SUFFIXES,
            probe="wganx_audio.sound.probing:probe",
        )


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
        "digits": "ten words by six speakers, each made on request, in about eight minutes",
        "digits-tiny": "digits in seconds, for tests",
        "digits-gpu": "digits at full resolution, for a GPU",
        "wavegan": "ten words as waveforms, in about eight minutes",
        "wavegan-tiny": "wavegan in seconds, for tests",
        "wavegan-gpu": "wavegan at twice the length and the paper's size, for a GPU",
        "multilingual": "words by their spelling in three languages, by six speakers, in about eight minutes",
        "multilingual-tiny": "multilingual in seconds, for tests",
        "multilingual-gpu": "multilingual at full resolution, for a GPU",
        "emotion-generation": "ten words by six speakers in four emotions, in about eight minutes",
        "emotion-generation-tiny": "emotion-generation in seconds, for tests",
        "emotion-generation-gpu": "emotion-generation at full resolution, for a GPU",
    }.items():
        yield Scenario(name=name, modality="audio", summary=summary, config=folder / f"{name}.yaml")
