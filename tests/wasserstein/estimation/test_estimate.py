"""Readings of W1 against closed forms, and what must not change them."""

from __future__ import annotations

import math

import pytest
import torch

import wganx
from wganx.wasserstein import Combined, Distance, Dragan, NoConstraint, bracket_w1, estimate_w1, exact_w1
from wganx.wasserstein.estimation.estimate import METHODS
from wganx.wasserstein.estimation.split import split

QUICK = {"steps": 100, "width": 32, "batch_size": 64}


def shifted(n: int = 600, dim: int = 2, by: float = 2.0, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two unit Gaussians whose means are `by` apart, which is their W1."""
    x, y = torch.randn(2, n, dim, generator=torch.Generator().manual_seed(seed)).unbind(0)
    y[:, 0] += by
    return x, y


def ring(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Eight narrow Gaussians on a circle around a wider one; W1 from exact transport of three times 3000 samples."""
    rng = torch.Generator().manual_seed(seed)
    angle = torch.randint(8, (n,), generator=rng) * math.pi / 4
    x = 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2, generator=rng)
    return x, 0.2 * torch.randn(n, 2, generator=rng), 1.7561


@pytest.mark.parametrize("method", ["orthogonal", "lipschitz-penalty", "spectral-norm"])
def test_a_shift_is_read_within_its_error(method):
    x, y = shifted(2000)
    found = estimate_w1(x, y, method, steps=600, width=32, batch_size=64)
    assert isinstance(found, Distance)
    assert found.n == (2000, 2000)
    assert found.dim == 2
    assert found.method == method
    assert found.seconds > 0
    assert float(found) == found.value == pytest.approx(2, abs=found.error + 0.04)
    # Standard deviation 1 on either side, 1000 held-out samples, three standard errors.
    assert found.error == pytest.approx(3 * math.sqrt(2 / 1000), rel=0.15)


@pytest.mark.parametrize("method", METHODS)
def test_units_and_origin_do_not_matter(method):
    x, y = (side.double() for side in shifted())
    plain = estimate_w1(x, y, method, **QUICK)
    for factor, offset in ((127.5, 1.0), (1e-3, 1e5)):
        other = estimate_w1(factor * (x + offset), factor * (y + offset), method, **QUICK)
        assert other.value == pytest.approx(factor * plain.value, rel=0.01)
        assert other.error == pytest.approx(factor * plain.error, rel=0.01)
        assert other.raw == pytest.approx(factor * plain.raw, rel=0.01)
        assert other.lipschitz == pytest.approx(plain.lipschitz, rel=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_fixes_every_bit_and_the_callers_randomness_is_left_alone(method):
    x, y = shifted(200)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = estimate_w1(x, y, method, steps=10, width=8, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    second = estimate_w1(x, y, method, steps=10, width=8, seed=5)
    third = estimate_w1(x, y, method, steps=10, width=8, seed=6)
    assert (first.raw, first.error, first.lipschitz) == (second.raw, second.error, second.lipschitz)
    assert first.raw != third.raw


def test_samples_of_any_rank_are_flattened():
    x, y = shifted(100, 12)
    plain = estimate_w1(x, y, steps=10, width=8)
    shaped = estimate_w1(x.reshape(100, 3, 2, 2), y.reshape(100, 3, 2, 2), steps=10, width=8)
    assert shaped.raw == plain.raw
    assert shaped.dim == 12


def test_pixels_as_bytes():
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randint(100, (2, 500, 1, 2, 2), generator=rng, dtype=torch.uint8).unbind(0)
    found = estimate_w1(x, y + 100, steps=500, width=32, batch_size=64)
    assert found.value == pytest.approx(200, abs=found.error + 6)


def test_the_samples_themselves_on_both_sides_are_at_no_distance():
    x, _ = shifted(200)
    found = estimate_w1(x, x, **QUICK)
    assert found.raw == pytest.approx(0, abs=1e-6)
    assert found.value == pytest.approx(0, abs=1e-6)


def test_two_points_and_one():
    a, b = torch.tensor([[0.0, 0.0]]).expand(50, 2), torch.tensor([[3.0, 4.0]]).expand(60, 2)
    found = estimate_w1(a, b, steps=600, width=32, batch_size=64)
    assert found.value == pytest.approx(5, rel=0.02)
    assert found.error == pytest.approx(0, abs=1e-3)
    assert found.value <= 5 * (1 + 1e-6)
    assert estimate_w1(a, a, **QUICK).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("dim", [2, 32])
@pytest.mark.parametrize("seed", range(3))
def test_one_distribution_twice_is_not_told_apart(dim, seed):
    x, y = shifted(400, dim, by=0.0, seed=seed)
    found = estimate_w1(x, y, **QUICK, seed=seed)
    assert 0 <= found.value <= found.error


def test_a_c_transform_never_exceeds_exact_transport_of_the_held_out_samples():
    x, y = shifted(300, 8)
    found = estimate_w1(x, y, "c-transform", **QUICK)
    kept = split(x, y, 0.5, torch.device("cpu"), torch.Generator().manual_seed(0)).heldout
    scale = split(x, y, 0.5, torch.device("cpu"), torch.Generator().manual_seed(0)).scale
    assert found.raw <= exact_w1(kept.x, kept.y).value * scale + 1e-4
    assert found.raw > 2.2  # and shows their bias: the distributions are at distance 2
    assert found.corrected is None


@pytest.mark.parametrize("kind", [wganx.GradientPenalty, wganx.LipschitzPenalty])
def test_a_constraint_is_taken_as_it_is_and_its_bias_removed(kind):
    x, y = shifted(3000)
    found = estimate_w1(x, y, kind(10.0), steps=500, width=32)
    noise = found.error + 0.04
    assert found.method == kind.name
    assert found.value == found.corrected == pytest.approx(2, abs=noise)
    # W + W²/20 in units of √(5/3): the variances along the axes are 2 and 1, and (2² + 1²) / (2 + 1) the square of it.
    assert found.raw == pytest.approx(2 + 4 / 20 / math.sqrt(5 / 3), abs=noise)
    assert found.lipschitz > 1.05


def test_a_clipped_critic_is_divided_by_its_own_slope():
    x, y = shifted()
    found = estimate_w1(x, y, "clip", steps=1000, width=32, batch_size=64)
    assert 0 < found.raw < 0.1
    assert found.value == pytest.approx(found.raw / found.lipschitz, rel=1e-6)
    assert found.value <= 2 + found.error


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("dragan", "dragan"),
        (Dragan(), "dragan"),
        (NoConstraint(), "none"),
        (wganx.wasserstein.Orthogonal(), "orthogonal"),
        (Combined(wganx.SpectralNorm(), wganx.GradientPenalty(1.0)), "spectral-norm+gradient-penalty"),
    ],
)
def test_any_constraint_may_be_asked_for(method, name):
    x, y = shifted(200)
    found = estimate_w1(x, y, method, steps=20, width=8)
    assert found.method == name
    assert math.isfinite(found.value)


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("orthogonal", "lower bound of W1 up to the sampling error: the critic is 1-Lipschitz by construction"),
        ("lipschitz-penalty", "point estimate, no bound: the critic's slope is held near 1 by a penalty"),
        ("gradient-penalty", "point estimate, no bound"),
        ("max-gradient-penalty", "point estimate, no bound"),
        ("clip", "no bound, often far below W1: divided by the largest slope found"),
        ("spectral-norm", "close to a lower bound of W1, and often far below"),
        ("c-transform", "no bound of W1: at most the exact W1 of the held-out samples"),
    ],
)
def test_each_estimate_says_what_it_guarantees(method, sentence):
    assert sentence in estimate_w1(*shifted(100), method, steps=20, width=8).guarantee


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"method": "ortogonal"},
            "unknown method 'ortogonal'; did you mean 'orthogonal'.*; choose from orthog",
        ),
        ({"x": torch.zeros(19, 2)}, "an estimate needs at least 20 samples on each side, got 19 and 50"),
        ({"x": torch.zeros(50, 3)}, "samples differ in size: 3 and 2 values each"),
        ({"y": torch.full((50, 2), math.nan)}, "the second samples hold NaN or infinity in 100 of 100 values"),
        ({"y": torch.full((50, 2), math.inf)}, "the second samples hold NaN or infinity"),
        ({"x": torch.zeros(50, 2, dtype=torch.complex64)}, "samples must be real numbers"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"width": 0}, "width must be at least 2, got 0"),
        ({"width": 9}, "width must be even, as units are used in pairs; got 9"),
        ({"heldout": 1.0}, "heldout is the share of the samples kept for the reading, between 0 and 1; got 1.0"),
    ],
)
def test_what_cannot_be_read_is_refused(change, message):
    given = {"x": torch.zeros(50, 2), "y": torch.zeros(50, 2), **change}
    with pytest.raises(ValueError, match=message):
        estimate_w1(**given)


@pytest.mark.parametrize("reading", [estimate_w1, bracket_w1])
def test_there_is_no_gradient_of_a_reading(reading):
    x, y = shifted(100)
    with pytest.raises(ValueError, match=f"{reading.__name__} has no gradient, .* pass x.detach"):
        reading(x.requires_grad_(), y)


@pytest.mark.slow
class TestTheRing:
    """Eight modes around one: the best critic is no plane, which tells the methods apart."""

    def read(self, method, steps=1000):
        x, y, truth = ring(20_000)
        return estimate_w1(x, y, method, steps=steps, width=64), truth

    def test_the_certified_reading(self):
        found, truth = self.read("orthogonal")
        assert 0.94 * truth <= found.value <= truth + found.error
        assert found.lipschitz <= 1 + 1e-4

    def test_the_point_estimate(self):
        found, truth = self.read("lipschitz-penalty")
        assert found.value == pytest.approx(truth, rel=0.03)

    def test_a_weak_penalty_reads_too_much_and_is_corrected(self):
        found, truth = self.read(wganx.GradientPenalty(10.0))
        assert 1.07 * truth <= found.raw <= 1.13 * truth
        assert found.value == pytest.approx(truth, rel=0.02)

    def test_spectral_norm_with_leaky_relu_falls_short(self):
        found, truth = self.read("spectral-norm")
        assert found.value <= 0.8 * truth


@pytest.mark.slow
def test_a_difference_in_spread_is_read_in_many_dimensions():
    x, y = torch.randn(2, 20_000, 16, generator=torch.Generator().manual_seed(0)).unbind(0)
    truth = math.sqrt(2) * math.exp(math.lgamma(8.5) - math.lgamma(8))
    lower = estimate_w1(x, 2 * y, steps=1500)
    assert 0.94 * truth <= lower.value <= truth + lower.error
    assert estimate_w1(x, 2 * y, "lipschitz-penalty", steps=1500).value == pytest.approx(truth, rel=0.03)
