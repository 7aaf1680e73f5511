"""Packs: several samples that the critic judges together, against generators that repeat themselves (PacGAN)."""

from __future__ import annotations

from torch import Tensor

from wganx.errors import UsageError


def in_packs(rows: Tensor, pack: int) -> Tensor:
    """Rows ``(N, ...)`` as packs ``(N / pack, pack, ...)``."""
    return rows.reshape(-1, pack, *rows.shape[1:])


def packs_in(rows: int, pack: int) -> int:
    """How many packs so many rows make.

    Raises:
        UsageError: they are not whole packs.
    """
    if rows % pack:
        raise UsageError(
            f"a batch of {rows} samples is not made of whole packs of {pack}; make the batch size a multiple of {pack} "
            "(and drop a shorter last batch), or choose another pack"
        )
    return rows // pack
