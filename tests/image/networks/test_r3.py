"""The pair without norms: its blocks, how it starts, its resampling, and both objectives on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from wganx_image.configs.networks import R3Config
from wganx_image.networks.r3 import SIZES, Critic, Generator, _Down, _Residual

import wganx
from wganx import R1R2, BuildContext, ConfigError, GradientPenalty, Relativistic

Context = Callable[..., BuildContext]
SMALL = R3Config(width=8, blocks=1, group=4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("classes", [0, 3])
def test_every_size(context: Context, size: int, classes: int) -> None:
    built_for = context(3, size, noise=5, classes=classes)
    given = {"label": torch.arange(2)} if classes else {}
    fake = Generator(SMALL, built_for)(torch.randn(2, 5), **given)
    assert fake.shape == (2, 3, size, size)
    assert fake.abs().max() <= 1
    assert Critic(SMALL, built_for)(fake, **given).shape == (2,)


def test_neither_player_has_a_norm_and_biases_stand_at_activations_alone(context: Context) -> None:
    for network in (Generator(SMALL, context(3, 32, noise=5)), Critic(SMALL, context(3, 32))):
        kinds = {type(part).__name__ for part in network.modules()}
        assert not [kind for kind in kinds if "Norm" in kind]
        biased = [name for name, _ in network.named_parameters() if name.endswith("bias") and "head" not in name]
        assert biased
        assert all(name.endswith(("first.bias", "second.bias")) for name in biased)


def test_a_block_starts_as_the_identity_and_the_grouped_convolution_mixes_its_groups_alone() -> None:
    torch.manual_seed(0)
    block, x = _Residual(8, 4, blocks=3), torch.randn(2, 8, 4, 4)
    assert torch.equal(block(x), x)
    assert block.group.groups == 4  # of 16 channels
    assert _Residual(3, 4, blocks=1).group.groups == 3  # 6 channels, two a group: what divides 6 and 4


def test_the_start_of_the_paper() -> None:
    torch.manual_seed(0)
    block = _Residual(64, 16, blocks=16)
    gain = (2 / 1.04) ** 0.5 / 2  # 16 ** -1/4
    assert block.expand.weight.std().item() == pytest.approx(gain / 64**0.5, rel=0.05)
    assert block.group.weight.std().item() == pytest.approx(gain / (16 * 9) ** 0.5, rel=0.05)
    assert not block.contract.weight.any()


def test_halving_is_the_transpose_of_bilinear_doubling() -> None:
    """Away from the border, where doubling repeats and halving pads; up to the factor 4 of the areas."""
    down, x = _Down(1, 1), torch.randn(1, 1, 16, 16)
    y = torch.randn(1, 1, 8, 8)
    y[..., [0, -1], :] = y[..., :, [0, -1]] = 0
    up = nn.functional.interpolate(y, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close((up * x).sum(), 4 * (y * down(x)).sum(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(down(torch.ones(1, 1, 8, 8))[..., 1:-1, 1:-1], torch.ones(1, 1, 2, 2))


@pytest.mark.parametrize("constraint", [R1R2(1.0), GradientPenalty(10.0)])
def test_a_penalty_reaches_every_weight_once_the_blocks_are_open(
    context: Context, constraint: R1R2 | GradientPenalty
) -> None:
    torch.manual_seed(0)
    judge = Critic(SMALL, context(3, 32)).double()
    for part in judge.modules():
        if isinstance(part, _Residual):
            nn.init.normal_(part.contract.weight, std=0.1)
    real, fake = torch.randn(2, 3, 3, 32, 32, dtype=torch.float64)
    constraint.penalty(judge, real, fake).backward()
    weights = {name: weight for name, weight in judge.named_parameters() if name.endswith("weight")}
    assert all(weight.grad is not None and weight.grad.any() for weight in weights.values())


@pytest.mark.parametrize(
    "rules",
    [
        {"objective": Relativistic(), "constraint": R1R2(1.0), "critic_steps": 1},
        {"objective": wganx.Wasserstein(), "constraint": GradientPenalty(10.0), "critic_steps": 2},
    ],
    ids=["relativistic", "wasserstein"],
)
def test_it_trains_under_both_objectives(context: Context, rules: dict[str, object]) -> None:
    torch.manual_seed(0)
    built_for = context(1, 16, noise=4)
    made, judge = Generator(SMALL, built_for), Critic(SMALL, built_for)
    before = {name: weight.clone() for name, weight in made.named_parameters()}
    trainer = wganx.Trainer(made, judge, noise=(4,), device="cpu", **rules)  # type: ignore[arg-type]
    real = torch.rand(8, 1, 16, 16) * 2 - 1
    trainer.fit([real], steps=4)
    weights = dict(made.named_parameters())
    assert all(weight.isfinite().all() for weight in weights.values())
    assert [name for name in before if torch.equal(before[name], weights[name])] == []


def test_a_label_is_refused_without_classes_and_asked_for_with_them(context: Context) -> None:
    label = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(TypeError, match="the r3 generator takes no label, and it was given label"):
        Generator(SMALL, context(3, 32, noise=5))(torch.randn(2, 5), label=label)
    with pytest.raises(TypeError, match="the r3 generator takes label, and it was given none"):
        Generator(SMALL, context(3, 32, noise=5, classes=2))(torch.randn(2, 5))
    with pytest.raises(ConfigError, match="the r3 critic does not fit pictures of 28 x 28 px"):
        Critic(SMALL, context(3, 28))
