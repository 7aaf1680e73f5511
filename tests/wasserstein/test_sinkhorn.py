"""The Sinkhorn divergence against POT's plans, exact transport and closed forms."""

import math

import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.wasserstein import Distance, exact_wp, sinkhorn_divergence


def cloud(seed, n=30, shape=(2,), dtype=torch.float64):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def masses(seed, n):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(0)


def entropic_cost(x, y, a, b, epsilon, p):
    """``<plan, c> + ε KL(plan | a b^T)`` with the plan of POT's log-domain solver."""
    cost = torch.cdist(x, y) ** p
    plan = ot.sinkhorn(a, b, cost, epsilon, method="sinkhorn_log", numItermax=3000, stopThr=1e-9, warn=False)
    # sinkhorn2 gives the first term alone, for the same plan and the same epsilon.
    first = ot.sinkhorn2(a, b, cost, epsilon, method="sinkhorn_log", numItermax=3000, stopThr=1e-9, warn=False)
    assert float((plan * cost).sum()) == pytest.approx(float(first), rel=1e-9)
    return float(first + epsilon * (plan * (plan / (a[:, None] * b)).log()).sum())


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_pots_plans_give_the_same_divergence(p, epsilon):
    x, y, a, b = cloud(0, 12), cloud(1, 9) + 1, masses(2, 12), masses(3, 9)
    found = sinkhorn_divergence(x, y, epsilon=epsilon, p=p, weights=(a, b), tolerance=1e-7)
    terms = [entropic_cost(*pair, epsilon, p) for pair in ((x, y, a, b), (x, x, a, a), (y, y, b, b))]
    assert found.converged
    assert found.epsilon == epsilon
    assert found.value**p == pytest.approx(terms[0] - (terms[1] + terms[2]) / 2, abs=1e-6)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_it_tends_to_wp_as_epsilon_falls(p):
    x, y = cloud(0), cloud(1) + 1
    exact = exact_wp(x, y, p).value
    off = [abs(sinkhorn_divergence(x, y, epsilon=e, p=p, max_iterations=3000).value - exact) for e in (3, 0.3, 0.03)]
    assert off == sorted(off, reverse=True)
    assert off[-1] < 0.05 * exact


def test_two_points_have_no_entropy():
    found = sinkhorn_divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]), p=2)
    assert isinstance(found, Distance)
    assert found.value == float(found) == pytest.approx(5.0)
    assert (found.n, found.dim, found.error, found.converged) == ((1, 1), 2, None, True)
    assert found.epsilon == pytest.approx(0.05 * 25)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_a_distribution_is_at_no_distance_from_itself(p):
    x = cloud(0)
    assert sinkhorn_divergence(x, x, p=p).value ** p < 1e-9
    assert sinkhorn_divergence(x, x.flip(0), p=p).value ** p < 1e-9
    repeated, weights = x[[0, 0, 1, 2]], (torch.tensor([0.5, 0.25, 0.25]), torch.full((4,), 0.25))
    assert sinkhorn_divergence(x[:3], repeated, weights=weights, p=p).value ** p < 1e-6


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 2.0]))
def test_symmetry_sign_and_scaling(seed, p):
    x, y = cloud(seed, 12), cloud(seed + 1, 15)
    found = sinkhorn_divergence(x, y, p=p, tolerance=1e-6).value
    assert found > 0
    assert sinkhorn_divergence(y, x, p=p, tolerance=1e-6).value == pytest.approx(found, rel=1e-5)
    assert sinkhorn_divergence(7 * x, 7 * y, p=p, tolerance=1e-6).value == pytest.approx(7 * found, rel=1e-5)


def test_with_p_2_a_shift_costs_its_length_at_any_temperature():
    """``‖x - y - t‖²`` differs from ``‖x - y‖²`` by terms of one point each, so plans stay: S = ‖t‖² exactly."""
    x, move = cloud(0), torch.tensor([0.3, -0.4], dtype=torch.float64)
    for epsilon in (0.1, 1.0, 10.0):
        found = sinkhorn_divergence(x, x + move, p=2, epsilon=epsilon, max_iterations=5000)
        assert found.value == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_blocks_of_rows_change_nothing(p):
    x, y = cloud(0), cloud(1, 20)
    whole, blocks = (sinkhorn_divergence(x, y, p=p, batch=batch) for batch in (1024, 7))
    assert blocks.value == pytest.approx(whole.value, rel=1e-12)
    assert blocks.iterations == whole.iterations


def test_plans_are_never_kept_whole_when_they_are_large(monkeypatch):
    from wganx.wasserstein.sinkhorn import problem

    largest = []
    plain = problem.Problem.squared_distances
    monkeypatch.setattr(
        problem.Problem,
        "squared_distances",
        lambda self, tile: largest.append(plain(self, tile).shape) or plain(self, tile),
    )
    monkeypatch.setattr(problem, "TILE", 20**2)
    assert sinkhorn_divergence(cloud(0, 65), cloud(1, 33), batch=16).converged
    assert max(rows for rows, _ in largest) == 16
    assert max(columns for _, columns in largest) <= math.isqrt(20**2 * torch.get_num_threads())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int16])
def test_it_runs_in_the_dtype_of_the_samples_and_float32_at_least(dtype):
    x, y = (cloud(0, shape=(2, 2)) * 10).to(dtype), (cloud(1, shape=(2, 2)) * 10 + 20).to(dtype)
    exact = sinkhorn_divergence(x.double(), y.double())
    assert sinkhorn_divergence(x, y).value == pytest.approx(exact.value, rel=1e-4)


def test_samples_that_mostly_repeat_have_a_default_temperature():
    x = torch.zeros(50, 2)
    y = torch.cat([torch.zeros(49, 2), torch.ones(1, 2)])
    found = sinkhorn_divergence(x, y)
    assert found.epsilon == pytest.approx(0.05 * math.sqrt(2))
    assert 0 < found.value < math.sqrt(2) / 50
    assert sinkhorn_divergence(x, x).value == 0.0


def test_an_empty_weight_counts_for_nothing():
    x, y = cloud(0), cloud(1)
    weights = torch.cat([torch.full((20,), 0.05), torch.zeros(10)]).double()
    found = sinkhorn_divergence(x, y, weights=(weights, weights), epsilon=0.3, tolerance=1e-7)
    assert found.value == pytest.approx(
        sinkhorn_divergence(x[:20], y[:20], epsilon=0.3, tolerance=1e-7).value, rel=1e-6
    )


def energy_limit(x, y, p):
    """What S tends to as epsilon grows: half of an energy distance, of the costs."""
    mean = lambda a, b: float((torch.cdist(a, b) ** p).mean())  # noqa: E731
    return (mean(x, y) - mean(x, x) / 2 - mean(y, y) / 2) ** (1 / p)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("epsilon", [1e4, 1e6, 1e9, 1e14])
@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 1e-6), (torch.float64, 1e-9)])
def test_a_large_epsilon_reads_an_energy_distance_in_every_dtype(dtype, digits, epsilon, p):
    x, y = cloud(0, 60), cloud(1, 50) + 1
    found = sinkhorn_divergence(x.to(dtype), y.to(dtype), epsilon=epsilon, p=p)
    assert found.converged
    assert found.value == pytest.approx(energy_limit(x, y, p), rel=digits + 20 / epsilon)


@pytest.mark.parametrize("epsilon", [1e-2, 1e14, 1e60])
def test_large_sets_are_begun_within_the_range_of_every_dtype(monkeypatch, epsilon):
    from wganx.wasserstein.sinkhorn import solver

    monkeypatch.setattr(solver, "LARGE", 8)
    x, y = cloud(0, 30), cloud(1, 30) + 1
    limit = exact_wp(x, y, 1.0).value if epsilon < 1 else energy_limit(x, y, 1)
    found = sinkhorn_divergence(x, y, epsilon=epsilon, max_iterations=10**4)
    assert found.value == pytest.approx(limit, rel=0.02 if epsilon < 1 else 1e-9)
    if 1 < epsilon < 1e20:
        assert sinkhorn_divergence(x.float(), y.float(), epsilon=epsilon).value == pytest.approx(limit, rel=1e-5)


def test_updates_that_stand_still_for_want_of_digits_have_not_converged():
    x, y = cloud(0, 3, dtype=torch.float32) + 1, cloud(1, 3, dtype=torch.float32)
    with pytest.warns(RuntimeWarning, match="or pass float64 samples"):
        assert not sinkhorn_divergence(x, y, epsilon=1e-6, tolerance=0.05).converged
    assert sinkhorn_divergence(x.double(), y.double(), epsilon=1e-6, tolerance=0.05, max_iterations=10**5).converged


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-12, 12), st.floats(1, 8), st.sampled_from([torch.float32, torch.float64]))
def test_scaling_the_samples_scales_the_divergence(seed, exponent, p, dtype):
    x, y, scale = cloud(seed, 15, dtype=dtype), cloud(seed + 1, 12, dtype=dtype), 10.0**exponent
    largest = float(torch.cdist(x, y).max()) ** p
    settings = {"p": p, "tolerance": 1e-3, "max_iterations": 5000}
    own, scaled = (sinkhorn_divergence(s * x, s * y, epsilon=0.3 * largest * s**p, **settings) for s in (1.0, scale))
    # The difference of three terms is known to the digits of the costs.
    known = max(20 * torch.finfo(dtype).eps * largest, 1e-6 * own.value**p)
    assert (scaled.value / scale) ** p == pytest.approx(own.value**p, abs=known)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("scale", [1e-12, 1e-5, 1e12])
def test_the_default_epsilon_scales_with_the_costs(scale, p):
    x, y = cloud(0), cloud(1)
    own, scaled = sinkhorn_divergence(x, y, p=p), sinkhorn_divergence(scale * x, scale * y, p=p)
    assert scaled.epsilon == pytest.approx(own.epsilon * scale**p, rel=1e-9)
    assert scaled.value == pytest.approx(own.value * scale, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
def test_powers_and_scales_at_which_a_cost_leaves_the_range(scale):
    x, y = torch.zeros(3, 2), torch.full((3, 2), scale)
    for p in (1, 2, 4, 8):
        assert sinkhorn_divergence(x, y, p=p).value == pytest.approx(math.sqrt(2) * scale, rel=1e-5)
    assert sinkhorn_divergence(x, y / scale, p=400).value == pytest.approx(math.sqrt(2), rel=1e-5)


def test_it_says_when_it_did_not_converge():
    message = r"Sinkhorn stopped after 2 updates with .* of the mass misplaced, more than 1e-09: raise max_iterations"
    with pytest.warns(RuntimeWarning, match=message):
        found = sinkhorn_divergence(cloud(0), cloud(1), epsilon=0.01, tolerance=1e-9, max_iterations=2)
    assert not found.converged
    assert found.iterations == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 0.0}, "epsilon must be finite and more than 0, got 0"),
        ({"epsilon": math.inf}, "epsilon must be finite and more than 0, got inf"),
        ({"p": 0.5}, "p must be finite and at least 1, got 0.5"),
        ({"tolerance": 0.0}, "tolerance must be more than 0, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"max_iterations": 0}, "max_iterations must be at least 1, got 0"),
        ({"p": 4000}, "a distance to the power p=4000 overflows: scale the samples down"),
        ({"epsilon": 1e-60}, "epsilon=1e-60 is too far from the costs for torch.float32: take another, or a lower p"),
        ({"weights": (torch.ones(3), torch.ones(3))}, "weights must sum to 1, got 3"),
    ],
)
def test_unfit_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        sinkhorn_divergence(torch.zeros(3, 2), torch.ones(3, 2), **settings)


def test_samples_on_two_devices_are_refused():
    with pytest.raises(ValueError, match="samples lie on two devices, cpu and meta; move one of them"):
        sinkhorn_divergence(torch.zeros(3, 2), torch.ones(3, 2, device="meta"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_changes_nothing():
    x, y = cloud(0), cloud(1)
    assert sinkhorn_divergence(x.cuda(), y.cuda(), batch=7).value == pytest.approx(
        sinkhorn_divergence(x, y, batch=7).value, rel=1e-6
    )


def differentiated(p, **settings):
    """`gradcheck` in samples and weights, at a convergence that leaves it enough digits."""
    inputs = [each.requires_grad_() for each in (cloud(0, 3), cloud(1, 2) + 1, masses(2, 3), masses(3, 2))]
    settings = {"p": p, "epsilon": 2.0, "tolerance": 1e-10} | settings
    return torch.autograd.gradcheck(
        lambda x, y, a, b: sinkhorn_divergence(x, y, weights=(a, b), **settings).tensor, inputs, atol=1e-6, rtol=1e-5
    )


@pytest.mark.parametrize("settings", [{"p": 1.0}, {"p": 2.0}, {"p": 2.5}, {"p": 1.0, "batch": 2}])
def test_gradients_in_samples_and_weights(settings):
    assert differentiated(**settings)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
def test_gradients_where_points_coincide_are_finite_and_zero_where_all_do(p):
    x, y = cloud(0, 8).requires_grad_(), torch.cat([cloud(0, 7), cloud(1, 2)])
    sinkhorn_divergence(x, y, p=p).backward()
    assert bool(torch.isfinite(x.grad).all())
    assert float(x.grad.abs().max()) > 0
    x.grad = None
    for other in (x, x.detach().flip(0), x.detach()):
        found = sinkhorn_divergence(x, other, p=p)
        if found.value == 0:
            found.backward()
            assert not x.grad.any()
    points = torch.zeros(3, 2, requires_grad=True)
    sinkhorn_divergence(points, torch.zeros(2, 2), p=p).backward()
    assert not points.grad.any()


def test_a_shift_is_pulled_back_along_itself_at_any_temperature():
    """With p = 2, S = ‖t‖²: the gradients of its root in the samples sum to t / ‖t‖."""
    x, move = cloud(0, 12), torch.tensor([0.3, -0.4], dtype=torch.float64)
    moved = (x + move).requires_grad_()
    sinkhorn_divergence(moved, x, p=2, epsilon=0.5, tolerance=1e-8).backward()
    torch.testing.assert_close(moved.grad, (move / 0.5).expand(12, 2) / 12, atol=1e-5, rtol=0)


def test_the_tensor_has_the_graph_and_the_type_of_the_samples():
    x, y = cloud(0, 5), cloud(1, 6)
    assert sinkhorn_divergence(x, y).tensor is None
    for dtype in (torch.float32, torch.bfloat16):
        leaf = x.to(dtype).reshape(5, 1, 2).requires_grad_()
        found = sinkhorn_divergence(leaf, y.to(dtype))
        assert found.tensor.dtype == torch.float32
        assert found.tensor.item() == pytest.approx(found.value, rel=1e-6)
        (3 * found).backward()
        assert (leaf.grad.dtype, leaf.grad.shape) == (dtype, leaf.shape)
    with torch.no_grad():
        assert sinkhorn_divergence(leaf, y.to(dtype)).tensor is None
    rows = [row.clone().requires_grad_() for row in x]
    sinkhorn_divergence(rows, y).backward()
    assert all(row.grad.any() for row in rows)


def test_it_is_differentiated_once():
    x = cloud(0, 5).requires_grad_()
    (gradient,) = torch.autograd.grad(sinkhorn_divergence(x, cloud(1, 5)).tensor, x, create_graph=True)
    with pytest.raises(ValueError, match="sinkhorn_divergence has a gradient and no second derivative"):
        gradient.sum().backward()


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_potentials_and_plan(p, scale):
    x, y, a, b = scale * cloud(0, 12), scale * cloud(1, 9) + scale, masses(2, 12), masses(3, 9)
    found = sinkhorn_divergence(x, y, p=p, weights=(a, b), tolerance=1e-8)
    (f, g), own = found.potentials, found.self_potentials
    assert float(a @ (f - own[0]) + b @ (g - own[1])) == pytest.approx(found.value**p, rel=1e-6)
    plan, cost = found.plan(), torch.cdist(x, y) ** p
    torch.testing.assert_close(plan, a[:, None] * b * ((f[:, None] + g - cost) / found.epsilon).exp())
    torch.testing.assert_close(plan.sum(0), b, atol=1e-14, rtol=0)
    torch.testing.assert_close(plan.sum(1), a, atol=1e-7, rtol=0)
    pots = ot.sinkhorn(a, b, cost, found.epsilon, method="sinkhorn_log", stopThr=1e-10)
    torch.testing.assert_close(plan, pots, atol=1e-7, rtol=0)


def test_a_plan_that_is_too_large_is_refused(monkeypatch):
    from wganx.wasserstein.sinkhorn import divergence

    found = sinkhorn_divergence(cloud(0, 30), cloud(1, 20))
    assert found.plan().shape == (30, 20)
    monkeypatch.setattr(divergence, "COST_LIMIT", 4000)
    with pytest.raises(ValueError, match=r"the plan between n=30 and m=20 samples takes .* take fewer samples"):
        found.plan()


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_sets_begin_with_few_samples_and_end_alike(monkeypatch, p, dtype):
    from wganx.wasserstein.sinkhorn import solver

    x, y = cloud(0, 90, dtype=dtype), cloud(1, 70, dtype=dtype) + 0.5
    weights = (torch.cat([torch.zeros(20).double(), masses(2, 70)]), masses(3, 70))
    settings = {"p": p, "weights": weights, "tolerance": 1e-5}
    whole = sinkhorn_divergence(x, y, **settings)
    monkeypatch.setattr(solver, "LARGE", 16)
    for batch in (2048, 16):
        found = sinkhorn_divergence(x, y, batch=batch, **settings)
        assert found.converged
        assert found.value == pytest.approx(whole.value, rel=1e-5)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("epsilon", [0.05, 50.0])
def test_sums_out_of_range_are_taken_anew(monkeypatch, p, epsilon):
    from wganx.wasserstein.sinkhorn import problem

    x, y = cloud(0, 20), cloud(1, 15) + 1
    plain = sinkhorn_divergence(x, y, p=p, epsilon=epsilon)
    monkeypatch.setattr(problem, "SAFE_BITS", 1e-9)
    careful = sinkhorn_divergence(x, y, p=p, epsilon=epsilon)
    assert careful.value == pytest.approx(plain.value, rel=1e-6)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_tight_groups_far_apart_keep_their_digits(p):
    """Half of all distances are a thousandth of the others: float32 products of matrices would round them away."""
    near = torch.cat([1e-3 * cloud(0, 20), 1e-3 * cloud(1, 20) + 1]).float()
    other = torch.cat([1e-3 * cloud(2, 30), 1e-3 * cloud(3, 30) + 1]).float()
    settings = {"p": p, "epsilon": 0.3 * 1e-3**p, "tolerance": 0.02}
    exact = sinkhorn_divergence(near.double(), other.double(), **settings | {"tolerance": 1e-4}).value
    assert sinkhorn_divergence(near, other, **settings).value == pytest.approx(exact, rel=0.01)


def test_a_far_point_of_no_mass_and_repeated_points_change_nothing():
    x, y = cloud(0, 20), cloud(1, 20)
    far = torch.cat([x, torch.full((1, 2), 1e3, dtype=torch.float64)])
    weights = torch.cat([torch.full((20,), 0.05), torch.zeros(1)]).double()
    own = sinkhorn_divergence(x, y, epsilon=0.3)
    found = sinkhorn_divergence(far, y, epsilon=0.3, weights=(weights, torch.full((20,), 0.05)))
    assert found.value == pytest.approx(own.value, rel=1e-4)
    assert sinkhorn_divergence(x.repeat(3, 1), y.repeat(2, 1), epsilon=0.3).value == pytest.approx(own.value, rel=1e-4)


def test_pots_divergence_is_this_ones_plans_without_entropy():
    """POT's published case: whole numbers against even ones, at temperature 1. Its divergence takes no KL term."""
    x, y = torch.arange(10.0).double()[:, None], torch.arange(0.0, 20, 2).double()[:, None]

    def carried(x, y):
        found = sinkhorn_divergence(x, y, p=2, epsilon=1, tolerance=1e-8, max_iterations=5000)
        return float((found.plan() * torch.cdist(x, y) ** 2).sum())

    theirs = ot.bregman.empirical_sinkhorn_divergence(x.numpy(), y.numpy(), 1)
    assert carried(x, y) - carried(x, x) / 2 - carried(y, y) / 2 == pytest.approx(float(theirs), rel=1e-6)


def test_weights_in_single_points_leave_one_plan_and_a_gradient():
    """Mass in one corner of a square and in its neighbour: the logarithms of the other weights are no numbers."""
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    weights = [torch.eye(4, dtype=torch.float64)[corner].requires_grad_() for corner in (1, 0)]
    found = sinkhorn_divergence(corners, corners, epsilon=0.1, weights=weights)
    assert found.value == pytest.approx(1.0, rel=1e-12)
    found.backward()
    assert corners.grad.tolist() == [[-1, 0], [1, 0], [0, 0], [0, 0]]
    assert all(bool(torch.isfinite(each.grad).all()) for each in weights)


@pytest.mark.parametrize("distance", [0.0, 1e-3, 0.1])
def test_close_sets_of_many_dimensions_are_never_at_less_than_nothing(distance):
    """50 points of 160 numbers and the same moved: S is the square of the way at any temperature."""
    x = 0.02 * cloud(0, 50, (160,), torch.float32)
    move = torch.full((160,), distance / math.sqrt(160))
    assert sinkhorn_divergence(x, x + move, p=2, tolerance=1e-6).value == pytest.approx(distance, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_divergence_is_least_where_the_variances_are_equal(p):
    """Without its two own terms it would be least for a narrower set than the target."""
    x = cloud(0, 400, (1,))
    target = x.flip(0)
    found = {scale: sinkhorn_divergence(scale * x, target, p=p).value for scale in (0.6, 0.8, 0.9, 1.0, 1.1, 1.25)}
    assert min(found, key=found.get) == 1.0
    assert found[0.6] > found[0.8] > found[0.9] > 10 * found[1.0]


def test_sets_that_are_one_point():
    x = torch.ones(20, 3, requires_grad=True)
    for found in (sinkhorn_divergence(x, torch.ones(10, 3)), sinkhorn_divergence(x, x.detach(), p=2)):
        assert found.value == 0
        (slope,) = torch.autograd.grad(found.tensor, x)
        assert slope.count_nonzero() == 0
