"""The evaluation: metrics on held-out data, by the protocol of `wganx.evaluation.protocol`.

The held-out items are put into random order and cut into halves of R blocks of n rows. The first half gives the
generator its context and is, with its real samples, the floor; the second is what everything is compared with. The
generator's samples, the floor and every baseline go through the same function, block by block. Samples are made when
a metric looks at them; where all look at features alone, they are made in parts, and only the features stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.engine import Sampler, apart
from wganx.errors import DataError, MissingExtra, Unavailable
from wganx.evaluation.comparison import ChosenMetric, Comparison, class_numbers, rows_of
from wganx.evaluation.features import Features, digest
from wganx.evaluation.kept import Kept
from wganx.evaluation.memorised import NearestPairs, nearest_pairs
from wganx.evaluation.protocol import CONFIDENCE
from wganx.evaluation.record import Evaluation, Row
from wganx.evaluation.sides import MOST_BYTES, Side, free_side, made_side, real_side
from wganx.evaluation.standards import Standards, reason
from wganx.plugins.contracts import Fitted, Game, Items, MetricContext, Sides, Split

MOST_TRAINING = 20_000
"""Training items in which nearest neighbours are looked for."""
_REMADE_ABOVE = 64 * 2**20
"""Memory that a baseline's samples may take before they are made anew for every metric."""

Watch = Callable[[str], None]


@dataclass(frozen=True)
class Evaluator:
    """Measures generators of one game on one dataset.

    Attributes:
        items: opens a split.
        features: of samples, by extractor.
        kept: floors and baselines that were found before.
        fingerprint: of the held-out data.
        about: what else is recorded of the data: the dataset's name and options.
        resize: how items were brought to one size, in words.
        played_otherwise: options of the task that are others than when the generators were trained.
        learnt_on: the game as it was played on the training items, where those are of another dataset.
    """

    game: Game
    items: Callable[[Split], Items]
    features: Features
    kept: Kept
    device: torch.device
    fitted: Fitted = field(default_factory=dict)
    fingerprint: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    resize: str = ""
    played_otherwise: Mapping[str, Any] = field(default_factory=dict)
    learnt_on: Game | None = None

    def evaluate(
        self,
        sampler: Sampler,
        metrics: Mapping[str, ChosenMetric],
        *,
        n: int,
        seed: int,
        step: int,
        repeats: int = 1,
        candidates: int | None = None,
        whole: bool = False,
        watch: Watch = lambda message: None,
    ) -> Evaluation:
        """Measure what `sampler` draws for the context of held-out batches.

        A metric or a baseline that raises is reported in `Evaluation.failures`, one that lacks something in
        `Evaluation.skipped`; the others go on.

        Args:
            n: rows of a block, fewer where the held-out items do not suffice for them.
            repeats: blocks; from 2 on every number has an interval.
            candidates: rows of a block of generated samples, more than `n`; for games whose context is labels alone.
            whole: spoilt copies stand among the baselines, and the samples nearest to the training data are looked for.
            watch: told what is being done.

        Raises:
            DataError: fewer than ``4 repeats`` held-out items, or `candidates` where the context comes from data.
        """
        heldout = self.items("heldout")
        self._check(len(heldout), repeats, candidates)
        n = min(n, len(heldout) // (2 * repeats))
        order = torch.randperm(len(heldout), generator=torch.Generator().manual_seed(seed)).tolist()
        blocks = [order[start : start + n] for start in range(0, 2 * n * repeats, n)]
        real = [self._real(heldout, block, seed + i % repeats) for i, block in enumerate(blocks)]
        truths, references = real[:repeats], real[repeats:]
        made = [self._made(sampler, truth, candidates, seed + i) for i, truth in enumerate(truths)]
        failures: dict[str, str] = {}
        skipped: dict[str, str] = {}
        per_class: dict[str, dict[str, float]] = {}
        rows: list[Row] = []
        seconds: dict[str, float] = {}
        looked_at = self._looked_at(repeats)
        size = min(n, looked_at)
        if any(chosen.metric.looks_at == "samples" for chosen in metrics.values()):
            for side in (*real, *made):
                if len(side) <= looked_at:
                    side.hold()
        # What metrics and baselines draw from global streams is nobody else's, and the same whatever ran before.
        with apart(seed, self.device):
            standards = Standards(
                self.game, truths, most=size, kept=repeats * size * self._bytes <= _REMADE_ABOVE, spoilt=whole,
                device=self.device, seed=seed, failures=failures,
            )  # fmt: skip
            for name, chosen in metrics.items():
                started = time.perf_counter()
                context = partial(self.context, chosen, seed)
                comparison = Comparison(name, chosen, context, self.features_of, truths, references, looked_at, watch)
                what = {"name": name, "metric": chosen.metric.origin, "config": chosen.config.model_dump(mode="json")}
                protocol = {"n": n, "repeats": repeats, "seed": seed, "whole": whole, "looked_at": size}
                try:
                    trivial = standards.trivial
                    generated = comparison.everything("generated", made)
                    weights = {used: self.features.digest(used) for used in comparison.extractors}
                    found = {"generated": [class_numbers(block)[0] for block in generated]}
                    found |= self.kept.numbers(
                        {**what, **protocol, "extractors": weights},
                        comparison.code,
                        partial(standards.numbers, comparison.numbers),
                    )
                except (Unavailable, MissingExtra) as error:
                    skipped[name] = str(error)
                except (Exception, SystemExit) as error:
                    failures[name] = reason(error)
                else:
                    rows += rows_of(name, chosen.metric, found, comparison.extractors, comparison.fewer(n), trivial)
                    per_class |= class_numbers(*generated)[1]
                seconds[name] = time.perf_counter() - started
            pairs = None
            if whole and "memorising" in metrics and not {"memorising"} & (skipped.keys() | failures.keys()):
                watch("the samples nearest to the training data")
                pairs = self._pairs(metrics["memorising"], made[0], references[0])
        record = Evaluation(
            step=step, n=n, seed=seed, heldout=len(heldout), rows=tuple(rows), failures=failures, repeats=repeats,
            candidates=candidates, extractors=self.features.digests(), fingerprint=self.fingerprint, skipped=skipped,
            per_class=per_class, protocol=self._protocol(), pairs=pairs, seconds=seconds,
        )  # fmt: skip
        self.features.forget()
        return record

    def measure(self, chosen: ChosenMetric, sides: Sides, *, seed: int = 0) -> dict[str, float]:
        """What one metric finds in samples of the caller's own."""
        return class_numbers(chosen.compute(sides, self.context(chosen, seed, self.features)))[0]

    def context(self, chosen: ChosenMetric, seed: int, features: Callable[[str, Batch], Tensor]) -> MetricContext:
        """What a metric may look at."""
        return MetricContext(
            config=chosen.config, game=self.game, items=self.items, features=features, training=self.training,
            seed=seed, fitted=self.fitted,
        )  # fmt: skip

    def features_of(self, extractor: str, side: Batch | Side) -> Tensor:
        """Features of a side.

        Raises:
            Unavailable: the generator was trained against this very network.
        """
        network = self.features.network(extractor)
        if self._helpers and (helper := self._helpers.get(digest(network))) is not None:
            raise Unavailable(
                f"extractor {extractor!r} is the task's helper {helper!r}, against which the generator was trained, so "
                "its numbers would flatter; choose another"
            )
        return self.features(extractor, side)

    def training(self, extractor: str) -> Tensor:
        """Features ``(t, d)`` of the training items, up to 20,000 of them."""
        return self.features_of(extractor, self._training)

    @cached_property
    def _training(self) -> Side:
        items = self.items("train")
        order = torch.randperm(len(items), generator=torch.Generator().manual_seed(0)).tolist()
        return real_side(self.learnt_on or self.game, items, order[:MOST_TRAINING], seed=0, device=self.device)

    @cached_property
    def _helpers(self) -> dict[str, str]:
        """Names of the game's helpers, which losses look through, by the digest of their weights."""
        return {digest(helper.module): name for name, helper in self.game.helpers.items()}

    @property
    def _bytes(self) -> int:
        """Memory of one sample; 0 where its size is not known."""
        return 0 if None in self.game.sample.shape else 4 * self.game.sample.size

    def _looked_at(self, repeats: int) -> int:
        """Rows of a block that metrics may look at as samples."""
        return max(MOST_BYTES // (repeats * self._bytes), 2) if self._bytes else 2**31

    def _check(self, heldout: int, repeats: int, candidates: int | None) -> None:
        if heldout < 4 * repeats:
            needed = "4 held-out items" if repeats == 1 else f"{4 * repeats} held-out items for {repeats} repeats"
            raise DataError(f"an evaluation needs at least {needed}, the dataset has {heldout}")
        if candidates is not None and not all(format.is_label for format in self.game.context.values()):
            raise DataError(
                "evaluate.candidates asks for rows that no held-out item gives the context of; leave it out"
            )

    def _real(self, items: Items, indices: list[int], seed: int) -> Side:
        return real_side(self.game, items, indices, seed=seed, device=self.device)

    def _made(self, sampler: Sampler, truth: Side, candidates: int | None, seed: int) -> Side:
        if candidates is None or candidates <= len(truth):
            return made_side(sampler, truth, seed=seed)
        return free_side(sampler, candidates, tuple(self.game.condition), seed=seed)

    def _pairs(self, chosen: ChosenMetric, made: Side, reference: Side) -> NearestPairs:
        from wganx.evaluation.extractors import default_extractor

        extractor = getattr(chosen.config, "extractor", None) or default_extractor(self.game.sample)
        return nearest_pairs(
            (made, self.features_of(extractor, made)),
            (self._training, self.training(extractor)),
            self.features_of(extractor, reference),
        )

    def _protocol(self) -> dict[str, Any]:
        value_range = self.game.sample.value_range
        resize = {**({"data": self.resize} if self.resize else {}), **self.features.resizes()}
        return {
            "range": None if value_range is None else list(value_range),
            "resize": resize,
            "confidence": CONFIDENCE,
            "data": dict(self.about),
            **({"task": dict(self.played_otherwise)} if self.played_otherwise else {}),
            "versions": {package: version(package) for package in ("wganx", "torch", "numpy", "scipy", "POT")},
        }
