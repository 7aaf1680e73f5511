"""Networks that are told several labels at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from wganx_image.configs.networks import (
    DcganCriticConfig,
    DcganGeneratorConfig,
    R3Config,
    ResnetCriticConfig,
    ResnetGeneratorConfig,
)
from wganx_image.networks import dcgan, r3, resnet
from wganx_image.networks.labels import Labels

from wganx import BuildContext, ConfigError, GradientPenalty, SampleFormat

Context = Callable[..., BuildContext]
GENERATORS: dict[str, tuple[Any, Any]] = {
    "dcgan": (dcgan.Generator, DcganGeneratorConfig(width=4)),
    "resnet": (resnet.Generator, ResnetGeneratorConfig(width=4)),
    "r3": (r3.Generator, R3Config(width=8, blocks=1)),
}
CRITICS: dict[str, tuple[Any, Any]] = {
    "dcgan": (dcgan.Critic, DcganCriticConfig(width=4)),
    "resnet": (resnet.Critic, ResnetCriticConfig(width=4)),
    "r3": (r3.Critic, R3Config(width=8, blocks=1)),
}
# Names that a network's own arguments have, too.
LABELS = {"x": SampleFormat.label(("a", "b", "c")), "noise": SampleFormat.label(("no", "yes"))}


def told(context: BuildContext, labels: Mapping[str, SampleFormat]) -> BuildContext:
    return replace(context, inputs=labels)


def build(made: tuple[Any, Any], context: BuildContext, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    network: nn.Module = made[0](made[1], context)
    return network.eval()


def moved(network: nn.Module) -> nn.Module:
    """As if it had learnt something of every class."""
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=rng))
    return network


@pytest.mark.parametrize("name", GENERATORS)
def test_every_label_has_a_say_in_what_is_made(name: str, context: Context) -> None:
    network = moved(build(GENERATORS[name], told(context(3, 32, noise=5), LABELS)))
    noise, zero, one = torch.randn(2, 5), torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
    made = [network(noise, x=x, noise=n) for x, n in ((zero, zero), (one, zero), (zero, one), (2 * one, one))]
    assert made[0].shape == (2, 3, 32, 32)
    assert all(not torch.allclose(made[a], made[b]) for a in range(4) for b in range(a))
    assert torch.equal(network(noise, noise=zero, x=one), made[1])


@pytest.mark.parametrize("name", CRITICS)
def test_the_penalty_holds_every_row_s_labels_and_reaches_their_vectors(name: str, context: Context) -> None:
    judge = moved(build(CRITICS[name], told(context(1, 32), LABELS))).double()
    real, fake = torch.randn(2, 3, 1, 32, 32, dtype=torch.float64)
    given = {"x": torch.tensor([0, 1, 2]), "noise": torch.tensor([1, 0, 1])}
    GradientPenalty(10.0).penalty(judge, real, fake, **given).backward()
    gradient = judge.head.embed.weight.grad  # type: ignore[union-attr]
    assert isinstance(gradient, Tensor)
    assert gradient.abs().sum(1).gt(0).tolist() == [True] * 5  # 2 of noise, then 3 of x
    alone = torch.cat([judge(real[row, None], **{key: v[row, None] for key, v in given.items()}) for row in range(3)])
    torch.testing.assert_close(judge(real, **given), alone)


@pytest.mark.parametrize("name", GENERATORS)
def test_one_label_of_any_name_starts_with_the_same_weights(name: str, context: Context) -> None:
    classes = LABELS["x"]
    first, second = (
        build(GENERATORS[name], told(context(3, 32, noise=5), {key: classes})).state_dict() for key in ("label", "mood")
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_classes_are_numbered_label_by_label_in_the_order_of_names(context: Context) -> None:
    labels = Labels.of(told(context(3, 32), LABELS), "network")
    numbers = labels.numbers({"x": torch.tensor([0, 2]), "noise": torch.tensor([1, 0])})
    assert numbers is not None
    assert numbers.tolist() == [[1, 2], [0, 4]]
    assert (labels.classes, len(labels)) == (5, 2)


def test_labels_that_are_missing_or_not_expected_are_named(context: Context) -> None:
    labels = Labels.of(told(context(3, 32), LABELS), "dcgan critic")
    with pytest.raises(TypeError, match="the dcgan critic takes noise, x, and it was given x"):
        labels.numbers({"x": torch.zeros(1)})
    with pytest.raises(ConfigError, match="the dcgan critic takes labels at most, and this task gives it past"):
        Labels.of(told(context(3, 32), {**LABELS, "past": context(3, 32).sample}), "dcgan critic")
