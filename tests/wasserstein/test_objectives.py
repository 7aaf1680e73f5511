"""The objectives against closed forms."""

import math

import pytest
import torch

import wganx
from wganx.wasserstein import CONSTRAINTS, OBJECTIVES, BatchDistance, Constraint

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
        (wganx.Relativistic(), (softplus(-2) + softplus(-3)) / 2, (softplus(2) + softplus(3)) / 2),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_losses_against_closed_forms(objective, critic, generator):
    assert objective.critic_loss(REAL, FAKE).item() == pytest.approx(critic)
    assert objective.generator_loss(FAKE, REAL).item() == pytest.approx(generator)


OF_SCORES = [name for name, kind in OBJECTIVES.items() if not issubclass(kind, BatchDistance)]


@pytest.mark.parametrize("name", OF_SCORES)
def test_the_players_pull_apart_and_together(name):
    """The critic wants real scores up and fake scores down; the generator wants fake scores up."""
    objective = OBJECTIVES[name]()
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    objective.critic_loss(real, fake).backward()
    assert (real.grad < 0).all()
    assert (fake.grad >= 0).all()
    fake = torch.zeros(3, requires_grad=True)
    objective.generator_loss(fake, torch.zeros(3)).backward()
    assert (fake.grad < 0).all()


def test_only_wasserstein_reads_w1():
    assert [name for name, kind in OBJECTIVES.items() if kind.reads_w1] == ["wasserstein"]


def test_the_gradients_of_pairs_by_hand():
    """d softplus(-d)/dd = -sigmoid(-d) for the difference d of a pair."""
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    wganx.Relativistic().critic_loss(real, fake).backward()
    slope = torch.sigmoid(FAKE - REAL) / 2
    assert torch.allclose(real.grad, -slope)
    assert torch.allclose(fake.grad, slope)
    fake = FAKE.clone().requires_grad_()
    wganx.Relativistic().generator_loss(fake, REAL).backward()
    assert torch.allclose(fake.grad, -torch.sigmoid(REAL - FAKE) / 2)


def test_only_relativistic_asks_for_real_scores():
    assert [name for name in OF_SCORES if OBJECTIVES[name].generator_needs_real] == ["relativistic"]
    with pytest.raises(ValueError, match="needs the scores of real samples too"):
        wganx.Relativistic().generator_loss(FAKE)


class TestNames:
    def test_a_name_that_is_taken_is_refused(self):
        with pytest.raises(
            ValueError, match=r"objective 'hinge' of .*Taken has the name of wganx.*Hinge; give it a name"
        ):

            class Taken(wganx.Hinge):
                name = "hinge"

        assert OBJECTIVES["hinge"] is wganx.Hinge
        with pytest.raises(
            ValueError, match=r"constraint 'clip' of .*Clip has the name of wganx.*WeightClipping; give"
        ):

            class Clip(Constraint):
                name = "clip"

        assert CONSTRAINTS["clip"] is wganx.WeightClipping

    def test_the_very_same_class_may_be_defined_again(self):
        def define():
            class Own(wganx.Hinge):
                name = "own"

            return Own

        define()
        again = define()
        try:
            assert OBJECTIVES["own"] is again
        finally:
            del OBJECTIVES["own"]

    def test_a_class_without_a_name_of_its_own_replaces_nothing(self):
        class Quiet(wganx.Wasserstein):
            pass

        assert OBJECTIVES["wasserstein"] is wganx.Wasserstein
