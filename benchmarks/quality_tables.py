"""What two trainings scored on their way, and the tables made of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from picture_judge import SCORES

TRAININGS = ("wganx", "careful")


@dataclass(frozen=True)
class Point:
    """One training at one moment.

    Attributes:
        mark: the moment's name, ``10 s`` or ``200 steps``.
        cpu, wall: seconds in training steps so far.
    """

    training: str
    seed: int
    mark: str
    cpu: float
    wall: float
    steps: int
    scores: Mapping[str, float]


@dataclass
class Result:
    """One scenario.

    Attributes:
        draws_apart: standard deviation of a score over draws of noise, for one and the same generator.
    """

    scenario: str
    n: int
    n_heldout: int
    n_real: int
    trivial: Mapping[str, Mapping[str, float]]
    better: Mapping[str, str]
    points: list[Point] = field(default_factory=list)
    draws_apart: dict[str, float] = field(default_factory=dict)

    def marks(self, unit: str) -> list[str]:
        """Moments that all trainings reached, in order."""
        every = {(point.training, point.seed) for point in self.points}
        marks = dict.fromkeys(point.mark for point in self.points if point.mark.endswith(unit))
        reached = [mark for mark in marks if sum(point.mark == mark for point in self.points) == len(every)]
        return sorted(reached, key=lambda mark: int(mark.split()[0]))

    def at(self, mark: str, training: str) -> list[Point]:
        """One point a seed, in the order of seeds."""
        found = [point for point in self.points if (point.mark, point.training) == (mark, training)]
        return sorted(found, key=lambda point: point.seed)

    def gains(self, mark: str, score: str) -> list[float]:
        """By how much wganx is better, one entry a seed."""
        sign = 1 if self.better[score] == "higher" else -1
        pairs = zip(*(self.at(mark, training) for training in TRAININGS), strict=True)
        return [sign * (ours.scores[score] - theirs.scores[score]) for ours, theirs in pairs]


def render(result: Result) -> Iterator[str]:
    """Scores against seconds, against steps, and what they say."""
    yield (
        f"**{result.scenario}**: {result.n:,} samples; sliced_w1 against {result.n_heldout:,} held-out pictures; "
        f"real: {result.n_real:,} of the training split. Median over seeds (each seed in turn)."
    )
    for score in SCORES:
        known = ", ".join(f"{name} {values[score]:.4g}" for name, values in result.trivial.items())
        spread = f"between draws ± {result.draws_apart[score]:.2g}"
        yield f"\n{score}, {result.better[score]} is better; {known}; {spread}:\n"
        yield "| CPU time | wganx | careful | seeds where wganx is ahead | steps | wall-clock seconds |"
        yield "|---|---|---|---|---|---|"
        for mark in result.marks(" s"):
            ahead = sum(gain > 0 for gain in result.gains(mark, score))
            sides = [result.at(mark, training) for training in TRAININGS]
            steps = " and ".join(f"{statistics.median(point.steps for point in side):,.0f}" for side in sides)
            wall = " and ".join(f"{statistics.median(point.wall for point in side):.1f}" for side in sides)
            cells = [mark, *(describe(side, score) for side in sides), f"{ahead} of {len(sides[0])}", steps, wall]
            yield f"| {' | '.join(cells)} |"
        yield f"\n{verdict(result, score)}"
    for score in SCORES:
        yield f"\n{score} after equally many steps:\n"
        yield "| steps | wganx | careful | better by, each seed | range between seeds |"
        yield "|---|---|---|---|---|"
        for mark in result.marks(" steps"):
            sides = [result.at(mark, training) for training in TRAININGS]
            gains = ", ".join(f"{gain:+.2g}" for gain in result.gains(mark, score))
            apart = max(width([point.scores[score] for point in side]) for side in sides)
            cells = [mark.split()[0], *(describe(side, score) for side in sides), gains, f"{apart:.2g}"]
            yield f"| {' | '.join(cells)} |"


def describe(points: Sequence[Point], score: str) -> str:
    each = [point.scores[score] for point in points]
    return f"{statistics.median(each):.4g} ({', '.join(f'{value:.4g}' for value in each)})"


def width(values: Sequence[float]) -> float:
    return max(values) - min(values)


def verdict(result: Result, score: str) -> str:
    """Whether the median of wganx is ahead at every checkpoint, and where not."""
    sign = 1 if result.better[score] == "higher" else -1
    behind = []
    for mark in result.marks(" s"):
        ours, theirs = (statistics.median(point.scores[score] for point in result.at(mark, name)) for name in TRAININGS)
        if sign * (ours - theirs) <= 0:
            behind.append(mark)
    return f"By the median, wganx is ahead at every checkpoint{' but ' * bool(behind)}{', '.join(behind)}."
