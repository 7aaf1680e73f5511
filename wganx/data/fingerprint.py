"""A short name for the data a run was trained on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import torch

from wganx.data.items import ArrayItems, FileItems, Items, describe

if TYPE_CHECKING:
    from torch import Tensor

_WHOLE_UP_TO = 16 * 2**20
_ITEMS_LOOKED_AT = 64


def fingerprint(items: Items) -> str:
    """16 hexadecimal digits that change when the data does, the same on every machine and wherever the data lies.

    - Files: the SHA-256 of their relative paths and sizes; the contents are not read.
    - Arrays: of names, types, shapes and values. Of a tensor above 16 MiB, only about 16 MiB of evenly spaced rows,
      first and last among them: a change in between may go unnoticed.
    - Other items: of their number, the types and shapes of the first, and the values of at most 64 evenly spaced ones.
    """
    digest = hashlib.sha256()
    if isinstance(items, FileItems):
        listing = [[path, items.tree.sizes[path]] for path in items.paths]
        digest.update(json.dumps(listing).encode("ascii"))
    elif isinstance(items, ArrayItems):
        digest.update(describe(items.tensors).encode("utf-8"))
        for _, tensor in sorted(items.tensors.items()):
            row_bytes = max(tensor[0].nbytes, 1)
            rows = _spaced(len(tensor), max(_WHOLE_UP_TO // row_bytes, 2))
            digest.update(_content(tensor.index_select(0, rows.to(tensor.device))))
    else:
        digest.update(f"{len(items)} {describe(items[0])}".encode())
        for index in _spaced(len(items), _ITEMS_LOOKED_AT).tolist():
            for _, tensor in sorted(items[index].items()):
                digest.update(_content(tensor))
    return digest.hexdigest()[:16]


def _spaced(count: int, at_most: int) -> Tensor:
    """At most so many indices of ``0 .. count - 1``, evenly spaced, with both ends."""
    if count <= at_most:
        return torch.arange(count)
    return torch.arange(at_most) * (count - 1) // (at_most - 1)


def _content(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()
