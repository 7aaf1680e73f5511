"""The settings of the datasets; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

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

    count: int = Field(2000, ge=2, description="items to learn from; a quarter more are held out")
    rate: int = Field(8000, ge=8000, le=48000, description="samples a second")
    length: int = Field(8192, ge=2048, description="samples of an item; short ones are spoken faster")
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
