"""Pairs of distributions whose W1 is known: smooth or many-moded, of few or many dimensions, of light or heavy tails.

Every truth is a closed form, or an integral on the line: a shift moves every point equally far; points that move along
rays of one 1-Lipschitz function move optimally (Villani, "Topics in Optimal Transportation", 2003, theorem 5.10);
what is independent of the coordinate that differs, and alike on both sides, costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
Noise = Callable[[int, int, torch.Generator], Tensor]


@dataclass(frozen=True)
class KnownPair:
    """Two distributions and their W1.

    Attributes:
        name: it in words.
        draw: samples of both ``(n, d)``.
        truth: W1.
        n: samples a side that it is tried with.
        modes: clusters of one side.
        tails: ``light`` or ``heavy``.
    """

    name: str
    draw: Draw
    truth: float
    n: int
    modes: int = 1
    tails: str = "light"

    def samples(self, seed: int) -> tuple[Tensor, Tensor]:
        return self.draw(self.n, torch.Generator().manual_seed(seed))


def gaussian(n: int, dim: int, rng: torch.Generator) -> Tensor:
    return torch.randn(n, dim, generator=rng, dtype=torch.float64)


def uniform(n: int, dim: int, rng: torch.Generator) -> Tensor:
    return torch.rand(n, dim, generator=rng, dtype=torch.float64)


def student(freedom: float) -> Noise:
    """Student's t in every direction: a Gaussian over the root of a mean square of `freedom` others."""

    def draw(n: int, dim: int, rng: torch.Generator) -> Tensor:
        # A gamma variable by its quantiles would need scipy; an even whole number of degrees is a sum of exponentials.
        half = torch.rand(n, round(freedom / 2), generator=rng, dtype=torch.float64).clamp_min(1e-300).log().sum(1)
        return gaussian(n, dim, rng) / (-2 * half / freedom).sqrt()[:, None]

    return draw


def mean_length(dim: int, freedom: float = math.inf) -> float:
    """``E|Z|`` of a standard Gaussian, or of Student's t, in `dim` dimensions."""
    length = math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))
    if math.isinf(freedom):
        return length
    # times E (χ²_k / k)^(-1/2)
    return length * math.sqrt(freedom / 2) * math.exp(math.lgamma((freedom - 1) / 2) - math.lgamma(freedom / 2))


def shift(noise: Noise, dim: int, by: float) -> Draw:
    """The same noise twice, one of them moved by `by` along a direction that no axis has."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        along = torch.arange(1, dim + 1, dtype=torch.float64).sqrt()
        return noise(n, dim, rng), noise(n, dim, rng) + by * along / along.norm()

    return draw


def widen(noise: Noise, dim: int, by: float, centres: Tensor | None = None, narrow: float = 1.0) -> Draw:
    """Clusters of deviation `narrow` around `centres`, and around the same ones `by` times as wide."""
    middles = torch.zeros(1, dim, dtype=torch.float64) if centres is None else centres

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        which = torch.randint(len(middles), (2, n), generator=rng)
        x, y = noise(n, dim, rng), noise(n, dim, rng)
        return middles[which[0]] + narrow * x, middles[which[1]] + by * narrow * y

    return draw


def grid(side: int, apart: float) -> Tensor:
    """``side²`` centres on the plane."""
    places = apart * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return torch.cartesian_prod(places, places)


def spread_out(count: int, dim: int, apart: float) -> Tensor:
    """`count` centres of random directions, the nearest two of them `apart`; the same ones every time."""
    rng = torch.Generator().manual_seed(count + 1000 * dim)
    drawn = torch.randn(count, dim, generator=rng, dtype=torch.float64)
    return apart * drawn / torch.pdist(drawn).min()


def comb(teeth: int, deviation: float) -> Draw:
    """Teeth at 0, 2, 4, ... on the line, and between them: every point moves by 1."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        which = 2.0 * torch.randint(teeth, (2, n, 1), generator=rng)
        return which[0] + deviation * gaussian(n, 1, rng), which[1] + 1 + deviation * gaussian(n, 1, rng)

    return draw


def reweighted(dim: int, apart: float, first: float, second: float, noise: Noise = gaussian) -> Draw:
    """Two clusters `apart`, of which the one holds a share of `first` and of `second`."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = noise(n, dim, rng), noise(n, dim, rng)
        for side, share in ((x, first), (y, second)):
            side[torch.rand(n, generator=rng) < share, 0] += apart
        return x, y

    return draw


def one_coordinate(dim: int, middles: tuple[float, ...], others: tuple[float, ...], deviation: float) -> Draw:
    """Mixtures on one coordinate, and standard Gaussians, the same for both, on all others."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = gaussian(n, dim, rng), gaussian(n, dim, rng)
        for side, places in ((x, middles), (y, others)):
            which = torch.randint(len(places), (n,), generator=rng)
            side[:, 0] = torch.tensor(places, dtype=torch.float64)[which] + deviation * side[:, 0]
        return x, y

    return draw


def mixtures_on_the_line(middles: tuple[float, ...], others: tuple[float, ...], deviation: float) -> float:
    """W1 of the two mixtures: the integral of the difference of their distribution functions."""
    t = torch.linspace(min(*middles, *others) - 9 * deviation, max(*middles, *others) + 9 * deviation, 400_001).double()

    def below(places: tuple[float, ...]) -> Tensor:
        z = (t[:, None] - torch.tensor(places, dtype=torch.float64)) / deviation
        return (0.5 * (1 + torch.erf(z / math.sqrt(2)))).mean(1)

    return float(torch.trapezoid((below(middles) - below(others)).abs(), t))


def ball(dim: int, first: float, second: float) -> Draw:
    """Uniform in balls of two radii."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        sides = []
        for radius in (first, second):
            z = gaussian(n, dim, rng)
            length = radius * uniform(n, 1, rng) ** (1 / dim)
            sides.append(length * z / z.norm(dim=1, keepdim=True))
        return sides[0], sides[1]

    return draw


def circles(first: float, second: float, dim: int = 2) -> Draw:
    """Two circles around one middle, on a plane in `dim` dimensions that no axis lies in."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        plane = torch.linalg.qr(torch.randn(dim, 2, generator=torch.Generator().manual_seed(dim)).double()).Q
        angle = 2 * math.pi * torch.rand(2, n, generator=rng, dtype=torch.float64)
        around = torch.stack([angle.cos(), angle.sin()], dim=2)
        return first * around[0] @ plane.T, second * around[1] @ plane.T

    return draw


def lattice(count: int, apart: float, by: float) -> Draw:
    """`count` points far apart, and the same ones moved to their right: nothing but atoms."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        which = apart * torch.randint(count, (2, n), generator=rng).double()
        nothing = torch.zeros(n, dtype=torch.float64)
        return torch.stack([which[0], nothing], 1), torch.stack([which[1] + by, nothing], 1)

    return draw


def pairs() -> Iterator[KnownPair]:
    """All of them."""
    hundred, twenty_five, sixteen = grid(10, 4.0), grid(5, 4.0), grid(4, 4.0)
    plane = mean_length(2)
    yield KnownPair("25-mode grid, .05 to .25", widen(gaussian, 2, 5, twenty_five, 0.05), 0.2 * plane, 20_000, 25)
    yield KnownPair("16-mode grid, .03 to .15", widen(gaussian, 2, 5, sixteen, 0.03), 0.12 * plane, 20_000, 16)
    yield KnownPair("100-mode grid, .05 to .25", widen(gaussian, 2, 5, hundred, 0.05), 0.2 * plane, 20_000, 100)
    yield KnownPair("25-mode grid, .05 to .25", widen(gaussian, 2, 5, twenty_five, 0.05), 0.2 * plane, 2_000, 25)
    yield KnownPair("9-mode grid, .2 to .4", widen(gaussian, 2, 2, grid(3, 6.0), 0.2), 0.2 * plane, 5_000, 9)
    yield KnownPair("25-mode grid moved", shift_of(twenty_five, 0.05, 0.5), 0.5, 20_000, 25)
    for teeth in (3, 6, 12, 40):
        yield KnownPair(f"comb of {teeth}", comb(teeth, 0.02), 1.0, 20_000, teeth)
    yield KnownPair("comb of 6", comb(6, 0.02), 1.0, 500, 6)
    yield KnownPair("points on a row", lattice(8, 10.0, 1.0), 1.0, 5_000, 8)
    for dim, n in ((1, 20_000), (1, 300), (2, 20_000), (2, 1_000), (4, 5_000), (8, 20_000), (16, 1_000), (32, 20_000)):
        yield KnownPair("Gaussians 1 apart", shift(gaussian, dim, 1.0), 1.0, n)
    for dim, n in ((64, 20_000), (128, 20_000), (128, 1_000), (64, 500), (2, 300)):
        yield KnownPair("Gaussians 3 apart", shift(gaussian, dim, 3.0), 3.0, n)
    for dim, n in ((2, 20_000), (16, 20_000), (3, 1_000)):
        yield KnownPair("Gaussians .1 apart", shift(gaussian, dim, 0.1), 0.1, n)
    for dim, n in ((2, 20_000), (4, 2_000), (16, 20_000), (16, 1_000), (64, 20_000), (64, 1_000), (1, 2_000)):
        yield KnownPair("Gaussian, twice as wide", widen(gaussian, dim, 2), mean_length(dim), n)
    for count, dim, apart, by, n in (
        (2, 8, 30.0, 2.0, 20_000), (4, 16, 25.0, 1.5, 20_000), (3, 2, 40.0, 2.0, 20_000), (3, 2, 40.0, 2.0, 1_000),
        (8, 4, 25.0, 2.0, 20_000), (16, 8, 25.0, 1.5, 20_000), (2, 64, 50.0, 1.5, 5_000), (2, 8, 30.0, 2.0, 1_000),
        (32, 3, 20.0, 2.0, 10_000),
    ):  # fmt: skip
        truth = (by - 1) * mean_length(dim)
        named = f"{count} clusters, {by:g} times as wide"
        yield KnownPair(named, widen(gaussian, dim, by, spread_out(count, dim, apart)), truth, n, count)
    combed = ((-2.0, 0.0, 2.0), (-1.0, 1.0, 3.0), 0.3)
    for dim, n in ((10, 1_000), (10, 20_000), (3, 2_000), (64, 5_000)):
        yield KnownPair("mixtures on one axis", one_coordinate(dim, *combed), mixtures_on_the_line(*combed), n, 3)
    near = ((-1.5, 1.5), (0.0,), 0.5)
    for dim, n in ((10, 1_000), (5, 20_000), (32, 2_000)):
        yield KnownPair("two modes or one, on one axis", one_coordinate(dim, *near), mixtures_on_the_line(*near), n, 2)
    for dim, apart, n in ((2, 4.0, 20_000), (2, 40.0, 2_000), (16, 6.0, 5_000), (128, 6.0, 2_000)):
        yield KnownPair(f"shares of .5 and .3, {apart:g} apart", reweighted(dim, apart, 0.5, 0.3), 0.2 * apart, n, 2)
    yield KnownPair("a hundredth moved 10 away", reweighted(2, 10.0, 0.0, 0.01), 0.1, 20_000, 2)
    for freedom, dim, n in ((4, 1, 5_000), (4, 2, 20_000), (4, 16, 5_000), (2, 2, 20_000), (2, 1, 1_000)):
        named = f"Student's t ({freedom}) 1 apart"
        yield KnownPair(named, shift(student(freedom), dim, 1.0), 1.0, n, tails="heavy")
    for freedom, dim, n in ((4, 2, 5_000), (4, 8, 20_000), (2, 2, 20_000)):
        truth = mean_length(dim, freedom)
        named = f"Student's t ({freedom}), twice as wide"
        yield KnownPair(named, widen(student(freedom), dim, 2), truth, n, tails="heavy")
    for dim, n in ((2, 20_000), (3, 1_000), (10, 20_000)):
        yield KnownPair("balls of 1 and 2", ball(dim, 1, 2), dim / (dim + 1), n)
    for dim, n in ((2, 2_000), (50, 20_000)):
        yield KnownPair("circles of 1 and 1.5", circles(1, 1.5, dim), 0.5, n)
    yield KnownPair("uniform cube, moved .2", shift(uniform, 6, 0.2), 0.2, 20_000)
    for dim, n in ((2, 20_000), (16, 5_000), (64, 500), (1, 1_000)):
        yield KnownPair("one Gaussian twice", shift(gaussian, dim, 0.0), 0.0, n)


def shift_of(centres: Tensor, deviation: float, by: float) -> Draw:
    """Clusters, and the same ones moved along the first axis."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        which = torch.randint(len(centres), (2, n), generator=rng)
        x, y = (centres[index] + deviation * gaussian(n, centres.shape[1], rng) for index in which)
        y[:, 0] += by
        return x, y

    return draw
