"""R1 and R2: closed forms, and the game they make converge."""

import pytest
import torch

from wganx.wasserstein import R1, R1R2, R2, GradientPenalty, NoConstraint, Wasserstein


@pytest.mark.parametrize("shape", [(7,), (2, 50), (3, 8, 8), (4, 3, 5, 5)])
@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_slope_k_costs_half_the_weight_times_k_squared(shape, slope):
    real, fake = torch.randn(2, 4, *shape, dtype=torch.float64)
    losses = [kind(5.0).penalty(lambda x: slope * x.flatten(1)[:, 0], real, fake).item() for kind in (R1, R2, R1R2)]
    assert losses == pytest.approx([2.5 * slope**2, 2.5 * slope**2, 5.0 * slope**2])


def test_each_looks_at_its_own_batch_only():
    real, fake = torch.randn(2, 6, 3, dtype=torch.float64)
    nowhere = torch.full_like(real, torch.nan)

    def bowl(x):
        return 0.5 * x.square().sum(1)

    on_real, on_fake = (0.5 * batch.square().sum(1).mean().item() for batch in (real, fake))
    assert R1(1.0).penalty(bowl, real, nowhere).item() == pytest.approx(on_real)
    assert R2(1.0).penalty(bowl, nowhere, fake).item() == pytest.approx(on_fake)
    assert R1R2(1.0).penalty(bowl, real, fake).item() == pytest.approx(on_real + on_fake)


def dirac_game(constraint, critic_steps=1, steps=500, rate=0.1):
    """Distance to the equilibrium, as a share of the start, after `steps` of the smallest game there is.

    Real data is the point 0, the generator the point θ, the critic ``f(x) = ψx``; the players move in turn.
    Mescheder, Geiger, Nowozin, 2018.
    """
    theta, psi = (torch.ones((), dtype=torch.float64, requires_grad=True) for _ in range(2))
    objective = Wasserstein()
    real = torch.zeros(1, 1, dtype=torch.float64)
    rng = torch.Generator().manual_seed(0)

    def critic(x):
        return psi * x.squeeze(1)

    for step in range(steps):
        for _ in range(critic_steps):
            fake = theta.detach().view(1, 1)
            loss = objective.critic_loss(critic(real), critic(fake))
            for factor, penalty in constraint.due(step):
                loss = loss + factor * penalty.terms(critic, real, fake, {}, rng).loss
            (gradient,) = torch.autograd.grad(loss, psi)
            psi.data -= rate * gradient
        (gradient,) = torch.autograd.grad(objective.generator_loss(critic(theta.view(1, 1))), theta)
        theta.data -= rate * gradient
    return torch.hypot(theta, psi).item() / 2**0.5


@pytest.mark.parametrize("constraint", [R1(1.0), R1(10.0), R2(1.0), R1R2(1.0)], ids=["r1", "r1 at 10", "r2", "r1+r2"])
@pytest.mark.parametrize("critic_steps", [1, 5])
def test_the_dirac_game_converges(constraint, critic_steps):
    assert dirac_game(constraint, critic_steps) < 0.1


@pytest.mark.parametrize("constraint", [NoConstraint(), GradientPenalty(1.0)], ids=["none", "gradient-penalty"])
@pytest.mark.parametrize("critic_steps", [1, 5])
def test_the_dirac_game_goes_on_for_ever_without_them(constraint, critic_steps):
    assert dirac_game(constraint, critic_steps) > 0.3


def test_a_lazy_penalty_makes_it_converge_as_well():
    assert dirac_game(R1(0.5, every=16), steps=1000) < 0.1
