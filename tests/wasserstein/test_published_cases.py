"""What scipy and POT test their own distances with, as closed forms or computed again; conventions that differ."""

import math

import numpy as np
import ot
import pytest
import torch
from scipy.stats import ortho_group, wasserstein_distance, wasserstein_distance_nd

from wganx.wasserstein import (
    exact_w1,
    exact_wp,
    max_sliced_w2,
    optimal_transport,
    sliced_w1,
    sliced_w2,
    sliced_wp,
    transport_of_costs,
)


def of(total, *weights):
    return tuple(np.asarray(side, float) / sum(side) for side in weights)


class TestScipy:
    def test_small_sets_by_hand(self):
        assert exact_w1([0.0, 1.0], [0.0], weights=([0.5, 0.5], [1.0])).value == 0.5
        assert exact_w1([0.0, 1.0], [0.0], weights=([0.75, 0.25], [1.0])).value == 0.25
        assert exact_w1([0.0, 2.0], [0.0]).value == 1
        assert exact_w1([0, 1, 2], [1, 2, 3]).value == 1
        assert exact_w1([1, 2, 3], [2, 1, 3]).value == 0
        # Mass may be split over equal samples in any way.
        assert exact_w1([1.0, 1, 1, 4], [4.0, 1], weights=([0.2, 0.5, 0.1, 0.2], [0.2, 0.8])).value == 0

    def test_a_set_moved_or_collapsed(self):
        assert exact_w1([0.0, 1, 2], [10.0, 11, 12]).value == pytest.approx(10)
        u = [1.0, 10, 2, 5, -4]
        assert exact_w1(u, [0.0]).value == pytest.approx(np.abs(u).mean())
        assert exact_w1(np.arange(45).astype(float), [10.0] * 7).value == pytest.approx(
            np.abs(np.arange(45) - 10).mean()
        )

    def test_samples_without_weight_count_nothing(self):
        with_zero = exact_w1([1.0, 2, 100000, 4], [1.0, 1], weights=([0.25, 0.5, 0, 0.25], [0.5, 0.5]))
        assert with_zero.value == pytest.approx(exact_w1([1.0, 2, 4], [1.0], weights=([0.25, 0.5, 0.25], [1.0])).value)

    def test_the_flow_in_the_plane_that_was_worked_out_by_hand(self):
        u = [(1, 1)] * 10 + [(4, 2), (6, 1), (6, 1)]
        v = [(2, 1)] * 2 + [(3, 2)] * 3 + [(5, 1)] * 7 + [(7, 1)]
        by_hand = (2 * 1 + 3 * math.sqrt(5) + 5 * 4 + math.sqrt(2) + 1 + 1) / 13
        assert exact_w1(u, v).value == pytest.approx(by_hand, rel=1e-12)

    def test_a_turn_of_the_space_or_another_axis_changes_nothing(self):
        rng = np.random.default_rng(0)
        u, v, weights = rng.random((9, 4)), rng.random((13, 4)), of(1, rng.random(9), rng.random(13))
        known = exact_w1(u, v, weights=weights).value
        assert known == pytest.approx(wasserstein_distance_nd(u, v, *weights), rel=1e-9)
        turn = ortho_group(4).rvs(random_state=rng)
        assert exact_w1(u @ turn + 0.3, v @ turn + 0.3, weights=weights).value == pytest.approx(known, rel=1e-12)
        wider = [np.insert(side, 2, 0.7, axis=1) for side in (u, v)]
        assert exact_w1(*wider, weights=weights).value == pytest.approx(known, rel=1e-12)

    def test_a_high_power_does_not_vanish(self):
        """scipy's integral of ``|F - G|^p`` fell to 0 from p = 538 on; Wp tends to the longest way."""
        a, b = [1.0, 2, 3, 54], [1.0, 2, 3, 4]
        for p in (500, 540, 2000):
            assert exact_wp(a, b, p).value == pytest.approx(50 * 0.25 ** (1 / p), rel=1e-12)

    def test_conventions_that_differ(self):
        assert wasserstein_distance([0, 1], [0], [3, 1], [1]) == 0.25  # scipy divides weights by their sum itself
        with pytest.raises(ValueError, match="weights must sum to 1, got 4; divide them by their sum"):
            exact_w1([0.0, 1.0], [0.0], weights=([3.0, 1.0], [1.0]))
        assert wasserstein_distance([1, 2, np.inf], [1, 1]) == np.inf  # scipy answers inf, or NaN where it has none
        with pytest.raises(ValueError, match="the first samples hold NaN or infinity in 1 of 3 values"):
            exact_w1([1, 2, np.inf], [1, 1])


class TestPot:
    rng = np.random.RandomState(0)
    u, v = rng.randn(20), rng.randn(30)
    weights = of(1, rng.uniform(0, 1, 20), rng.uniform(0, 1, 30))

    @pytest.mark.parametrize("weighted", [False, True])
    def test_the_line_the_plan_and_the_square(self, weighted):
        a, b = self.weights if weighted else ([], [])
        given = {"weights": self.weights} if weighted else {}
        squared = ot.emd2_1d(self.u, self.v, a, b, metric="sqeuclidean")
        assert exact_wp(self.u, self.v, 2, **given).value ** 2 == pytest.approx(squared, rel=1e-12)
        assert exact_w1(self.u, self.v, metric="sqeuclidean", **given).value == pytest.approx(squared, rel=1e-12)
        assert exact_w1(self.u, self.v, **given).value == pytest.approx(ot.emd2_1d(self.u, self.v, a, b, "euclidean"))
        found = optimal_transport(self.u, self.v, p=2, **given)
        assert found.cost == pytest.approx(squared, rel=1e-9)
        plan = ot.emd_1d(self.u, self.v, a, b, metric="sqeuclidean")
        assert np.allclose(found.plan, plan, rtol=0, atol=1e-12)

    def test_the_dual_of_the_line(self):
        u, v = (torch.tensor(side)[:, None] for side in (self.u, self.v))
        a, b = (torch.tensor(side, requires_grad=True) for side in self.weights)
        f, g, cost = ot.emd_1d_dual_backprop(u, v, a.detach(), b.detach(), p=2)
        own = torch.autograd.grad(exact_wp(u, v, 2, weights=(a, b)).tensor ** 2, (a, b))
        for slope, potential, mass in zip(own, (f[:, 0], g[:, 0]), (a, b)):
            # POT's are potentials; a gradient of weights that sum to 1 is centred.
            assert torch.allclose(slope, potential - mass.detach() @ potential)
        assert exact_wp(u, v, 2, weights=(a.detach(), b.detach())).value ** 2 == pytest.approx(float(cost[0]))

    def test_samples_ten_times_as_far_apart(self):
        x = np.linspace(0, 5, 100)
        a, b = of(1, np.abs(np.random.RandomState(0).randn(100)), np.abs(np.random.RandomState(1).randn(100)))
        assert exact_wp(10 * x, 10 * x, 2, weights=(a, b)).value == pytest.approx(
            10 * exact_wp(x, x, 2, weights=(a, b)).value
        )
        assert exact_wp(x, x + 1).value == pytest.approx(1)

    @pytest.mark.parametrize("metric", ["sqeuclidean", "cosine", "euclidean", "cityblock", "chebyshev"])
    def test_costs_by_name(self, metric):
        rng = np.random.RandomState(1)
        x, y = rng.randn(15, 3), rng.randn(12, 3)
        costs = ot.dist(x, y, metric=metric)
        found = transport_of_costs(costs)
        assert found.cost == pytest.approx(ot.emd2([], [], costs), rel=1e-9)
        assert exact_w1(x, y, metric=metric).value == pytest.approx(found.cost, rel=1e-9)

    def test_identity_and_a_matrix_of_ones(self):
        x = np.random.RandomState(0).randn(50, 2)
        assert np.allclose(optimal_transport(x, x, p=2).plan, np.eye(50) / 50)
        assert transport_of_costs(np.ones((4, 6))).value == pytest.approx(1, rel=1e-15)

    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("p", [1, 2, 3])
    def test_sliced_with_the_same_directions(self, p, weighted):
        rng = np.random.RandomState(0)
        x, y, directions = rng.randn(40, 2), rng.randn(80, 2), rng.randn(20, 2)
        a, b = of(1, rng.uniform(0, 1, 40), rng.uniform(0, 1, 80)) if weighted else (None, None)
        unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        known = ot.sliced_wasserstein_distance(x, y, a, b, projections=unit.T, p=p)
        given = {"weights": (a, b)} if weighted else {}
        found = sliced_wp(x, y, p, directions=directions, **given)
        assert found.value == pytest.approx(known, rel=1e-12)
        assert found.error is None

    def test_sliced_on_the_line_and_of_one_set(self):
        given = {"weights": self.weights}
        squared = ot.emd2_1d(self.u, self.v, *self.weights)
        assert sliced_w2(self.u, self.v, **given).value ** 2 == pytest.approx(squared, rel=1e-12)
        x = np.random.RandomState(0).randn(60, 2)
        assert sliced_w2(x, x).value == max_sliced_w2(x, x).value == 0

    def test_the_maximum_is_at_least_that_of_drawn_directions(self):
        rng = np.random.RandomState(0)
        x, y = rng.randn(60, 2), 1.5 * rng.randn(80, 2)
        drawn = ot.max_sliced_wasserstein_distance(x, y, n_projections=50, seed=0)
        assert max_sliced_w2(x, y).value >= drawn * (1 - 1e-4)

    def test_conventions_that_differ(self):
        x, y = np.ones((3, 2)), np.zeros((2, 2))
        # POT's directions are columns that it takes at the length they have.
        twice = ot.sliced_wasserstein_distance(x, y, projections=np.array([[2.0], [0.0]]), p=1)
        assert (twice, sliced_w1(x, y, directions=[[2.0, 0.0]]).value) == (2, 1)
        # POT transports as much mass as both sides have, and takes costs below 0.
        assert ot.emd2([2.0], [2.0], [[1.0]]) == 2
        with pytest.raises(ValueError, match="weights must sum to 1, got 2"):
            transport_of_costs([[1.0]], weights=([2.0], [2.0]))
        assert ot.emd2([], [], [[-1.0]]) == -1
        with pytest.raises(
            ValueError, match="costs must be at least 0, the least is -1: subtract that from all, which"
        ):
            transport_of_costs([[-1.0]])
