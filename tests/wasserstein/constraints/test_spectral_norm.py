"""Spectral normalisation: sigma after warm-up, what it means for a convolution, and where it falls short."""

import pytest
import torch
from torch import nn

import wganx
from wganx.errors import PreflightError
from wganx.wasserstein import lipschitz_estimate


def warmed_up(critic, x, passes=100):
    torch.manual_seed(0)
    wganx.SpectralNorm().prepare(critic)
    with torch.no_grad():
        for _ in range(passes):
            critic(x)
    return critic.eval()


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Linear(20, 30), torch.zeros(1, 20)),
        (nn.Conv1d(3, 6, 5), torch.zeros(1, 3, 9)),
        (nn.Conv2d(3, 6, 3), torch.zeros(1, 3, 5, 5)),
        (nn.Conv3d(2, 4, 3), torch.zeros(1, 2, 4, 4, 4)),
        (nn.Embedding(12, 5), torch.zeros(1, dtype=torch.int64)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_reshaped_weight_has_a_largest_singular_value_of_one(layer, x):
    critic = warmed_up(nn.Sequential(layer), x)
    assert torch.linalg.svdvals(critic[0].weight.flatten(1))[0].item() == pytest.approx(1.0, abs=1e-3)


def test_the_operator_of_a_convolution_may_lengthen_more_than_its_reshaped_kernel():
    convolution = nn.Conv1d(1, 1, 3, bias=False)
    nn.init.ones_(convolution.weight)
    critic = warmed_up(nn.Sequential(convolution), torch.zeros(1, 1, 5))
    signal = torch.ones(1, 1, 500)
    assert (critic(signal).norm() / signal.norm()).item() == pytest.approx(3**0.5, rel=1e-2)


def test_relu_loses_the_gradient_that_a_sort_keeps():
    x = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))

    def steepness(constraint):
        torch.manual_seed(1)
        critic = nn.Sequential(
            nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0)
        )
        constraint.prepare(critic)
        with torch.no_grad():
            for _ in range(100):
                critic(x)
        return lipschitz_estimate(critic, x).value

    assert steepness(wganx.SpectralNorm()) < 0.5
    assert steepness(wganx.wasserstein.Orthogonal()) == pytest.approx(1.0, abs=1e-3)


def test_weights_move_to_a_fresh_critic_that_was_prepared():
    x = torch.randn(4, 3)
    first, second = nn.Sequential(nn.Linear(3, 4)), nn.Sequential(nn.Linear(3, 4))
    for critic in (first, second):
        wganx.SpectralNorm().prepare(critic)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.eval()(x), second.eval()(x))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, 8, batch_first=True)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1]).squeeze(1)


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.gamma = nn.Parameter(torch.zeros(1))


class OwnSpectralNorm(nn.Module):
    """As many repositories write it: around a layer, whose weight it makes before each pass."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        weight = layer._parameters.pop("weight")
        layer.weight_bar = nn.Parameter(weight.data)
        layer.weight_u = nn.Parameter(torch.randn(len(weight)), requires_grad=False)
        layer.weight = weight.data


with_mend = "choose another constraint, e.g. gradient-penalty"


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated")
@pytest.mark.parametrize(
    ("critic", "message"),
    [
        (Recurrent(), r"layer 'rnn': LSTM has weights of its own \(weight_ih_l0, weight_hh_l0, bias_ih_l0"),
        (nn.Sequential(nn.Linear(2, 4), nn.PReLU()), r"layer '1': PReLU has weights of its own \(weight\)"),
        (nn.Sequential(nn.MultiheadAttention(4, 1)), r"layer '0': MultiheadAttention has weights of its own"),
        (Gated(), r"layer 'Gated': Gated has weights of its own \(gamma\)"),
        (None, "layer '0': its weight is made by an old weight_norm"),
        (
            nn.Sequential(OwnSpectralNorm(nn.Linear(2, 4))),
            "layer '0.layer': its weight is made of weight_bar, weight_u by other means; take these off",
        ),
    ],
    ids=["LSTM", "PReLU", "attention", "a gate", "old weight_norm", "a norm of one's own"],
)
def test_layers_that_it_cannot_own_are_refused_by_name(critic, message):
    critic = critic or nn.Sequential(nn.utils.weight_norm(nn.Linear(2, 4)))
    with pytest.raises(PreflightError, match=f"'spectral-norm' cannot normalise the critic's {message}.*{with_mend}"):
        wganx.SpectralNorm().prepare(critic)


def test_clipping_refuses_the_weights_that_a_norm_of_one_s_own_makes():
    message = (
        r"^constraint 'clip' cannot bound the critic's layer '0.layer': its weight is made of weight_bar, weight_u, "
        r"and nothing says what clipping these does to it; take that off"
    )
    with pytest.raises(PreflightError, match=message):
        wganx.WeightClipping(0.01).prepare(nn.Sequential(OwnSpectralNorm(nn.Linear(2, 4))))


@pytest.mark.parametrize(
    "made",
    [
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
        nn.utils.spectral_norm,
    ],
)
def test_a_layer_that_is_normalised_already_stays_as_it_is(made):
    critic = nn.Sequential(made(nn.Linear(3, 4)), nn.Linear(4, 1))
    names = [name for name, _ in critic[0].named_parameters()]
    wganx.SpectralNorm().prepare(critic)
    assert [name for name, _ in critic[0].named_parameters()] == names


def test_a_weight_that_another_parametrisation_makes_is_normalised():
    critic = warmed_up(nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))), torch.zeros(1, 3))
    assert torch.linalg.svdvals(critic[0].weight)[0].item() == pytest.approx(1.0, abs=1e-3)


def test_a_transposed_convolution_is_normalised():
    critic = warmed_up(nn.Sequential(nn.ConvTranspose2d(2, 3, 3)), torch.zeros(1, 2, 4, 4))
    kernel = critic[0].weight.transpose(0, 1).flatten(1)
    assert torch.linalg.svdvals(kernel)[0].item() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("made", [nn.utils.parametrizations.spectral_norm, nn.utils.spectral_norm])
def test_clipping_refuses_weights_that_are_divided_by_their_norm(made):
    with pytest.raises(PreflightError, match="constraint 'clip' cannot bound the critic's layer '0': its weight is"):
        wganx.WeightClipping().prepare(nn.Sequential(made(nn.Linear(3, 4))))


def test_clipping_leaves_frozen_weights():
    critic = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    critic[0].requires_grad_(False)
    before = critic[0].weight.clone()
    wganx.WeightClipping(limit=1e-4).after_update(critic)
    assert torch.equal(critic[0].weight, before)
    assert critic[1].weight.abs().max() <= 1e-4
