"""Sounds: datasets of them, and networks that learn to make more, or to say the same in another voice.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable

from wganx import DataCard, Dataset, Modality, hookimpl
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
