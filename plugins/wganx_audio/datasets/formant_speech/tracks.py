"""What an utterance does over time: its pitch, its amplitudes, the resonances of the mouth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx_audio.datasets.formant_speech.phonology import (
    EMOTIONS,
    LANGUAGES,
    LEVEL_DB,
    SPEAKERS,
    Emotion,
    Phone,
    Speaker,
    melody,
    phones,
)
from wganx_audio.datasets.formant_speech.utterances import CHANCES, Utterances

_LEAD = 0.02
"""Seconds of silence before the first phone, at least, and after the last."""
_SPREAD = 0.04
"""Seconds that the begin of a word may be later by chance."""
_TRANSITION = 0.04
"""Seconds in which formants and pitch pass from one phone to the next."""
_RAMP = 0.008
"""Seconds in which amplitudes do."""
_SHARE = {"pitch": 0.04, "range": 0.15, "rate": 0.08, "tremor": 0.01, "formant": 0.04}
"""By how much chance changes each."""
_LEVEL_DB = 1.0
_TREMOR_HZ = 5.0


@dataclass(frozen=True)
class Tracks:
    """What N utterances do, at ``L`` samples and at ``T`` frames.

    Attributes:
        pitch_NL: fundamental frequency in Hz, also where there is no voice.
        voice_NL, noise_NL: amplitudes of the voice and of noise that is made in the mouth.
        spoken_NL: whether the word is being said.
        formants_NT4: the resonances, in Hz.
        centre_NT, breadth_NT: of the noise's spectrum, in Hz.
        breath, tilt, level_db: ``(N,)``, see `Speaker`; the level is that of the whole word, in dB below full scale.
    """

    pitch_NL: Tensor
    voice_NL: Tensor
    noise_NL: Tensor
    spoken_NL: Tensor
    formants_NT4: Tensor
    centre_NT: Tensor
    breadth_NT: Tensor
    breath: Tensor
    tilt: Tensor
    level_db: Tensor


def track(utterances: Utterances, *, rate_hz: int, length: int, hop: int) -> Tracks:
    """The tracks of utterances that fit into `length` samples: where they would not, everybody speaks faster."""
    said, voices, moods = _said(), _values([*SPEAKERS.values()]), _values([*EMOTIONS.values()])
    word = utterances.language, utterances.word
    voice = {name: values[utterances.speaker] for name, values in voices.items()}
    mood = {name: values[utterances.emotion] for name, values in moods.items()}
    chance = utterances.chance

    rate = mood["rate"] * (1 + _SHARE["rate"] * chance("rate")) * _hurry(length / rate_hz)
    lasts_NS = said.seconds[word] / rate[:, None]
    room = (length / rate_hz - 2 * _LEAD - lasts_NS.sum(1)).clamp(0, _SPREAD)
    begin = _LEAD + room * (1 + chance("onset")) / 2
    ends_NS = begin[:, None] + lasts_NS.cumsum(1)

    at_L = torch.arange(length, dtype=torch.float64) / rate_hz
    phone_NL = _phone_at(at_L, ends_NS)
    spoken_NL = (at_L >= begin[:, None]) & (at_L < ends_NS[:, -1:])

    def amplitude(values_NS: Tensor) -> Tensor:
        return _smooth(values_NS.gather(1, phone_NL) * spoken_NL, round(_RAMP * rate_hz))

    frames_T = torch.arange(length // hop + 1, dtype=torch.float64) * hop / rate_hz
    phone_NT = _phone_at(frames_T, ends_NS)
    passing = round(_TRANSITION * rate_hz / hop)
    jitter_N4 = 1 + _SHARE["formant"] * utterances.chance_NK[:, CHANCES.index("first formant") :]
    formants_NS4 = said.formants[word] * (voice["tract"][:, None] * jitter_N4)[:, None]
    formants_N4T = formants_NS4.transpose(1, 2).gather(2, phone_NT[:, None].expand(-1, 4, -1))

    pitch = voice["pitch"] * mood["pitch"]
    return Tracks(
        pitch_NL=pitch[:, None] * _melody(utterances, mood["range"], at_L, begin, ends_NS),
        voice_NL=amplitude(said.voice[word]),
        noise_NL=amplitude(said.noise[word]),
        spoken_NL=spoken_NL,
        formants_NT4=_smooth(formants_N4T.flatten(0, 1), passing).view_as(formants_N4T).transpose(1, 2),
        centre_NT=said.centre[word].gather(1, phone_NT),
        breadth_NT=said.breadth[word].gather(1, phone_NT),
        breath=voice["breath"] * mood["breath"],
        tilt=voice["tilt"] + mood["tilt_db"],
        level_db=LEVEL_DB + mood["level_db"] + _LEVEL_DB * chance("level"),
    )


def _melody(utterances: Utterances, ranges: Tensor, at_L: Tensor, begin: Tensor, ends_NS: Tensor) -> Tensor:
    """What the pitch is multiplied by over the word, ``(N, L)``."""
    chance = utterances.chance
    knots_NK = _said().melody[utterances.language, utterances.word]
    place_NL = ((at_L - begin[:, None]) / (ends_NS[:, -1] - begin)[:, None]).clamp(0, 1) * (knots_NK.shape[1] - 1)
    left_NL = place_NL.long().clamp(max=knots_NK.shape[1] - 2)
    semitones_NL = torch.lerp(knots_NK.gather(1, left_NL), knots_NK.gather(1, left_NL + 1), place_NL - left_NL)
    ranged_NL = semitones_NL * (ranges * (1 + _SHARE["range"] * chance("range")))[:, None]
    tremor_NL = torch.sin(2 * math.pi * _TREMOR_HZ * at_L + math.pi * chance("tremor")[:, None])
    return (
        torch.exp2(ranged_NL / 12)
        * (1 + _SHARE["pitch"] * chance("pitch"))[:, None]
        * (1 + _SHARE["tremor"] * tremor_NL)
    )


def _phone_at(at_T: Tensor, ends_NS: Tensor) -> Tensor:
    """Which phone is said at each of the times ``(T,)``; the first before, and the last after the word."""
    found = torch.searchsorted(ends_NS, at_T.expand(len(ends_NS), -1).contiguous(), right=True)
    return found.clamp(max=ends_NS.shape[1] - 1)


def _smooth(values_NT: Tensor, width: int) -> Tensor:
    """The mean over `width` neighbours, so that steps become ramps of that length."""
    if width < 2:
        return values_NT
    padded = F.pad(values_NT[:, None], (width // 2, (width - 1) // 2), mode="replicate")
    return F.avg_pool1d(padded, width, stride=1)[:, 0]


def _hurry(seconds: float) -> float:
    """By how much everybody speaks faster, so that the longest word at the slowest rate fits into so many seconds."""
    slowest = min(emotion.rate for emotion in EMOTIONS.values()) * (1 - _SHARE["rate"])
    longest = float(_said().seconds.sum(-1).max()) / slowest
    return max(1.0, longest / (seconds - 2 * _LEAD))


@dataclass(frozen=True)
class _Said:
    """The phones of all words of all languages, padded with phones that last no time."""

    seconds: Tensor
    voice: Tensor
    noise: Tensor
    centre: Tensor
    breadth: Tensor
    formants: Tensor
    melody: Tensor


@cache
def _said() -> _Said:
    words = [[phones(language, word) for word in language.words] for language in LANGUAGES.values()]
    melodies = [[melody(language, word) for word in language.words] for language in LANGUAGES.values()]
    most = max(len(word) for language in words for word in language)

    def table(value: Callable[[Phone], object], padding: Callable[[Phone], object] | None = None) -> Tensor:
        rows = [
            [[*map(value, word), *[(padding or value)(word[-1])] * (most - len(word))] for word in language]
            for language in words
        ]
        return torch.tensor(rows, dtype=torch.float64)

    return _Said(
        seconds=table(lambda phone: phone.seconds, lambda phone: 0.0),
        voice=table(lambda phone: phone.voice),
        noise=table(lambda phone: phone.noise),
        centre=table(lambda phone: phone.centre),
        breadth=table(lambda phone: phone.breadth),
        formants=table(lambda phone: phone.formants),
        melody=torch.tensor(melodies, dtype=torch.float64),
    )


def _values(described: Sequence[Speaker] | Sequence[Emotion]) -> dict[str, Tensor]:
    """Each field of all speakers or emotions as a tensor, one value for each of them."""
    return {
        field.name: torch.tensor([getattr(one, field.name) for one in described], dtype=torch.float64)
        for field in fields(described[0])
    }
