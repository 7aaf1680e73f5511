"""Scores of a generator of pictures while it trains, beside those of real pictures and of trivial ones."""

from __future__ import annotations

import statistics

import torch
from torch import Tensor, nn

from wganx import Batch, Sampler, Sides
from wganx.evaluation import heldout_batch, with_labels
from wganx.runs.assembly import Assembly

SCORES = {"sliced_w1": "sliced-w1", "class_score": "class-score"}
"""Values and the metrics of the image plugin that give them."""


class Judge:
    """Scores generators by `n` samples each; the classifier is trained once, with seed 0, for all of them."""

    def __init__(self, assembly: Assembly, n: int) -> None:
        self.game, self.n, self.noise = assembly.game, n, assembly.resolved.run.generator.noise_shape
        self.metrics = {value: assembly.resolved.metrics[metric] for value, metric in SCORES.items()}
        self.evaluator = assembly.evaluator
        self.reference, self.real = (
            heldout_batch(self.game, items, min(n, len(items)), seed=0, device=assembly.device)
            for items in (assembly.heldout_items, assembly.train_items)
        )
        asked = heldout_batch(self.game, assembly.heldout_items, n, seed=0, device=assembly.device)
        labels = Sampler(nn.Identity(), noise=None, device=assembly.device, context=self.game.context).context_rows(n)
        self.asked = with_labels(asked, labels)

    def score(self, network: nn.Module, seed: int = 0) -> dict[str, float]:
        """Of samples from noise of this `seed`; `network` is in evaluation mode."""
        return self.compute(self.asked.with_real(self.draw(network, seed)))

    def compute(self, candidate: Batch) -> dict[str, float]:
        return {
            value: self.evaluator.measure(chosen, Sides(candidate, candidate, self.reference))[value]
            for value, chosen in self.metrics.items()
        }

    @torch.no_grad()
    def draw(self, network: nn.Module, seed: int) -> Tensor:
        noise = torch.randn(self.n, *self.noise, generator=torch.Generator().manual_seed(seed))
        parts = [slice(start, start + 500) for start in range(0, self.n, 500)]
        given = self.asked.context
        return torch.cat([network(noise[rows], **{name: x[rows] for name, x in given.items()}) for rows in parts])

    def trivial(self) -> dict[str, dict[str, float]]:
        """The scores of real pictures and of the task's trivial solutions."""
        found = {"real": self.compute(self.real)}
        for name, baseline in self.game.baselines().items():
            picture = baseline(self.real, torch.Generator().manual_seed(0))
            found[name] = self.compute(self.real.with_real(picture))
        return found

    def spread(self, network: nn.Module) -> dict[str, float]:
        """Standard deviation of each score over draws of noise."""
        drawn = [self.score(network, seed) for seed in range(5)]
        return {score: statistics.stdev(found[score] for found in drawn) for score in SCORES}
