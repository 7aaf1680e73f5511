"""What data a run was trained on: a short name for it, and enough beside the name to say what changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from wganx.data.decoded import TreeItems
from wganx.data.identity import content_of
from wganx.data.items import ArrayItems, Items, describe
from wganx.data.watchdog import Wait, read_item
from wganx.errors import NoAnswer

if TYPE_CHECKING:
    from torch import Tensor

_WHOLE_UP_TO = 16 * 2**20
_ITEMS_LOOKED_AT = 64
_BLOCKS = 64
_BLOCK_BYTES = 64 * 2**10
_UNREADABLE = b"cannot be read"


def fingerprint(items: Items) -> str:
    """16 hexadecimal digits that change when the data does, the same on every machine and wherever the data lies.

    - Files, and windows of files: the SHA-256 of their relative paths, sizes and classes, of the number of items, and
      of 64 blocks of 64 KiB at most: the first of 64 evenly spaced files, or several of each where there are fewer. A
      change at the same size outside those blocks may go unnoticed.
    - Arrays: of names, types, shapes and values. Of a tensor above 16 MiB, only about 16 MiB of evenly spaced rows,
      first and last among them: a change in between may go unnoticed.
    - Other items: of their number, the types and shapes of the first, and the values of at most 64 evenly spaced ones.

    The names of all classes count as well.
    """
    return str(describe_data(items)["fingerprint"])


def describe_data(items: Items) -> dict[str, Any]:
    """The `fingerprint` and its parts, as plain data for JSON: what `changes` compares."""
    facts: dict[str, Any] = {
        "count": len(items),
        "classes": {key: list(format.classes) for key, format in items.formats.items() if format.is_label},
    }
    if isinstance(items, TreeItems):
        facts["files"] = _files(items)
        facts["contents"] = _blocks(items)
    elif isinstance(items, ArrayItems):
        facts["tensors"] = describe(items.tensors)
        facts["contents"] = _rows(items)
    else:
        facts["tensors"] = describe(read_item(items, 0))
        facts["contents"] = _some_items(items)
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode("ascii")).hexdigest()[:16]
    return {"fingerprint": name, **facts}


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is another between two results of `describe_data`, a few words each; empty when the fingerprint is the same.

    ``["class 'dog' of 'label' is new", "2 more files in 'cat': 12, and were 10"]``
    """
    if before["fingerprint"] == now["fingerprint"]:
        return []
    told = _changed_classes(before["classes"], now["classes"])
    told += _changed_files(before.get("files", {}), now.get("files", {}))
    if before["count"] != now["count"]:
        told.append(f"there are {now['count']:,} items, and were {before['count']:,}")
    if (old := before.get("tensors")) != (new := now.get("tensors")) and old and new:
        told.append(f"the tensors are {new}, and were {old}")
    if not told and before["contents"] != now["contents"]:
        told.append("the contents changed, under the same names and sizes")
    return told or ["the data is of another kind"]


def _changed_classes(before: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> list[str]:
    told = []
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key, []), now.get(key, [])
        told += [f"class {name!r} of {key!r} is new" for name in new if name not in old]
        told += [f"class {name!r} of {key!r} is gone" for name in old if name not in new]
        if old != new and sorted(old) == sorted(new):
            told.append(f"the classes of {key!r} are in another order")
    return told


def _changed_files(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    told = []
    for part in sorted(before.keys() | now.keys()):
        old, new = before.get(part, _NO_FILES), now.get(part, _NO_FILES)
        where = f" in {part!r}" if part else ""
        more = new["count"] - old["count"]
        if more:
            amount = f"{abs(more):,} {'more' if more > 0 else 'fewer'} file{'' if abs(more) == 1 else 's'}"
            told.append(f"{amount}{where}: {new['count']:,}, and were {old['count']:,}")
        elif old["bytes"] != new["bytes"]:
            told.append(f"the files{where} have {new['bytes']:,} bytes together, and had {old['bytes']:,}")
        elif old != new:
            told.append(f"the files{where} have other names, sizes or labels")
    return told


_NO_FILES: Mapping[str, Any] = {"count": 0, "bytes": 0, "listing": ""}


def _files(items: TreeItems) -> dict[str, Any]:
    """Number, bytes and a digest of paths, sizes and listed classes for each class folder (``""`` without any)."""
    parts: dict[str, Any] = {}
    digests: dict[str, Any] = {}
    for path in items.paths:
        name = items.layout.class_of(path) or ""
        part = parts.setdefault(name, dict(_NO_FILES))
        part["count"] += 1
        part["bytes"] += items.tree.sizes[path]
        listed = [] if items.listing is None else [dict(sorted(items.classes_of(path).items()))]
        line = json.dumps([path, items.tree.sizes[path], *listed]).encode("ascii")
        digests.setdefault(name, hashlib.sha256()).update(line)
    for name, digest in digests.items():
        parts[name]["listing"] = digest.hexdigest()[:16]
    return parts


def _blocks(items: TreeItems) -> str:
    digest = hashlib.sha256()
    chosen = _spaced(len(items.paths), _BLOCKS).tolist()
    for index in chosen:
        path = items.paths[index]
        reach = max(items.tree.sizes[path] - _BLOCK_BYTES, 0)
        starts = sorted({reach * part // max(_BLOCKS // len(chosen) - 1, 1) for part in range(_BLOCKS // len(chosen))})
        try:
            with Wait(f"reading {path} in {items.root}"), items.tree.open(path) as source:
                for start in starts:
                    source.seek(start)
                    digest.update(source.read(_BLOCK_BYTES))
        except NoAnswer:
            raise
        except Exception:  # a file that fails is named when its items are read; here it is one that fails
            digest.update(_UNREADABLE)
    return digest.hexdigest()[:16]


def _rows(items: ArrayItems) -> str:
    digest = hashlib.sha256()
    for _, tensor in sorted(items.tensors.items()):
        row_bytes = max(tensor[0].nbytes, 1)
        rows = _spaced(len(tensor), max(_WHOLE_UP_TO // row_bytes, 2))
        digest.update(content_of(tensor.index_select(0, rows.to(tensor.device))))
    return digest.hexdigest()[:16]


def _some_items(items: Items) -> str:
    digest = hashlib.sha256()
    for index in _spaced(len(items), _ITEMS_LOOKED_AT).tolist():
        for _, tensor in sorted(read_item(items, index).items()):
            digest.update(content_of(tensor))
    return digest.hexdigest()[:16]


def _spaced(count: int, at_most: int) -> Tensor:
    """At most so many indices of ``0 .. count - 1``, evenly spaced, with both ends."""
    if count <= at_most:
        return torch.arange(count)
    return torch.arange(at_most) * (count - 1) // (at_most - 1)
