"""Sounds: datasets of them, and networks that learn to make more, or to say the same in another voice.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable

from wganx import DataCard, Dataset, Modality, hookimpl
from wganx_audio.configs.datasets import FormantSpeechConfig

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
