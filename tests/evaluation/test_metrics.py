"""Every metric of features against a computation that shares no code with it, and against answers that are known."""

import collections
import itertools
import math

import numpy as np
import ot
import pytest
import torch
from scipy import linalg, stats
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors
from torch import nn

from wganx.errors import DataError
from wganx.evaluation import metrics


def rows(n, d=6, seed=0, shift=0.0, scale=1.0):
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    mixed = x @ torch.randn(d, d, generator=torch.Generator().manual_seed(d)) / d**0.5
    return scale * mixed + shift


PAIRS = [(rows(80), rows(60, seed=1, shift=0.4)), (rows(8, 20), rows(30, 20, seed=2, scale=2.0)), (rows(40), rows(40))]


@pytest.mark.parametrize(("x", "y"), PAIRS, ids=["plain", "fewer rows than features", "the same"])
def test_frechet_distance_by_the_root_of_a_matrix(x, y):
    a, b = x.double().numpy(), y.double().numpy()
    root = linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_frechet_distance_of_known_gaussians():
    """Samples whose moments are exact: m and s² apart, in each coordinate (m - m')² + (s - s')²."""
    corners = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=3)), dtype=torch.float64)
    corners *= (7 / 8) ** 0.5  # a covariance of 1 with n - 1 below
    other = 3 * corners + torch.tensor([1.0, 2.0, -2.0])
    assert metrics.frechet_distance(corners, other) == pytest.approx(9 + 3 * (3 - 1) ** 2)
    assert metrics.frechet_distance(corners, corners) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_as_torchmetrics_finds_it():
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Flat(nn.Module):
        num_features = 12

        def forward(self, x):
            return x.flatten(1).double()

    x, y = (torch.rand(50, 3, 2, 2, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    judge = FrechetInceptionDistance(feature=Flat(), normalize=True, input_img_size=(3, 2, 2)).set_dtype(torch.float64)
    judge.update(x, real=True)
    judge.update(y * 0.8, real=False)
    expected = float(judge.compute())
    assert metrics.frechet_distance(x.flatten(1), y.flatten(1) * 0.8) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("x", "y"), PAIRS[:2])
def test_kernel_distance_by_the_whole_kernel_matrix(x, y):
    def kernel(a, b):
        return polynomial_kernel(a.double().numpy(), b.double().numpy(), degree=3, gamma=1 / a.shape[1], coef0=1)

    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    expected = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    expected -= 2 * kernel(x, y).mean()
    assert metrics.kernel_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_has_no_bias():
    found = [metrics.kernel_distance(rows(20, seed=2 * s), rows(20, seed=2 * s + 1)) for s in range(300)]
    assert abs(np.mean(found)) < 4 * np.std(found) / 300**0.5


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_frechet_distance_is_a_number_where_a_generator_collapsed(scale):
    """A covariance without rank is where others find NaN or imaginary parts (bioinf-jku/TTUR issues 4 and 40)."""
    real = scale * rows(30, 64)
    collapsed = real[:1].expand(30, -1)
    spread = float(real.double().var(dim=0).sum()) + float((real[0] - real.mean(dim=0)).double().square().sum())
    assert metrics.frechet_distance(collapsed, real) == pytest.approx(spread, rel=1e-4)
    assert metrics.frechet_distance(collapsed, collapsed) == 0


def test_a_collapsed_generator_is_precise_and_recalls_nothing():
    """And not the other way round (toshas/torch-fidelity issue 58)."""
    real = rows(300)
    made = real[7] + 1e-3 * rows(300, seed=3)
    found = metrics.precision_recall(made, real)
    assert found.precision == 1.0
    assert found.recall < 0.02


@pytest.mark.parametrize("metric", [metrics.frechet_distance, metrics.kernel_distance])
def test_what_cannot_be_compared_is_said(metric):
    """A single row made NaN elsewhere (Lightning-AI/torchmetrics issue 1652)."""
    with pytest.raises(DataError, match="at least 2 rows a side are needed, and there are 1 and 5"):
        metric(rows(1), rows(5))
    with pytest.raises(DataError, match="features of 6 and 7 values cannot be compared; use one extractor"):
        metric(rows(5), rows(5, 7))


def reaches(x, k):
    return NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(x).kneighbors(x)[0][:, k]


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("x", "y"), PAIRS[:2])
def test_precision_recall_density_and_coverage_by_loops(x, y, k):
    made, real = x.double().numpy(), y.double().numpy()
    reach_made, reach_real = reaches(made, k), reaches(real, k)
    distance = [[math.dist(a, b) for b in real] for a in made]
    precision = np.mean([any(d <= r for d, r in zip(row, reach_real)) for row in distance])
    recall = np.mean([any(distance[i][j] <= reach_made[i] for i in range(len(made))) for j in range(len(real))])
    density = sum(d <= r for row in distance for d, r in zip(row, reach_real)) / (k * len(made))
    coverage = np.mean([min(row[j] for row in distance) <= reach_real[j] for j in range(len(real))])
    assert metrics.precision_recall(x, y, k) == pytest.approx((precision, recall))
    assert metrics.density_coverage(x, y, k) == pytest.approx((density, coverage))


def test_balls_need_neighbours():
    with pytest.raises(DataError, match="3 neighbours need more than 3 rows a side, and there are 3; give more rows"):
        metrics.precision_recall(rows(3), rows(10))
    assert metrics.density_coverage(rows(3), rows(10), 5).coverage <= 1
    with pytest.raises(DataError, match="5 neighbours need more than 5 rows"):
        metrics.density_coverage(rows(10), rows(5), 5)


def test_rows_far_from_the_origin_keep_their_neighbours():
    x, y = rows(50), rows(50, seed=1)
    near = metrics.precision_recall(x, y)
    far = metrics.precision_recall(x.double() + 1e6, y.double() + 1e6)
    assert near == pytest.approx(far)


def test_nearest_rows_by_scikit_learn():
    x, y = rows(700), rows(90, seed=1)
    distance, place = metrics.nearest(x, y, 4)
    expected = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(y.double().numpy()).kneighbors(x.double().numpy())
    np.testing.assert_allclose(distance.numpy(), expected[0], rtol=1e-6)
    assert np.array_equal(place.numpy(), expected[1])
    np.testing.assert_allclose(metrics.nearest_other(x, 2).numpy(), reaches(x.double().numpy(), 2), rtol=1e-6)


def test_closer_is_the_statistic_of_mann_and_whitney():
    x, y = torch.tensor([1.0, 2, 2, 5, 7]), torch.tensor([2.0, 3, 7, 9])
    below = sum((a < b) + 0.5 * (a == b) for a in x.tolist() for b in y.tolist()) / 20
    assert metrics.closer(x, y) == pytest.approx(below)
    statistic = stats.mannwhitneyu(x.numpy(), y.numpy()).statistic
    assert metrics.closer(x, y) == pytest.approx(1 - statistic / 20)


def test_memorising_by_scikit_learn_and_at_its_ends():
    training, heldout, made = rows(300), rows(100, seed=1), rows(120, seed=2)

    def nearest(x):
        fitted = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(training.double().numpy())
        return fitted.kneighbors(x.double().numpy())[0][:, 0]

    of_made, of_real = nearest(made), nearest(heldout)
    found = metrics.memorising(made, training, heldout)
    assert found["copies"] == pytest.approx(np.mean(of_made < np.quantile(of_real, 0.05)))
    assert found["closer_to_training"] == pytest.approx(
        np.mean([(a < b) + 0.5 * (a == b) for a in of_made for b in of_real])
    )
    assert 0.35 < found["closer_to_training"] < 0.65
    copied = metrics.memorising(training[:80] + 1e-4, training, heldout)
    assert copied == {"closer_to_training": 1.0, "copies": 1.0}
    assert metrics.memorising(rows(80, shift=9.0), training, heldout) == {"closer_to_training": 0.0, "copies": 0.0}


def test_diversity_by_scikit_learn_and_of_one_sample_again_and_again():
    made, real = rows(150, scale=0.5), rows(130, seed=1)
    of_made, of_real = reaches(made[:130].double().numpy(), 1), reaches(real.double().numpy(), 1)
    found = metrics.diversity(made, real)
    # torch's median is the lower of two middle values.
    lower = [np.sort(each)[(len(each) - 1) // 2] for each in (of_made, of_real)]
    assert found["spread"] == pytest.approx(lower[0] / lower[1], rel=1e-6)
    assert found["duplicates"] == pytest.approx(np.mean(of_made < np.quantile(of_real, 0.05)))
    collapsed = metrics.diversity(rows(1).expand(100, -1), real)
    assert collapsed["duplicates"] == 1.0
    assert collapsed["spread"] < 1e-5


def test_classes_by_counting():
    seen, real = [0, 0, 0, 1, 1, 2, 2, 2, 2, 2], [0, 0, 1, 1, 1, 2, 2, 2, 3, 3]
    made_logits, real_logits = (nn.functional.one_hot(torch.tensor(each), 5).float() * 3 for each in (seen, real))
    shares, due = collections.Counter(seen), collections.Counter(real)
    found = metrics.class_coverage(made_logits, real_logits)
    assert found["classes"] == 3
    assert found["class_distance"] == pytest.approx(sum(abs(shares[k] - due[k]) for k in range(5)) / 20)
    agreement, by_class = metrics.label_agreement(made_logits, torch.tensor([0, 0, 1, 1, 1, 1, 2, 2, 2, 2]))
    assert agreement == pytest.approx(0.8)
    assert by_class[:3] == pytest.approx([1.0, 0.5, 1.0])
    assert math.isnan(by_class[3])


def test_inception_score_by_a_loop():
    logits = rows(60, 7, scale=3.0).double()
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    expected = np.exp(np.mean([stats.entropy(row, p.mean(0)) for row in p]))
    assert metrics.inception_score(logits) == pytest.approx(expected)
    assert metrics.inception_score(torch.zeros(9, 4)) == pytest.approx(1)
    assert metrics.inception_score(torch.eye(4) * 1e4) == pytest.approx(4)


def test_transport_of_features_by_pot_and_closed_forms():
    x, y = rows(60), rows(60, seed=1, shift=0.5)
    cost = ot.dist(x.double().numpy(), y.double().numpy(), metric="euclidean")
    assert metrics.exact_transport(x, y) == pytest.approx(ot.emd2([], [], cost), rel=1e-6)
    sliced = ot.sliced_wasserstein_distance(x.double().numpy(), y.double().numpy(), n_projections=4000, p=1, seed=1)
    assert metrics.sliced_transport(x, y, seed=0) == pytest.approx(sliced, rel=0.1)
    shift = torch.full((6,), 2.0)
    assert metrics.exact_transport(x, x + shift) == pytest.approx(2 * 6**0.5, rel=1e-5)


def test_the_bracket_is_that_of_wganx_by_name(monkeypatch):
    """Its bounds are tested where they are made; they take their time."""
    from types import SimpleNamespace

    from wganx.evaluation.metrics import transport

    asked = []

    def bracket_w1(x, y, seed):
        asked.append((len(x), len(y), seed))
        return SimpleNamespace(lower=1.0, point=2.0, upper=3.0)

    monkeypatch.setattr(transport, "bracket_w1", bracket_w1)
    assert metrics.transport_bracket(rows(10), rows(12), seed=4) == {"lower": 1.0, "point": 2.0, "upper": 3.0}
    assert asked == [(10, 12, 4)]


def mixture(n, modes, seed, noise=0.0):
    """Points near the corners of a cube of side 6; `noise` moves each by so much in a direction of its own."""
    rng = torch.Generator().manual_seed(seed)
    corners = torch.tensor(list(itertools.product((-3.0, 3.0), repeat=3)))[modes]
    x = corners[torch.randint(len(corners), (n,), generator=rng)] + 0.3 * torch.randn(n, 3, generator=rng)
    away = torch.randn(n, 3, generator=rng)
    return x + noise * away / away.norm(dim=1, keepdim=True) * (torch.rand(n, 1, generator=rng) < 0.5)


def everything(made, real, training):
    return {
        "frechet": metrics.frechet_distance(made, real),
        "kernel": metrics.kernel_distance(made, real),
        **metrics.precision_recall(made, real)._asdict(),
        **metrics.density_coverage(made, real)._asdict(),
        **metrics.memorising(made, training, real),
        **metrics.diversity(made, real),
        "w1": metrics.exact_transport(made, real),
        "sliced_w1": metrics.sliced_transport(made, real, seed=0),
    }


@pytest.fixture(scope="module")
def fates():
    everywhere, n = list(range(8)), 400
    real, training = mixture(n, everywhere, 1), mixture(1200, everywhere, 2)
    made = {
        "honest": mixture(n, everywhere, 3),
        "four modes dropped": mixture(n, everywhere[:4], 4),
        "half of them noisy": mixture(n, everywhere, 5, noise=2.0),
        "copied": training[:n] + 1e-3,
    }
    return {name: everything(each, real, training) for name, each in made.items()}


def test_a_dropped_mode_lowers_recall_alone(fates):
    honest, dropped = fates["honest"], fates["four modes dropped"]
    assert dropped["recall"] < honest["recall"] - 0.3
    assert dropped["coverage"] < honest["coverage"] - 0.3
    assert dropped["precision"] > honest["precision"] - 0.03
    assert dropped["density"] > honest["density"] - 0.1
    assert dropped["copies"] < 0.1


def test_noise_lowers_precision_alone(fates):
    honest, noisy = fates["honest"], fates["half of them noisy"]
    assert noisy["precision"] < honest["precision"] - 0.3
    assert noisy["density"] < honest["density"] - 0.3
    assert noisy["recall"] > honest["recall"] - 0.05
    assert noisy["copies"] < 0.1


def test_copies_are_seen_by_memorising_alone(fates):
    honest, copied = fates["honest"], fates["copied"]
    assert copied["copies"] == 1.0
    assert copied["closer_to_training"] > 0.95
    assert 0.4 < honest["closer_to_training"] < 0.6
    for name in ("frechet", "kernel", "w1", "sliced_w1"):
        assert copied[name] < 2 * abs(honest[name]) + 0.3, name


def test_distances_rise_with_what_is_wrong(fates):
    for name in ("frechet", "kernel", "w1", "sliced_w1"):
        for wrong in ("four modes dropped", "half of them noisy"):
            assert fates[wrong][name] > fates["honest"][name], (name, wrong)
