"""What a converted sound should have been like: recordings of the target that say the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from wganx import Batch, MetricContext, Split
from wganx_audio.judges.scores import asked_and_kept
from wganx_audio.representations import representation_of

MOST_ITEMS = 4_000
"""Held-out items among which they are looked for, and as many training items where none is found."""


def parallel(side: Batch, context: MetricContext, apart: int = 0, *, real: bool = False) -> tuple[Tensor, Batch]:
    """Rows ``(n,)`` of a conversion that are to change, and for each a real sound with its target and kept labels.

    Rows without any are left out. Which of several is drawn by the metric's seed.

    Args:
        apart: how many of those that fit are passed by, for another one than before.
        real: whether the side holds recordings of the targets themselves.
    """
    asked, kept, changed = asked_and_kept(side, real)
    wanted = {name: rows.cpu() for name, rows in {**kept, **asked}.items()}
    representation = representation_of(context.game.sample)
    rows, sounds = [], []
    for row in changed.nonzero()[:, 0].tolist():
        labels = {name: int(values[row]) for name, values in wanted.items()}
        found = [
            representation.encode(sound[None].float().to(side.real.device) / 32768)[0]
            for sound in _like(labels, context, row, apart + 2)
        ]
        # A recording of the target is not to be compared with itself.
        others = [sound for sound in found if not torch.equal(sound, side.real[row])]
        if len(others) > apart:
            rows.append(row)
            sounds.append(others[apart])
    return torch.tensor(rows, dtype=torch.int64), Batch(torch.stack(sounds) if sounds else side.real[:0])


def _like(labels: Mapping[str, int], context: MetricContext, row: int, most: int) -> list[Tensor]:
    """Up to `most` recordings with these labels, int16, held-out ones first."""
    sounds: list[Tensor] = []
    splits: tuple[Split, ...] = ("heldout", "train")
    for split in splits:
        known = _labels_of(context, split)
        names = [name for name in labels if name in known]
        fits = torch.ones(len(next(iter(known.values()))), dtype=torch.bool) if known else torch.zeros(0).bool()
        for name in names:
            fits &= known[name] == labels[name]
        places = fits.nonzero()[:, 0].tolist()
        if names:
            rng = torch.Generator().manual_seed(context.seed * 100_003 + row)
            order = torch.randperm(len(places), generator=rng)[: most - len(sounds)].tolist()
            sounds += [context.items(split)[places[place]]["sample"] for place in order]
    return sounds


@lru_cache(maxsize=4)  # the same for all sides of an evaluation
def _labels_of(context: MetricContext, split: Split) -> dict[str, Tensor]:
    """Every label of the first items of a split, ``(n,)``."""
    items = context.items(split)
    names = [name for name, format in items.formats.items() if format.is_label]
    drawn = [items[index] for index in range(min(len(items), MOST_ITEMS))]
    return {name: torch.tensor([int(item[name]) for item in drawn]) for name in names}
