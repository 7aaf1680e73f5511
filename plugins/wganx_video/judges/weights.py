"""Weights of networks that others trained: files of the user's own, never downloaded."""

from __future__ import annotations

import hashlib
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
        path = given.expanduser()
        if not path.is_file():
            raise DataError(f"there is no weights file {path}; check the spelling")
        return path
    kept = Path(torch.hub.get_dir()) / "checkpoints"
    found = next((kept / name for name in names if (kept / name).is_file()), None)
    if found is None:
        raise Unavailable(f"no weights: give them by --weights {extractor}=FILE ({' or '.join(names)})")
    return found


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
