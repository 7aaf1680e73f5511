"""The orthogonal constraint: which critics it certifies, which it refuses, and that it can be resumed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import wganx
from wganx.errors import PreflightError
from wganx.nn import ConditionalNorm, GroupSort, LipschitzMLP, ProjectionHead
from wganx.wasserstein import CONSTRAINTS, Combined, Orthogonal, gradient_norms, lipschitz_estimate


def perceptron(dim=3, width=8, activation=nn.ReLU):
    return nn.Sequential(
        nn.Linear(dim, width), activation(), nn.Linear(width, width), activation(), nn.Linear(width, 1), nn.Flatten(0)
    )


def pictures():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 12, 4, stride=2, padding=1), nn.SiLU(),
        nn.Conv2d(12, 12, 3, stride=2, padding=1, groups=3), nn.GELU(), nn.Flatten(), nn.Linear(48, 1), nn.Flatten(0),
    )  # fmt: skip


def prepared(critic, **settings):
    Orthogonal(**settings).prepare(critic)
    return critic


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), stretch=st.floats(0.1, 20), spread=st.floats(0.1, 10))
@pytest.mark.parametrize(("make", "shape"), [(perceptron, (3,)), (pictures, (3, 8, 8))], ids=["points", "pictures"])
def test_no_slope_exceeds_one_whatever_the_weights(make, shape, seed, stretch, spread):
    torch.manual_seed(seed)
    critic = prepared(make()).double()
    for parameter in critic.parameters():
        nn.init.normal_(parameter, std=stretch)
    a, b = torch.randn(2, 16, *shape, dtype=torch.float64) * spread
    with torch.no_grad():
        slopes = (critic(a) - critic(b)).abs() / (a - b).flatten(1).norm(dim=1)
    assert slopes.max() <= 1 + 1e-5
    assert gradient_norms(critic, a, {}).max() <= 1 + 1e-5


@pytest.mark.parametrize(("make", "shape"), [(perceptron, (3,)), (pictures, (3, 8, 8))], ids=["points", "pictures"])
def test_the_layers_certify_it(make, shape):
    torch.manual_seed(0)
    estimate = lipschitz_estimate(prepared(make()), torch.randn(20, *shape))
    assert estimate.layers == pytest.approx(1.0, abs=1e-5)
    assert 0 < estimate.gradients <= estimate.layers


def test_the_gradient_has_norm_one_where_no_layer_widens():
    torch.manual_seed(0)
    critic = prepared(perceptron(dim=20, width=16))
    norms = gradient_norms(critic, torch.randn(100, 20), {})
    torch.testing.assert_close(norms, torch.ones(100), atol=1e-3, rtol=0)


def test_every_activation_like_relu_becomes_a_sort_wherever_it_stands():
    shared = nn.LeakyReLU(0.2)
    critic = nn.Sequential(
        nn.Linear(2, 4), shared, nn.Sequential(nn.Linear(4, 4), shared), nn.ELU(), nn.Linear(4, 1), nn.Flatten(0)
    )
    Orthogonal().prepare(critic)
    assert [type(layer) for layer in (critic[1], critic[2][1], critic[3])] == [GroupSort] * 3


def test_activations_stay_on_request():
    critic = prepared(perceptron(), group_sort=False)
    assert isinstance(critic[1], nn.ReLU)
    assert lipschitz_estimate(critic, torch.randn(9, 3)).layers == pytest.approx(1.0, abs=1e-5)


def test_to_prepare_again_does_nothing():
    critic = prepared(perceptron())
    before, names = [id(part) for part in critic.modules()], list(critic.state_dict())
    Orthogonal().prepare(critic)
    assert [id(part) for part in critic.modules()] == before
    assert list(critic.state_dict()) == names


def test_a_critic_that_is_orthonormal_already_stays():
    critic = LipschitzMLP(2, width=4)
    names = list(critic.state_dict())
    Orthogonal().prepare(critic)
    assert list(critic.state_dict()) == names


def test_weights_move_to_a_fresh_critic_that_was_prepared():
    torch.manual_seed(0)
    first, second, x = prepared(pictures()), prepared(pictures()), torch.randn(2, 3, 8, 8)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(x), second(x))


def trained(path=None, steps=3):
    torch.manual_seed(0)
    generator, critic = nn.Linear(4, 3), perceptron()
    if path is None:
        trainer = wganx.Trainer(
            generator, critic, noise=(4,), constraint=Orthogonal(iterations=9), critic_steps=1, device="cpu"
        )
    else:
        trainer = wganx.Trainer.load(path, generator, critic)
    history = trainer.fit(list(torch.randn(3, 8, 3, generator=torch.Generator().manual_seed(1))), steps=steps).history
    return trainer, history


def test_a_training_under_it_goes_on_where_it_stopped(tmp_path):
    whole, history = trained(steps=6)
    first, _ = trained(steps=3)
    first.save(tmp_path / "half")
    second, _ = trained(tmp_path / "half", steps=3)
    assert isinstance(second.constraint, Orthogonal)
    assert second.constraint.iterations == 9
    for a, b in zip(whole.critic.state_dict().values(), second.critic.state_dict().values()):
        assert torch.equal(a, b)
    assert "w1_raw" in history[-1]
    assert "w1_corrected" not in history[-1]


def test_a_lower_bound_has_no_bias_to_correct():
    assert Orthogonal().reads_w1
    assert Orthogonal().correct(2.0) is None
    assert CONSTRAINTS["orthogonal"] is Orthogonal


def test_it_owns_the_weights():
    with pytest.raises(ValueError, match="both change the critic's weights"):
        Combined(Orthogonal(), wganx.SpectralNorm())


def labelled(dim, classes):
    return nn.ModuleDict({"body": nn.Linear(dim, 4), "head": ProjectionHead(4, classes)})


@pytest.mark.parametrize(
    ("critic", "message"),
    [
        (nn.Sequential(nn.ReLU()), "finds no linear or convolution layer in the critic; choose another constraint"),
        (nn.Sequential(nn.Linear(2, 4), nn.LayerNorm(4)), "layer '1': LayerNorm divides .* remove it, or choose"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4)), "layer '1': InstanceNorm2d divides"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4)), "layer '1': GroupNorm divides"),
        (nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4)), "layer '1': BatchNorm1d divides"),
        (
            nn.ModuleDict({"a": nn.Linear(2, 4), "b": ConditionalNorm(nn.BatchNorm1d(4, affine=False), 4, 3)}),
            "layer 'b.normalise': BatchNorm1d divides",
        ),
        (labelled(2, 3), "layer 'head': its slope grows with the class vector; train without labels"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(3, 2)), "layer '1': MaxPool2d counts a value in several"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Upsample(scale_factor=2)), "layer '1': Upsample repeats values"),
        (nn.Sequential(nn.Linear(2, 4), nn.GRU(4, 4)), "layer '1': GRU has weights that are neither linear nor"),
        (nn.Sequential(nn.Conv1d(1, 4, 3), nn.ConvTranspose1d(4, 1, 3)), "layer '1': ConvTranspose1d has weights"),
        (
            nn.Sequential(nn.Conv1d(1, 4, 3, padding=1, padding_mode="reflect")),
            "layer '0' of the critic: no bound is known .* use padding_mode='zeros'",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_critics_it_cannot_certify_are_refused(critic, message):
    with pytest.raises(PreflightError, match=message):
        Orthogonal().prepare(critic)


@pytest.mark.parametrize("activation", [nn.GELU, nn.SiLU, nn.PReLU])
def test_steep_activations_are_refused_where_they_would_stay(activation):
    with pytest.raises(PreflightError, match=r"has slopes above 1; set constraint\.group_sort=true"):
        Orthogonal(group_sort=False).prepare(perceptron(activation=activation))


@pytest.mark.parametrize(
    "layer", [nn.MaxPool2d(2), nn.AvgPool2d(2), ProjectionHead(4), nn.Embedding(3, 2)], ids=lambda layer: type(layer)
)
def test_layers_that_lengthen_nothing_stay(layer):
    critic = nn.Sequential(nn.Linear(2, 4), layer)
    Orthogonal().prepare(critic)
    assert critic[1] is layer


def test_settings_out_of_bounds_are_refused():
    with pytest.raises(ValueError, match="Orthogonal: iterations must be at least 1, got 0"):
        Orthogonal(iterations=0)
