"""Weights of networks that others trained: files of the user's own, never downloaded."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from wganx import DataError, Unavailable


def weights_file(given: Path | None, names: Sequence[str], extractor: str) -> Path:
    """The file that is given, or one of these names where torch keeps its checkpoints.

    Raises:
        Unavailable: there is none.
        DataError: there is no file where one was given.
    """
    if given is not None:
        path = Path(os.path.expanduser(given))  # noqa: PTH111 - as a shell does it, where no user is called so
        if not path.is_file():
            raise DataError(f"there is no weights file {path}; check the spelling")
        return path
    kept = Path(torch.hub.get_dir()) / "checkpoints"
    found = next((kept / name for name in names if (kept / name).is_file()), None)
    if found is None:
        raise Unavailable(f"no weights: give them by --weights {extractor}=FILE ({' or '.join(names)})")
    return found


def is_script(path: Path) -> bool:
    """Whether a file is TorchScript, a network with its code."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.partition("/")[2] == "constants.pkl" for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def named_weights(path: Path, what: str, files: Sequence[str]) -> dict[str, Tensor]:
    """Weights by name, as ``torch.save(network.state_dict())`` stores them; nothing in the file is executed.

    Names are those of the network itself: what training in parallel puts before them is taken away, and so is what a
    file has around them (``state_dict``).

    Raises:
        DataError: it holds none; says what is wanted.
    """
    wanted = f"{path} does not hold the weights of {what} ({', '.join(files)})"
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        more = "GLOBAL" in str(error)  # whatever is named there would be called
        told = "it holds more than weights, which is not opened" if more else "it is damaged, or no file of torch"
        raise DataError(f"{wanted}: {told}") from error
    if isinstance(held, dict) and isinstance(held.get("state_dict"), dict):
        held = held["state_dict"]
    if not isinstance(held, dict) or not all(isinstance(value, Tensor) for value in held.values()):
        raise DataError(f"{wanted}: it holds no weights by name")
    return {str(name).removeprefix("module."): value for name, value in held.items()}


def digest_of(path: Path) -> Tensor:
    """SHA-256 of a file, uint8 ``(32,)``: a buffer by which a network that runs from it is known in the records."""
    return torch.tensor(list(hashlib.sha256(path.read_bytes()).digest()), dtype=torch.uint8)


def three_channels(frames: Tensor, who: str) -> Tensor:
    """Frames ``(..., C, H, W)`` as RGB, grey ones in three equal channels.

    Raises:
        Unavailable: they have neither 1 nor 3 channels.
    """
    channels = frames.shape[-3]
    if channels not in (1, 3):
        raise Unavailable(f"{who} sees grey or RGB frames, and these have {channels} channels")
    return frames if channels == 3 else frames.expand(*frames.shape[:-3], 3, -1, -1)
