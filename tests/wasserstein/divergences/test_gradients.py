"""MMD and energy distance train: gradients in samples and weights, other kernels, weights, refusals."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import energy_distance as scipy_energy

from wganx.wasserstein import median_distance
from wganx.wasserstein.divergences import (
    Gaussian,
    Histogram,
    compare,
    energy_distance,
    hellinger,
    js_divergence,
    kl_divergence,
    mmd,
    total_variation,
)

MEASURES = [
    (energy_distance, {}),
    (energy_distance, {"unbiased": False, "batch": 2}),
    (mmd, {"bandwidth": 1.0}),
    (mmd, {"bandwidth": [0.5, 1.0, 2.0], "batch": 3}),
    (mmd, {"bandwidth": [0.7, 2.0], "kernel": "laplacian", "unbiased": False}),
]


def cloud(seed, n=5, d=2, grad=False):
    drawn = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.requires_grad_(grad)


def masses(seed, n, grad=False):
    drawn = torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.1
    return (drawn / drawn.sum()).requires_grad_(grad)


@pytest.mark.parametrize(("measure", "options"), MEASURES)
def test_gradients_agree_with_finite_differences(measure, options):
    x, y, a, b = cloud(0, grad=True), cloud(1, 4, grad=True), masses(2, 5, True), masses(3, 4, True)

    def weighted(x, y, a, b):
        return measure(x, y, weights=(a, b), **options).tensor

    assert torch.autograd.gradcheck(weighted, (x, y, a, b))
    assert torch.autograd.gradgradcheck(weighted, (x, y, a, b))
    assert torch.autograd.gradcheck(lambda x, y: measure(x, y, **options).tensor, (x, y))


def test_so_do_those_of_more_rows_than_torch_compares_one_by_one():
    x, y = cloud(0, 30, 1, grad=True), cloud(1, 28, 1)
    for measure, options in (MEASURES[0], MEASURES[4]):
        assert torch.autograd.gradcheck(lambda x: measure(x, y, **options).tensor, (x,))  # noqa: B023


@pytest.mark.parametrize(("measure", "options"), MEASURES)
@pytest.mark.parametrize("n", [5, 40])
def test_rows_that_coincide_do_not_pull_at_each_other(measure, options, n):
    x = cloud(0, n, grad=True)
    measure(x, x.detach().clone(), **{**options, "unbiased": False}).backward()
    assert bool(x.grad.isfinite().all())
    assert float(x.grad.abs().max()) < 1e-7  # two equal distributions: a minimum
    repeated = torch.zeros(n, 2, dtype=torch.float64, requires_grad=True)
    measure(repeated, cloud(1, 7), **options).backward()
    assert bool(repeated.grad.isfinite().all())
    assert torch.equal(repeated.grad, repeated.grad[:1].expand(n, 2))


def test_two_points_by_hand():
    x = torch.tensor([[0.0], [0.0]], requires_grad=True)
    y = torch.tensor([[3.0], [3.0]])
    found = energy_distance(x, y)
    assert (found.value, float(found.tensor.detach())) == (6, 6)
    found.backward()
    assert x.grad.tolist() == [[-1], [-1]]
    x.grad = None
    mmd(x, y, bandwidth=2.0, kernel="laplacian").backward()  # 2 - 2 exp(-|x - y| / 2), half of it each
    assert x.grad[:, 0].tolist() == pytest.approx([-math.exp(-1.5) / 2] * 2)
    assert x.grad.dtype == torch.float32


def test_a_tensor_exactly_where_a_gradient_is_recorded():
    x, y = cloud(0, grad=True), cloud(1)
    for measure, options in MEASURES:
        assert measure(x, y, **options).requires_grad
        assert measure(y, x, **options).tensor.dtype == torch.float64
        assert not measure(x.detach(), y, **options).requires_grad
        with torch.no_grad():
            assert not measure(x, y, **options).requires_grad
        assert measure(x, y, **options).value == measure(x.detach(), y, **options).value
    listed = energy_distance(list(x), y)
    assert listed.requires_grad
    listed.backward()
    assert float(x.grad.abs().sum()) > 0
    many, others = cloud(0, 200, 5), cloud(1, 100, 5)
    assert energy_distance(many.requires_grad_(), others).value == pytest.approx(
        energy_distance(many.detach(), others).value, abs=1e-8
    )


def test_descending_the_energy_distance_brings_samples_to_their_target():
    target, x = cloud(0, 20) * 0.3 + 2, cloud(1, 20, grad=True)
    moving = torch.optim.Adam([x], lr=0.2)
    first = energy_distance(x, target, unbiased=False).value
    for _ in range(30):
        moving.zero_grad()
        energy_distance(x, target, unbiased=False).backward()
        moving.step()
    assert energy_distance(x, target, unbiased=False).value < 0.1 * first


@pytest.mark.parametrize(("measure", "options"), MEASURES)
def test_weights_count_samples(measure, options):
    """A weight of k / n is the sample k times over, where a row is paired with itself; the U-statistic by hand."""
    x, y = cloud(0, 3), cloud(1, 2)
    weights = ([0.5, 0.25, 0.25], [1 / 3, 2 / 3])
    plug_in = {**options, "unbiased": False}
    repeated = measure(x[[0, 0, 1, 2]], y[[0, 1, 1]], **plug_in).value
    assert measure(x, y, weights=weights, **plug_in).value == pytest.approx(repeated, abs=1e-12)
    equal = ([1 / 3] * 3, [0.5, 0.5])
    assert measure(x, y, weights=equal, **options).value == pytest.approx(measure(x, y, **options).value, abs=1e-12)


def test_the_weighted_u_statistic_by_hand():
    x, y = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.0], [4.0]])
    found = energy_distance(x, y, weights=([0.5, 0.25, 0.25], [0.5, 0.5])).value
    across = 0.5 * (0 + 4) * 0.5 + 0.25 * (1 + 3) * 0.5 + 0.25 * (3 + 1) * 0.5
    within_x = 2 * (0.5 * 0.25 * 1 + 0.5 * 0.25 * 3 + 0.25 * 0.25 * 2) / (1 - 0.25 - 0.0625 - 0.0625)
    assert found == pytest.approx(2 * across - within_x - 4, abs=1e-12)


def test_the_weighted_u_statistic_is_unbiased():
    rng = torch.Generator().manual_seed(0)
    weights = ([0.4, 0.3, 0.2, 0.1], [0.1] * 10)
    found = [
        energy_distance(torch.randn(4, 1, generator=rng), torch.randn(10, 1, generator=rng) + 1, weights=weights).value
        for _ in range(400)
    ]
    truth = energy_distance(Gaussian(0.0, 1.0), Gaussian(1.0, 1.0)).value
    assert abs(np.mean(found) - truth) < 3 * np.std(found) / 20


def test_several_bandwidths_are_the_mean_of_their_kernels():
    x, y = cloud(0, 30), cloud(1, 20)
    for kernel in ("gaussian", "laplacian"):
        alone = [mmd(x, y, bandwidth=s, kernel=kernel).value for s in (0.5, 1.0, 4.0)]
        together = mmd(x, y, bandwidth=[0.5, 1.0, 4.0], kernel=kernel)
        assert together.value == pytest.approx(sum(alone) / 3, abs=1e-12)
    assert together.method == "U-statistic, laplacian kernel, bandwidths 0.5, 1, 4"
    p, q = Gaussian(0.0, 1.0), Gaussian(1.0, 2.0)
    assert mmd(p, q, bandwidth=[1.0, 2.0]).value == pytest.approx(
        (mmd(p, q, bandwidth=1.0).value + mmd(p, q, bandwidth=2.0).value) / 2
    )


def test_the_laplacian_kernel_by_hand():
    x, y = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]])
    k = math.exp(-5 / 2)
    value = (1 + k) / 2 + 1 - (1 + k)
    assert mmd(x, y, bandwidth=2.0, kernel="laplacian", unbiased=False).value == pytest.approx(value, abs=1e-12)
    p, q = Histogram([0.5, 0.5], x), Histogram([1.0], y)
    assert mmd(p, q, bandwidth=2.0, kernel="laplacian").value == pytest.approx(value, abs=1e-12)
    # Narrow kernels tell every two points apart, wide ones see half of the energy distance over s.
    x, y = cloud(0, 20), cloud(1, 20) + 1
    wide = mmd(x, y, bandwidth=1e5, kernel="laplacian").value * 1e5
    assert wide == pytest.approx(energy_distance(x, y).value, rel=1e-3)


SCIPY = [  # the cases of scipy's own tests of energy_distance, with and without weights
    ([0, 1], [0], [1, 1], [1], math.sqrt(2) * 0.5),
    ([0, 1], [0], [3, 1], [1], math.sqrt(2) * 0.25),
    ([0, 2], [0], [1, 1], [1], 1.0),
    ([0, 1, 2], [1, 2, 3], [1, 1, 1], [1, 1, 1], math.sqrt(2 / 3)),
    ([1, 1, 1, 4], [4, 1], [1, 1, 1, 1], [1, 3], 0.0),
    ([-5], [5], [1], [1], math.sqrt(20)),
    ([0, 0, 1, 1, 1, 1, 5], [0, 3, 3, 3, 3, 4, 4], [1] * 7, [1] * 7, None),
    ([1, 2, 100000], [1, 1], [1, 1, 0], [1, 1], None),
]


@pytest.mark.parametrize(("x", "y", "a", "b", "root"), SCIPY)
def test_the_energy_distance_is_the_square_of_scipys_in_scipys_own_cases(x, y, a, b, root):
    root = scipy_energy(x, y, a, b) if root is None else root
    a, b = (torch.tensor(side, dtype=torch.float64) / sum(side) for side in (a, b))
    found = energy_distance(torch.tensor(x)[:, None], torch.tensor(y)[:, None], weights=(a, b), unbiased=False)
    assert found.value == pytest.approx(root**2, abs=1e-9)


def test_scipys_infinite_samples_are_refused():
    with pytest.raises(ValueError, match="samples hold values that are not finite; remove those rows"):
        energy_distance([1.0, 2.0, math.inf], [1.0, 1.0])


def test_blocks_keep_the_gradient_and_not_the_matrix():
    """What autograd keeps is the samples; a second block does not make it more."""
    x, y = cloud(0, 300, grad=True), cloud(1, 200)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        found = energy_distance(x, y, batch=50).tensor
    assert max(kept) <= 300 * 2
    (whole,) = torch.autograd.grad(energy_distance(x, y).tensor, x)
    (blocks,) = torch.autograd.grad(found, x)
    assert torch.allclose(whole, blocks, atol=1e-10)


@pytest.mark.parametrize("measure", [kl_divergence, js_divergence, total_variation, hellinger, compare])
def test_divergences_of_densities_refuse_a_gradient(measure):
    x, y = cloud(0, 20, grad=True), cloud(1, 20)
    with pytest.raises(ValueError, match=rf"^{measure.__name__} has no gradient.*x\.detach\(\), or take mmd, energy_d"):
        measure(y, x)
    with torch.no_grad():
        measure(y, x)
    measure(y, x.detach())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: Histogram(x[:, 0].softmax(0)), "Histogram has no gradient.*energy_distance of weighted samples"),
        (lambda x: Histogram([0.5, 0.5], x[:2]), "Histogram has no gradient"),
        (lambda x: Gaussian(x[0], torch.eye(2)), "Gaussian has no gradient.*gaussian_w2 and pairs"),
        (lambda x: mmd(x, x.detach()), "the default bandwidth changes with the samples.*bandwidth=median_distance"),
        (lambda x: mmd(x, x, kernel="cauchy"), "unknown kernel 'cauchy': one of gaussian, laplacian"),
        (lambda x: mmd(x, x, bandwidth=[]), "bandwidth must be above 0"),
        (lambda x: mmd(x, x, bandwidth=[1.0, 0.0]), r"bandwidth must be above 0, got \[1.0, 0.0\]"),
        (lambda x: energy_distance(x, x, weights=([1.0], [1.0])), "5 samples need weights of shape"),
        (lambda x: energy_distance(x[:2], x[:2], weights=([1.0, 0.0], [0.5, 0.5])), "all weight is on one sample"),
        (
            lambda x: mmd(Histogram([1.0]), Histogram([1.0]), bandwidth=1.0, weights=([1.0], [1.0])),
            "weights are for samples; a Histogram has its own",
        ),
        (
            lambda x: energy_distance(Gaussian(0.0, 1.0), Gaussian(0.0, 1.0), weights=([1.0], [1.0])),
            "weights are for samples; a Gaussian has its own",
        ),
        (
            lambda x: mmd(Gaussian(0.0, 1.0), Gaussian(1.0, 1.0), kernel="laplacian"),
            "a laplacian kernel of Gaussians has no closed form",
        ),
    ],
)
def test_what_has_no_gradient_or_no_meaning_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(cloud(0, grad=True))


def test_a_median_distance_is_a_setting():
    x = cloud(0, 20, grad=True)
    assert median_distance(x, x) == median_distance(x.detach(), x.detach())
    assert mmd(x, cloud(1), bandwidth=median_distance(x, cloud(1))).requires_grad
