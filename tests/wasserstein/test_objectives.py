"""The objectives against closed forms."""

import math

import pytest
import torch

import wganx
from wganx.wasserstein import OBJECTIVES

REAL, FAKE = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0])


def softplus(x):
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("objective", "critic", "generator"),
    [
        (wganx.Wasserstein(), -2.5, 0.5),
        (
            wganx.NonSaturating(),
            (softplus(-1) + softplus(-3)) / 2 + (softplus(-1) + softplus(0)) / 2,
            (softplus(1) + softplus(0)) / 2,
        ),
        (wganx.LeastSquares(), 0.5 * ((0 + 4) / 2 + (1 + 0) / 2), 0.5 * (4 + 1) / 2),
        (wganx.Hinge(), 0 + (0 + 1) / 2, 0.5),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_losses_against_closed_forms(objective, critic, generator):
    assert objective.critic_loss(REAL, FAKE).item() == pytest.approx(critic)
    assert objective.generator_loss(FAKE).item() == pytest.approx(generator)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_players_pull_apart_and_together(name):
    """The critic wants real scores up and fake scores down; the generator wants fake scores up."""
    objective = OBJECTIVES[name]()
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    objective.critic_loss(real, fake).backward()
    assert (real.grad < 0).all()
    assert (fake.grad >= 0).all()
    fake = torch.zeros(3, requires_grad=True)
    objective.generator_loss(fake).backward()
    assert (fake.grad < 0).all()


def test_only_wasserstein_reads_w1():
    assert [name for name, kind in OBJECTIVES.items() if kind.reads_w1] == ["wasserstein"]
