"""What holds for every penalty beyond the two of WGAN-GP."""

import math

import pytest
import torch
from torch import nn

from wganx.wasserstein import (
    CONSTRAINTS,
    R1,
    R1R2,
    R2,
    Banach,
    Consistency,
    Dragan,
    MaxGradientPenalty,
    WganDiv,
)

KINDS = {
    "max-gradient-penalty": MaxGradientPenalty(7.0, pool=3, candidates=2),
    "dragan": Dragan(7.0),
    "r1": R1(7.0),
    "r2": R2(7.0),
    "r1+r2": R1R2(7.0),
    "wgan-div": WganDiv(7.0),
    "consistency": Consistency(7.0),
    "banach": Banach(7.0, exponent=3.0, gamma=0.5),
}
WITHOUT_DRAWS = {"r1", "r2", "r1+r2"}
every_kind = pytest.mark.parametrize("name", KINDS)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def samples(batch, shape, seed=0):
    return torch.randn(2, batch, *shape, generator=rng(seed), dtype=torch.float64).unbind(0)


def smooth_critic(size):
    """Steep enough that some norms exceed 1: a one-sided penalty must be seen where it acts."""
    torch.manual_seed(2)
    critic = nn.Sequential(
        nn.Flatten(), nn.Linear(size, 16), nn.Softplus(), nn.Dropout(0.25), nn.Linear(16, 1), nn.Flatten(0)
    ).double()
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_(3)
    return critic


class WithWeights(nn.Module):
    """A critic that takes its weights from tensors outside it."""

    def __init__(self, critic, weights):
        super().__init__()
        self.critic = critic
        self.given = weights

    def forward(self, x):
        return torch.func.functional_call(self.critic, self.given, (x,))


def loss(name, critic, real, fake, seed=0):
    torch.manual_seed(11)  # dropout
    return KINDS[name].terms(critic, real, fake, {}, rng(seed)).loss


def test_each_is_registered_and_says_whether_it_reads_w1():
    assert {name: CONSTRAINTS[name] for name in KINDS} == {name: type(kind) for name, kind in KINDS.items()}
    reading = {name for name in KINDS if CONSTRAINTS[name].reads_w1}
    assert reading == {"max-gradient-penalty", "wgan-div", "consistency", "banach"}
    for name, kind in KINDS.items():
        assert kind.penalises
        assert kind.owns is None
        assert (kind.correct(1.5) is not None) == (name in reading)


@pytest.mark.parametrize(
    ("name", "weight"),
    [("wgan-div", 2.0), *((name, 10.0) for name in KINDS if name != "wgan-div")],
)
def test_the_default_weight_is_the_published_one(name, weight):
    assert CONSTRAINTS[name]().weight == weight


@every_kind
@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 4), (2, 3, 2, 2)], ids=["3-D", "4-D", "5-D"])
def test_a_sample_of_any_rank_agrees_with_its_flattened_form(name, shape):
    critic = smooth_critic(math.prod(shape))
    real, fake = samples(8, shape)
    flat = loss(name, critic, real.flatten(1), fake.flatten(1))
    assert flat.item() > 0
    assert loss(name, critic, real, fake).item() == pytest.approx(flat.item(), rel=1e-12)


@every_kind
def test_the_gradient_for_the_weights_agrees_with_finite_differences(name):
    real, fake = samples(3, (2, 4))
    critic = smooth_critic(8)
    names, values = zip(*critic.named_parameters())

    def penalty(*weights):
        return loss(name, WithWeights(critic, dict(zip(names, weights))), real * 3, fake)

    weights = tuple(value.detach().requires_grad_(True) for value in values)
    assert penalty(*weights).item() > 0
    assert torch.autograd.gradcheck(penalty, weights)


@every_kind
def test_the_gradient_is_finite_where_the_norm_is_zero(name):
    critic = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Flatten(0))
    nn.init.zeros_(critic[2].weight)
    terms = KINDS[name].terms(critic, torch.randn(5, 3), torch.randn(5, 3), {}, rng())
    terms.loss.backward()
    assert terms.gradient_norm.item() == 0
    assert all(torch.isfinite(parameter.grad).all() for parameter in critic.parameters() if parameter.grad is not None)


@every_kind
def test_the_draws_come_from_the_generator_that_is_given(name):
    real, fake = samples(6, (5,))
    critic = smooth_critic(5).eval()
    assert loss(name, critic, real, fake, seed=3).item() == loss(name, critic, real, fake, seed=3).item()
    same = loss(name, critic, real, fake, seed=3).item() == loss(name, critic, real, fake, seed=4).item()
    assert same == (name in WITHOUT_DRAWS)


@every_kind
def test_each_point_keeps_the_condition_of_its_row(name):
    class Labelled(nn.Module):
        def __init__(self):
            super().__init__()
            self.score = nn.Linear(3, 1, dtype=torch.float64)

        def forward(self, x, label):
            # Real and fake samples of row i are i everywhere, and so are all points between them.
            assert torch.equal(x[:, 0].round().long(), label)
            calls.append(len(x))
            return self.score(x).squeeze(1)

    calls = []
    label = torch.arange(6)
    rows = label.double()[:, None].expand(6, 3)
    kind = Dragan(spread=0.0) if name == "dragan" else KINDS[name]
    kind.penalty(Labelled(), rows, rows, label=label)
    assert calls


@every_kind
def test_no_gradient_reaches_the_samples(name):
    real, fake = (tensor.requires_grad_(True) for tensor in samples(4, (5,)))
    loss(name, smooth_critic(5), real, fake).backward()
    assert real.grad is None
    assert fake.grad is None


@every_kind
def test_the_norm_is_taken_in_fp32_under_bf16(name):
    critic = nn.Sequential(nn.Linear(64, 8), nn.Softplus(), nn.Dropout(0.5), nn.Linear(8, 1), nn.Flatten(0))
    with torch.autocast("cpu", torch.bfloat16):
        terms = KINDS[name].terms(critic, torch.randn(4, 64), torch.randn(4, 64), {}, rng())
    assert terms.loss.dtype == terms.gradient_norm.dtype == torch.float32


@every_kind
def test_any_of_them_may_fall_due_in_every_kth_update_only(name):
    lazy = type(KINDS[name])(every=16)
    assert list(lazy.due(32)) == [(16.0, lazy)]
    assert not any(lazy.due(update) for update in range(33, 48))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaxGradientPenalty(pool=0), "MaxGradientPenalty: pool must be at least 1, got 0"),
        (lambda: MaxGradientPenalty(candidates=0), "MaxGradientPenalty: candidates must be at least 1, got 0"),
        (lambda: Dragan(spread=-0.1), "Dragan: spread must be at least 0, got -0.1"),
        (lambda: R1(-1.0), "R1: weight must be at least 0, got -1"),
        (lambda: R2(every=0), "R2: every must be at least 1, got 0"),
        (lambda: R1R2(-1.0), "R1R2: weight must be at least 0, got -1"),
        (lambda: WganDiv(power=1.0), "WganDiv: power must be more than 1, got 1"),
        (lambda: WganDiv(-2.0), "WganDiv: weight must be at least 0, got -2"),
        (lambda: Consistency(consistency=-1.0), "Consistency: consistency must be at least 0, got -1"),
        (lambda: Consistency(margin=-1.0), "Consistency: margin must be at least 0, got -1"),
        (lambda: Banach(exponent=0.5), "Banach: exponent must be at least 1, got 0.5"),
        (lambda: Banach(gamma=0.0), "Banach: gamma must be more than 0, got 0"),
    ],
)
def test_settings_out_of_bounds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
