"""Gradients of exact, sliced and max-sliced distances: against finite differences, and finite where nothing moves."""

import math
from functools import partial

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from wganx.wasserstein import (
    batched,
    dual_certificate,
    exact_w1,
    exact_wp,
    kantorovich_rubinstein,
    lipschitz_estimate,
    max_sliced_w1,
    max_sliced_w2,
    optimal_transport,
    sliced_w1,
    sliced_w2,
    sliced_wp,
    transport_of_costs,
)

ALL = {
    "exact_w1": exact_w1,
    "exact_wp of 1.5": partial(exact_wp, p=1.5),
    "exact_wp": exact_wp,
    "optimal_transport": partial(optimal_transport, p=2),
    "sliced_w1": partial(sliced_w1, projections=3),
    "sliced_w2": partial(sliced_w2, projections=3),
    "sliced_wp of 7": partial(sliced_wp, p=7, projections=3),
    "max_sliced_w1": partial(max_sliced_w1, steps=3, starts=2),
    "max_sliced_w2": partial(max_sliced_w2, steps=3, starts=2),
}


def cloud(seed, n=5, dim=2):
    drawn = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.requires_grad_()


def masses(seed, n):
    weights = torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.1
    return (weights / weights.sum()).requires_grad_()


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith("max")])
@pytest.mark.parametrize("dim", [1, 2])
def test_gradients_are_those_of_finite_differences(name, dim):
    compute = ALL[name]
    x, y, a, b = cloud(0, 5, dim), cloud(1, 4, dim), masses(2, 5), masses(3, 4)
    assert gradcheck(lambda x, y, a, b: compute(x, y, weights=(a, b)).tensor, (x, y, a, b))
    assert gradcheck(lambda x, y: compute(x, y).tensor, (x, y))
    assert gradgradcheck(lambda x: compute(x, y.detach()).tensor, (x,))
    equal = cloud(4, 5, dim)
    assert gradcheck(lambda x, y: compute(x, y).tensor, (x, equal))


@pytest.mark.parametrize("p", [1.0, 2.0, 6.0])
@pytest.mark.parametrize("metric", ["cityblock", "chebyshev", "sqeuclidean", "cosine", "a function"])
def test_gradients_of_every_metric(metric, p):
    if metric == "a function":
        metric = lambda x, y: (x[:, None] - y).square().sum(2).add(0.1).sqrt()  # noqa: E731
    x, y, a, b = cloud(0), cloud(1, 4), masses(2, 5), masses(3, 4)
    assert gradcheck(lambda x, y, a: exact_wp(x, y, p, metric=metric, weights=(a, b)).tensor, (x, y, a))


def test_the_gradient_of_costs_is_the_plan():
    costs = (cloud(0, 5, 4).detach().abs() + 0.1).requires_grad_()
    a, b = masses(1, 5), masses(2, 4)
    assert gradcheck(lambda costs, a, b: transport_of_costs(costs, weights=(a, b)).tensor, (costs, a, b))
    found = transport_of_costs(costs)
    (slope,) = torch.autograd.grad(found.tensor, costs)
    assert torch.equal(slope, found.plan)


@pytest.mark.parametrize(("largest", "p"), [(max_sliced_w1, 1.0), (max_sliced_w2, 2.0)])
def test_max_sliced_distances_have_the_gradient_along_their_direction(largest, p):
    x, y, a, b = cloud(0, 6, 3), cloud(1, 5, 3), masses(2, 6), masses(3, 5)
    found = largest(x, y, weights=(a, b), steps=10)
    along = exact_wp(x @ found.direction, y @ found.direction, p, weights=(a, b))
    assert found.value == pytest.approx(along.value, rel=1e-12)
    inputs = (x, y, a, b)
    for own, known in zip(torch.autograd.grad(found.tensor, inputs), torch.autograd.grad(along.tensor, inputs)):
        # Those of weights are known up to a constant that weights summing to 1 do not see.
        torch.testing.assert_close(own, known)


def test_directions_of_ones_own_have_a_gradient():
    x, y, directions = cloud(0, 5, 3), cloud(1, 4, 3), cloud(2, 4, 3)
    assert gradcheck(lambda x, along: sliced_w2(x, y, directions=along).tensor, (x, directions))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dim", [1, 2])
def test_where_samples_coincide_the_gradient_is_finite(name, dim):
    x = cloud(0, 6, dim)
    a = masses(1, 6)
    for y, weights in ((x.detach(), None), (x.detach(), (a, a.detach())), (x.detach()[[0, 0, 1, 2, 3, 4]] + 0, None)):
        found = ALL[name](x, y, weights=weights)
        slopes = torch.autograd.grad(found.tensor, (x,) if weights is None else (x, a))
        assert all(bool(slope.isfinite().all()) for slope in slopes)
        if found.value == 0:
            assert not slopes[0].any()


def test_points_that_stay_where_they_are_have_no_gradient_and_the_others_their_direction():
    x = torch.tensor([[0.0, 0.0], [9.0, 9.0]], requires_grad=True)
    exact_w1(x, torch.tensor([[0.0, 0.0], [9.0, 8.0]])).backward()
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.5]]


@pytest.mark.parametrize("name", ALL)
def test_the_graph_is_there_exactly_where_it_is_asked_for(name):
    x, y, a, b = cloud(0), cloud(1, 4), masses(2, 5), masses(3, 4)
    compute = ALL[name]
    plain = compute(x.detach(), y.detach())
    assert plain.tensor is None
    found = compute(x, y)
    assert found.value == plain.value == found.tensor.item()
    assert (found.tensor.shape, found.tensor.dtype) == ((), torch.float64)
    assert compute(x.detach(), y.detach(), weights=(a, b.detach())).requires_grad
    with torch.no_grad():
        assert compute(x, y, weights=(a, b)).tensor is None
    rows = compute(list(x.unbind()), y.tolist())
    torch.testing.assert_close(*(torch.autograd.grad(each.tensor, x)[0] for each in (rows, found)))


def test_a_distance_goes_through_half_precision_and_shapes():
    x = cloud(0, 6, 4).detach().bfloat16().reshape(6, 2, 2).requires_grad_()
    for compute in (exact_w1, sliced_w1):
        (slope,) = torch.autograd.grad(compute(x, torch.zeros(3, 2, 2)).tensor, x)
        assert (slope.shape, slope.dtype) == (x.shape, x.dtype)
        assert slope.isfinite().all()


def test_samples_that_follow_the_gradient_arrive():
    x, y = (cloud(seed, 20).detach() for seed in (0, 1))
    x.requires_grad_()
    optimizer = torch.optim.SGD([x], lr=10.0)
    first = exact_wp(x.detach(), y + 3).value
    for _ in range(30):
        optimizer.zero_grad()
        (exact_wp(x, y + 3) ** 2).backward()
        optimizer.step()
    assert exact_wp(x.detach(), y + 3).value < 1e-3 * first


def test_equal_weights_have_potentials_for_their_gradient():
    """Every level of both sides is one: the potentials are one of several, and still prove the value."""
    x, y = cloud(0, 6, 1).detach(), cloud(1, 6, 1).detach() + 1
    for compute in (exact_wp, optimal_transport, sliced_w2):
        a, b = (torch.full((6,), 1 / 6, dtype=torch.float64, requires_grad=True) for _ in range(2))
        options = {"p": 2} if compute is not sliced_w2 else {}
        u, v = torch.autograd.grad(compute(x, y, weights=(a, b), **options).tensor ** 2, (a, b))
        slack = (x - y.T).square() - u[:, None] - v
        lowest = slack.min()
        assert lowest == pytest.approx(float(exact_wp(x, y) ** 2), rel=1e-6)  # both are centred by their weights


class TestRefusals:
    @pytest.mark.parametrize(
        ("compute", "message"),
        [
            (lambda x: kantorovich_rubinstein(x, x.detach() + 1), r"kantorovich_rubinstein .* take exact_w1 for one"),
            (lambda x: dual_certificate((x[0], x[1], x.T @ x, x[0], x[1])), "dual_certificate has no gradient, which"),
            (lambda x: lipschitz_estimate(torch.nn.Linear(2, 1).double(), x), "lipschitz_estimate has no gradient"),
            (lambda x: exact_w1(x, x, metric=lambda x, y: (x @ y.T > 0).double()), "distances carry no gradient, whi"),
            (lambda x: batched(lambda x, y: exact_w1(x.detach(), y.detach()), x[None], x[None]), "has no gradient"),
        ],
    )
    def test_what_offers_no_gradient_says_so(self, compute, message):
        x = cloud(0, 4)
        with pytest.raises(ValueError, match=message):
            compute(x)

    def test_with_gradients_switched_off_nothing_is_asked(self):
        x = cloud(0, 4)
        with torch.no_grad():
            assert kantorovich_rubinstein(x, x + 1).value == pytest.approx(math.sqrt(2))
            assert lipschitz_estimate(torch.nn.Linear(2, 1).double(), x).value > 0

    def test_a_potential_scores_new_samples_with_their_gradient(self):
        critic = kantorovich_rubinstein(cloud(0).detach(), cloud(1).detach())
        assert gradcheck(critic, (3 * cloud(2),))


class TestBatches:
    def test_each_problem_is_its_own(self):
        x, y = (torch.stack([cloud(seed + k, n) for k in range(3)]) for seed, n in ((0, 5), (9, 4)))
        a, b = torch.stack([masses(k, 5) for k in range(3)]), masses(7, 4)
        for compute in (exact_w1, sliced_w2, optimal_transport):
            found = batched(compute, x, y, weights=(a, b))
            known = [compute(x[k], y[k], weights=(a[k], b)).value for k in range(3)]
            assert found.tolist() == known
        assert gradcheck(lambda x, a: batched(exact_wp, x, y, weights=(a, b), p=3), (x.detach().requires_grad_(), a))
        plain = batched(exact_w1, x.detach(), y.detach(), metric="cityblock")
        assert (plain.shape, plain.dtype, plain.requires_grad) == ((3,), torch.float64, False)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda x: batched(exact_w1, x, x[:2]), r"batches of problems are \(B, n, ...\) and \(B, m, ...\); got"),
            (lambda x: batched(exact_w1, x[:0], x[:0]), "batches of problems are"),
            (
                lambda x: batched(exact_w1, x * torch.tensor([1, 1, math.nan])[:, None, None], x),
                "problem 2 of 3: the fi",
            ),
            (lambda x: batched(torch.dist, x, x), "a function that returns a distance, not Tensor"),
            (lambda x: batched(exact_w1, x, x, weights=(torch.ones(2, 5), None)), r"\(n,\) for all; got \(2, 5\)"),
        ],
    )
    def test_refusals(self, call, message):
        with pytest.raises(ValueError, match=message):
            call(torch.stack([cloud(k).detach() for k in range(3)]))
