"""Transport of a part of the mass, and between unequal masses: closed forms, limits, proofs, POT."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from wganx.wasserstein import exact_w1, exact_wp, max_sliced_w1, partial_transport, unbalanced_transport


def cloud(seed, n=20, d=2):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_nearest_mass_moves_first():
    x, y = torch.tensor([[0.0], [10.0]]), torch.tensor([[1.0], [30.0]])
    for mass, cost in ((0.25, 0.25), (0.5, 0.5), (0.75, 0.5 + 0.25 * 20), (1.0, 0.5 + 0.5 * 20)):
        found = partial_transport(x, y, mass=mass)
        assert found.value == pytest.approx(cost, abs=1e-12)
        assert found.mass == pytest.approx(mass, abs=1e-12)
    assert partial_transport(x, y, mass=0.5, p=2).value == pytest.approx(math.sqrt(0.5))
    assert partial_transport(x, x + 0, mass=1).value == 0


def test_all_of_the_mass_is_exact_transport():
    x, y = cloud(0), cloud(1, 15) + 1
    assert partial_transport(x, y, mass=1, p=2).value == pytest.approx(exact_wp(x, y).value, rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 1))
def test_a_plan_moves_that_much_and_no_more_than_there_is(seed, mass):
    x, y = cloud(seed, 8), cloud(seed + 1, 6)
    a = torch.rand(8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    a /= a.sum()
    found = partial_transport(x, y, mass=mass, weights=(a, torch.full((6,), 1 / 6)))
    assert float(found.plan.sum()) == pytest.approx(mass, abs=1e-9)
    assert float(found.plan.min()) >= 0
    assert bool((found.plan.sum(1) <= a + 1e-12).all() & (found.plan.sum(0) <= 1 / 6 + 1e-6).all())
    costs = torch.cdist(x, y).numpy()
    rows = np.vstack([np.kron(np.eye(8), np.ones(6)), np.kron(np.ones(8), np.eye(6))])
    program = linprog(costs.ravel(), A_ub=rows, b_ub=[*a.tolist(), *[1 / 6] * 6], A_eq=np.ones((1, 48)), b_eq=[mass])
    assert found.value == pytest.approx(program.fun, abs=1e-7)


def test_pots_own_case():
    """Half of the mass of two clouds with noise on different sides; the value is POT's, its plan bounded as there."""
    ot = pytest.importorskip("ot")
    rng = torch.Generator().manual_seed(42)
    noise = torch.rand(2, 20, 2, generator=rng, dtype=torch.float64) + 1
    x, y = torch.cat([cloud(0), 4 * noise[0]]), torch.cat([cloud(1), -3 * noise[1]])
    uniform = np.full(40, 1 / 40)
    squared = ot.dist(x.numpy(), y.numpy())
    found = partial_transport(x, y, mass=0.5, p=2)
    assert found.value**2 == pytest.approx(ot.partial.partial_wasserstein2(uniform, uniform, squared, m=0.5), rel=1e-9)
    assert float(found.plan[20:].sum()) < 0.1  # the noise stays


def test_an_outlier_far_off_does_not_blur_the_rest():
    x, y = cloud(0), cloud(1)
    near = partial_transport(x, y, mass=0.5, p=2).value
    x, y = torch.cat([x, torch.tensor([[1e9, 0.0]])]), torch.cat([y, torch.tensor([[-1e9, 0.0]])])
    a = torch.tensor([1 / 40] * 20 + [0.5], dtype=torch.float64)
    found = partial_transport(x, y, mass=0.25, p=2, weights=(a, a)).value
    assert found == pytest.approx(near / math.sqrt(2), rel=1e-6)


def test_two_points_of_unequal_mass_have_a_closed_form():
    """KL twice over one number t: t c + rho KL(t|a) + rho KL(t|b), least at t = sqrt(a b) exp(-c / (2 rho))."""
    for a, b, c, rho in ((1.0, 1.0, 3.0, 2.0), (0.5, 4.0, 1.0, 10.0), (2.0, 0.1, 5.0, 0.5)):
        found = unbalanced_transport([[0.0]], [[c]], penalty=rho, masses=([a], [b]))
        moved = math.sqrt(a * b) * math.exp(-c / (2 * rho))
        assert found.mass == pytest.approx(moved, rel=1e-6)
        assert found.cost == pytest.approx(rho * (a + b - 2 * moved), rel=1e-9)
        assert found.gap <= 1e-9 * found.cost


def test_where_nothing_has_to_move_it_is_the_hellinger_distance_of_the_masses():
    x, a, b = 10 * cloud(0, 6), torch.arange(1.0, 7.0), torch.full((6,), 2.0)
    found = unbalanced_transport(x, x, penalty=0.1, masses=(a, b))
    assert found.cost == pytest.approx(0.1 * float((a.sqrt() - b.sqrt()).square().sum()), rel=1e-6)


@pytest.mark.parametrize("penalty", [1.0, 100.0, 1e4, 1e7])
def test_a_high_penalty_makes_it_balanced_and_the_gap_holds(penalty):
    """Where POT's own iterations are still far off: at high penalties they end at a multiple of the value."""
    x, y = cloud(0, 25), cloud(1) + 1
    found, balanced = unbalanced_transport(x, y, penalty=penalty, p=2), exact_wp(x, y).value
    assert found.cost <= balanced**2 + 1e-12
    assert 0 <= found.gap <= 1e-3 * found.cost
    if penalty >= 1e4:
        assert found.value == pytest.approx(balanced, rel=1e-3)
        assert found.mass == pytest.approx(1, rel=1e-3)
    assert found.value**2 == pytest.approx(found.cost)


def test_pots_own_cases_of_unbalanced_transport():
    """The plan of its docstring; marginals come near the masses as the penalty grows; the loss is that of the plan."""
    ot = pytest.importorskip("ot")
    costs = torch.tensor([[1.0, 36.0], [9.0, 4.0]])
    found = unbalanced_transport([[0.0], [1.0]], [[2.0], [3.0]], penalty=5, metric=lambda x, y: costs)
    assert torch.allclose(found.plan, torch.tensor([[0.45, 0.0], [0.0, 0.34]]).double(), atol=0.005)
    x, y = cloud(42, 30), cloud(75, 30)
    squared = ot.dist(x.numpy(), y.numpy())
    top = squared.max()
    mine = unbalanced_transport(x, y, penalty=100 * top, p=2)
    assert torch.allclose(mine.plan.sum(1), torch.full((30,), 1 / 30).double(), atol=1e-3)
    uniform = np.full(30, 1 / 30)
    theirs = ot.unbalanced.mm_unbalanced2(uniform, uniform, squared / top, 1.0, returnCost="total", numItermax=20_000)
    assert unbalanced_transport(x, y, penalty=top, p=2).cost / top == pytest.approx(float(theirs), rel=1e-3)


def test_samples_without_mass_take_no_part():
    x, y = cloud(0, 4), cloud(1, 3)
    found = unbalanced_transport(x, y, penalty=1.0, masses=([1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0]))
    fewer = unbalanced_transport(x[[0, 1, 3]], y[[0, 2]], penalty=1.0, masses=([1.0] * 3, [1.0] * 2))
    assert found.cost == pytest.approx(fewer.cost, rel=1e-9)
    assert float(found.plan[2].sum()) == float(found.plan[:, 1].sum()) == 0


def test_too_few_iterations_are_told():
    with pytest.warns(RuntimeWarning, match="of itself too large after 1 iterations: raise iterations"):
        found = unbalanced_transport(cloud(0), cloud(1) + 3, penalty=2.0, p=2, iterations=1)
    assert found.gap > 1e-2 * found.cost


def test_results_behave_like_numbers_and_show_in_a_notebook():
    found = partial_transport(cloud(0), cloud(1), mass=0.5)
    assert 2 * found == 2 * found.value
    assert "plan" not in repr(found)
    assert "PartialDistance" in found._repr_html_()
    assert "MaxSlicedDistance" in max_sliced_w1(cloud(0), cloud(1), steps=1)._repr_html_()
    assert exact_w1(cloud(0), cloud(1)) > found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: partial_transport(x, x, mass=0.0), "mass must be above 0 and at most 1, got 0"),
        (lambda x: partial_transport(x, x, mass=1.5), "mass must be above 0 and at most 1, got 1.5"),
        (lambda x: partial_transport(x, x, mass=1, p=0.5), "p must be finite and at least 1"),
        (lambda x: partial_transport(x, x, mass=1, metric="cos"), "unknown metric 'cos'"),
        (lambda x: partial_transport(x.requires_grad_(), x, mass=1), "partial_transport has no gradient.*x.detach()"),
        (lambda x: unbalanced_transport(x, x, penalty=0), "penalty must be finite and more than 0, got 0"),
        (lambda x: unbalanced_transport(x, x, penalty=math.inf), "penalty must be finite"),
        (lambda x: unbalanced_transport(x, x, penalty=1, iterations=0), "iterations must be at least 1, got 0"),
        (lambda x: unbalanced_transport(x.requires_grad_(), x, penalty=1), "unbalanced_transport has no gradient"),
        (lambda x: unbalanced_transport(x, x, penalty=1, masses=([1.0],)), "masses are a pair"),
        (lambda x: unbalanced_transport(x, x, penalty=1, masses=([0.0] * 20, [1.0] * 20)), "finite sum above 0"),
        (lambda x: unbalanced_transport(x, x, penalty=1, masses=([1.0] * 3, [1.0] * 20)), "20 samples need weights"),
        (
            lambda x: unbalanced_transport(torch.zeros(20_000, 2), torch.zeros(20_000, 2), penalty=1),
            "cost matrix of 3.0 GiB, more than 2.0 GiB",
        ),
        (lambda x: partial_transport(torch.zeros(20_000, 2), torch.zeros(20_000, 2), mass=0.5), "cost matrix of 3.0"),
    ],
)
def test_what_cannot_be_done_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(cloud(0))
