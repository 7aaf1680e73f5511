"""Reading files of weights as data: nothing in them is executed, and what they claim to be is checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from wganx.errors import CheckpointError, DataError

SAFE = ".safetensors"
ENDINGS = (SAFE, ".pth", ".pt", ".ckpt", ".tar", ".bin")
"""Of files that are looked into where a folder is listed."""
_NAMED_HASH = re.compile(r"-(?!(?:19|20)\d{6}\.)([0-9a-f]{8,64})(?=\.)")
"""As torch's hub names files; eight figures that may be a date are one."""
_REFUSED = re.compile(r"(?:GLOBAL|global|class) ['\"]?([\w.]+)")


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises:
        CheckpointError: it is another than the file's name ends in, as in ``celeba-6196db68.pth``.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if (named := _NAMED_HASH.search(path.name)) and not found.startswith(named[1]):
        raise CheckpointError(
            f"{path} is not the file that its name says: its SHA-256 begins with {found[:8]}, not {named[1][:8]}; "
            "fetch it again, or rename it if that is no hash"
        )
    return found


def read_content(path: Path, classes: Sequence[str] = ()) -> Mapping[str, Any]:
    """What a file of weights holds, on the CPU; read with ``weights_only``, so that it cannot run code.

    Args:
        classes: names of pickled classes that may stand in it; each becomes a `types.SimpleNamespace`.

    Raises:
        CheckpointError: the file is cut short or damaged.
        DataError: it holds a pickled class of another name, or is no file of weights.
    """
    if path.suffix.lower() == SAFE:
        try:
            return load_file(path)
        except (SafetensorError, ValueError) as error:
            raise _damaged(path, error) from error
    try:
        with torch.serialization.safe_globals([(SimpleNamespace, name) for name in classes]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the library raises on what is torn, or something else
        text = str(error)
        if "nsupported" in text and (found := _REFUSED.search(text)):
            raise DataError(
                f"{path} holds a pickled {found[1]}, which would run code when it is loaded, and was not loaded; "
                "ask for the weights alone, as tensors by name"
            ) from error
        raise _damaged(path, error) from error
    if not isinstance(content, Mapping):
        raise DataError(f"{path} holds {_kind(content)}, and no tensors by name; give a file of weights")
    return content


def tensors_in(content: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Tensors by name: of a checkpoint of wganx those of the averaged generator, of a wrapped state dict what it wraps.

    Empty where it holds something else.
    """
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(inner := content.get(wrapper), Mapping):
            content = inner
            break
    for prefix in ("average/", "generator/", "module."):
        if own := {key.removeprefix(prefix): value for key, value in content.items() if key.startswith(prefix)}:
            content = own
            break
    whole = all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items())
    return dict(content) if whole else {}


def _kind(content: object) -> str:
    return f"a {type(content).__name__}" if not isinstance(content, torch.nn.Module) else "a whole network"


def _damaged(path: Path, error: Exception) -> CheckpointError:
    reason = str(error).partition(". ")[0].strip()
    if " " not in reason or reason.startswith("Weights only"):  # a word or a number alone says nothing
        reason = type(error).__name__
    return CheckpointError(
        f"{path} cannot be read as weights: it is cut short, damaged or another kind of file ({reason}); fetch it again"
    )
