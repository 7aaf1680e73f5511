"""The settings of the datasets; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from wganx import Config
from wganx_audio.datasets.formant_speech.phonology import (
    EMOTIONS,
    LANGUAGES,
    SPEAKERS,
    WORDS,
    EmotionName,
    LanguageName,
    SpeakerName,
    Word,
)


class FormantSpeechConfig(Config):
    """Ten words in three made-up languages, by six speakers in four emotions. What is one is no label.

    Some speakers never speak some language or in some emotion in training, and do among the held-out items, so that
    what was learnt of each can be tried together.
    """

    count: int = Field(2000, ge=2, le=10_000_000, description="items to learn from; a quarter more are held out")
    rate: int = Field(8000, ge=8000, le=48000, description="samples a second")
    length: int = Field(8192, ge=2048, le=1_048_576, description="samples of an item; short ones are spoken faster")
    words: tuple[Word, ...] = Field(WORDS, min_length=1)
    speakers: tuple[SpeakerName, ...] = Field(tuple(SPEAKERS), min_length=1)
    emotions: tuple[EmotionName, ...] = Field(tuple(EMOTIONS), min_length=1)
    languages: tuple[LanguageName, ...] = Field(tuple(LANGUAGES), min_length=1)
    held_out_pairs: bool = Field(True, description="keep some pairs of labels out of training")
    text: bool = Field(False, description="give the spelling of the word, too")

    @field_validator("words", "speakers", "emotions", "languages")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("each is to be named once")
        return values


SUFFIXES = (".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".w64", ".wav", ".wave")
"""Endings of the sounds a folder is searched for."""

MENDS = dict.fromkeys(
    (".aac", ".amr", ".m4a", ".m4b", ".mka", ".mp2", ".mp4", ".webm", ".wma"), "convert them to WAV or FLAC"
)
"""What would make sounds of other endings readable."""


class SoundsConfig(Config):
    """What recordings of any length, rate and level are brought to."""

    rate: Literal["auto"] | Annotated[int, Field(ge=1000, le=192_000)] = Field(
        "auto", description="samples a second; auto: what most recordings have, and at most 16,000"
    )
    channels: Literal[1, 2] = Field(1, description="1 for mono, 2 for stereo")
    length: Literal["auto"] | Annotated[int, Field(ge=64)] = Field(
        "auto",
        description="samples of an item; auto: the power of two that holds 95 % of the recordings, or about a second "
        "of long ones",
    )
    overlap: float = Field(0.0, ge=0, le=0.95, description="share of a window that the next one has, too")
    windows: Literal["all", "first"] = Field("all", description="of recordings longer than a window")
    silence: Literal["keep", "skip"] = Field(
        "keep", description="skip: leave out silence at both ends, and windows in which nothing is heard"
    )
    loudness: Literal["rms", "lufs", "peak", "none"] = Field("rms", description="what is meant by level")
    level_db: float = Field(-20.0, ge=-80, le=0, description="what every window is brought to, below the full scale")


class FolderConfig(SoundsConfig):
    """Recordings below `root`. Folders, if there are any, become classes: one level of them, or several by name."""

    root: Path = Field(description="a folder of recordings, or a .zip archive of one")
    levels: tuple[str, ...] = Field(
        ("label",), min_length=1, description="what the folders are, from the top: [speaker, emotion]"
    )
    split: str = Field(
        "auto", description="auto: folders train and test, or a tenth; the name of a level: held-out classes are new"
    )


class TableConfig(SoundsConfig):
    """Recordings that a table lists: a column `path`, and others for labels, `text` and `split`."""

    root: Path = Field(description="a .csv or .tsv file; paths are relative to its folder")
    labels: tuple[str, ...] = Field((), description="columns that are labels; all but path, text and split by default")
    split: str = Field("auto", description="auto: the column split, or a tenth; file; or the name of a label")
    text: bool = Field(False, description="give the texts, too")


class CorpusConfig(SoundsConfig):
    """A corpus as it is published and unpacked."""

    root: Path = Field(Path("data"), description="the corpus's own folder, or the one that holds it")
    split: str = Field("auto", description="auto: as published, or a tenth; file; or the name of a label")
    only: dict[str, tuple[str, ...]] = Field({}, description="classes to keep, by label: {speaker: [p225, p226]}")
    text: bool = Field(False, description="give what is said, too")


class WordsConfig(CorpusConfig):
    """A corpus of single words, each recording of which is one item."""

    windows: Literal["all", "first"] = Field("first", description="of recordings longer than a window")


CORPORA = {
    "fsdd": (
        "words:FSDD", "spoken digits by six speakers, 8 kHz",
        "Free Spoken Digit Dataset (Jackson et al.)", "CC BY-SA 4.0", "3,000 digits",
    ),
    "speech-commands": (
        "words:SPEECH_COMMANDS", "35 spoken words by 2,618 speakers, 16 kHz",
        "Speech Commands, version 2 (Warden 2018)", "CC BY 4.0", "105,829 words",
    ),
    "sc09": (
        "words:SC09", "the ten digits of Speech Commands, 16 kHz",
        "Speech Commands, version 2 (Warden 2018)", "CC BY 4.0", "38,908 digits",
    ),
    "vctk": (
        "reading:VCTK", "sentences read by 110 speakers of English, 48 kHz; the first microphone",
        "VCTK Corpus, version 0.92 (Yamagishi, Veaux and MacDonald 2019)", "CC BY 4.0", "44 hours",
    ),
    "ljspeech": (
        "reading:LJSPEECH", "passages of books read by one speaker, 22 kHz",
        "The LJ Speech Dataset (Ito and Johnson 2017)", "public domain", "13,100 passages, 24 hours",
    ),
    "libritts": (
        "reading:LIBRITTS", "sentences of audio books by 2,456 speakers of English, 24 kHz",
        "LibriTTS (Zen et al. 2019)", "CC BY 4.0", "585 hours",
    ),
    "cmu-arctic": (
        "reading:CMU_ARCTIC", "the same 1,132 sentences by several speakers of English, 16 kHz",
        "CMU ARCTIC databases (Kominek and Black 2004)", "free for any use, with the notice kept",
        "about an hour a speaker",
    ),
    "common-voice": (
        "languages:COMMON_VOICE", "sentences in more than a hundred languages, by volunteers",
        "Mozilla Common Voice (Ardila et al. 2020)", "CC0 1.0", "a few to thousands of hours a language",
    ),
    "mls": (
        "languages:MLS", "audio books in eight languages, 16 kHz",
        "Multilingual LibriSpeech (Pratap et al. 2020)", "CC BY 4.0", "50,000 hours",
    ),
    "css10": (
        "languages:CSS10", "audio books in ten languages by one speaker each, 22 kHz",
        "CSS10 (Park and Mulc 2019)", "Apache 2.0; the recordings are public domain", "4 to 24 hours a language",
    ),
    "esd": (
        "emotions:ESD", "350 sentences by ten speakers of English and ten of Mandarin in five emotions, 16 kHz",
        "Emotional Speech Database (Zhou, Sisman, Liu and Li 2021)", "for research, on request",
        "35,000 sentences, 29 hours",
    ),
    "ravdess": (
        "emotions:RAVDESS", "two sentences by 24 actors in eight emotions, spoken and sung, 48 kHz",
        "RAVDESS (Livingstone and Russo 2018)", "CC BY-NC-SA 4.0", "2,452 recordings",
    ),
    "crema-d": (
        "emotions:CREMA_D", "twelve sentences by 91 actors in six emotions, 16 kHz",
        "CREMA-D (Cao et al. 2014)", "ODbL 1.0", "7,442 recordings",
    ),
    "emodb": (
        "emotions:EMODB", "ten German sentences by ten actors in seven emotions, 16 kHz",
        "Berlin Database of Emotional Speech (Burkhardt et al. 2005)", "free for research", "535 recordings",
    ),
    "iemocap": (
        "emotions:IEMOCAP", "dialogues of ten actors, 16 kHz; what listeners agreed on as emotion",
        "IEMOCAP (Busso et al. 2008)", "for research, on request", "12 hours",
    ),
}  # fmt: skip
"""Corpora by name: where they are stated, what they are, their source, licence and size."""
