"""Scores of a generator of pictures while it trains, in one space of features, beside those of real pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from wganx import Batch, Sampler
from wganx.evaluation import heldout_batch, with_labels
from wganx.evaluation.extractors.own_network import OwnNetwork
from wganx.evaluation.features import digest
from wganx.evaluation.metrics import class_coverage, density_coverage, frechet_distance
from wganx.runs.assembly import Assembly

FRECHET = "frechet"


class Judge:
    """Scores generators by `n` samples each against the held-out pictures.

    The features are those of the extractor `own`, a classifier of the training split that learns once, with seed 0, for
    all generators. Scores are ``frechet``, the Frechet distance, lower is better; ``coverage``, the share of `n`
    held-out pictures near which a sample lies; ``classes``, how many of the classes are there.
    """

    def __init__(self, assembly: Assembly, n: int) -> None:
        self.game, self.n, self.noise = assembly.game, n, assembly.resolved.run.generator.noise_shape
        self.extractor = cast(OwnNetwork, assembly.evaluator.features.network("own"))
        items = assembly.heldout_items
        reference = heldout_batch(self.game, items, len(items), seed=0, device=assembly.device)
        self.n_heldout = len(items)
        self.features, self.logits = self._see(reference)
        real = heldout_batch(self.game, assembly.train_items, n, seed=0, device=assembly.device)
        self.floor = self._compare(real)
        asked = heldout_batch(self.game, items, n, seed=0, device=assembly.device)
        labels = Sampler(nn.Identity(), noise=None, device=assembly.device, context=self.game.context).context_rows(n)
        self.asked = with_labels(asked, labels)

    @property
    def digest(self) -> str:
        """Of the extractor's weights, by which its numbers are known."""
        return digest(self.extractor)

    @property
    def accuracy(self) -> float:
        """Share of the held-out pictures that the extractor reads right."""
        return float(self.extractor.accuracy)

    def score(self, network: nn.Module, seed: int = 0) -> dict[str, float]:
        """Of samples from noise of this `seed`; `network` is in evaluation mode."""
        return self._compare(self.asked.with_real(self._draw(network, seed)))

    def _compare(self, candidate: Batch) -> dict[str, float]:
        features, logits = self._see(candidate)
        return {
            FRECHET: frechet_distance(features, self.features),
            "coverage": density_coverage(features, self.features[: self.n]).coverage,
            "classes": class_coverage(logits, self.logits)["classes"],
        }

    @torch.no_grad()
    def _see(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Features and logits, by one pass."""
        network = self.extractor
        plain = torch.cat([network.plain(part) for part in torch.split(batch.real, 500)])
        return (plain - network.mean) / network.deviation, network.head(plain.relu())

    @torch.no_grad()
    def _draw(self, network: nn.Module, seed: int) -> Tensor:
        noise = torch.randn(self.n, *self.noise, generator=torch.Generator().manual_seed(seed))
        given: Mapping[str, Tensor] = self.asked.context
        parts = [slice(start, start + 500) for start in range(0, self.n, 500)]
        return torch.cat([network(noise[rows], **{name: x[rows] for name, x in given.items()}) for rows in parts])
