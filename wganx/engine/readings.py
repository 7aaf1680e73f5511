"""What training measures about itself, gathered on the device and read at logging points only."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx.wasserstein import Constraint, Objective


class Readings:
    """Means of named scalars since the last reading.

    `add` never waits for the device; `read` moves all means to the host in one transfer and starts afresh.
    """

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, name: str, value: Tensor) -> None:
        """Take in one scalar."""
        value = value.detach().float()
        if name in self.sums:
            self.sums[name] += value
            self.counts[name] += 1
        else:
            self.sums[name] = value.clone()
            self.counts[name] = 1

    def read(self) -> dict[str, float]:
        """The means by name; empty when nothing was added."""
        if not self.sums:
            return {}
        means = torch.stack([self.sums[name] / self.counts[name] for name in self.sums]).tolist()
        values = dict(zip(self.sums, means))
        self.sums, self.counts = {}, {}
        return values

    def load(self, sums: Mapping[str, Tensor], counts: Mapping[str, int]) -> None:
        """Put back the sums and counts of an unfinished window, in the order of `counts`."""
        self.sums, self.counts = {name: sums[name] for name in counts}, dict(counts)


def name_readings(means: Mapping[str, float], objective: Objective, constraint: Constraint) -> dict[str, float]:
    """The means under the names they are logged by: the gap of mean scores is W1 only where the rules make it so.

    ``score_gap`` becomes ``w1_raw`` and, where the constraint's bias is known, ``w1_corrected`` beside it.
    """
    others = dict(means)
    gap = others.pop("score_gap", None)
    if gap is None:
        return others
    if not (objective.reads_w1 and constraint.reads_w1):
        return {"score_gap": gap, **others}
    corrected = constraint.correct(gap)
    return {"w1_raw": gap, **({} if corrected is None else {"w1_corrected": corrected}), **others}
