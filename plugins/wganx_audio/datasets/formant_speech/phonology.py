"""What formant speech is made of: phones, languages and their words, speakers, emotions. Plain data; no torch.

The vowels' formants are near the averages of men that Peterson and Barney ("Control methods used in a study of the
vowels", 1952) measured; all else is made up, so that every factor can be told from a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Word = Literal["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SpeakerName = Literal["anna", "boris", "clara", "david", "elif", "farid"]
EmotionName = Literal["neutral", "happy", "angry", "sad"]
LanguageName = Literal["open", "closed", "tonal"]

Formants = tuple[float, float, float, float]

BANDWIDTHS: Formants = (80.0, 100.0, 140.0, 200.0)
"""Of the four resonances, in Hz."""

LEVEL_DB = -24.0
"""Root mean square of an utterance said in a neutral voice, in dB below full scale."""


@dataclass(frozen=True)
class Phone:
    """A stretch of speech.

    Attributes:
        formants: resonances of a vocal tract of length 1, in Hz; where it has no voice, where its neighbours' lead to.
        seconds: how long it lasts at rate 1.
        voice: amplitude of the voice, 0 to 1.
        noise: amplitude of a noise that is made in the mouth, whose spectrum is a bump of half-width `breadth` around
            `centre`, both in Hz.
    """

    formants: Formants
    seconds: float
    voice: float = 0.0
    noise: float = 0.0
    centre: float = 2000.0
    breadth: float = 1000.0


VOWELS: Mapping[str, Phone] = {
    "i": Phone((270, 2290, 3010, 3500), 0.13, voice=1.0),
    "e": Phone((530, 1840, 2480, 3500), 0.13, voice=1.0),
    "a": Phone((730, 1090, 2440, 3500), 0.13, voice=1.0),
    "o": Phone((570, 840, 2410, 3500), 0.13, voice=1.0),
    "u": Phone((300, 870, 2240, 3500), 0.13, voice=1.0),
}
FRONT = frozenset("ie")

_LIPS, _TEETH, _PALATE = (300, 900, 2200, 3400), (300, 1700, 2600, 3500), (300, 2000, 2300, 3500)
CONSONANTS: Mapping[str, tuple[Phone, ...]] = {
    "p": (Phone(_LIPS, 0.05), Phone(_LIPS, 0.02, noise=1.0, centre=800, breadth=500)),
    "t": (Phone(_TEETH, 0.05), Phone(_TEETH, 0.02, noise=1.0, centre=3000, breadth=800)),
    "k": (Phone(_PALATE, 0.05), Phone(_PALATE, 0.02, noise=1.0, centre=1800, breadth=500)),
    "s": (Phone(_TEETH, 0.08, noise=0.6, centre=3800, breadth=1300),),
    "m": (Phone((250, 1000, 2200, 3300), 0.065, voice=0.5),),
    "n": (Phone((250, 1500, 2400, 3300), 0.065, voice=0.5),),
    "l": (Phone((360, 1100, 2600, 3500), 0.055, voice=0.7),),
    "w": (Phone((300, 650, 2300, 3400), 0.055, voice=0.7),),
}
"""A stop is closed first, and then bursts."""

Melody = tuple[float, float, float, float, float]
"""Pitch in semitones at the begin, the quarters and the end of a word."""

TONES: Mapping[str, Melody] = {
    "1": (0, 0, 0, 0, 0),
    "2": (-4, -3, 0, 3, 4),
    "3": (2, -3, -5, -3, 2),
    "4": (4, 3, 0, -3, -4),
}
"""Level, rising, dipping, falling."""


@dataclass(frozen=True)
class Language:
    """How the ten words are said.

    Attributes:
        words: spelled by phones; a digit at the end is the word's tone.
        melody: of the words that have no tone.
        first, second: length and strength of the vowels of the first and of the other syllables.
        rounding: what the second formant of front vowels is multiplied by.
    """

    words: tuple[str, ...]
    melody: Melody
    first: float = 1.0
    second: float = 1.0
    rounding: float = 1.0


WORDS: tuple[Word, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""What the words of all languages mean."""

LANGUAGES: Mapping[LanguageName, Language] = {
    "open": Language(
        ("mano", "pita", "keso", "luna", "tiku", "sami", "wela", "nopi", "koti", "pelu"),
        (2, 3, 0, -2, -4),
        first=1.3,
        second=0.75,
    ),
    "closed": Language(
        ("limen", "tasun", "kopis", "nuten", "pekas", "wolin", "satos", "mikun", "lepan", "tunis"),
        (0, -1, -2, 1, 4),
        rounding=0.85,
    ),
    "tonal": Language(
        ("maku1", "tali2", "kiwa3", "nupi4", "sula1", "wima2", "lanu3", "pusi4", "kami1", "tiwu2"), TONES["1"]
    ),
}
"""Open syllables, stress on the first and a falling melody; closed syllables, rounded front vowels and a final rise;
words that are told apart by tones too."""


@dataclass(frozen=True)
class Speaker:
    """A voice.

    Attributes:
        tract: what all formants are multiplied by; short vocal tracts have high ones.
        pitch: fundamental frequency in a neutral voice, in Hz.
        breath: amplitude of the noise of breathing, of that of the voice.
        tilt: how much softer the voice is an octave higher, in dB.
    """

    tract: float
    pitch: float
    breath: float
    tilt: float


SPEAKERS: Mapping[SpeakerName, Speaker] = {
    "anna": Speaker(1.13, 205, 0.02, 9.0),
    "boris": Speaker(0.88, 95, 0.005, 7.5),
    "clara": Speaker(1.20, 230, 0.03, 11.0),
    "david": Speaker(0.94, 120, 0.04, 12.0),
    "elif": Speaker(1.06, 175, 0.005, 6.0),
    "farid": Speaker(1.00, 145, 0.01, 8.0),
}


@dataclass(frozen=True)
class Emotion:
    """How a voice is changed: factors of its pitch, of the melody's range, of the rate and of the breath, and dB."""

    pitch: float = 1.0
    range: float = 1.0
    rate: float = 1.0
    breath: float = 1.0
    level_db: float = 0.0
    tilt_db: float = 0.0


EMOTIONS: Mapping[EmotionName, Emotion] = {
    "neutral": Emotion(),
    "happy": Emotion(pitch=1.25, range=2.0, rate=1.15),
    "angry": Emotion(pitch=1.2, rate=1.2, level_db=6.0, tilt_db=-4.0),
    "sad": Emotion(pitch=0.88, range=0.4, rate=0.8, breath=2.0),
}

Pairs = Mapping[tuple[str, str], frozenset[tuple[str, str]]]
"""Pairs of labels by the names of the two."""

HELD_OUT: Pairs = {
    ("speaker", "language"): frozenset({("anna", "closed"), ("david", "tonal"), ("farid", "open")}),
    ("speaker", "emotion"): frozenset({("boris", "happy"), ("clara", "angry"), ("elif", "sad")}),
}
"""Pairs of labels that are never said in training, unless asked for."""


def phones(language: Language, word: str) -> list[Phone]:
    """The phones of a word as that language says it, with its stress."""
    found: list[Phone] = []
    syllable = 0
    for letter in word.rstrip("1234"):
        if (vowel := VOWELS.get(letter)) is None:
            found.extend(CONSONANTS[letter])
            continue
        weight = language.second if syllable else language.first
        syllable += 1
        f1, f2, f3, f4 = vowel.formants
        rounded = f2 * language.rounding if letter in FRONT else f2
        found.append(Phone((f1, rounded, f3, f4), vowel.seconds * weight, voice=min(1.0, vowel.voice * weight)))
    return found


def melody(language: Language, word: str) -> Melody:
    """The pitch of a word as that language says it."""
    return TONES.get(word[-1], language.melody)
