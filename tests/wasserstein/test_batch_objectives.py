"""The objectives that compare batches, against closed forms, other computations, and differences."""

import pytest
import torch

import wganx
from wganx.wasserstein import BatchDistance, energy_distance, exact_wp, sinkhorn_divergence, sliced_w1

EACH = [wganx.Energy(), wganx.Sliced(projections=8), wganx.Sliced(projections=8, power=1.0), wganx.Sinkhorn()]
NAMES = [f"{each.name} {getattr(each, 'power', '')}".strip() for each in EACH]


def batches(n=12, d=3, shift=0.4, seed=0):
    rng = torch.Generator().manual_seed(seed)
    real, fake = (torch.randn(n, d, generator=rng, dtype=torch.float64) for _ in range(2))
    return real, fake * 1.2 + shift


def test_energy_by_hand_and_against_the_statistic():
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [5.0]])
    # 2 mean(3, 5, 2, 4) - 1 - 2
    assert wganx.Energy().distance(real, fake).item() == pytest.approx(4.0)
    real, fake = batches(40)
    assert wganx.Energy().distance(real, fake).item() == pytest.approx(float(energy_distance(real, fake)), abs=1e-9)


def test_energy_has_no_bias():
    """Batches of four from one distribution: the mean over many is zero, the single ones are not."""
    rng = torch.Generator().manual_seed(0)
    each = torch.stack(
        [wganx.Energy().distance(*torch.randn(2, 4, 2, generator=rng, dtype=torch.float64)) for _ in range(2000)]
    )
    assert each.std() > 0.1
    assert each.mean().abs() < 4 * each.std() / len(each) ** 0.5


def test_sliced_on_the_line_is_exact():
    real, fake = batches(20, 1)
    for power in (1.0, 2.0, 3.0):
        expected = exact_wp(real, fake, p=power).value ** power
        assert wganx.Sliced(power=power).distance(real, fake).item() == pytest.approx(expected)


def test_sliced_over_many_directions():
    real, fake = batches(30, 3)
    torch.manual_seed(0)
    found = wganx.Sliced(projections=20_000, power=1.0).distance(real, fake).item()
    assert found == pytest.approx(sliced_w1(real, fake, projections=20_000).value, rel=0.02)


def test_sinkhorn_of_a_shift_is_its_square():
    """Moving one side by t adds ‖t‖² and nothing else, at any temperature."""
    real, _ = batches(15)
    shift = torch.tensor([3.0, -1.0, 0.5]).double()
    for epsilon in (0.5, 5.0):
        found = wganx.Sinkhorn(epsilon=epsilon, iterations=300).distance(real, real + shift)
        assert found.item() == pytest.approx(10.25, rel=1e-4)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_sinkhorn_against_the_divergence(power):
    real, fake = batches(15)
    expected = sinkhorn_divergence(real, fake, p=power, epsilon=0.5, tolerance=1e-8).value ** power
    assert wganx.Sinkhorn(power=power, epsilon=0.5, iterations=200).distance(real, fake).item() == pytest.approx(
        expected, rel=1e-4
    )
    # As few updates as a training takes, at the temperature that it takes.
    exact = wganx.Sinkhorn(power=power, iterations=500).distance(real, fake).item()
    assert wganx.Sinkhorn(power=power).distance(real, fake).item() == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("objective", [*EACH[:3], wganx.Sinkhorn(epsilon=4.0, iterations=40)], ids=NAMES)
def test_gradients_against_differences(objective):
    def distance(real, fake):
        torch.manual_seed(2)
        return objective.distance(real, fake)

    real, fake = batches(4, 2)
    assert torch.autograd.gradcheck(distance, (real.requires_grad_(), fake.requires_grad_()), atol=1e-6)


@pytest.mark.parametrize("objective", EACH, ids=NAMES)
@pytest.mark.parametrize("d", [2, 200])
def test_gradients_are_finite_where_samples_coincide(objective, d):
    real = torch.ones(6, d) * torch.tensor([1.0, 1, 1, 2, 2, 3])[:, None]
    fake = real.clone().requires_grad_()
    value = objective.generator_loss(fake, real)
    (slope,) = torch.autograd.grad(value, fake)
    assert value.isfinite()
    assert slope.isfinite().all()


@pytest.mark.parametrize("objective", [*EACH, wganx.Sinkhorn(power=1.0), wganx.Sinkhorn(epsilon=1e-12)], ids=repr)
@pytest.mark.parametrize("spread", [0.0, 1e-4])
def test_gradients_are_finite_where_the_data_is_a_point_or_nearly_one(objective, spread):
    """The scale of the data is then no scale of the costs, which are those of what is made."""
    rng = torch.Generator().manual_seed(0)
    real = 1 + spread * torch.randn(16, 3, generator=rng)
    fake = (100 * torch.randn(16, 3, generator=rng)).requires_grad_()
    value = objective.generator_loss(fake, real)
    (slope,) = torch.autograd.grad(value, fake)
    assert value > 10
    assert slope.isfinite().all()
    assert (slope * (fake - 1)).sum() > 0  # downhill is towards the data
    own = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(objective.generator_loss(own, real), own)
    assert slope.isfinite().all()


@pytest.mark.parametrize("objective", EACH, ids=NAMES)
def test_what_is_far_from_the_origin_is_told_apart(objective):
    """Products of matrices would round differences away at a thousand times their size."""
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(16, 100, generator=rng), torch.randn(16, 100, generator=rng) + 1
    found = []
    for offset in (0.0, 1000.0):
        torch.manual_seed(0)
        found.append(objective.distance(real + offset, fake + offset).item())
    assert found[1] == pytest.approx(found[0], rel=5e-3)


@pytest.mark.parametrize("objective", EACH, ids=NAMES)
def test_both_players_and_any_shape(objective):
    real, fake = batches(8, 12)

    def at(make):
        torch.manual_seed(3)
        return make().item()

    expected = at(lambda: objective.distance(real, fake))
    shaped = [rows.reshape(8, 3, 2, 2) for rows in (real, fake)]
    assert at(lambda: objective.generator_loss(shaped[1], shaped[0])) == pytest.approx(expected)
    assert at(lambda: objective.critic_loss(*shaped)) == pytest.approx(-expected)
    with pytest.raises(ValueError, match=f"the {objective.name} objective compares two batches and needs the real one"):
        objective.generator_loss(fake)


def test_options_out_of_range_are_refused():
    for make, said in (
        (lambda: wganx.Energy(features="pixels"), "Energy: features must be 'samples' or 'critic', got 'pixels'"),
        (lambda: wganx.Sliced(projections=0), "Sliced: projections must be at least 1, got 0"),
        (lambda: wganx.Sliced(power=0.5), "Sliced: power must be at least 1, got 0.5"),
        (lambda: wganx.Sinkhorn(epsilon=0.0), "Sinkhorn: epsilon must be more than 0, got 0.0"),
        (lambda: wganx.Sinkhorn(iterations=0), "Sinkhorn: iterations must be at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=said):
            make()


def test_who_trains_a_critic():
    assert all(not each.trains_critic for each in EACH)
    assert wganx.Energy(features="critic").trains_critic
    assert wganx.Wasserstein().trains_critic
    assert all(isinstance(each, BatchDistance) and not each.reads_w1 for each in EACH)
