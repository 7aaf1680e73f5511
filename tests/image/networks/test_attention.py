"""Self-attention: what it computes, that it is off by default, and that a penalty can be put on it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from wganx_image.configs.networks import (
    DcganCriticConfig,
    DcganGeneratorConfig,
    ResnetCriticConfig,
    ResnetGeneratorConfig,
)
from wganx_image.networks import dcgan, resnet
from wganx_image.networks.attention import Kind, SelfAttention

from wganx import BuildContext, ConfigError, LipschitzPenalty

KINDS: list[Kind] = ["dot", "l2"]
PAIRS = {
    dcgan: (DcganGeneratorConfig, DcganCriticConfig),
    resnet: (ResnetGeneratorConfig, ResnetCriticConfig),
}


def pair(module: ModuleType, built_for: BuildContext, **options: Any) -> tuple[nn.Module, nn.Module]:
    makes, judges = (config.model_validate({"width": 4, **options}) for config in PAIRS[module])
    return module.Generator(makes, built_for), module.Critic(judges, built_for)


def attentions(network: nn.Module) -> list[SelfAttention]:
    return [part for part in network.modules() if isinstance(part, SelfAttention)]


def opened(kind: Kind) -> SelfAttention:
    torch.manual_seed(0)
    attention = SelfAttention(8, kind).double()
    nn.init.ones_(attention.gain)
    return attention


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_as_the_identity(kind: Kind) -> None:
    x = torch.randn(2, 8, 4, 6)
    assert torch.equal(SelfAttention(8, kind)(x), x)


@pytest.mark.parametrize("kind", KINDS)
def test_it_agrees_with_the_sum_over_pixels(kind: Kind) -> None:
    attention, x = opened(kind), torch.randn(1, 8, 4, 4, dtype=torch.float64)
    made = attention(x)
    query, value, key = attention.query(x), attention.value(x), None if attention.key is None else attention.key(x)
    if key is not None:
        key, value = (nn.functional.max_pool2d(each, 2) for each in (key, value))
    for i in range(16):
        q = query.flatten(2)[0, :, i]
        if key is None:
            logits = [-(q - k).square().sum() / len(q) ** 0.5 for k in query.flatten(2)[0].T]
        else:
            logits = [q @ k for k in key.flatten(2)[0].T]
        seen = sum(w * v for w, v in zip(torch.stack(logits).softmax(0), value.flatten(2)[0].T))
        mixed = attention.mix(torch.as_tensor(seen)[None, :, None, None])[0, :, 0, 0]
        torch.testing.assert_close(made.flatten(2)[0, :, i], x.flatten(2)[0, :, i] + mixed)


def slope_at(attention: SelfAttention, x: Tensor) -> float:
    jacobian = torch.autograd.functional.jacobian(lambda each: attention(each) - each, x)
    return torch.linalg.matrix_norm(jacobian.reshape(x.numel(), x.numel()), 2).item()  # type: ignore[no-any-return]


def test_the_slope_of_the_dot_product_grows_with_its_input_and_that_of_l2_does_not() -> None:
    """The pixels of Kim et al.: one at zero, for which all logits are equal, and the others far apart."""
    grown = {}
    for kind in KINDS:
        attention = opened(kind)
        for part in attention.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.zeros_(part.bias)
        rng = torch.Generator().manual_seed(0)
        x = torch.randn(1, 8, 4, 4, generator=rng, dtype=torch.float64)
        x[..., :2, :2] = 0
        grown[kind] = slope_at(attention, 300 * x) / slope_at(attention, x)
    assert grown["dot"] > 100
    assert grown["l2"] < 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_penalty_on_it_is_differentiated_twice(kind: Kind) -> None:
    attention, x = opened(kind), torch.randn(1, 8, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda each: attention(each).square().mean(), (x,))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("module", "size"), [(dcgan, 32), (resnet, 32), (resnet, 64), (dcgan, 64)])
def test_both_players_of_a_pair_take_it_and_every_weight_is_reached(
    context: Callable[..., BuildContext], module: ModuleType, size: int, kind: Kind
) -> None:
    torch.manual_seed(0)
    made, judge = pair(module, context(3, size, noise=5), attention=kind)
    assert len(attentions(made)) == len(attentions(judge)) == 1
    for each in (*attentions(made), *attentions(judge)):
        nn.init.ones_(each.gain)
    real = torch.randn(3, 3, size, size)
    fake = made(torch.randn(3, 5))
    (LipschitzPenalty(10.0).penalty(judge, real * 5, fake.detach()) + judge(fake).sum()).backward()
    for network in (made, judge):
        weights = {name: weight for name, weight in network.named_parameters() if name.endswith("weight")}
        assert all(weight.grad is not None and weight.grad.any() for weight in weights.values())


@pytest.mark.parametrize("module", [dcgan, resnet])
def test_off_it_leaves_weights_and_draws_as_they_were(context: Callable[..., BuildContext], module: ModuleType) -> None:
    for network in pair(module, context(3, 32, noise=5)):
        assert not attentions(network)
        assert not [name for name in network.state_dict() if "attention" in name]


@pytest.mark.parametrize(
    ("module", "player", "said"),
    [
        (
            dcgan,
            0,
            "dcgan generator has no map of 12 px for its attention: set generator.attention_size to one of 8, 16",
        ),
        (dcgan, 1, "dcgan critic has no map of 12 px for its attention: set critic.attention_size to one of 4, 8, 16"),
        (
            resnet,
            0,
            "resnet generator has no map of 12 px for its attention: set generator.attention_size to one of 8, 16, 32",
        ),
        (resnet, 1, "resnet critic has no map of 12 px for its attention: set critic.attention_size to one of 8, 16"),
    ],
)
def test_a_size_that_no_map_has_is_refused_in_one_line(
    context: Callable[..., BuildContext], module: ModuleType, player: int, said: str
) -> None:
    config = PAIRS[module][player].model_validate({"width": 4, "attention": "dot", "attention_size": 12})
    with pytest.raises(ConfigError) as refusal:
        (module.Generator, module.Critic)[player](config, context(3, 32, noise=5))
    assert str(refusal.value) == f"the {said}"
