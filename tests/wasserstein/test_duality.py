"""Kantorovich duality: the dual programs reach the primal, and say so."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.wasserstein import (
    c_transform,
    dual_certificate,
    exact_w1,
    kantorovich_rubinstein,
    optimal_transport,
)

seeds = st.integers(0, 10**6)


def cloud(seed, n=12, shape=(2,)):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masses(seed, n):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(0)


class TestKantorovichRubinstein:
    @settings(max_examples=15, deadline=None)
    @given(seeds, st.sampled_from(["euclidean", "cityblock", "chebyshev"]), st.sampled_from([1e-4, 1.0, 1e4]))
    def test_the_best_lipschitz_potential_reads_w1(self, seed, metric, scale):
        x, y, weights = scale * cloud(seed), scale * cloud(seed + 1, 9), (masses(seed, 12), masses(seed + 1, 9))
        found = kantorovich_rubinstein(x, y, weights=weights, metric=metric)
        assert found.value == float(found)
        assert found.value == pytest.approx(exact_w1(x, y, weights=weights, metric=metric).value, rel=1e-9)
        assert found.slope <= 1 + 1e-9
        assert found.potential.min() == 0

    def test_points_common_to_both_sets_are_one_point(self):
        x = cloud(0)
        found = kantorovich_rubinstein(x, torch.cat([x[:6], x[:6]]))
        assert len(found.points) == 12
        assert found.value == pytest.approx(exact_w1(x, torch.cat([x[:6], x[:6]])).value, rel=1e-9)

    def test_two_sets_that_are_one_point(self):
        found = kantorovich_rubinstein(torch.ones(3, 2), torch.ones(2, 2))
        assert (found.value, found.slope, len(found.points)) == (0.0, 0.0, 1)

    def test_called_it_is_a_critic_that_is_lipschitz_everywhere_and_agrees_on_the_samples(self):
        x, y = cloud(0, shape=(2, 2)), cloud(1, shape=(2, 2)) + 1
        found = kantorovich_rubinstein(x, y)
        assert torch.allclose(found(found.points), found.potential, rtol=0, atol=1e-12)
        assert (found(x).mean() - found(y).mean()).item() == pytest.approx(found.value, rel=1e-9)
        elsewhere = 3 * cloud(2, 50, (4,))
        rise = (found(elsewhere)[:, None] - found(elsewhere)).abs()
        assert (rise <= torch.cdist(elsewhere, elsewhere) + 1e-9).all()

    def test_a_cost_that_is_no_metric_is_refused(self):
        for function in (lambda x, y: torch.cdist(x, y) ** 2, lambda x, y: torch.cdist(x, y) + 1):
            with pytest.raises(ValueError, match=r"needs a metric; this function breaks .* take optimal_transport"):
                kantorovich_rubinstein(cloud(0), cloud(1), metric=function)
        for name in ("sqeuclidean", "cosine"):
            with pytest.raises(ValueError, match=f"needs a metric; '{name}' breaks the triangle inequality. For other"):
                kantorovich_rubinstein(cloud(0), cloud(1), metric=name)

    def test_a_function_that_is_a_metric_is_taken(self):
        x, y = cloud(0), cloud(1)
        root = lambda x, y: torch.cdist(x, y).sqrt()  # noqa: E731
        found = kantorovich_rubinstein(x, y, metric=root)
        assert found.value == pytest.approx(exact_w1(x, y, metric=root).value, rel=1e-9)

    def test_too_many_points_are_refused(self):
        with pytest.raises(ValueError, match="over n=300 and m=201 samples has 501 points, more than 500: take fewer"):
            kantorovich_rubinstein(cloud(0, 300), cloud(1, 201))


class TestCTransform:
    @given(seeds)
    def test_thrice_is_once(self, seed):
        cost, potential = cloud(seed, 7, (5,)).abs(), cloud(seed + 1, 5, ())
        once = c_transform(potential, cost)
        assert (once[:, None] + potential <= cost + 1e-12).all()
        assert torch.allclose(c_transform(c_transform(once, cost.T), cost), once, rtol=0, atol=1e-12)

    @given(seeds)
    def test_with_a_metric_it_is_lipschitz_and_turns_a_lipschitz_function_round(self, seed):
        points = cloud(seed)
        between = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
        transform = c_transform(cloud(seed + 1, shape=()), between)
        assert ((transform[:, None] - transform).abs() <= between + 1e-12).all()
        assert torch.allclose(c_transform(-transform, between), transform, rtol=0, atol=1e-12)

    def test_gradients_pass(self):
        potential = cloud(0, 5, ()).requires_grad_(True)
        c_transform(potential, cloud(1, 7, (5,)).abs()).sum().backward()
        assert potential.grad.sum().item() == -7

    @pytest.mark.parametrize(("shape", "cost"), [((3,), (3, 4)), ((3, 1), (4, 3)), ((3,), (3,))])
    def test_shapes_that_do_not_fit_are_refused(self, shape, cost):
        with pytest.raises(ValueError, match=r"a potential \(m,\) needs a cost \(n, m\), got \("):
            c_transform(torch.zeros(shape), torch.zeros(cost))


class TestDualCertificate:
    def test_the_discrete_program_by_hand(self):
        """Two sources, three sinks: the vertex and the potentials follow from the north-west corner."""
        cost = torch.tensor([[1.0, 2.0, 3.0], [4.0, 3.0, 2.0]])
        a, b = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.5, 0.25])
        u, v = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0, 1.0])
        found = dual_certificate((u, v, cost, a, b))
        # 0.25·1 + 0.25·2 + 0.25·3 + 0.25·2 = 2
        assert (found.primal, found.dual, found.gap, found.violation) == pytest.approx((2, 2, 0, 0), abs=1e-12)

    @settings(max_examples=15, deadline=None)
    @given(seeds, st.sampled_from([1.0, 2.0]))
    def test_what_the_solver_returns_is_certified(self, seed, p):
        found = optimal_transport(cloud(seed), cloud(seed + 1, 9), p=p, weights=(masses(seed, 12), masses(seed + 1, 9)))
        certificate = dual_certificate(found)
        assert certificate.primal == found.cost
        assert abs(certificate.gap) < 1e-9 * found.cost
        assert certificate.violation <= 1e-12
        again = dual_certificate((*found.potentials, found.ground_cost, *found.weights))
        assert (again.primal, again.dual) == pytest.approx((certificate.primal, certificate.dual), rel=1e-12)

    def test_potentials_that_are_not_optimal_leave_a_gap_and_infeasible_ones_a_violation(self):
        found = optimal_transport(cloud(0), cloud(1) + 3)
        (u, v), cost, weights = found.potentials, found.ground_cost, found.weights
        low = dual_certificate((u - 0.5, v, cost, *weights))
        assert (low.gap, low.violation) == pytest.approx((0.5, 0.0), abs=1e-9)
        high = dual_certificate((u + 0.5, v, cost, *weights))
        assert (high.gap, high.violation) == pytest.approx((-0.5, 0.5), abs=1e-9)

    @given(seeds)
    def test_weak_duality(self, seed):
        """Feasible potentials never exceed the cost of transport."""
        cost, v = cloud(seed, 6, (5,)).abs(), cloud(seed + 1, 5, ())
        found = dual_certificate((c_transform(v, cost), v, cost, masses(seed, 6), masses(seed + 1, 5)))
        assert found.violation <= 1e-12
        assert found.gap >= -1e-12

    def test_what_does_not_fit_is_refused(self):
        ones = torch.ones(2) / 2
        with pytest.raises(ValueError, match=r"a certificate needs .*, \(n, m\), \(n,\), \(m,\); got \(2,\)"):
            dual_certificate((ones, ones, torch.ones(2, 3), ones, ones))
        with pytest.raises(ValueError, match="weights must sum to 1, got 2"):
            dual_certificate((ones, ones, torch.ones(2, 2), 2 * ones, ones))


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e200])
def test_a_potential_attains_w1_at_any_scale(scale):
    x, y = torch.randn(30, 2, dtype=torch.float64), torch.randn(25, 2, dtype=torch.float64) + 1
    found = kantorovich_rubinstein(scale * x, scale * y)
    assert found.value == pytest.approx(exact_w1(scale * x, scale * y).value, rel=1e-9)
    assert found.slope <= 1 + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_a_far_point_that_both_sides_share_hides_no_potential(seed):
    torch.manual_seed(seed)
    x, y = torch.randn(30, 2, dtype=torch.float64), torch.randn(30, 2, dtype=torch.float64) + 1
    far = torch.full((2, 2), 1e10, dtype=torch.float64)
    found = kantorovich_rubinstein(torch.cat([x, far]), torch.cat([y, far]))
    assert found.value == pytest.approx(exact_w1(x, y).value * 30 / 32, rel=1e-6)
    assert found.slope <= 1 + 1e-9
