"""Recordings of any rate, length, level and number of channels through a converter, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import Make, Sink, Source, UsageError
from wganx_audio.representations import Representation
from wganx_audio.sound.reading import resample, to_channels

FULL_SCALE = 32768.0

_AT_ONCE = 8
"""Windows that go through the generator together."""
_FRAME_SECONDS = 0.025
_ACTIVE_DB = 30.0
_SILENT_DB = -80.0
_MOST_GAIN_DB = 60.0
_ZERO_CROSSINGS = 16
"""How far the resampling's filter reaches at most, in samples of the lower rate, with some to spare."""


def convert_file(source: Source, make: Make, sink: Sink, representation: Representation, level_db: float) -> None:
    """Send a recording through a converter in windows that overlap by half, and fade from each into the next.

    It is brought to the training's rate and level, and what comes out to the recording's own, and to its length.
    Phases are the source's. Channels are converted one by one, unless the training heard as many together.

    Args:
        level_db: of the training's sounds, as `active_level_db` measures it.

    Raises:
        UsageError: the training's sounds have several channels, and the recording has another number above two.
    """
    channels = source.format.shape[0] or 1
    rate, own = round(source.format.rate_hz or 1), round(representation.rate_hz)
    trained = representation.format.shape[0] or 1
    if trained > 1 and channels > 2 and channels != trained:
        raise UsageError(f"this converter knows sounds of {trained} channels, and this one has {channels}; mix it down")
    level = _file_level_db(source, rate)
    gain = 1.0 if level is None else 10 ** (min(level_db - level, _MOST_GAIN_DB) / 20)
    down, up = Resampling(rate, own), Resampling(own, rate)
    left = source.length

    def put(made_CL: Tensor) -> None:
        nonlocal left
        kept = made_CL[:, :left] / gain
        left -= kept.shape[1]
        if kept.shape[1]:
            sink.write(_as_stored(kept, channels))

    def heard() -> Iterator[Tensor]:
        for sound_CL in _pieces(source, rate):
            sound_CL = sound_CL.float() / FULL_SCALE * gain
            yield down.push(to_channels(sound_CL, trained) if trained > 1 else sound_CL)
        yield down.end()

    for made_CL in _faded(heard(), make, representation, trained):
        put(up.push(made_CL))
    put(up.end())
    if left:  # rounding of rates may leave a sample or two
        put(torch.zeros(trained if trained > 1 else channels, left))


def active_level_db(sound_CL: Tensor, rate: int) -> float | None:
    """Root mean square in dB of the full scale, of the frames of 25 ms that are no more than 30 dB below the loudest;
    None for silence.

    Silence before, between and after what is said does not count, so that a long recording and a short clip of the
    same voice have the same level.
    """
    return _level_of(_frame_powers(sound_CL, rate))


class Resampling:
    """Another rate for a sound that comes in pieces; the pieces together are what the whole would become."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = math.gcd(from_hz, to_hz)
        self.from_hz, self.to_hz = from_hz, to_hz
        self._step, self._made_by_step = from_hz // common, to_hz // common
        reach = _ZERO_CROSSINGS * max(1.0, from_hz / to_hz)
        self._margin = math.ceil(reach / self._step) * self._step
        self._waiting: Tensor | None = None
        self._before = 0  # samples of `_waiting` that only what follows needs

    def push(self, sound_CL: Tensor) -> Tensor:
        """What of the sound so far can be made of it now."""
        if self._step == self._made_by_step:
            return sound_CL
        held = sound_CL if self._waiting is None else torch.cat([self._waiting, sound_CL], 1)
        ready = (held.shape[1] - self._before - self._margin) // self._step * self._step
        if ready <= 0:
            self._waiting = held
            return sound_CL[:, :0]
        made = self._make(held[:, : self._before + ready + self._margin], ready)
        drop = max(self._before + ready - self._margin, 0)
        self._waiting, self._before = held[:, drop:], self._before + ready - drop
        return made

    def end(self) -> Tensor:
        """What is left."""
        if self._waiting is None:
            return torch.zeros(1, 0)
        held, self._waiting = self._waiting, None
        return self._make(held, held.shape[1] - self._before)

    def _make(self, held_CL: Tensor, count: int) -> Tensor:
        made = resample(held_CL, self.from_hz, self.to_hz)
        start = self._before // self._step * self._made_by_step
        return made[:, start : start + math.ceil(count * self._made_by_step / self._step)]


def _faded(heard: Iterator[Tensor], make: Make, representation: Representation, trained: int) -> Iterator[Tensor]:
    """The converted sound, half a window at a time: ``(C, L)`` in, ``(C, L)`` out, of the same length."""
    length = _window(representation)
    half = length // 2
    fade_L = torch.linspace(0, 1, half + 2)[1:-1]
    tail: Tensor | None = None
    for windows_KCL, given in _windows(heard, length, half):
        count, channels = windows_KCL.shape[:2]
        rows = windows_KCL if trained > 1 else windows_KCL.flatten(0, 1)[:, None]
        samples = make({"source": representation.encode(rows)}).float().cpu()
        made = representation.decode(samples, phase_of=rows)[..., :length]
        # Nothing is said in a window that holds nothing, whatever a generator makes of it.
        heard_N = rows.square().mean((1, 2)) > 10 ** (_SILENT_DB / 10)
        made = torch.where(heard_N[:, None, None], made, rows).reshape(count, channels, length)
        for number in range(count):
            head = made[number, :, :half]
            if tail is not None:
                head = tail * (1 - fade_L) + head * fade_L
            tail = made[number, :, half:]
            yield head[:, : given[number]]


def _windows(heard: Iterator[Tensor], length: int, half: int) -> Iterator[tuple[Tensor, list[int]]]:
    """Windows ``(K, C, length)`` half a window apart, silence behind the end, and how much of the first half of each
    is sound."""
    held: Tensor | None = None
    for piece in heard:
        if piece.shape[1]:
            held = piece if held is None else torch.cat([held, piece], 1)
        while held is not None and held.shape[1] >= length + (_AT_ONCE - 1) * half:
            yield torch.stack([held[:, k * half : k * half + length] for k in range(_AT_ONCE)]), [half] * _AT_ONCE
            held = held[:, _AT_ONCE * half :]
    while held is not None and held.shape[1]:
        count = min(math.ceil(held.shape[1] / half), _AT_ONCE)
        padded = F.pad(held, (0, max((count - 1) * half + length - held.shape[1], 0)))
        given = [min(held.shape[1] - k * half, half) for k in range(count)]
        yield torch.stack([padded[:, k * half : k * half + length] for k in range(count)]), given
        held = held[:, count * half :]


def _window(representation: Representation) -> int:
    """Samples of a window: as many as the training's sounds have, in an even number of hops."""
    hop, frames = int(str(representation.format.signal["hop"])), representation.format.shape[2]
    return (frames or 64) // 2 * 2 * hop


def _pieces(source: Source, rate: int) -> Iterator[Tensor]:
    for start in range(0, source.length, rate):
        yield source.read(start, rate)


def _file_level_db(source: Source, rate: int) -> float | None:
    powers = [_frame_powers(sound_CL.float() / FULL_SCALE, rate) for sound_CL in _pieces(source, rate)]
    return _level_of(torch.cat(powers)) if powers else None


def _frame_powers(sound_CL: Tensor, rate: int) -> Tensor:
    """Mean power of every frame about its mean, of the channels together, so that a recorder's constant offset is no
    loudness; what is left over at the end is a frame of its own."""
    frames = torch.split(sound_CL.double(), max(round(_FRAME_SECONDS * rate), 1), 1)
    return torch.stack([(frame_CL - frame_CL.mean(1, keepdim=True)).square().mean() for frame_CL in frames])


def _level_of(powers_K: Tensor) -> float | None:
    loudest = float(powers_K.max())
    if not loudest > 10 ** (_SILENT_DB / 10):  # nor where there is nothing, whose mean is no number
        return None
    active = powers_K[powers_K >= loudest * 10 ** (-_ACTIVE_DB / 10)]
    return 10 * math.log10(float(active.mean()))


def _as_stored(sound_CL: Tensor, channels: int) -> Tensor:
    if sound_CL.shape[0] != channels:
        sound_CL = sound_CL.mean(0, keepdim=True).expand(channels, -1)
    return (sound_CL * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1)
