"""Values that are no numbers: the items that hold them are named, and left out where that was asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

import torch

from wganx.data.items import ArrayItems
from wganx.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

T = TypeVar("T")

SAMPLE = "sample"
"""The key under which items hold what the critic is shown. What else they hold may say by NaN that nothing is known."""
MEND = "mend or remove it, or set dataset.not_finite=skip to go on without"
_NAMED = 5


def not_finite(sample: Tensor) -> Tensor:
    """Which of samples ``(N, ...)`` hold NaN or infinity anywhere: bool ``(N,)``."""
    # Their sum tells in one pass, without a mask as large as the data, that there is nothing to look for.
    if not sample.is_floating_point() or bool(torch.isfinite(sample.sum())):
        return torch.zeros(len(sample), dtype=torch.bool, device=sample.device)
    return ~torch.isfinite(sample.reshape(len(sample), -1)).all(1)


def amiss(sample: Tensor) -> str:
    """What is wrong with one sample, in a few words; nothing where all of it is finite."""
    if not sample.is_floating_point() or bool(torch.isfinite(sample).all()):
        return ""
    flat = sample.reshape(-1)
    place = int((~torch.isfinite(flat)).nonzero()[0])
    where = "" if flat.numel() == 1 else f" at place {place:,} of {flat.numel():,}"
    return f"{flat[place].item()}{where}"


def check_finite(item: Mapping[str, Tensor], index: int) -> None:
    """Raises DataError where an item that a plugin makes itself is not finite."""
    if SAMPLE in item and (found := amiss(item[SAMPLE])):
        raise DataError(f"the sample of item {index:,} is not finite: {found}; mend it, or leave it out of the data")


def all_finite(items: T, told: Literal["refuse", "skip"]) -> T | ArrayItems:
    """The items, when they are held in memory, without those that hold values that are not finite.

    Others are looked at when they are decoded: what is not finite is then as unreadable as a damaged file.

    Args:
        items: of a split.
        told: ``refuse`` when there are any, or ``skip`` them with a warning that names them.

    Raises:
        DataError: there are some and they are refused, or none would be left.
    """
    if not isinstance(items, ArrayItems) or SAMPLE not in items.tensors:
        return items
    broken = not_finite(items.tensors[SAMPLE])
    if not bool(broken.any()):
        return items
    places = broken.nonzero()[:, 0].tolist()
    named = "; ".join(f"{items.name(place)}: {amiss(items.tensors[SAMPLE][place])}" for place in places[:_NAMED])
    more = f"; and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
    count = f"{len(places):,} of {len(items):,} items"
    if told == "refuse":
        raise DataError(
            f"values that are not finite in {count}, from which nothing can be learnt: {named}{more}; {MEND}"
        )
    if len(places) == len(items):
        raise DataError(f"values that are not finite in all {len(items):,} items: {named}{more}; mend them")
    log.warning("left out %s, which hold values that are not finite: %s%s", count, named, more)
    return items.only((~broken).nonzero()[:, 0])
