"""From recordings of any length, rate and level to windows of one form, which is how sounds are stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import DataError, SampleFormat
from wganx_audio.sound.levels import SILENT_DB, Loudness, normalise
from wganx_audio.sound.reading import OpenSound, resample, to_channels

_FRAME = 0.01
_QUIET_DB = 40.0
_MARGIN = 0.02
_PIECE = 30.0
_TAIL = 0.05
"""A rest of a recording that is a smaller share of a window is left out."""
_FILTER = 64
"""Samples beside a window that its resampling looks at."""


def stored_sound(channels: int, length: int, rate_hz: int) -> SampleFormat:
    """The format of sounds as they are stored: int16."""
    return SampleFormat(
        axes=("channel", "time"),
        shape=(channels, length),
        value_range=(-32768.0, 32767.0),
        rate_hz=float(rate_hz),
    )


@dataclass(frozen=True)
class Form:
    """What all items are brought to.

    Attributes:
        rate: samples a second.
        channels: how many.
        length: samples of a window.
        hop: samples from one window to the next.
        first: take no more than the first window of a recording.
        whole: take no recording that is longer than a window.
        share: which part of a recording is used, from and to as shares of its length.
        skip_silence: leave out silence at both ends, and windows in which nothing is heard.
        loudness, level_db: what each window is brought to: see `normalise`.
    """

    rate: int
    channels: int
    length: int
    hop: int
    first: bool = False
    whole: bool = False
    share: tuple[float, float] = (0.0, 1.0)
    skip_silence: bool = False
    loudness: Loudness = "rms"
    level_db: float = -20.0


@dataclass(frozen=True)
class Texts:
    """What is said in the recordings.

    Attributes:
        alphabet: the symbols of all texts.
        length: of the longest one.
        said: the text of each recording, by its path.
    """

    alphabet: tuple[str, ...]
    length: int
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def format(self) -> SampleFormat:
        return SampleFormat.text(self.alphabet, self.length)


def count_windows(source: BinaryIO, path: str, form: Form) -> int:
    """How many windows a recording has, at least one; its header is read, and all of it only to find silence.

    Raises:
        DataError: it cannot be read, nothing is heard in it, or it is to be whole and is too long.
    """
    with closing(OpenSound(source, path)) as sound:
        return len(_begins(sound, source, path, form))


def read_window(source: BinaryIO, path: str, window: int, form: Form, texts: Texts | None = None) -> dict[str, Tensor]:
    """A window of a recording in that form: ``{"sample": int16 (C, length)}``; a short one is followed by silence.

    Raises:
        DataError: it cannot be read.
        ValueError: its text has a symbol that is not in the alphabet.
    """
    with closing(OpenSound(source, path)) as sound:
        piece_CL = _piece(sound, _begins(sound, source, path, form)[window], form)
    sound_CL = normalise(piece_CL, form.rate, form.loudness, form.level_db)
    padded_CL = F.pad(sound_CL, (0, form.length - sound_CL.shape[1]))
    item = {"sample": (padded_CL.clamp(-1, 1) * 32767).round().to(torch.int16)}
    if texts is not None:
        item["text"] = torch.tensor(texts.format.tokens(texts.said[path]))
    return item


def _piece(sound: OpenSound, begin: int, form: Form) -> Tensor:
    """Up to a window from sample `begin` on, counted at the form's rate: ``(C, at most length)``."""
    rate = sound.header.rate
    # Whole steps of both rates, so that what is cut off after resampling is exactly what was read too much.
    step = rate // math.gcd(rate, form.rate)
    beside = 0 if rate == form.rate else math.ceil(_FILTER * max(1.0, rate / form.rate) / step) * step
    start = round(begin * rate / form.rate)
    early = min(beside, start // step * step)
    wanted = math.ceil(form.length * rate / form.rate)
    mixed_CL = to_channels(sound.read(start - early, early + wanted + beside), form.channels)
    skipped = early * form.rate // rate
    return resample(mixed_CL, rate, form.rate)[:, skipped : skipped + form.length]


def _begins(sound: OpenSound, source: BinaryIO, path: str, form: Form) -> Sequence[int]:
    """Where the windows of a recording begin, in samples at the form's rate."""
    if form.skip_silence:
        key = (getattr(source, "name", None), path, sound.header, form)
        if (known := _heard.get(key)) is None:
            known = _heard_windows(sound, path, form)
            if len(_heard) < _MOST_HEARD:
                _heard[key] = known
        return known
    known_length = math.ceil(sound.header.frames * form.rate / sound.header.rate)
    return _evenly(*_used(known_length, form), form, path)


_heard: dict[tuple[object, ...], Sequence[int]] = {}
"""Where the windows of recordings begin that were listened to by this process."""
_MOST_HEARD = 100_000


def _used(length: int, form: Form) -> tuple[int, int]:
    """The begin and the end of the part of a recording that is used."""
    begin, end = form.share
    return round(begin * length), round(end * length)


class _Evenly(Sequence[int]):
    """Numbers a step apart, of which none passes the last."""

    def __init__(self, steps: range, last: int) -> None:
        self._steps, self._last = steps, last

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: Any) -> Any:
        return min(self._steps[index], self._last)


def _evenly(first: int, end: int, form: Form, path: str) -> Sequence[int]:
    """Windows a hop apart between two samples; the last one ends where the recording does."""
    beyond = end - first - form.length
    if form.whole and beyond > 0:
        raise DataError(
            f"{path} lasts {(end - first) / form.rate:.2f} s and a window {form.length / form.rate:.2f} s, and its "
            "text belongs to all of it; set dataset.length"
        )
    if beyond <= 0 or form.first:
        return (first,)
    hops = math.ceil(max(0.0, beyond - _TAIL * form.length) / form.hop)
    return _Evenly(range(first, first + hops * form.hop + 1, form.hop), end - form.length)


def _heard_windows(sound: OpenSound, path: str, form: Form) -> Sequence[int]:
    """As `_evenly`, from the first sound to the last, without windows in which nothing is heard.

    Raises:
        DataError: nothing is heard in all of it, or in the part that is used.
    """
    loud_T, frame = _loud_frames(sound)
    (heard,) = loud_T.nonzero(as_tuple=True)
    if not len(heard):
        raise DataError(f"{path} is silent; leave it out")
    to_samples = frame * form.rate
    margin = round(_MARGIN * form.rate)
    begin, end = _used(round(len(loud_T) * to_samples), form)
    first = max(begin, round(int(heard[0]) * to_samples) - margin)
    last = min(end, round((int(heard[-1]) + 1) * to_samples) + margin)
    before_T = F.pad(loud_T.long().cumsum(0), (1, 0))

    def is_heard(begin: int) -> bool:
        left, right = (min(round(at / to_samples), len(loud_T)) for at in (begin, begin + form.length))
        return bool(before_T[right] > before_T[left])

    windows = tuple(begin for begin in _evenly(first, last, form, path) if is_heard(begin)) if first < last else ()
    if not windows:
        raise DataError(f"{path} is silent in the part of it that is used; set dataset.silence=keep")
    return windows


def _loud_frames(sound: OpenSound) -> tuple[Tensor, float]:
    """Which frames of a recording are less than 40 dB softer than its loudest, and how many seconds each lasts."""
    frame = max(1, round(_FRAME * sound.header.rate))
    # One array for all, since many small ones between large pieces would keep these from being given back.
    power_T = torch.empty(math.ceil(sound.header.frames / frame))
    for place in range(0, len(power_T), together := round(_PIECE / _FRAME)):
        power_L = sound.read(place * frame, together * frame).square().mean(0)
        filled_L = F.pad(power_L, (0, -len(power_L) % frame))
        power_T[place : place + together] = filled_L.view(-1, frame).mean(1)
    loudest = float(power_T.max())
    if loudest <= 10 ** (SILENT_DB / 10):
        return torch.zeros_like(power_T, dtype=torch.bool), frame / sound.header.rate
    return power_T >= loudest * 10 ** (-_QUIET_DB / 10), frame / sound.header.rate
