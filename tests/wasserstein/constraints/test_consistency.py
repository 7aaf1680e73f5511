"""The gradient penalty with a consistency term."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

from wganx.errors import PreflightError
from wganx.nn import ProjectionHead
from wganx.wasserstein import Consistency, GradientPenalty


def rng():
    return torch.Generator().manual_seed(0)


def critic_with_dropout(rate=0.5):
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Dropout(rate), nn.Linear(32, 1), nn.Flatten(0)
    ).double()


def batch():
    return torch.randn(2, 16, 4, generator=rng(), dtype=torch.float64)


def loss(constraint, critic):
    torch.manual_seed(3)  # dropout
    real, fake = batch()
    return constraint.terms(critic, real, fake, {}, rng()).loss.item()


@pytest.mark.parametrize("critic", [critic_with_dropout().eval(), critic_with_dropout(0.0)], ids=["eval", "rate 0"])
def test_with_dropout_off_it_is_the_gradient_penalty(critic):
    assert Consistency().inconsistency(critic, batch()[0], {}).item() == 0
    assert loss(Consistency(), critic) == loss(GradientPenalty(), critic)


def test_it_adds_the_weighted_term_to_the_gradient_penalty():
    critic = critic_with_dropout()
    plain, once, thrice = (
        loss(kind, critic) for kind in (GradientPenalty(), Consistency(consistency=1.0), Consistency(consistency=3.0))
    )
    assert once > plain
    assert thrice - plain == pytest.approx(3 * (once - plain))


@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_the_term_is_the_one_that_is_published(margin):
    """Worked out by hand on a critic whose last layer sees what dropout leaves of the sample."""
    critic = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1), nn.Flatten(0)).double()
    real = batch()[0]
    torch.manual_seed(5)
    first, second = nn.functional.dropout(torch.cat([real, real]), 0.5).chunk(2)
    apart = (critic[1](first) - critic[1](second)).squeeze(1).square() + 0.1 * (first - second).square().mean(1)
    torch.manual_seed(5)
    term = Consistency(margin=margin).inconsistency(critic, real, {})
    assert 0 < term.item() == pytest.approx((apart - margin).clamp_min(0).mean().item(), rel=1e-12)


def test_a_wide_margin_costs_nothing():
    assert Consistency(margin=1e6).inconsistency(critic_with_dropout(), batch()[0], {}).item() == 0


def features_of(critic, real, condition=None):
    """The share of the features in the term: for a score that is always 0 nothing else is left."""
    torch.manual_seed(7)
    return Consistency().inconsistency(critic, real, condition or {}).item()


def test_the_features_are_what_enters_the_last_layer_with_weights():
    critic = critic_with_dropout()
    nn.init.zeros_(critic[3].weight)
    real = batch()[0]
    torch.manual_seed(7)
    first, second = critic[:3](torch.cat([real, real])).chunk(2)
    assert features_of(critic, real) == pytest.approx(0.1 * (first - second).square().mean().item(), rel=1e-12)


def test_a_reparametrised_last_layer_is_a_layer_with_weights():
    critic, plain = critic_with_dropout(), critic_with_dropout()
    for network in (critic, plain):
        nn.init.zeros_(network[3].weight)
    parametrizations.weight_norm(critic[3])
    with torch.no_grad():
        critic[3].parametrizations.weight.original0.zero_()  # a length of 0, for the same zero weight
    critic[3].parametrizations.weight.original1.data.fill_(1.0)
    assert features_of(critic, batch()[0]) == pytest.approx(features_of(plain, batch()[0]), rel=1e-12)


def test_an_embedding_is_not_taken_for_the_last_layer():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = critic_with_dropout()[:3]
            self.head = ProjectionHead(32, classes=3).double()

        def forward(self, x, label):
            return self.head(self.body(x), label)

    critic = Conditional()
    nn.init.zeros_(critic.head.linear.weight)
    nn.init.zeros_(critic.head.embed.weight)
    plain = critic_with_dropout()
    plain[:3].load_state_dict(critic.body.state_dict())
    nn.init.zeros_(plain[3].weight)
    label = torch.arange(16) % 3
    assert features_of(critic, batch()[0], {"label": label}) == features_of(plain, batch()[0])


def test_the_critic_is_left_without_hooks():
    critic = critic_with_dropout()
    loss(Consistency(), critic)
    with pytest.raises(RuntimeError):
        Consistency().inconsistency(critic, torch.zeros(2, 99, dtype=torch.float64), {})
    assert not any(module._forward_pre_hooks for module in critic.modules())


@pytest.mark.parametrize("critic", [nn.Linear(4, 1), nn.Sequential(nn.Linear(4, 1), nn.Dropout(0.0))])
def test_a_critic_without_dropout_is_refused_with_the_mend(critic):
    with pytest.raises(
        PreflightError,
        match=r"constraint 'consistency' finds no dropout layer in the critic.*put nn.Dropout\(0.5\) after",
    ):
        Consistency().prepare(critic)


@pytest.mark.parametrize("layer", [nn.Dropout(0.2), nn.Dropout1d(), nn.Dropout2d(), nn.AlphaDropout()])
def test_a_critic_with_dropout_is_left_as_it_is(layer):
    critic = nn.Sequential(nn.Linear(4, 4), nn.Sequential(layer), nn.Linear(4, 1))
    before = [(name, id(parameter)) for name, parameter in critic.named_parameters()]
    Consistency().prepare(critic)
    assert [(name, id(parameter)) for name, parameter in critic.named_parameters()] == before


def test_a_critic_that_shows_no_layers_is_refused():
    with pytest.raises(ValueError, match="consistency needs a critic that is a module, got function"):
        Consistency().penalty(lambda x: x.sum(1), *batch())

    class Bare(nn.Module):
        def forward(self, x):
            return x.square().sum(1)

    with pytest.raises(ValueError, match="consistency finds no layer with weights in the critic"):
        Consistency().penalty(Bare(), *batch())


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e3))
def test_the_correction_is_that_of_the_gradient_penalty(raw, weight):
    assert Consistency(weight).correct(raw) == GradientPenalty(weight).correct(raw)
