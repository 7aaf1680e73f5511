"""Constant masks against torch's own derivatives: equal in float64, and fewer operations."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from wganx.nn import constant_masks
from wganx.wasserstein import CONSTRAINTS, GradientPenalty, Penalty

NORMS = {
    "plain": lambda channels: nn.Identity(),
    "layer norm": lambda channels: nn.GroupNorm(1, channels),
    "instance norm": lambda channels: nn.InstanceNorm2d(channels, affine=True),
}


def conv_critic(norm="plain", inplace=False, slope=0.2):
    torch.manual_seed(0)
    layers = []
    for channels, more in ((3, 8), (8, 16), (16, 16)):
        activation = nn.LeakyReLU(slope, inplace) if slope else nn.ReLU(inplace)
        layers += [nn.Conv2d(channels, more, 4, stride=2, padding=1), NORMS[norm](more), activation]
    layers += [nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 1), nn.Flatten(0)]  # the dropout: for consistency
    return nn.Sequential(*layers).double().eval()


def gradients(critic, mode, penalty=None):
    rng = torch.Generator().manual_seed(1)
    real, fake = (torch.randn(6, 3, 16, 16, generator=rng, dtype=torch.float64) for _ in range(2))
    with mode:
        loss = (penalty or GradientPenalty()).terms(critic, real, fake, {}, rng).loss
    return loss, torch.autograd.grad(loss, list(critic.parameters()), allow_unused=True, materialize_grads=True)


def assert_same(critic, penalty=None):
    loss, expected = gradients(critic, nullcontext(), penalty)
    masked, found = gradients(critic, constant_masks(), penalty)
    assert masked == loss
    for ours, theirs in zip(found, expected):
        assert (ours - theirs).norm() <= 4e-16 * (1 + theirs.norm())


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("slope", [0.2, 0.0])
@pytest.mark.parametrize("norm", NORMS)
def test_gradients_are_those_of_torch(norm, slope, inplace):
    assert_same(conv_critic(norm, inplace, slope))


@pytest.mark.parametrize("name", sorted(name for name, kind in CONSTRAINTS.items() if issubclass(kind, Penalty)))
def test_every_penalty(name):
    assert_same(conv_critic(), CONSTRAINTS[name]())


def test_a_strangers_functional_calls_and_other_activations():
    class Stranger(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(768, 768) for _ in range(8))
            self.head = nn.Linear(768, 1)

        def forward(self, x):
            x = x.flatten(1)
            one, two, three, four, five, six, seven, eight = self.layers
            x = F.leaky_relu(one(x), negative_slope=0.1)
            x = torch.relu(two(x))
            x = three(x).relu()
            x = four(x).relu_()
            x = F.leaky_relu_(five(x), 0.3)
            x = torch.relu_(six(x)) + F.softplus(x)
            x = F.leaky_relu(seven(x), -0.2)
            return self.head(F.relu(eight(x), inplace=True).tanh()).squeeze(1)

    torch.manual_seed(0)
    assert_same(Stranger().double())


@pytest.mark.parametrize(
    "pool",
    [
        nn.AvgPool2d(2),
        nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        nn.AdaptiveAvgPool2d(2),
        nn.ReflectionPad2d(1),
        nn.ReplicationPad2d((1, 0, 2, 1)),
    ],
    ids=repr,
)
def test_linear_layers_lead_nowhere_either(pool):
    torch.manual_seed(0)
    critic = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.2), pool, nn.Conv2d(8, 4, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.LazyLinear(1), nn.Flatten(0),
    ).double()  # fmt: skip
    critic(torch.randn(2, 3, 16, 16, dtype=torch.float64))
    assert_same(critic)
    with _Flops() as forward, torch.no_grad():
        critic(torch.randn(6, 3, 16, 16, dtype=torch.float64))
    with _Flops() as flops:
        gradients(critic, constant_masks())
    assert flops.total / forward.total == pytest.approx(4.0, abs=0.01)


def test_in_place_is_in_place():
    with constant_masks():
        x = torch.tensor([-1.0, 2.0], dtype=torch.float64)
        assert F.leaky_relu(x, 0.5, inplace=True) is x
        assert x.tolist() == [-0.5, 2.0]
        assert torch.relu_(x).tolist() == x.tolist() == [0.0, 2.0]


def test_the_third_derivative():
    x = torch.tensor([-1.5, 0.5, 2.0], dtype=torch.float64)
    with constant_masks():
        assert torch.autograd.gradgradcheck(lambda x: F.leaky_relu(x.pow(3), 0.2).sum(), x.requires_grad_())


def test_outside_nothing_is_changed():
    critic = conv_critic()
    names, state = [type(module) for module in critic.modules()], {**critic.state_dict()}
    with constant_masks():
        critic(torch.randn(2, 3, 16, 16, dtype=torch.float64))
    assert [type(module) for module in critic.modules()] == names
    assert all(torch.equal(value, state[name]) for name, value in critic.state_dict().items())
    assert "_Rectify" not in str(critic(torch.randn(2, 3, 16, 16, dtype=torch.float64)[:, :]).grad_fn.next_functions)


class _Flops(TorchDispatchMode):
    total = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if (count := flop_registry.get(function.overloadpacket)) is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


def test_a_penalty_costs_four_forward_passes_in_place_of_six():
    critic = conv_critic()
    with _Flops() as forward, torch.no_grad():
        critic(torch.randn(6, 3, 16, 16, dtype=torch.float64))
    counted = []
    for mode in (nullcontext(), constant_masks()):
        with _Flops() as flops:
            gradients(critic, mode)
        counted.append(flops.total / forward.total)
    assert counted[0] == pytest.approx(5.75, abs=0.25)
    assert counted[1] == pytest.approx(4.0, abs=0.01)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_forward_mode_is_wrong_for_instance_norm():
    """Why penalties differentiate in reverse mode twice: whoever changes that must meet this.

    The tangent is right, and the derivative of its norm for the weights before the norm layer is not.
    """
    torch.manual_seed(0)
    critic = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(4 * 36, 1)
    ).double()
    x, v = (torch.randn(3, 2, 6, 6, dtype=torch.float64) for _ in range(2))
    weight = critic[0].weight

    def reverse():
        points = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
        return (gradient * v).sum()

    def forward():
        return torch.func.jvp(lambda x: critic(x).sum(), (x,), (v,))[1]

    assert forward().item() == pytest.approx(reverse().item(), rel=1e-10)
    (right,), (wrong,) = (torch.autograd.grad(slope(), [weight]) for slope in (reverse, forward))
    eps = 1e-6
    direction = torch.randn_like(weight)
    with torch.no_grad():
        weight += eps * direction
    above = reverse().item()
    with torch.no_grad():
        weight -= 2 * eps * direction
    below = reverse().item()
    measured = (above - below) / (2 * eps)
    assert (right * direction).sum().item() == pytest.approx(measured, rel=1e-5)
    assert (wrong - right).norm() > 0.05 * right.norm(), "forward mode became right: it may be considered again"
