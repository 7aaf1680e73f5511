"""Misconfigurations refused before the first step, each with its mend."""

import pytest
import torch
from torch import nn

import wganx
from wganx.errors import PreflightError
from wganx.nn import LipschitzMLP
from wganx.wasserstein import (
    CONSTRAINTS,
    ByConstruction,
    GradientNormalization,
    Penalty,
    PenaltyTerms,
    gradient_norms,
    input_gradients,
)

IMAGE = wganx.SampleFormat(axes=("channel", "height", "width"), shape=(1, 4, 4))


def image_generator(*last):
    return nn.Sequential(nn.Linear(3, 16), *last, nn.Unflatten(1, (1, 4, 4)))


def image_critic(*last):
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), *last, nn.Flatten(0))


def images(scale=1.0):
    return torch.tanh(torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))) * scale


def attempt(generator=None, critic=None, real=None, **settings):
    settings = {"noise": (3,), "device": "cpu", "format": IMAGE, **settings}
    trainer = wganx.Trainer(generator or image_generator(nn.Tanh()), critic or image_critic(), **settings)
    trainer.fit([images() if real is None else real], steps=1)
    assert trainer.step == 1, "what is not refused trains"


def test_a_sound_pair_passes():
    attempt()


class Patches(nn.Module):
    """A critic that scores patches and bounds each of them."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 2)

    def forward(self, x):
        return torch.sigmoid(self.layer(x)).flatten(1).mean(1)


class OnceDifferentiable(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


class Once(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 1)

    def forward(self, x):
        return OnceDifferentiable.apply(self.layer(x.flatten(1))).squeeze(1)


class Detached(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 1)

    def forward(self, x):
        return self.layer(x.detach().flatten(1)).squeeze(1)


class CentresScores(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 1)

    def forward(self, x):
        scores = self.layer(x.flatten(1)).squeeze(1)
        return scores - scores.mean()


CRITICS = {
    "batch norm": (
        nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, 1), nn.Flatten(0)),
        r"couples the samples of a batch \(batch norm in 2\).*use layer norm, instance norm or none",
    ),
    "batch centring": (CentresScores(), r"couples the samples of a batch \(a layer that mixes the rows of a batch\)"),
    "sigmoid": (image_critic(nn.Sigmoid()), "ends in sigmoid: its scores are bounded.*remove the sigmoid"),
    "tanh": (image_critic(nn.Tanh()), "ends in tanh: its scores are bounded"),
    "sigmoid of patches": (Patches(), "ends in sigmoid: its scores are bounded"),
    "two scores a sample": (
        nn.Sequential(nn.Flatten(), nn.Linear(16, 2)),
        r"returns shape \(4, 2\) for 4 samples, expected \(4,\): one score a sample",
    ),
    "one score for all": (nn.Sequential(nn.Flatten(0), nn.Linear(64, 1)), r"returns shape \(1,\) for 4 samples"),
    "differentiable once": (Once(), "cannot be differentiated twice.*a constraint without a penalty"),
    "no input gradient": (Detached(), "cannot be differentiated twice"),
    "wrong size": (nn.Sequential(nn.Flatten(), nn.Linear(9, 1), nn.Flatten(0)), r"the critic fails on inputs \(x\)"),
}


@pytest.mark.parametrize(("critic", "message"), CRITICS.values(), ids=CRITICS)
def test_critics_that_are_refused(critic, message):
    with pytest.raises(
        PreflightError, match=f"the critic.*{message}" if "critic" not in message else message
    ) as refusal:
        attempt(critic=critic)
    if code := {"couples": "WX003", "ends in": "WX004"}.get(
        message.split(" the")[0].split(" sig")[0].split(" tanh")[0]
    ):
        assert str(refusal.value).startswith(code)


GENERATORS = {
    "wrong shape": (
        nn.Sequential(nn.Linear(3, 9), nn.Tanh(), nn.Unflatten(1, (1, 3, 3))),
        r"makes samples of shape \(1, 3, 3\), the data has \(1, 4, 4\)",
    ),
    "unbounded": (
        nn.Sequential(nn.Linear(3, 16), nn.Unflatten(1, (1, 4, 4)), nn.Hardtanh(-7, 7)),
        "makes values from .* the samples' range is -1 to 1; end it in the matching activation",
    ),
    "sigmoid": (image_generator(nn.Sigmoid()), "ends in sigmoid, which reaches 0 to 1; the samples reach from -1 to 1"),
    "wrong noise": (
        nn.Sequential(nn.Linear(5, 16), nn.Unflatten(1, (1, 4, 4))),
        r"fails on inputs \(noise\) of shapes",
    ),
}


@pytest.mark.parametrize(("generator", "message"), GENERATORS.values(), ids=GENERATORS)
def test_generators_that_are_refused(generator, message):
    if isinstance(generator[-1], nn.Hardtanh):
        nn.init.constant_(generator[0].bias, 5.0)
    with pytest.raises(PreflightError, match=f"the generator {message}"):
        attempt(generator=generator)


def test_a_bounded_generator_must_cover_unbounded_data():
    generator = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    critic = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    with pytest.raises(PreflightError, match="the generator ends in tanh, which reaches -1 to 1; the samples reach"):
        attempt(generator, critic, 3 * torch.randn(8, 2, generator=torch.Generator().manual_seed(0)), format=None)


@pytest.mark.parametrize(
    ("real", "message"),
    [
        (images(2.5), "samples reach from .* their format says -1 to 1; mend the normalisation"),
        ((images() * 100).to(torch.uint8), "samples arrive as torch.uint8"),
        (images() * float("nan"), "samples hold NaN or infinite values; clean the dataset"),
        (torch.zeros(8, 1, 5, 5), r"samples have shape \(1, 5, 5\), their format says \(1, 4, 4\)"),
        (images()[:1], "a batch needs at least 2 samples, got 1"),
    ],
    ids=["range", "integers", "nan", "shape", "one sample"],
)
def test_samples_that_are_refused(real, message):
    with pytest.raises(PreflightError, match=message):
        attempt(real=real)


def test_a_penalty_without_weight_is_refused_by_name():
    with pytest.raises(PreflightError, match="constraint 'gradient-penalty' has weight 0 and does nothing"):
        attempt(constraint=wganx.GradientPenalty(0.0))


class WrongAxis(Penalty):
    """One norm a row of pixels, which is what ``gradient.norm(dim=1)`` gives for pictures."""

    name = "wrong-axis"

    def terms(self, critic, real, fake, condition, rng=None):
        gradient = input_gradients(critic, real, condition)
        norms = gradient.norm(dim=1)
        return PenaltyTerms((norms - 1).square().mean(), norms.detach().mean())


class PerSample(WrongAxis):
    name = "per-sample"

    def terms(self, critic, real, fake, condition, rng=None):
        norms = gradient_norms(critic, real, condition)
        return PenaltyTerms((norms - 1).square(), norms.detach().mean())


class Constant(WrongAxis):
    name = "constant"

    def terms(self, critic, real, fake, condition, rng=None):
        norms = gradient_norms(critic, real, condition).detach()
        return PenaltyTerms((norms - 1).square().mean(), norms.mean())


class Bare(WrongAxis):
    name = "bare"

    def terms(self, critic, real, fake, condition, rng=None):
        return (gradient_norms(critic, real, condition) - 1).square().mean()


class Failing(WrongAxis):
    name = "failing"

    def terms(self, critic, real, fake, condition, rng=None):
        return critic.nothing


class Right(WrongAxis):
    name = "right"

    def terms(self, critic, real, fake, condition, rng=None):
        norms = gradient_norms(critic, real, condition)
        return PenaltyTerms((norms - 1).square().mean(), norms.detach().mean())


# They are of this file alone: other tests go through everything that is registered.
for _own in (WrongAxis, PerSample, Constant, Bare, Failing, Right):
    del CONSTRAINTS[_own.name]


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (WrongAxis(), r"WX001 the penalty of constraint 'wrong-axis' is .* for samples of shape \(1, 4, 4\) and 4 for "
                      r"the same samples flattened; take one norm a sample"),
        (PerSample(), r"WX001 the penalty of constraint 'per-sample' has shape \(4,\); reduce it to a scalar"),
        (Constant(), "WX001 the penalty of constraint 'constant' carries no gradient for the critic's weights"),
        (Bare(), r"WX001 the penalty of constraint 'bare' returns Tensor; return wganx.wasserstein.PenaltyTerms"),
        (Failing(), r"WX001 the penalty of constraint 'failing' fails on the critic: AttributeError: .* 'nothing'"),
    ],
)  # fmt: skip
def test_wx001_a_penalty_of_ones_own_that_is_wrong(constraint, message):
    with pytest.raises(PreflightError, match=message):
        attempt(constraint=constraint)


def test_wx001_a_penalty_of_ones_own_that_is_right_passes():
    attempt(constraint=Right())


def test_wx001_a_penalty_that_asks_for_more_than_a_linear_critic_is_left_to_the_training():
    class Scaled(nn.Sequential):
        scale = 2.0

    class Asking(Right):
        def due(self, update):
            seen.append(update)
            return super().due(update)

        def terms(self, critic, real, fake, condition, rng=None):
            terms = super().terms(critic, real, fake, condition, rng)
            return terms._replace(loss=terms.loss * critic.scale)

    seen = []
    attempt(critic=Scaled(*image_critic()), constraint=Asking())
    assert seen, "it trained"


def test_a_critic_that_is_not_lipschitz_by_construction_is_refused():
    steep = image_critic()
    nn.init.constant_(steep[1].weight, 3.0)
    with pytest.raises(PreflightError, match=r"said to be 1-Lipschitz by construction and has slope .*LipschitzMLP"):
        attempt(critic=steep, constraint=ByConstruction())
    attempt(critic=LipschitzMLP(16, width=8, depth=2), constraint=ByConstruction())


@pytest.mark.parametrize("name", ["batch norm", "once"])
def test_gradient_normalisation_needs_what_a_penalty_needs(name):
    critic = CRITICS["batch norm"][0] if name == "batch norm" else Once()
    with pytest.raises(PreflightError, match="couples the samples" if name == "batch norm" else "differentiated twice"):
        attempt(critic=critic, constraint=GradientNormalization())


def test_networks_without_weights_or_of_mixed_types_are_refused():
    with pytest.raises(PreflightError, match="the critic has no parameter to train"):
        attempt(critic=nn.Flatten())
    mixed = nn.Sequential(nn.Linear(3, 16), nn.Linear(16, 16).double())
    with pytest.raises(PreflightError, match=r"the generator mixes parameters of several types \(torch.float32 on cpu"):
        attempt(generator=mixed)


def test_what_need_not_be_differentiated_twice_may_be_differentiable_once():
    attempt(critic=Once(), constraint=wganx.WeightClipping())


def test_dropout_is_no_coupling():
    attempt(critic=nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 1), nn.Flatten(0)))


def test_checking_changes_nothing():
    generator, critic = image_generator(nn.BatchNorm1d(16), nn.Tanh()), image_critic()
    trainer = wganx.Trainer(generator, critic, noise=(3,), device="cpu", format=IMAGE)
    before = {name: tensor.clone() for name, tensor in {**generator.state_dict(), **critic.state_dict()}.items()}
    draws = trainer.random.draws.get_state()
    from wganx.engine.planning.preflight import check_networks

    check_networks(generator, critic, wganx.Batch(images()), noise=(3,), constraint=wganx.GradientPenalty())
    assert all(torch.equal(before[name], tensor) for name, tensor in {**generator.state_dict(),
                                                                       **critic.state_dict()}.items())  # fmt: skip
    assert torch.equal(trainer.random.draws.get_state(), draws)
