"""Exact transport against other solvers, closed forms and the axioms of a metric."""

import math
import threading

import numpy as np
import ot
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.stats import wasserstein_distance

from wganx.errors import WganxError
from wganx.wasserstein import exact_w1, exact_wp, optimal_transport, simplex, transport_of_costs

seeds = st.integers(0, 10**6)


def cloud(seed, n=40, shape=(3,)):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masses(seed, n, empty=0):
    """Random weights, the first `empty` of them zero."""
    weights = torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.01
    weights[:empty] = 0
    return weights / weights.sum()


def by_linprog(cost, a, b):
    """The transport problem as the textbook writes it."""
    n, m = cost.shape
    sums = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return linprog(cost.ravel(), A_eq=sums[:-1], b_eq=np.concatenate([a, b])[:-1], method="highs").fun


def test_two_points():
    found = exact_w1(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    assert found.value == float(found) == 5.0
    assert (found.n, found.dim, found.error) == ((1, 1), 2, None)
    assert found.seconds >= 0


class TestAgainstOtherSolvers:
    @pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
    @pytest.mark.parametrize("metric", ["euclidean", "cityblock", "chebyshev"])
    @pytest.mark.parametrize("empty", [0, 3])
    def test_pot_and_linprog_agree(self, metric, p, empty):
        x, y, a, b = cloud(1, 14), cloud(2, 11) + 0.5, masses(3, 14, empty), masses(4, 11, empty)
        cost = ot.dist(x.numpy(), y.numpy(), metric=metric) ** p
        found = exact_wp(x, y, p, weights=(a, b), metric=metric).value
        assert found**p == pytest.approx(ot.emd2(a.numpy(), b.numpy(), cost), rel=1e-9)
        assert found**p == pytest.approx(by_linprog(cost, a.numpy(), b.numpy()), rel=1e-9)

    @settings(max_examples=30, deadline=None)
    @given(seeds, st.integers(1, 30), st.integers(1, 30))
    def test_w1_on_the_line_is_scipys(self, seed, n, m):
        x, y, a, b = cloud(seed, n, ()), cloud(seed + 1, m, ()), masses(seed + 2, n), masses(seed + 3, m)
        assert exact_w1(x, y).value == pytest.approx(wasserstein_distance(x, y), abs=1e-12)
        weighted = wasserstein_distance(x, y, a, b)
        assert exact_w1(x[:, None], y[:, None], weights=(a, b)).value == pytest.approx(weighted, abs=1e-12)

    @settings(max_examples=15, deadline=None)
    @given(seeds, st.sampled_from([1.0, 1.7, 2.0, 3.0]))
    def test_sorting_and_the_network_simplex_agree_on_the_line(self, seed, p):
        x, y, weights = cloud(seed, 20, (1,)), cloud(seed + 1, 13, (1,)), (masses(seed, 20, 2), masses(seed + 1, 13))
        assert exact_wp(x, y, p).value == pytest.approx(optimal_transport(x, y, p=p).value, rel=1e-9)
        weighted = optimal_transport(x, y, p=p, weights=weights).value
        assert exact_wp(x, y, p, weights=weights).value == pytest.approx(weighted, rel=1e-9)

    def test_the_narrow_steps_of_many_weighted_samples_count(self):
        x, y, a, b = cloud(0, 300_000, ()), cloud(1, 250_000, ()), masses(2, 300_000), masses(3, 250_000)
        known = wasserstein_distance(x, y, a, b)
        assert exact_w1(x, y, weights=(a, b)).value == pytest.approx(known, rel=1e-9)

    def test_a_function_as_metric(self):
        x, y = cloud(0, 12), cloud(1, 9)
        discrete = lambda x, y: (x[:, None, 0].sign() != y[None, :, 0].sign()).double()  # noqa: E731
        positive = [(samples[:, 0] > 0).double().mean().item() for samples in (x, y)]
        assert exact_w1(x, y, metric=discrete).value == pytest.approx(abs(positive[0] - positive[1]), abs=1e-12)
        line = lambda x, y: (x - y.T).abs()  # noqa: E731
        assert exact_w1(x[:, 0], y[:, 0], metric=line).value == pytest.approx(exact_w1(x[:, 0], y[:, 0]).value)

    @pytest.mark.parametrize("dim", [1, 2])
    def test_costs_by_name_that_are_no_metrics(self, dim):
        x, y, weights = cloud(0, 12, (dim,)), cloud(1, 9, (dim,)), (masses(2, 12), masses(3, 9))
        squared = exact_wp(x, y, 2, weights=weights).value ** 2
        assert exact_w1(x, y, metric="sqeuclidean", weights=weights).value == pytest.approx(squared, rel=1e-12)
        assert optimal_transport(x, y, metric="sqeuclidean", weights=weights).cost == pytest.approx(squared, rel=1e-9)
        apart = exact_w1(x, y, metric="cosine", weights=weights).value
        scales = torch.logspace(-200, 150, 12, dtype=torch.float64)[:, None]
        assert exact_w1(scales * x, y, metric="cosine", weights=weights).value == pytest.approx(apart, rel=1e-12)
        # Between directions that nearly agree 1 - cos is half the square of the angle, which the difference would lose.
        turned = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1e-9]], dtype=torch.float64)
        assert exact_w1(*turned, metric="cosine").value == pytest.approx(5e-19, rel=1e-6)


def test_samples_that_are_equal_keep_their_order_and_so_their_gradient():
    x = torch.tensor([2.0, 1, 2, 0, 1, 2] * 50, dtype=torch.float64, requires_grad=True)
    y = torch.linspace(0, 3, 300, dtype=torch.float64)
    (slope,) = torch.autograd.grad(exact_wp(x, y) ** 2, x)
    order = torch.argsort(x.detach(), stable=True)
    known = torch.empty(300, dtype=torch.float64).index_put_((order,), 2 * (x.detach()[order] - y) / 300)
    torch.testing.assert_close(slope, known)
    a = masses(0, 300)
    weighted = wasserstein_distance(x.detach(), y[:200], a, masses(1, 200))
    assert exact_w1(x.detach(), y[:200], weights=(a, masses(1, 200))).value == pytest.approx(weighted, rel=1e-12)


class TestMetricAxioms:
    @settings(max_examples=20, deadline=None)
    @given(seeds, st.sampled_from([1.0, 2.0, 3.0]), st.sampled_from([1, 3]))
    def test_identity_symmetry_triangle(self, seed, p, dim):
        x, y, z = cloud(seed, 10, (dim,)), cloud(seed + 1, 14, (dim,)), cloud(seed + 2, 12, (dim,))
        assert exact_wp(x, x[torch.randperm(10)], p).value == pytest.approx(0.0, abs=1e-12)
        assert exact_wp(x, y, p).value > 0
        assert exact_wp(x, y, p).value == pytest.approx(exact_wp(y, x, p).value, rel=1e-12)
        assert exact_wp(x, z, p).value <= exact_wp(x, y, p).value + exact_wp(y, z, p).value + 1e-12

    @settings(max_examples=20, deadline=None)
    @given(seeds, st.floats(-5, 5), st.floats(-10, 10), st.sampled_from([1.0, 2.0]))
    def test_a_shift_costs_its_length_a_common_shift_nothing_and_scaling_scales(self, seed, shift, scale, p):
        assume(abs(scale) > 0.1)
        x, y = cloud(seed, 15), cloud(seed + 1, 12)
        move = torch.tensor([shift, 0.0, 0.0], dtype=torch.float64)
        assert exact_wp(x, x + move, p).value == pytest.approx(abs(shift), abs=1e-9)
        assert exact_wp(x + move, y + move, p).value == pytest.approx(exact_wp(x, y, p).value, rel=1e-9)
        assert exact_wp(scale * x, scale * y, p).value == pytest.approx(abs(scale) * exact_wp(x, y, p).value, rel=1e-9)

    @settings(max_examples=20, deadline=None)
    @given(seeds, st.sampled_from([1, 3]))
    def test_wp_grows_with_p(self, seed, dim):
        x, y = cloud(seed, 12, (dim,)), cloud(seed + 1, 17, (dim,))
        values = [exact_wp(x, y, p).value for p in (1.0, 1.5, 2.0, 4.0)]
        assert values == sorted(values)

    def test_weights_count_like_repeated_samples(self):
        x, y = cloud(0, 3), cloud(1, 5)
        weights = (torch.tensor([0.5, 0.25, 0.25]), torch.full((5,), 0.2))
        assert exact_w1(x, y, weights=weights).value == pytest.approx(exact_w1(x[[0, 0, 1, 2]], y).value, rel=1e-7)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bfloat16, torch.float32])
def test_samples_of_any_rank_and_dtype(dtype):
    x, y = ((cloud(seed, shape=(2, 3, 4)) * 20 + 100).to(dtype) for seed in (0, 1))
    assert exact_w1(x, y).value == exact_w1(x.double().flatten(1), y.double().flatten(1)).value > 0
    assert exact_w1(x[:, 0, 0, 0], y[:, 0, 0, 0]).dim == 1


class TestAnyScale:
    """The solver's tolerances are shares of the largest cost, and artificial costs of 1: both are kept from it."""

    @settings(max_examples=60, deadline=None)
    @given(
        seeds, st.floats(-12, 12), st.one_of(st.sampled_from([1.0, 2.0, 3.0, 8.0]), st.floats(1, 16)),
        st.sampled_from([1, 3]), st.booleans(),
    )  # fmt: skip
    def test_scaling_the_samples_scales_the_distance(self, seed, exponent, p, dim, weighted):
        x, y, scale = cloud(seed, 40, (dim,)), cloud(seed + 1, 33, (dim,)), 10.0**exponent
        weights = (masses(seed, 40), masses(seed + 1, 33)) if weighted else None
        whole = exact_wp(x, y, p, weights=weights).value
        assert exact_wp(scale * x, scale * y, p, weights=weights).value == pytest.approx(scale * whole, rel=1e-6)

    @pytest.mark.parametrize("dim", [1, 3])
    @pytest.mark.parametrize("p", [1, 2, 4, 8, 50, 400])
    @pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e-7, 1e-4, 1e-2, 1e12, 1e200])
    def test_small_and_large_samples_and_high_powers(self, scale, p, dim):
        x, y = cloud(0, 300, (dim,)), cloud(1, 300, (dim,))
        assert exact_wp(scale * x, scale * y, p).value / scale == pytest.approx(exact_wp(x, y, p).value, rel=1e-6)

    @pytest.mark.parametrize("p", [1.0, 2.0, 4.0])
    def test_a_few_far_points_that_both_sides_share_cost_nothing(self, p):
        x, y = cloud(0, 300), cloud(1, 300)
        far = torch.full((2, 3), 1e6, dtype=torch.float64)
        found = exact_wp(torch.cat([x, far]), torch.cat([y, far]), p).value
        assert found == pytest.approx((300 / 302) ** (1 / p) * exact_wp(x, y, p).value, rel=1e-6)

    def test_the_value_grows_with_the_power_up_to_the_longest_way_of_the_best_plan(self):
        x, y = cloud(0, 60), cloud(1, 60)
        values = [exact_wp(x, y, p).value for p in (1, 2, 4, 8, 16, 50, 100, 400)]
        assert values == sorted(values)
        # By the limit, the least length whose ways alone can carry all mass: a power of 400 is within 2 % of it.
        lengths = torch.cdist(x, y)
        reach = next(
            limit for limit in lengths.flatten().sort().values.tolist()
            if (maximum_bipartite_matching(csr_array((lengths <= limit).numpy())) >= 0).all()
        )  # fmt: skip
        assert reach * 60 ** (-1 / 400) * (1 - 1e-6) <= values[-1] <= reach * (1 + 1e-6)

    @pytest.mark.parametrize("scale", [1e-12, 1e-4, 1e4])
    @pytest.mark.parametrize("p", [1, 2, 4])
    def test_plan_and_potentials_prove_each_other_at_any_scale(self, scale, p):
        found = optimal_transport(scale * cloud(0, 200), scale * cloud(1, 200), p=p)
        assert abs(found.gap) < 1e-6 * found.cost
        assert found.infeasibility <= 1e-9 * found.ground_cost.max()
        assert found.value == pytest.approx(scale * exact_wp(cloud(0, 200), cloud(1, 200), p).value, rel=1e-6)

    def test_weights_that_are_equal_but_for_rounding_leave_no_speck_on_a_long_way(self):
        weights = tuple(torch.tensor(side, dtype=torch.float64) for side in ([0.1, 0.2, 0.7], [0.7, 0.1, 0.2]))
        assert exact_wp([0.0, 1.0, 5.0], [5.0, 0.0, 1.0], 4, weights=weights).value == 0
        x = torch.tensor([[0.0, 1.0], [1.0, 2.0], [5.0, 9.0]], dtype=torch.float64)
        assert exact_wp(x, x[[2, 0, 1]], 4, weights=weights).value == 0

    def test_what_is_not_proved_is_refused(self, monkeypatch):
        monkeypatch.setattr(simplex, "OPEN", -1.0)
        for compute in (exact_wp, optimal_transport):
            with pytest.raises(WganxError, match=r"exact transport was not solved: the value found may be .* too larg"):
                compute(cloud(0), cloud(1))


class TestPlanAndPotentials:
    @settings(max_examples=25, deadline=None)
    @given(
        seeds, st.integers(1, 25), st.integers(1, 25), st.sampled_from([1.0, 2.0]), st.sampled_from([1e-3, 1.0, 1e3])
    )
    def test_the_plan_is_a_coupling_and_the_potentials_prove_it_optimal(self, seed, n, m, p, scale):
        a, b = masses(seed, n, min(n - 1, 2)), masses(seed + 1, m, min(m - 1, 1))
        found = optimal_transport(scale * cloud(seed, n), scale * cloud(seed + 1, m), p=p, weights=(a, b))
        assert (found.plan >= 0).all()
        assert torch.allclose(found.plan.sum(1), a, rtol=0, atol=1e-12)
        assert torch.allclose(found.plan.sum(0), b, rtol=0, atol=1e-12)
        assert found.infeasibility <= 1e-9 * found.ground_cost.max()
        assert abs(found.gap) < 1e-9 * found.cost
        assert found.value == float(found) == pytest.approx(found.cost ** (1 / p))

    def test_ties_and_repeated_points(self):
        x = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
        found = optimal_transport(x, x.flip(0) + torch.tensor([0.0, 1.0]))
        assert abs(found.gap) < 1e-12
        assert found.infeasibility < 1e-12

    def test_the_diagonals_of_a_square_have_two_optimal_plans(self):
        corners, others = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        for p in (1.0, 2.0):
            found = optimal_transport(corners, others, p=p)
            other = found.other_plan()
            assert {tuple(plan.flatten().tolist()) for plan in (found.plan, other)} == {
                (0.5, 0, 0, 0.5),
                (0, 0.5, 0.5, 0),
            }

    def test_another_plan_costs_the_same_and_keeps_the_weights(self):
        # On a line with p = 1 and all of x left of y, every coupling is optimal.
        x, y, weights = cloud(0, 9, (1,)), cloud(1, 7, (1,)) + 20, (masses(2, 9), masses(3, 7))
        found = optimal_transport(x, y, weights=weights)
        other = found.other_plan()
        assert (other - found.plan).abs().sum() > 0.1
        assert (other * found.ground_cost).sum().item() == pytest.approx(found.cost, rel=1e-9)
        assert (other >= 0).all()
        assert torch.allclose(other.sum(1), weights[0], rtol=0, atol=1e-9)
        assert torch.allclose(other.sum(0), weights[1], rtol=0, atol=1e-9)

    @pytest.mark.parametrize("seed", range(3))
    def test_a_single_optimal_plan_has_no_other(self, seed):
        assert optimal_transport(cloud(seed, 30, (1,)), cloud(seed + 1, 25, (1,)), p=2).other_plan() is None
        assert optimal_transport(cloud(seed, 30, (2,)), cloud(seed + 1, 30, (2,)), p=2).other_plan() is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("x", "y", "message"),
        [
            (torch.zeros(0, 2), torch.zeros(3, 2), "a distance needs samples on both sides, got 0 and 3"),
            (torch.zeros(2, 0), torch.zeros(3, 0), r"samples without values: shapes \(2, 0\) and \(3, 0\)"),
            (torch.zeros(2, 2), torch.zeros(3, 4), "samples differ in size: 2 and 4 values each"),
            (torch.tensor(1.0), torch.zeros(3), "samples need a first axis that counts them"),
            (torch.zeros(2, dtype=torch.cfloat), torch.zeros(2), "samples must be real numbers"),
            (
                torch.tensor([[1.0, math.nan], [math.inf, 0.0]]),
                torch.zeros(3, 2),
                "the first samples hold NaN or infinity in 2 of 4 values",
            ),
            (torch.zeros(2), torch.tensor([-math.inf]), "the second samples hold NaN or infinity in 1 of 1 values"),
        ],
    )
    def test_samples(self, x, y, message):
        with pytest.raises(ValueError, match=message):
            exact_w1(x, y)

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ((torch.ones(1), torch.ones(1), torch.ones(1)), r"weights are a pair \(a, b\), one tensor a side; got 3"),
            ((torch.ones(3) / 3, torch.ones(2) / 2), r"2 samples need weights of shape \(2,\), got \(3,\)"),
            ((torch.tensor([1.5, -0.5]), torch.ones(2) / 2), "weights must be finite and at least 0"),
            ((torch.tensor([math.nan, 1.0]), torch.ones(2) / 2), "weights must be finite and at least 0"),
            ((torch.ones(2) / 2, torch.ones(2)), "weights must sum to 1, got 2; divide them by their sum"),
        ],
    )
    def test_weights(self, weights, message):
        for dim in (1, 2):
            with pytest.raises(ValueError, match=message):
                exact_w1(torch.zeros(2, dim), torch.ones(2, dim), weights=weights)

    @pytest.mark.parametrize("p", [0.5, math.inf, math.nan])
    def test_an_exponent_that_gives_no_distance(self, p):
        for compute in (lambda x, y: exact_wp(x, y, p), lambda x, y: optimal_transport(x, y, p=p)):
            with pytest.raises(ValueError, match=f"p must be finite and at least 1, got {p:g}"):
                compute(torch.zeros(2), torch.ones(2))

    def test_a_cost_that_no_number_holds_is_refused_by_the_plan_and_not_by_the_distance(self):
        far = torch.full((2, 2), 1e90, dtype=torch.float64)
        assert exact_wp(far, torch.zeros(2, 2), 4).value == pytest.approx(math.sqrt(2) * 1e90, rel=1e-12)
        assert exact_wp(torch.tensor([0.0, 1e90], dtype=torch.float64), torch.zeros(2), 4).value == pytest.approx(
            0.5**0.25 * 1e90, rel=1e-12
        )
        with pytest.raises(ValueError, match="a distance to the power p=4 overflows: scale the samples down"):
            optimal_transport(far, torch.zeros(2, 2), p=4)
        with pytest.raises(ValueError, match="every distance to the power p=4 vanishes: scale the samples up"):
            optimal_transport(far * 1e-180, torch.zeros(2, 2), p=4)

    @pytest.mark.parametrize("dim", [1, 2])
    def test_an_unknown_metric(self, dim):
        with pytest.raises(ValueError, match="unknown metric 'hamming': one of euclidean, cityblock, "):
            exact_w1(torch.zeros(2, dim), torch.ones(2, dim), metric="hamming")

    def test_a_function_that_is_no_metric(self):
        x, y = torch.zeros(2, 2), torch.ones(3, 2)
        with pytest.raises(ValueError, match=r"the metric must return shape \(2, 3\), got \(3, 2\)"):
            exact_w1(x, y, metric=lambda x, y: torch.cdist(y, x))
        with pytest.raises(ValueError, match="the metric must return finite distances of at least 0"):
            exact_w1(x, y, metric=lambda x, y: -torch.cdist(x, y))

    def test_costs(self):
        for costs, message in (
            (torch.zeros(3), r"costs are a matrix \(n, m\), one row a sample of the first side; got \(3,\)"),
            (torch.zeros(0, 3), r"costs are a matrix .*; got \(0, 3\)"),
            ([[1.0, math.inf], [math.nan, 0.0]], "costs hold NaN or infinity in 2 of 4 values; a large number forbids"),
            ([[1.0, -2.0]], "costs must be at least 0, the least is -2: subtract that from all"),
            (torch.zeros(1, 1).expand(20_000, 20_000), "n=20000 and m=20000 samples needs a cost matrix of 3.0 GiB"),
        ):
            with pytest.raises(ValueError, match=message):
                transport_of_costs(costs)
        with pytest.raises(ValueError, match=r"3 samples need weights of shape \(3,\), got \(2,\)"):
            transport_of_costs(torch.ones(2, 3), weights=(torch.ones(2) / 2, torch.ones(2) / 2))

    def test_a_cosine_without_direction_and_squares_out_of_range(self):
        x = torch.tensor([[0.0, 0.0], [1.0, 2.0]])
        with pytest.raises(ValueError, match="the cosine needs directions: 1 of the second samples are all 0; leave"):
            exact_w1(x + 1, x, metric="cosine")
        with pytest.raises(ValueError, match=r"squared distances of samples of size .* leave the range of numbers"):
            exact_w1(1e200 * x.double(), x.double(), metric="sqeuclidean")

    def test_more_samples_than_fit_but_never_on_the_line(self):
        x, y = torch.zeros(20_000, 2), torch.ones(30_000, 2)
        message = (
            "exact transport between n=20000 and m=30000 samples needs a cost matrix of 4.5 GiB, more than 2.0 GiB: "
            "take fewer samples, sliced_w1 or sinkhorn_divergence"
        )
        for compute in (exact_w1, optimal_transport):
            with pytest.raises(ValueError, match=message):
                compute(x, y)
        assert exact_w1(x[:, 0], y[:, 0]).value == 1.0

    def test_a_solver_that_gives_up(self, monkeypatch):
        monkeypatch.setattr(simplex, "ITERATIONS", 1)
        with pytest.raises(WganxError, match=r"exact transport was not solved: .*; take fewer samples"):
            exact_w1(cloud(0), cloud(1))


def test_large_problems_are_solved_aside_and_alike(monkeypatch):
    """In a thread of its own, so that Ctrl-C is heard: the solver goes on for seconds within one call."""
    x, y = cloud(0), cloud(1)
    here = exact_w1(x, y)
    threads = []
    monkeypatch.setattr(simplex, "LARGE", 0)
    emd = ot.emd
    monkeypatch.setattr(
        ot, "emd", lambda *given, **named: threads.append(threading.get_ident()) or emd(*given, **named)
    )
    aside = exact_w1(x, y)
    assert threads
    assert threading.get_ident() not in threads
    assert aside.value == here.value
