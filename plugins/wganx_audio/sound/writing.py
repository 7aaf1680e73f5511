"""Sound files that say where they come from, and are there whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import soundfile
import torch
from torch import Tensor

import wganx
from wganx import DataError, UsageError
from wganx_audio.sound.reading import Header

Origin = Literal["synthetic", "recorded"]

COMMENTS: dict[Origin, str] = {
    "synthetic": "Synthetic sound, made by a generative network. No person said or played this.",
    "recorded": "A recording as the training sees it, to compare synthetic sounds with.",
}
"""What a file says of itself: comment of the INFO chunk of WAV, of Vorbis comments, of ID3."""

_CONTAINERS = {
    ".aif": "AIFF", ".aiff": "AIFF", ".au": "AU", ".caf": "CAF", ".flac": "FLAC", ".mp3": "MP3", ".oga": "OGG",
    ".ogg": "OGG", ".opus": "OGG", ".rf64": "RF64", ".w64": "W64", ".wav": "WAV", ".wave": "WAV",
}  # fmt: skip
_PIECE = 65_536
"""Frames that are encoded at once: libsndfile ends the process where Vorbis is given minutes in one piece."""
_WAV_BYTES = 2**32 - 2**20
_FLOATING = ("FLOAT", "DOUBLE")


class SoundWriter:
    """A sound file that grows piece by piece, with a note of its origin; whole from `close` on."""

    def __init__(self, path: Path, like: Header, origin: Origin = "synthetic") -> None:
        """
        Args:
            path: where to write; its ending says which container.
            like: rate and channels, and the subtype, which is kept where the container has it. Its length decides
                about RF64, which a WAV file beyond 4 GiB needs.
            origin: what the file says of itself.

        Raises:
            UsageError: the ending is none that can be written, or the container has no such rate or so many channels.
        """
        self.path = path
        container, subtype = _stored_as(path, like)
        try:
            self._file = soundfile.SoundFile(path, "w", like.rate, like.channels, subtype, format=container)
        except soundfile.LibsndfileError as error:
            raise _refusal(path, like, container, error) from error
        self._keeps_peaks = subtype in _FLOATING
        with suppress(soundfile.LibsndfileError):  # AU and W64 have no room for words
            self._file.software = f"wganx {wganx.__version__}"
            self._file.comment = COMMENTS[origin]

    def write(self, sound_CL: Tensor) -> None:
        """Append samples ``(C, L)`` where 1 is the full scale; beyond it they are cut off, unless stored as floats.

        Raises:
            DataError: the disk takes no more.
        """
        sound_LC = sound_CL.detach().float().cpu().T.contiguous()
        if not self._keeps_peaks:
            sound_LC = sound_LC.clamp(-1, 1)
        try:
            for piece_LC in torch.split(sound_LC, _PIECE):
                self._file.write(piece_LC.numpy())
        except (soundfile.LibsndfileError, OSError, AssertionError) as error:  # short writes are asserted there
            raise DataError(f"{self.path} cannot be written; is the disk full?") from error

    def close(self) -> None:
        """End the file."""
        self._file.close()


def write_sound(
    path: Path, sound_CL: Tensor, rate: int, *, subtype: str = "PCM_16", origin: Origin = "synthetic"
) -> Path:
    """Write a sound, 1 being the full scale, aside and then under its name; 16 bit unless another `subtype` is said.

    Raises:
        UsageError: as `SoundWriter`.
        DataError: the disk takes no more.
    """
    aside = path.with_name(f".{path.stem}.writing{path.suffix}")
    like = Header(sound_CL.shape[-1], rate, sound_CL.shape[0], "", subtype)
    try:
        writer = SoundWriter(aside, like, origin)
        try:
            writer.write(torch.nan_to_num(sound_CL))
        finally:
            writer.close()
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return path


def _stored_as(path: Path, like: Header) -> tuple[str, str | None]:
    """The container of an ending, and the subtype that is nearest to `like`; None for the container's usual one."""
    ending = path.suffix.lower()
    container = _CONTAINERS.get(ending)
    if container is None:
        # What is written aside under a name without an ending has this one.
        what = ending if ending not in ("", ".writing") else "a name without an ending"
        raise UsageError(
            f"{what} is no kind of sound that can be written; end the name of the file in one of "
            + ", ".join(sorted(_CONTAINERS))
        )
    if ending == ".opus":
        return container, "OPUS"
    if container == "WAV":
        width = 8 if like.subtype == "DOUBLE" else 4 if like.subtype in ("FLOAT", "PCM_32") else 3
        container = "RF64" if like.frames * like.channels * width > _WAV_BYTES else container
    # libsndfile has MP3 within WAV among its formats, and cannot write it.
    foreign = like.subtype.startswith("MPEG") and container != "MP3"
    kept = like.subtype if not foreign and soundfile.check_format(container, like.subtype) else None
    return container, kept


def _refusal(path: Path, like: Header, container: str, error: soundfile.LibsndfileError) -> Exception:
    if path.parent.is_dir() and container in ("MP3", "OGG", "FLAC"):
        return UsageError(
            f"{container} takes no sound of {like.rate:,} samples a second in {like.channels} channels; "
            "end the name of the file in .wav"
        )
    return DataError(f"{path} cannot be written: {' '.join(str(error.error_string).split()).rstrip('.')}")
