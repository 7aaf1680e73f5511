"""The samples that lie nearest to the training data, beside the items they resemble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.evaluation.metrics.pairs import nearest
from wganx.evaluation.sides import Side

SHOWN = 16


@dataclass(frozen=True, eq=False)
class NearestPairs:
    """Row by row a sample and the training item nearest to it, the nearest pair first; on the CPU.

    Attributes:
        distances: in the features.
        of: how many samples these are the nearest of.
        median: the median distance of all of these samples to their nearest training item.
        real_median: the same of held-out items.
    """

    generated: Batch
    training: Batch
    distances: tuple[float, ...]
    of: int
    median: float
    real_median: float


def nearest_pairs(
    made: tuple[Side, Tensor], training: tuple[Side, Tensor], real: Tensor, count: int = SHOWN
) -> NearestPairs:
    """The `count` samples nearest to the training data; sides come with their features, held-out rows are these."""
    distance, place = (found[:, 0] for found in nearest(made[1], training[1]))
    rows = distance.argsort(stable=True)[:count]
    of_real = nearest(real, training[1])[0]
    return NearestPairs(
        generated=_rows(made[0], rows.tolist()),
        training=_rows(training[0], place[rows].tolist()),
        distances=tuple(distance[rows].tolist()),
        of=len(distance),
        median=float(distance.median()),
        real_median=float(of_real.median()),
    )


def _rows(side: Side, rows: Sequence[int]) -> Batch:
    """These rows of a side, in this order; its samples are passed by and not kept."""
    found = dict(_found(side, set(rows)))
    chosen = [found[row] for row in rows]
    context = {name: torch.cat([each.context[name] for each in chosen]) for name in chosen[0].context}
    return Batch(torch.cat([each.real for each in chosen]), context)


def _found(side: Side, rows: set[int]) -> Iterator[tuple[int, Batch]]:
    start = 0
    for part in side.parts():
        for row in sorted(rows):
            if start <= row < start + len(part):
                yield row, part[row - start : row - start + 1].to("cpu")
        start += len(part)
