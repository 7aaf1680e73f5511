"""What trainings scored on their way, and the tables made of it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from picture_judge import FRECHET
from quality_presets import PRESET, SAME

NEVER = float("inf")


@dataclass(frozen=True)
class Point:
    """One training at one moment.

    Attributes:
        share: of the loop's time, to the nearest step.
        time: in updates of the loop.
    """

    share: float
    step: int
    time: float
    scores: Mapping[str, float]


@dataclass
class Curve:
    """One training."""

    name: str
    seed: int
    by_hand: bool
    settings: dict[str, Any]
    points: list[Point] = field(default_factory=list)

    @property
    def last(self) -> Mapping[str, float]:
        """Its scores at the end."""
        return self.points[-1].scores

    def time_to(self, target: float) -> float:
        """When its Frechet distance first falls to `target`; between two scores by a straight line."""
        first = self.points[0]
        if first.scores[FRECHET] <= target:
            return first.time
        for before, after in pairwise(self.points):
            high, low = before.scores[FRECHET], after.scores[FRECHET]
            if low <= target:
                return before.time + (after.time - before.time) * (high - target) / (high - low)
        return NEVER


@dataclass
class Record:
    """One preset: what its trainings cost and scored.

    Attributes:
        costs: of a step, in steps of the loop by hand; and the ``seconds`` of one of these.
        about: the protocol.
    """

    preset: str
    machine: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)

    def find(self, name: str, seed: int) -> Curve | None:
        return next((curve for curve in self.curves if (curve.name, curve.seed) == (name, seed)), None)

    def of(self, name: str) -> list[Curve]:
        """One curve a seed, in the order of seeds."""
        return sorted((curve for curve in self.curves if curve.name == name), key=lambda curve: curve.seed)

    @staticmethod
    def read(file: Path | None) -> dict[str, Record]:
        """Those that were written before, by preset."""
        if file is None or not file.exists():
            return {}
        found = {}
        for name, known in json.loads(file.read_text(encoding="utf-8")).items():
            curves = [
                Curve(**{**curve, "points": [Point(**point) for point in curve["points"]]})
                for curve in known.pop("curves")
            ]
            found[name] = Record(**known, curves=curves)
        return found

    @staticmethod
    def write(file: Path | None, records: Mapping[str, Record]) -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            written = json.dumps({name: asdict(record) for name, record in records.items()}, indent=1)
            file.write_text(written + "\n", encoding="utf-8")


def pairs(record: Record) -> list[tuple[Curve, Curve]]:
    """The preset and the loop, by seeds that both have."""
    found = [(ours, record.find(record.about["loop"], ours.seed)) for ours in record.of(PRESET)]
    return [(ours, theirs) for ours, theirs in found if theirs is not None]


def times(record: Record) -> tuple[list[float], list[float]]:
    """Of the preset and of the loop to the loop's last score, one entry a seed."""
    targets = [theirs.last[FRECHET] for _, theirs in pairs(record)]
    ours, theirs = (
        [curve.time_to(target) for curve, target in zip(side, targets)] for side in zip(*pairs(record), strict=True)
    )
    return ours, theirs


def render(record: Record) -> Iterator[str]:
    """The protocol, the curves, the time to the loop's score, and what each mean does."""
    about, seconds = record.about, record.costs["seconds"]
    floor = ", ".join(f"{name} {value:.3g}" for name, value in about["floor"].items())
    yield (
        f"**{record.preset}**: the loop's {about['updates']} updates take {about['updates'] * seconds:.0f} s; its best "
        f"rate is {about['loop']}. {about['n']:,} samples against {about['heldout']:,} held-out pictures, by the "
        f"classifier {about['extractor']}, which reads {about['accuracy']:.3f} of them right. "
        f"Real pictures (the floor): {floor}.\n"
    )
    yield "| time, of the loop's | preset: steps | Frechet distance | coverage | loop: steps | distance | coverage |"
    yield "|---|---|---|---|---|---|---|"
    for cells in _moments(record):
        yield f"| {' | '.join(cells)} |"
    ours, theirs = times(record)
    ratio = statistics.median(ours) / statistics.median(theirs)
    engine = record.costs[SAME] / record.costs[PRESET]
    yield (
        f"\nTime to the loop's last score, in its updates: preset {_each(ours, '.0f')}, loop {_each(theirs, '.0f')}. "
        f"Ratio of medians **{ratio:.2f}**. By hand with the preset's own settings a step costs "
        f"{engine:.2f} times as much.\n"
    )
    yield from _means(record)


def _moments(record: Record) -> Iterator[list[str]]:
    both = pairs(record)
    for share in sorted({point.share for pair in both for curve in pair for point in curve.points}):
        row = [f"{share:.3g}"]
        for side in zip(*both, strict=True):
            points = [point for curve in side for point in curve.points if point.share == share]
            if len(points) < len(both):
                row += ["", "", ""]
                continue
            found = [[point.scores[name] for point in points] for name in (FRECHET, "coverage")]
            row += [f"{points[0].step:,}", *(_each(values, ".3g") for values in found)]
        yield row


def _means(record: Record) -> Iterator[str]:
    base = record.find(PRESET, 0)
    changed = [curve for curve in record.curves if not curve.by_hand and curve.name != PRESET]
    loop = record.find(record.about["loop"], 0)
    if base is None or loop is None:
        return
    target, whole = loop.last[FRECHET], record.about["updates"]
    yield "| seed 0 | a step costs | Frechet distance at its end | coverage | time to the loop's score, of the loop's |"
    yield "|---|---|---|---|---|"
    for curve in [base, *changed, *(curve for curve in record.curves if curve.by_hand and curve.seed == 0)]:
        reached = curve.time_to(target)
        shown = f"{reached / whole:.2f}" if reached < NEVER else f"not in {curve.points[-1].time / whole:.2g}"
        name = f"loop, {curve.name}" if curve.by_hand else curve.name
        scores = f"{curve.last[FRECHET]:.3g} | {curve.last['coverage']:.3g}"
        yield f"| {name} | {record.costs.get(curve.name, 1.0):.2f} | {scores} | {shown} |"


def _each(values: Sequence[float], how: str) -> str:
    if len(values) == 1:
        return f"{values[0]:{how}}"
    return f"{statistics.median(values):{how}} ({', '.join(f'{value:{how}}' for value in values)})"
