"""What training measures about itself, gathered on the device and read at logging points only."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx.engine.ranks import Ranks
from wganx.errors import CheckpointError
from wganx.wasserstein import BatchDistance, Constraint, Objective


class Readings:
    """Means of named scalars since the last reading.

    `add` never waits for the device and writes to the same places on it throughout; `read` moves all means to the
    host in one transfer and starts afresh.

    Attributes:
        sums: sum by name, scalars on the device.
        counts: what each sum is to be divided by.
    """

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, float] = {}

    def add(self, name: str, value: Tensor, share: float = 1.0) -> None:
        """Take in one scalar, the mean over `share` of a batch."""
        value = value.detach().double() if value.dtype == torch.float64 else value.detach().float()
        if name not in self.sums:
            self.sums[name] = torch.zeros_like(value)
            self.counts[name] = 0.0
        self.sums[name].add_(value, alpha=share)
        self.counts[name] += share

    def merge(self, ranks: Ranks) -> None:
        """Move what every rank gathered to the first; together."""
        if ranks.count == 1 or not self.sums:
            return
        names = list(self.sums)
        device = self.sums[names[0]].device
        counts = torch.tensor([self.counts[name] for name in names], dtype=torch.float64, device=device)
        both = ranks.sum_(torch.cat([torch.stack([self.sums[name].double() for name in names]), counts]))
        keep = 1.0 if ranks.first else 0.0
        for name, total, count in zip(names, both * keep, (both[len(names) :] * keep).tolist()):
            self.sums[name].copy_(total)
            self.counts[name] = count

    def read(self) -> dict[str, float]:
        """The means by name; empty when nothing was added."""
        names = [name for name, count in self.counts.items() if count]
        if not names:
            return {}
        means = torch.stack([self.sums[name] / self.counts[name] for name in names]).tolist()
        self.clear()
        return dict(zip(names, means))

    def clear(self) -> None:
        """Forget what was added."""
        for name, total in self.sums.items():
            total.zero_()
            self.counts[name] = 0.0

    def load(self, sums: Mapping[str, Tensor], counts: Mapping[str, float]) -> None:
        """Put back the sums and counts of an unfinished window, in the order of `counts`.

        Raises:
            CheckpointError: a sum is missing, or is no number.
        """
        for name in counts:
            if name not in sums or sums[name].ndim or not sums[name].is_floating_point():
                raise CheckpointError(f"the checkpoint is damaged: its reading {name!r} has no sum that is a number")
        self.sums, self.counts = {name: sums[name].clone() for name in counts}, dict(counts)


def name_readings(means: Mapping[str, float], objective: Objective, constraint: Constraint) -> dict[str, float]:
    """The means under the names they are logged by: the gap of mean scores is W1 only where the rules make it so.

    ``score_gap`` becomes ``w1_raw`` and, where the constraint's bias is known, ``w1_corrected`` beside it. Where the
    objective is a distance between batches, the generator's loss is that distance, and goes by its name.
    """
    others = dict(means)
    if isinstance(objective, BatchDistance) and "generator_loss" in others:
        return {"distance": others.pop("generator_loss"), **others}
    gap = others.pop("score_gap", None)
    if gap is None:
        return others
    if not (objective.reads_w1 and constraint.reads_w1):
        return {"score_gap": gap, **others}
    corrected = constraint.correct(gap)
    return {"w1_raw": gap, **({} if corrected is None else {"w1_corrected": corrected}), **others}
