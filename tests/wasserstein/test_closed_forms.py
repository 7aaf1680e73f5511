"""Pairs whose W1 is known: what exact transport between samples of them reads, and how far it may be off.

By the triangle inequality ``|W(P_n, Q_n) - W(P, Q)| <= W(P_n, P) + W(Q_n, Q)``, and by Jensen ``W(P_n, P)`` is at most
the mean of ``W(P_n, P'_n)`` over fresh draws ``P'_n``. So each pair is held to the sum of its two self-distances,
measured on one fresh draw each, times `SLACK` for the noise of that draw. On the line there is a formula instead:
``E W1(P_n, P) <= ∫ √(F (1 - F) / n)`` (Bobkov, Ledoux, "One-dimensional empirical measures, order statistics, and
Kantorovich transport distances", 2019).
"""

import math

import numpy as np
import ot
import pytest
import torch
from scipy.optimize import linprog
from scipy.stats import norm

from wganx.wasserstein import exact_w1, exact_wp, kantorovich_rubinstein, optimal_transport

N = 500
SLACK = 1.25


def rng(seed):
    return torch.Generator().manual_seed(seed)


def uniform(shape, seed):
    return torch.rand(*shape, generator=rng(seed), dtype=torch.float64)


def normal(shape, seed):
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def annulus(inner, outer):
    def draw(n, seed):
        radius, angle = uniform((2, n), seed)
        radius, angle = (inner**2 + (outer**2 - inner**2) * radius).sqrt(), 2 * math.pi * angle
        return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)

    return draw


def gaussian(dim, scale=1.0, shift=0.0):
    """N(t, s² I) with ``‖t‖ = shift``."""
    return lambda n, seed: scale * normal((n, dim), seed) + shift / math.sqrt(dim)


def segment(place):
    return lambda n, seed: torch.stack([torch.full((n,), place, dtype=torch.float64), uniform((n,), seed)], dim=1)


def radial_gaussians(dim, scale):
    """W1(N(0, I), N(0, s² I)): every point moves along its ray, by ``|s - 1|`` times its norm."""
    return abs(scale - 1) * math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


PAIRS = {
    "Gaussians 2 apart in the plane": (gaussian(2), gaussian(2, shift=2.0), 2.0),
    "parallel segments 1/2 apart": (segment(0.0), segment(0.5), 0.5),
    "discs of radius 1 and 2": (annulus(0, 1), annulus(0, 2), 2 / 3),
    "annuli [1, 2] and [2, 3]": (annulus(1, 2), annulus(2, 3), 0.97778),
    "Gaussians of width 1 and 2 in the plane": (gaussian(2), gaussian(2, 2.0), 1.25331),
    "Gaussians of width 1 and 2 in 16-D": (gaussian(16), gaussian(16, 2.0), 3.93802),
}


@pytest.mark.parametrize(("first", "second", "truth"), PAIRS.values(), ids=PAIRS)
def test_samples_are_off_by_no_more_than_their_self_distances(first, second, truth):
    x, y = first(N, 0), second(N, 1)
    floor = exact_w1(x, first(N, 2)).value + exact_w1(y, second(N, 3)).value
    assert abs(exact_w1(x, y).value - truth) <= SLACK * floor


def test_the_formulas_give_the_tabulated_values():
    assert radial_gaussians(2, 2.0) == pytest.approx(1.2533, abs=5e-5)
    assert radial_gaussians(16, 2.0) == pytest.approx(3.9380, abs=5e-5)
    mean_radius = {(1, 2): 2 / 3 * 7 / 3, (2, 3): 2 / 3 * 19 / 5}
    assert mean_radius[2, 3] - mean_radius[1, 2] == pytest.approx(0.97778, abs=5e-6)


def test_radial_pairs_are_their_radii():
    """[1, 2] against [2, 3]: inner radii lie below outer ones, so W1 of the radii is the difference of their means."""
    radii = [draw(20_000, seed).norm(dim=1) for draw, seed in ((annulus(1, 2), 0), (annulus(2, 3), 1))]
    error = math.sqrt(sum(r.var().item() / len(r) for r in radii))
    assert abs(exact_w1(*radii).value - 0.97778) <= 4 * error


class TestTheTrap:
    """In many dimensions the distance of the samples is not the distance of what they were drawn from."""

    def test_in_16_dimensions_samples_read_far_too_much(self):
        x, y = gaussian(16)(1000, 0), gaussian(16, 2.0)(1000, 1)
        assert exact_w1(x, y).value > 1.4 * radial_gaussians(16, 2.0)

    def test_two_draws_of_one_distribution_are_far_apart_and_more_samples_hardly_help(self):
        few, many = (exact_w1(gaussian(16)(n, 0), gaussian(16)(n, 1)).value for n in (250, 1000))
        # Mean and spread over draws: 3.53 and 0.038 at n = 250, 3.17 and 0.027 at n = 1000; four spreads allowed.
        assert few == pytest.approx(3.53, abs=4 * 0.038)
        assert many == pytest.approx(3.17, abs=4 * 0.027)

    def test_a_shift_of_2_reads_80_percent_too_much_in_16_dimensions_and_little_in_2(self):
        def read(dim):
            return exact_w1(gaussian(dim)(1000, 0), gaussian(dim, shift=2.0)(1000, 1)).value

        assert read(16) > 1.75 * 2
        assert read(2) == pytest.approx(2.0, rel=0.07)


def test_point_masses():
    a, b = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[4.0, -2.0, 3.0]])
    for p in (1.0, 2.0, 3.0):
        assert exact_wp(a, b, p).value == pytest.approx(5.0, rel=1e-12)
        assert exact_wp(a.expand(3, 3), b.expand(5, 3), p).value == pytest.approx(5.0, rel=1e-12)


@pytest.mark.parametrize("dim", [1, 2, 16])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_a_shift_of_the_samples_themselves_is_read_exactly(dim, p):
    x = normal((100, dim), 0)
    assert exact_wp(x, x + 2 / math.sqrt(dim), p).value == pytest.approx(2.0, rel=1e-12)


@pytest.mark.parametrize("place", [0.1, -0.5, 2.0])
def test_segments_with_the_same_heights_are_their_distance_apart(place):
    assert exact_w1(segment(0.0)(100, 0), segment(place)(100, 0)).value == pytest.approx(abs(place), rel=1e-12)


class TestOnTheLine:
    @staticmethod
    def spread(survival, low, high, n):
        """``∫ √(F (1 - F) / n)`` by the midpoint rule."""
        at = np.linspace(low, high, 20_001)
        at = (at[1:] + at[:-1]) / 2
        below = survival(at)
        return float(np.sqrt(below * (1 - below) / n).mean() * (high - low))

    def test_uniform_laws(self):
        """U[0, 1] and U[0, 2]: quantiles q and 2q, W1 = ∫ q dq = 1/2."""
        n = 10_000
        bound = self.spread(lambda t: t, 0, 1, n) + self.spread(lambda t: t / 2, 0, 2, n)
        assert bound < 0.02
        assert abs(exact_w1(uniform((n,), 0), 2 * uniform((n,), 1)).value - 0.5) <= 2 * bound

    def test_gaussians(self):
        """N(0, 1) and N(m, s²): ``E |m + (s - 1) Z|``, a folded normal."""
        n, mean, width = 20_000, 1.0, 2.0
        apart = abs(width - 1)
        truth = apart * math.sqrt(2 / math.pi) * math.exp(-(mean**2) / (2 * apart**2)) + mean * (
            1 - 2 * norm.cdf(-mean / apart)
        )
        assert truth == pytest.approx(1.1666, abs=5e-5)
        bound = (1 + width) * self.spread(norm.cdf, -8, 8, n)
        assert bound < 0.04
        x, y = normal((n,), 0), mean + width * normal((n,), 1)
        assert abs(exact_w1(x, y).value - truth) <= 2 * bound
        # W2² = m² + (s - 1)²; W2 satisfies the same triangle inequality.
        floor = exact_wp(x, normal((n,), 2)).value + width * exact_wp(normal((n,), 3), normal((n,), 4)).value
        assert abs(exact_wp(x, y).value - math.hypot(mean, width - 1)) <= SLACK * floor


def test_a_corner_and_the_unit_square():
    """δ0 against U[0, 1]²: the mean distance to the corner, ``(√2 + ln(1 + √2)) / 3``."""
    square = uniform((20_000, 2), 0)
    truth = (math.sqrt(2) + math.log(1 + math.sqrt(2))) / 3
    error = square.norm(dim=1).std().item() / math.sqrt(len(square))
    found = exact_w1(torch.zeros(1, 2, dtype=torch.float64), square).value
    assert found == pytest.approx(square.norm(dim=1).mean().item(), rel=1e-9)
    assert abs(found - truth) <= 4 * error


def test_every_way_to_solve_a_small_program_agrees():
    """Three sources, two sinks: primal and dual of POT, of scipy's linprog and of Kantorovich and Rubinstein."""
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([[1.0, 1.0], [2.0, 0.0]], dtype=torch.float64)
    a, b = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64), torch.tensor([0.6, 0.4], dtype=torch.float64)
    # By hand: (0, 1) sends all to (1, 1), (1, 0) all to (2, 0), and (0, 0) the rest: 0.2·1 + 0.3·1 + 0.4·√2 + 0.1·2.
    by_hand = 0.7 + 0.4 * math.sqrt(2)
    cost = np.linalg.norm(x.numpy()[:, None] - y.numpy(), axis=2)
    sums = np.concatenate([np.kron(np.eye(3), np.ones(2)), np.kron(np.ones(3), np.eye(2))])
    program = linprog(cost.ravel(), A_eq=sums, b_eq=torch.cat([a, b]).numpy(), method="highs")
    _, log = ot.emd(a.numpy(), b.numpy(), cost, log=True)
    found = optimal_transport(x, y, weights=(a, b))
    values = [
        exact_w1(x, y, weights=(a, b)).value, found.cost, found.cost - found.gap,
        float(kantorovich_rubinstein(x, y, weights=(a, b))), program.fun,
        float(program.eqlin.marginals @ torch.cat([a, b]).numpy()),
        log["cost"], log["u"] @ a.numpy() + log["v"] @ b.numpy(),
    ]  # fmt: skip
    assert values == pytest.approx([by_hand] * len(values), abs=1e-12)
