"""One metric at work on the blocks of every side."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from wganx.batch import Batch
from wganx.devices import plain
from wganx.evaluation.protocol import excess, interval
from wganx.evaluation.record import Row
from wganx.evaluation.sides import Side
from wganx.evaluation.standards import Blocks, copied
from wganx.plugins.contracts import MetricContext, Sides
from wganx.plugins.descriptors import Config, Metric
from wganx.plugins.guard import call, calling

Numbers = dict[str, float | dict[str, float]]
_ALL = 2**62


@dataclass(frozen=True)
class ChosenMetric:
    """A metric and its options."""

    metric: Metric
    config: Config

    def compute(self, sides: Sides, context: MetricContext) -> Numbers:
        """What it finds: numbers by name, or by name and class."""
        found = call(self.metric, "compute", sides, context, returns=Mapping)
        with calling(self.metric, "compute"):
            return {
                str(name): {str(each): float(number) for each, number in value.items()}
                if isinstance(value, Mapping)
                else float(value)
                for name, value in found.items()
            }


class Comparison:
    """A metric and the sides it is shown: copies, so that what it does to them is nobody else's concern.

    Args:
        context: what the metric may look at, given a way to features.
        looked_at: rows that it may look at as samples.
        watch: told before every block.
    """

    def __init__(
        self,
        name: str,
        chosen: ChosenMetric,
        context: Callable[[Callable[[str, Batch], Tensor]], MetricContext],
        features: Callable[[str, Batch | Side], Tensor],
        truths: Sequence[Side],
        references: Sequence[Side],
        looked_at: int,
        watch: Callable[[str], None],
    ) -> None:
        self._name, self._chosen, self._features, self._watch = name, chosen, features, watch
        self._others = list(zip(truths, references))
        self._most = min(chosen.metric.most_rows or _ALL, looked_at if self._looks_at_samples else _ALL)
        self._shown: dict[int, tuple[Batch, Side]] = {}
        self._context = context(self._features_of)
        self._asked: dict[str, None] = {}

    @property
    def extractors(self) -> list[str]:
        """Names of the extractors whose features the metric asked for."""
        return list(self._asked)

    @property
    def code(self) -> list[object]:
        """Whatever's code the numbers depend on."""
        return [self._chosen.metric.factory("compute"), type(self._context.game)]

    def fewer(self, n: int) -> int | None:
        """The rows it is given of a block of `n`, where they are fewer."""
        return self._most if self._most < n else None

    def everything(self, side: str, candidates: Sequence[Side]) -> list[Numbers]:
        """What the metric finds in each block of a side."""
        found = []
        for block, (candidate, (truth, reference)) in enumerate(zip(candidates, self._others)):
            self._watch(
                f"{self._name}: {side}" + (f", {block + 1} of {len(candidates)}" if len(candidates) > 1 else "")
            )
            shown = Sides(self._show(candidate), self._show(truth), self._show(reference), again=self._again(candidate))
            found.append(self._chosen.compute(shown, self._context))
            self._shown.clear()
        return found

    def numbers(self, side: str, candidates: Sequence[Side]) -> Blocks:
        """Likewise, without those of single classes."""
        return [class_numbers(block)[0] for block in self.everything(side, candidates)]

    @property
    def _looks_at_samples(self) -> bool:
        return self._chosen.metric.looks_at == "samples"

    def _show(self, side: Side) -> Batch:
        if self._looks_at_samples:
            shown = copied(side.samples(self._most))
        else:
            shown = side.outline([size or 1 for size in self._context.game.sample.shape])
            shown = shown[: self._most] if len(shown) > self._most else shown
        shown = shown.each(plain)  # metrics count on float64
        self._shown[id(shown)] = shown, side
        return shown

    def _again(self, side: Side) -> Callable[[int], Tensor] | None:
        draw, rows = side.again, min(len(side), self._most)
        return None if draw is None or not self._looks_at_samples else lambda number: plain(draw(rows, number))

    def _features_of(self, extractor: str, side: Batch) -> Tensor:
        self._asked.setdefault(extractor.partition("#")[0])
        if id(side) in self._shown:
            shown, whole = self._shown[id(side)]
            return self._features(extractor, whole)[: len(shown)]
        return self._features(extractor, side)


def class_numbers(*blocks: Numbers) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The plain numbers of the first block; and, by value and class, means over all blocks that know one."""
    plain = {name: value for name, value in blocks[0].items() if not isinstance(value, dict)}
    found: dict[str, dict[str, float]] = {}
    for name, value in blocks[0].items():
        if isinstance(value, dict):
            found[name] = {
                each: _mean([number for block in blocks if not math.isnan(number := _of_class(block, name, each))])
                for each in value
            }
    return plain, found


def _of_class(block: Numbers, name: str, each: str) -> float:
    value = block.get(name)
    return value.get(each, math.nan) if isinstance(value, dict) else math.nan


def rows_of(
    name: str,
    metric: Metric,
    found: Mapping[str, Sequence[Mapping[str, float]]],
    extractors: Sequence[str],
    n: int | None,
    trivial: Collection[str] = (),
) -> Iterator[Row]:
    """The rows of a metric from what it found by side and block.

    Args:
        trivial: names of the baselines that are the task's own.
    """
    for value in found["generated"][0]:
        by_side = {side: [float(block.get(value, math.nan)) for block in blocks] for side, blocks in found.items()}
        generated, floor = by_side.pop("generated"), by_side.pop("floor")
        several = len(generated) > 1
        around = interval(generated) if several else None
        better, baselines = metric.better.get(value), {
            side.removeprefix("baseline "): _mean(values) for side, values in by_side.items()
        }  # fmt: skip
        against = {name: number for name, number in baselines.items() if metric.decisive and name in trivial}
        yield Row(
            metric=name,
            value=value,
            better=better,
            generated=_mean(generated),
            floor=_mean(floor),
            baselines=baselines,
            beaten_by=tuple(name for name, number in against.items() if _no_worse(number, _mean(generated), better)),
            interval=(around.low, around.high) if around else None,
            excess=excess(generated, floor) if several else None,
            extractor=", ".join(extractors) or None,
            n=n,
        )


def _no_worse(one: float, other: float, better: str | None) -> bool:
    if better is None:
        return False
    return one <= other if better == "lower" else one >= other


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
