"""Sound files, whole or a piece of one, as floating-point tensors."""

from __future__ import annotations

import io
import math
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx import DataError
from wganx_audio.sound.quiet import Quiet, quiet

CANCELLED = 0.1
"""Share of the channels' power below which their average is no fair picture of them."""

_AGAIN = "copy it again, or leave it out"
_LARGEST_KERNEL = 5_000_000
_A_BYTE = 10_000
"""Samples that a byte stands for at the most: silence as FLAC has 65,535 in some ten bytes."""
_MANY = 2**30
"""Samples up to which a file is believed."""
_UNTOLD = 2**62
"""What libsndfile says of a length that nobody noted."""
_ENDLESS = 2**32 - 2**16  # what writers to a pipe note as the length of their data
_SLACK = 0.05
_AT_ONCE = 2**20
_RATES = range(50, 1_000_001)  # those of seismographs and of bat detectors
_CUT = re.compile(r"^\s*(?:data|SSND|Data Size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_CUT_LARGE = re.compile(r"does not match value from 'ds64' chunk of (\d+)")


@dataclass(frozen=True, slots=True)
class Header:
    """What a sound file says of itself.

    Attributes:
        frames: samples of each channel; of MP3 files an estimate.
        rate: samples a second.
        channels: how many there are.
        container: WAV, FLAC, OGG, MP3, AIFF, ...
        subtype: how samples are stored: PCM_16, FLOAT, ULAW, VORBIS, ...
    """

    frames: int
    rate: int
    channels: int
    container: str
    subtype: str

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


class OpenSound:
    """A sound file that stays open, to be read piece by piece.

    Attributes:
        header: what it says of itself.
    """

    def __init__(self, source: BinaryIO | Path, path: str) -> None:
        """
        Args:
            source: the file, or its content opened and seekable.
            path: what it is called in messages.

        Raises:
            DataError: this is no sound, it is empty, or it is cut short.
        """
        self._path, self._at = path, 0
        self._source = quiet(source)
        try:
            self._file = soundfile.SoundFile(self._source)
        except soundfile.LibsndfileError as error:
            raise DataError(f"{path} is no readable sound: {_what_it_is(source, error)}") from error
        except (RuntimeError, ValueError, TypeError, OSError) as error:
            raise DataError(f"{path} is no readable sound: {' '.join(str(error).split())}") from error
        try:
            self._check_source()
            self.header = _header(self._file, path)
            if _MANY < self.header.frames < _UNTOLD:
                _check_length(self.header, source, path)
        except DataError:
            self.close()
            raise

    def read(self, start: int = 0, count: int | None = None) -> Tensor:
        """`count` samples of each channel from `start` on, fewer at the end: float32 ``(C, count)``.

        Raises:
            DataError: it is damaged or cut short before the end of the piece, or holds values that are no numbers.
        """
        known = self.header
        wanted = max(min(known.frames - start, known.frames if count is None else count), 0)
        if not wanted:
            return torch.zeros(known.channels, 0)
        try:
            if start != self._at:  # seeking in what is compressed takes its time, and of some kinds cannot be done
                self._file.seek(start)
            values_LC = self._values(wanted)
        except soundfile.LibsndfileError as error:
            if not self._file.seekable():
                raise DataError(
                    f"{self._path} is {known.subtype}, which can only be read from its begin; convert it to WAV or FLAC"
                ) from error
            raise DataError(f"{self._path} is damaged: {_reason(error)}; {_AGAIN}") from error
        self._check_source()
        self._at = there = start + len(values_LC)
        if missing := wanted - len(values_LC):
            if known.frames - there > max(_SLACK * known.rate, _SLACK * known.frames):
                raise DataError(
                    f"{self._path} is cut short: it ends after {there:,} of {known.frames:,} samples; {_AGAIN}"
                )
            values_LC = np.pad(values_LC, ((0, missing), (0, 0)))
        if not np.isfinite(values_LC).all():
            raise DataError(f"{self._path} holds values that are no numbers; write it anew, or leave it out")
        return torch.from_numpy(np.ascontiguousarray(values_LC.T))

    def _values(self, wanted: int) -> NDArray[np.float32]:
        """As many as there are of `wanted`: a damaged header promises more than memory holds."""
        parts: list[NDArray[np.float32]] = []
        while wanted and (not parts or len(parts[-1]) == _AT_ONCE):
            parts.append(self._file.read(min(wanted, _AT_ONCE), dtype="float32", always_2d=True))
            wanted -= len(parts[-1])
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _check_source(self) -> None:
        if isinstance(self._source, Quiet) and self._source.failure is not None:
            told = " ".join(str(self._source.failure).split())
            raise DataError(f"{self._path} cannot be read: {told}; {_AGAIN}") from self._source.failure

    def close(self) -> None:
        self._file.close()
        if isinstance(self._source, Quiet):
            self._source.close()


def header(source: BinaryIO | Path, path: str) -> Header:
    """Reads no more of a file than says what is in it.

    Args:
        source: the file, or its content opened and seekable.
        path: what it is called in messages.

    Raises:
        DataError: this is no sound, it is empty, or it is cut short.
    """
    with closing(OpenSound(source, path)) as sound:
        return sound.header


def read(source: BinaryIO | Path, path: str, *, start: int = 0, count: int | None = None) -> Tensor:
    """`count` samples of each channel from `start` on, all by default: float32 ``(C, count)``, in [-1, 1] unless the
    file holds floating-point values beyond.

    Of an MP3 file, whose length is an estimate, the last twentieth of a second or of its length may be missing; it is
    silence then.

    Raises:
        DataError: this is no sound, it is damaged or cut short before the end of the piece, or it holds values that are
            no numbers.
    """
    with closing(OpenSound(source, path)) as sound:
        return sound.read(start, count)


def to_channels(sound_CL: Tensor, channels: int) -> Tensor:
    """A sound with one or two channels.

    To one: the average of all; where that has less than a tenth of their power, because they are out of phase and
    cancel, the loudest channel instead. To two: one is doubled, and of more than two the first two are taken, which are
    left and right everywhere.
    """
    if sound_CL.shape[0] == channels:
        return sound_CL
    if channels == 2:
        return sound_CL[:2] if sound_CL.shape[0] > 2 else sound_CL.expand(2, -1)
    average_1L, power_C = sound_CL.mean(0, keepdim=True), sound_CL.square().mean(1)
    if average_1L.square().mean() < CANCELLED * power_C.mean():
        return sound_CL[power_C.argmax()][None]
    return average_1L


def resample(sound_CL: Tensor, from_hz: int, to_hz: int) -> Tensor:
    """A sound at another rate, by a windowed sinc: ``(C, ceil(L to_hz / from_hz))``."""
    if from_hz == to_hz or not sound_CL.shape[-1]:
        return sound_CL
    common = math.gcd(from_hz, to_hz)
    if (from_hz // common) * (to_hz // common) > _LARGEST_KERNEL:
        # torchaudio keeps a filter for every phase, and of rates without a common divisor these are gigabytes.
        from scipy.signal import resample_poly

        up, down = to_hz // common, from_hz // common
        return torch.from_numpy(resample_poly(sound_CL.numpy(), up, down, axis=-1).astype(np.float32))
    from torchaudio.functional import resample as windowed_sinc

    found: Tensor = windowed_sinc(sound_CL, from_hz, to_hz)
    return found


def _header(file: soundfile.SoundFile, path: str) -> Header:
    found = Header(file.frames, file.samplerate, file.channels, file.format, file.subtype)
    told = str(file.extra_info)
    cut = _CUT.search(told)
    if cut and int(cut[1]) < _ENDLESS and int(cut[2]) < int(cut[1]):
        share = int(cut[2]) / int(cut[1])
        raise DataError(f"{path} is cut short: {share:.0%} of its samples are there ({found.frames:,}); {_AGAIN}")
    if (large := _CUT_LARGE.search(told)) and found.frames < int(large[1]):
        raise DataError(f"{path} is cut short: {found.frames:,} of {int(large[1]):,} samples are there; {_AGAIN}")
    if found.rate not in _RATES:
        raise DataError(f"{path} is damaged: it says that it has {found.rate:,} samples a second; {_AGAIN}")
    if not found.frames:
        raise DataError(f"{path} holds no samples; {_AGAIN}")
    return found


def _check_length(header: Header, source: BinaryIO | Path, path: str) -> None:
    """A heading that promises years of sound would be taken for as many windows, none of which can be read."""
    if isinstance(source, Path):
        size = source.stat().st_size
    else:
        place = source.tell()
        size = source.seek(0, io.SEEK_END)
        source.seek(place)
    if header.frames > size * _A_BYTE:
        raise DataError(
            f"{path} is damaged: it says that it has {header.frames:,} samples, and {size:,} bytes hold no more than "
            f"{size * _A_BYTE:,}; {_AGAIN}"
        )


def _what_it_is(source: BinaryIO | Path, error: soundfile.LibsndfileError) -> str:
    """What a file is that is no sound, by its first bytes."""
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                start = file.read(16)
        else:
            source.seek(0)
            start = source.read(16)
    except OSError as missing:
        return str(missing)
    if not start:
        return "it is empty"
    if start.lstrip()[:5].lower() in (b"<html", b"<!doc"):
        return "it holds a web page; download it again"
    if start.startswith(b"version https://"):
        return "it stands for a file of Git LFS; fetch that by git lfs pull"
    if start[4:8] == b"ftyp":
        return "it holds MPEG-4, whatever its name; convert it to WAV or FLAC"
    if start[:4] == b"\x1aE\xdf\xa3":
        return "it holds Matroska or WebM, whatever its name; convert it to WAV or FLAC"
    if start[:4] in (b"RIFF", b"fLaC", b"OggS", b"FORM", b"RF64", b"caff", b".snd", b"riff"):
        return f"it is damaged ({_reason(error)}); {_AGAIN}"
    return "it holds no kind of sound that is known here; convert it to WAV or FLAC"


def _reason(error: soundfile.LibsndfileError) -> str:
    told = " ".join(str(error.error_string).split()).removeprefix("Error : ").rstrip(".")
    return told or f"error {error.code}"
