"""What decoded files depend on, as a name: another name, other tensors."""

from __future__ import annotations

import enum
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from wganx.data.items import describe

if TYPE_CHECKING:
    from torch import Tensor

SCHEMA = 2


class Unidentified(Exception):
    """The items cannot be told from others by name; the text says why."""


@dataclass(frozen=True)
class Identity:
    """The name of what is made of data in one way.

    Attributes:
        slot: what is made and how it is asked for: the place of the data, the split, the decoder's name and
            arguments. There is no use for two states of the same slot.
        state: what it was when it was looked at: the stamps (path, size, time of modification or checksum, and class
            of every file), the decoder's source, and some decoded items.
    """

    slot: str
    state: str

    def __str__(self) -> str:
        return f"{self.slot}-{self.state}"


def identify(
    root: Path,
    recipe: Sequence[object],
    stamps: Iterable[str] | None,
    samples: Sequence[Mapping[str, Tensor] | None] = (),
) -> Identity:
    """The name of what `recipe` makes of the data in `root`: see `DecodedItems` for the words.

    `samples` are some decoded items, None for one that cannot be read.

    Raises:
        Unidentified: a function of the recipe is none of a module (or a `functools.partial` of one with plain
            arguments), or the stamps are not known.
    """
    if stamps is None:
        raise Unidentified("when its files changed is not known")
    sources: dict[str, str] = {}
    asked = [
        SCHEMA,
        str(root.resolve()),
        [_named(part, sources) if callable(part) else _plain(part) for part in recipe],
    ]
    state = hashlib.sha256(json.dumps(sorted(sources.items())).encode("ascii"))
    if root.is_file():
        state.update(str(root.stat().st_mtime_ns).encode("ascii"))
    for stamp in stamps:
        state.update(stamp.encode("utf-8", "surrogateescape"))
    for sample in samples:
        state.update(describe(sample or {}).encode("utf-8"))
        for _, tensor in sorted((sample or {}).items()):
            state.update(content_of(tensor))
    shown = re.sub(r"[^A-Za-z0-9]+", "-", root.stem).strip("-")[:40] or "data"
    slot = hashlib.sha256(json.dumps(asked, sort_keys=True).encode("ascii")).hexdigest()[:12]
    return Identity(f"{shown}-{slot}", state.hexdigest()[:24])


def content_of(tensor: Tensor) -> bytes:
    """The values of a tensor, as they lie in memory row by row."""
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()


def _named(decode: Callable[..., Any], sources: dict[str, str]) -> Any:
    """The decoder in the types of JSON; the digest of the module it comes from goes to `sources`."""
    if isinstance(decode, partial):
        arguments = {name: _plain(value) for name, value in decode.keywords.items()}
        return [_named(decode.func, sources), [_plain(value) for value in decode.args], arguments]
    module, name = getattr(decode, "__module__", None), getattr(decode, "__qualname__", None)
    found: Any = sys.modules.get(module or "")
    for part in (name or "").split("."):
        found = getattr(found, part, None)
    source = getattr(sys.modules.get(module or ""), "__file__", None)
    if module is None or found is not decode or source is None:
        raise Unidentified("its decoder is no function of a module")
    try:
        sources[module] = hashlib.sha256(Path(source).read_bytes()).hexdigest()
    except OSError as error:
        raise Unidentified(f"the source of its decoder cannot be read ({error})") from error
    return f"{module}.{name}"


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, str | bool | int | float) and not isinstance(value, enum.Enum)):
        return value
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, enum.Enum):
        return [kind, value.name]
    if isinstance(value, bytes | PurePath):
        return [kind, str(value)]
    if isinstance(value, tuple | list):
        return [kind, [_plain(item) for item in value]]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return [kind, {key: _plain(item) for key, item in value.items()}]
    if is_dataclass(value) and not isinstance(value, type):
        return [kind, {field.name: _plain(getattr(value, field.name)) for field in fields(value)}]
    raise Unidentified(f"its decoder was given a {type(value).__name__}, which has no name")
