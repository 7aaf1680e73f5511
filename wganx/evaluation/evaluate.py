"""The evaluation: registered metrics on held-out data, by the protocol of `wganx.evaluation.protocol`.

The held-out items are put into random order and cut into halves of R blocks of n rows. The first half gives the
generator its context and is, with its real samples, the floor; the second is what everything is compared with. The
generator's samples, the floor and every baseline go through the same function, block by block.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.engine import Sampler, apart
from wganx.errors import DataError, PluginFailed
from wganx.evaluation.batches import gather
from wganx.evaluation.features import Features
from wganx.evaluation.kept import Kept
from wganx.evaluation.protocol import Interval, excess, interval
from wganx.plugins.contracts import Baseline, Fitted, Game, Items, MetricContext, Sides, Split
from wganx.plugins.descriptors import Config, Metric
from wganx.plugins.guard import call, calling, one_line
from wganx.switches import switches_kept
from wganx.tables import Table, between, figure

Blocks = list[dict[str, float]]
"""What a metric found, by value, in each block."""


@dataclass(frozen=True)
class ChosenMetric:
    """A metric and its options."""

    metric: Metric
    config: Config


@dataclass(frozen=True)
class Row:
    """One value of one metric: of the generator, of real data (the floor), and of each baseline.

    Attributes:
        interval: ends of the 95 % t interval of `generated`, where there are several blocks.
        excess: what `generated` has above the floor, with its interval, likewise.
    """

    metric: str
    value: str
    better: str | None
    generated: float
    floor: float
    baselines: Mapping[str, float]
    interval: tuple[float, float] | None = None
    excess: Interval | None = None


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found, with the protocol that makes the numbers comparable.

    Attributes:
        step: generator updates behind the weights.
        n: rows of a block, of real samples and of the generator's.
        repeats: blocks behind each number.
        candidates: rows of a generator's block, where these are more.
        seed: of the order, the noise and the metrics' own draws.
        heldout: how many held-out items there are.
        rows: the values.
        failures: message of each metric that raised.
        extractors: digest of the weights of each extractor that was used.
        fingerprint: of the held-out data.
        seconds: what each metric took; no part of what is stored, which the seed determines.
    """

    step: int
    n: int
    seed: int
    heldout: int
    rows: tuple[Row, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    repeats: int = 1
    candidates: int | None = None
    extractors: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain data; a value that is not finite becomes None."""
        data: dict[str, Any] = _without_nan(asdict(self))
        del data["seconds"]
        for row, found in zip(data["rows"], self.rows):
            if found.excess is not None:
                row["excess"] = _without_nan([found.excess.mean, found.excess.low, found.excess.high])
        return data

    def __repr__(self) -> str:
        return self._table().text()

    def _repr_html_(self) -> str:
        return self._table().html()

    def _table(self) -> Table:
        """Every value beside its floor and the baselines."""
        baselines = list(dict.fromkeys(name for row in self.rows for name in row.baselines))
        rows = [
            (
                f"{row.metric}/{row.value}", row.better or "-",
                figure(row.generated) + ("" if row.interval is None else f" {between(*row.interval)}"),
                figure(row.floor), *(figure(row.baselines.get(name)) for name in baselines),
            )
            for row in self.rows
        ]  # fmt: skip
        blocks = f", {self.repeats} times" if self.repeats > 1 else ""
        return Table(
            f"Evaluation of step {self.step}: {self.n} rows a side (of {self.heldout}){blocks}, seed {self.seed}",
            ("value", "better", "generated", "floor: real", *(f"baseline: {name}" for name in baselines)),
            rows,
            [f"{name} failed: {message}" for name, message in self.failures.items()],
        )

    def scalars(self) -> dict[str, float]:
        """The generator's values by name, ``metric/value``."""
        return {f"{row.metric}/{row.value}": row.generated for row in self.rows}


@dataclass(frozen=True)
class Evaluator:
    """Measures generators of one game on one dataset.

    Attributes:
        items: opens a split.
        features: of samples, by extractor.
        kept: floors and baselines that were found before.
        fingerprint: of the held-out data.
    """

    game: Game
    items: Callable[[Split], Items]
    features: Features
    kept: Kept
    device: torch.device
    fitted: Fitted = field(default_factory=dict)
    fingerprint: str = ""

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
    ) -> Evaluation:
        """Measure what `sampler` draws for the context of held-out batches.

        A metric or a baseline that raises is reported in `Evaluation.failures`; the others go on.

        Args:
            n: rows of a block, fewer where the held-out items do not suffice for them.
            repeats: blocks; from 2 on every number has an interval.
            candidates: rows of a block of generated samples, more than `n`; for games whose context is labels alone.

        Raises:
            DataError: fewer than ``4 repeats`` held-out items, or `candidates` where the context comes from data.
        """
        heldout = self.items("heldout")
        if len(heldout) < 4 * repeats:
            needed = "4 held-out items" if repeats == 1 else f"{4 * repeats} held-out items for {repeats} repeats"
            raise DataError(f"an evaluation needs at least {needed}, the dataset has {len(heldout)}")
        if candidates is not None and not all(format.is_label for format in self.game.context.values()):
            raise DataError(
                "evaluate.candidates asks for rows that no held-out item gives the context of; leave it out"
            )
        n = min(n, len(heldout) // (2 * repeats))
        order = torch.randperm(len(heldout), generator=torch.Generator().manual_seed(seed)).tolist()
        blocks = [order[start : start + n] for start in range(0, 2 * n * repeats, n)]
        # What metrics and baselines draw from global streams is nobody else's, and the same whatever ran before.
        with apart(seed, self.device):
            truths = [self._batch(block, seed + i) for i, block in enumerate(blocks[:repeats])]
            references = [self._batch(block, seed + i) for i, block in enumerate(blocks[repeats:])]
            made = [self._made(sampler, truth, candidates, seed + i) for i, truth in enumerate(truths)]
            failures: dict[str, str] = {}
            standards = _Standards(self.game, truths, self.device, seed, failures)
            rows: list[Row] = []
            seconds: dict[str, float] = {}
            for name, chosen in metrics.items():
                started = time.perf_counter()
                comparison = _Comparison(chosen, self, truths, references, seed)
                what = {"name": name, "metric": chosen.metric.origin, "config": chosen.config.model_dump(mode="json")}
                protocol = {"n": n, "repeats": repeats, "seed": seed}
                try:
                    found = {"generated": comparison.numbers(made)}
                    found |= self.kept.numbers(
                        {**what, **protocol}, comparison.code, partial(standards.numbers, comparison.numbers)
                    )
                except (Exception, SystemExit) as error:
                    failures[name] = _reason(error)
                else:
                    rows += _rows(name, chosen.metric, found)
                seconds[name] = time.perf_counter() - started
        digests = self.features.digests()
        self.features.forget()
        return Evaluation(
            step, n, seed, len(heldout), tuple(rows), failures, repeats, candidates, digests, self.fingerprint, seconds
        )

    def measure(self, chosen: ChosenMetric, sides: Sides, *, seed: int = 0) -> dict[str, float]:
        """What one metric finds in samples of the caller's own."""
        return _compute(chosen.metric, sides, self.context(chosen, seed, self.features))

    def context(self, chosen: ChosenMetric, seed: int, features: Callable[[str, Batch], Tensor]) -> MetricContext:
        """What a metric may look at."""
        return MetricContext(
            config=chosen.config, game=self.game, items=self.items, features=features, seed=seed, fitted=self.fitted
        )

    def _batch(self, indices: Sequence[int], seed: int) -> Batch:
        heldout = gather(self.items("heldout"), indices, self.device)
        return self.game.batch(heldout, torch.Generator(self.device).manual_seed(seed), training=False)

    def _made(self, sampler: Sampler, truth: Batch, candidates: int | None, seed: int) -> Batch:
        if candidates is None or candidates <= len(truth):
            return truth.with_real(sampler.draw(len(truth), seed=seed, context=truth.context))
        context = sampler.context_rows(candidates)
        condition = {name: rows for name, rows in context.items() if name in truth.condition}
        return Batch(sampler.draw(candidates, seed=seed, context=context), context, condition)


class _Standards:
    """What the generator is compared with: real samples, and the task's trivial solutions; made when first needed."""

    def __init__(
        self, game: Game, truths: Sequence[Batch], device: torch.device, seed: int, failures: dict[str, str]
    ) -> None:
        self._game, self._truths, self._device, self._seed = game, truths, device, seed
        self._failures = failures
        self._sides: dict[str, list[Batch]] | None = None

    def numbers(self, measure: Callable[[Sequence[Batch]], Blocks]) -> dict[str, Blocks]:
        """The numbers of every side by ``floor`` or ``baseline NAME``."""
        if self._sides is None:
            self._sides = {"floor": list(self._truths)}
            for name, baseline in self._game.baselines().items():
                try:
                    self._sides[f"baseline {name}"] = [self._solve(baseline, i) for i in range(len(self._truths))]
                except (Exception, SystemExit) as error:
                    self._failures[f"baseline {name}"] = _reason(error)
        return {side: measure(batches) for side, batches in self._sides.items()}

    def _solve(self, baseline: Baseline, block: int) -> Batch:
        truth = self._truths[block]
        with switches_kept():
            made = baseline(_copy(truth), torch.Generator(self._device).manual_seed(self._seed + block))
        if not isinstance(made, Tensor) or made.shape != truth.real.shape:
            seen = f"samples of shape {tuple(made.shape)}" if isinstance(made, Tensor) else type(made).__name__
            raise PluginFailed(f"it returned {seen} where {tuple(truth.real.shape)} is wanted")
        return truth.with_real(made)


class _Comparison:
    """One metric at work; it is shown copies, so that what it does to them is nobody else's concern."""

    def __init__(
        self,
        chosen: ChosenMetric,
        evaluator: Evaluator,
        truths: Sequence[Batch],
        references: Sequence[Batch],
        seed: int,
    ) -> None:
        self._metric, self._features = chosen.metric, evaluator.features
        self._others = list(zip(truths, references))
        self._shown: dict[int, tuple[Batch, Batch]] = {}
        self._context = evaluator.context(chosen, seed, self._features_of)

    @property
    def code(self) -> list[object]:
        """Whatever's code the numbers depend on."""
        return [self._metric.factory("compute"), type(self._context.game)]

    def numbers(self, candidates: Sequence[Batch]) -> Blocks:
        """What the metric finds in each block of a side."""
        return [
            _compute(
                self._metric, Sides(self._show(candidate), self._show(truth), self._show(reference)), self._context
            )
            for candidate, (truth, reference) in zip(candidates, self._others)
        ]

    def _show(self, side: Batch) -> Batch:
        copy = _copy(side)
        self._shown[id(copy)] = copy, side
        return copy

    def _features_of(self, extractor: str, side: Batch) -> Tensor:
        return self._features(extractor, self._shown.get(id(side), (side, side))[1])


def _compute(metric: Metric, sides: Sides, context: MetricContext) -> dict[str, float]:
    found = call(metric, "compute", sides, context, returns=Mapping)
    with calling(metric, "compute"):
        return {str(name): float(value) for name, value in found.items()}


def _copy(batch: Batch) -> Batch:
    return batch.each(torch.clone)


def _reason(error: BaseException) -> str:
    """Why something failed, without whose it is, which stands beside it."""
    return one_line(error.__cause__ if isinstance(error, PluginFailed) and error.__cause__ else error)


def _rows(name: str, metric: Metric, found: Mapping[str, Sequence[Mapping[str, float]]]) -> Iterator[Row]:
    for value in found["generated"][0]:
        by_side = {side: [float(block.get(value, math.nan)) for block in blocks] for side, blocks in found.items()}
        generated, floor = by_side.pop("generated"), by_side.pop("floor")
        several = len(generated) > 1
        around = interval(generated) if several else None
        yield Row(
            metric=name,
            value=value,
            better=metric.better.get(value),
            generated=_mean(generated),
            floor=_mean(floor),
            baselines={side.removeprefix("baseline "): _mean(values) for side, values in by_side.items()},
            interval=(around.low, around.high) if around else None,
            excess=excess(generated, floor) if several else None,
        )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _without_nan(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
