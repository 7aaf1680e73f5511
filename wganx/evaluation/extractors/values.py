"""The extractor `values`: samples as they are, flat, on the scale of the training split."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx.evaluation.batches import gather
from wganx.plugins.contracts import ExtractorContext
from wganx.plugins.descriptors import NoOptions

_MOST_ITEMS = 10_000


class Values(nn.Module):
    """``(x - mean) / deviation``, flat: one deviation for all values, so that directions and angles stay."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, ...) -> (N, size)``."""
        return (x.flatten(1) - self.mean) / self.deviation


def values(config: NoOptions, context: ExtractorContext) -> nn.Module:
    """The values of a sample, centred and divided by their deviation over the training items."""
    network = Values(context.game.sample.size)

    def measure() -> Mapping[str, Tensor]:
        items = context.items("train")
        order = torch.randperm(len(items), generator=torch.Generator().manual_seed(context.seed))[:_MOST_ITEMS]
        rng = torch.Generator().manual_seed(context.seed)
        total, squares, count = torch.zeros(context.game.sample.size, dtype=torch.float64), 0.0, 0
        for part in torch.split(order, 500):
            stored = gather(items, part.tolist(), torch.device("cpu"))
            rows = context.game.batch(stored, rng, training=False).real.flatten(1).double()
            total += rows.sum(dim=0)
            squares += float(rows.square().sum())
            count += len(rows)
        mean = total / count
        variance = max(squares / count - float(mean.square().sum()), 0.0) / len(mean)
        return {"mean": mean.float(), "deviation": torch.tensor(variance**0.5 or 1.0)}

    network.load_state_dict(dict(context.keep(measure)))
    return network
