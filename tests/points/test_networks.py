"""Perceptrons of any dimension and any set of inputs; every input is heard."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from wganx_points.configs import LipschitzMlpConfig, MlpCriticConfig, MlpGeneratorConfig
from wganx_points.networks.lipschitz import lipschitz_critic
from wganx_points.networks.mlp import MlpCritic, MlpGenerator

from wganx import BuildContext, PreflightError, SampleFormat

LABEL = SampleFormat.label(("a", "b", "c"))


def points(*shape: int) -> SampleFormat:
    return SampleFormat(axes=("coordinate",) * len(shape), shape=shape, value_range=None)


def gradient_of(layer: nn.Module) -> torch.Tensor:
    assert isinstance(layer, nn.Linear)
    assert layer.weight.grad is not None
    return layer.weight.grad


@settings(max_examples=25, deadline=None)
@given(
    dimension=st.integers(1, 5),
    noise=st.integers(0, 4),
    label=st.booleans(),
    source=st.booleans(),
    rows=st.integers(1, 4),
)
def test_shapes(dimension: int, noise: int, label: bool, source: bool, rows: int) -> None:
    inputs = {**({"label": LABEL} if label else {}), **({"source": points(dimension)} if source else {})}
    values = {name: torch.randint(3, (rows,)) if name == "label" else torch.randn(rows, dimension) for name in inputs}
    if noise or inputs:
        context = BuildContext(sample=points(dimension), noise=(noise,) if noise else (), inputs=inputs)
        generator = MlpGenerator(MlpGeneratorConfig(width=8), context)
        fake = generator(*([torch.randn(rows, noise)] if noise else []), **values)
        assert fake.shape == (rows, dimension)
    critic = MlpCritic(MlpCriticConfig(width=8), BuildContext(sample=points(dimension), inputs=inputs))
    assert critic(torch.randn(rows, dimension), **values).shape == (rows,)


def test_every_input_changes_the_output() -> None:
    torch.manual_seed(0)
    inputs = {"label": LABEL, "source": points(2)}
    generator = MlpGenerator(MlpGeneratorConfig(), BuildContext(sample=points(2), noise=(2,), inputs=inputs))
    critic = MlpCritic(MlpCriticConfig(), BuildContext(sample=points(2), inputs=inputs))
    first, label, source = torch.randn(6, 2), torch.tensor([0, 1, 2] * 2), torch.randn(6, 2)
    for network in (generator, critic):
        plain = network(first, label=label, source=source)
        assert not torch.isclose(plain, network(first + 1, label=label, source=source)).any()
        assert not torch.isclose(plain, network(first, label=(label + 1) % 3, source=source)).any()
        assert not torch.isclose(plain, network(first, label=label, source=source + 1)).any()


def test_the_critic_scores_every_row_by_itself_and_differentiates_twice() -> None:
    critic = MlpCritic(MlpCriticConfig(), BuildContext(sample=points(2))).double()
    x = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(critic(x)[2:3], critic(x[2:3]))
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    torch.autograd.backward(gradient.square().sum())
    assert gradient_of(critic.layers[0]).abs().sum() > 0


def test_a_residual_generator_starts_as_the_identity_and_can_leave_it() -> None:
    context = BuildContext(sample=points(2), noise=(1,), inputs={"source": points(2)})
    generator = MlpGenerator(MlpGeneratorConfig(residual="source"), context)
    noise, source = torch.randn(4, 1), torch.randn(4, 2)
    assert torch.equal(generator(noise, source=source), source)
    torch.autograd.backward(generator(noise, source=source).sum())
    assert gradient_of(generator.layers[-1]).abs().sum() > 0


@pytest.mark.parametrize(
    ("residual", "inputs", "message"),
    [
        ("sorce", {"source": points(2)}, r"residual='sorce' names no input of shape \(2,\); .*: source"),
        ("label", {"label": LABEL}, r"residual='label' .*: none, so leave residual out"),
        ("source", {"source": points(3)}, r"residual='source' .*: none"),
    ],
)
def test_residual_must_name_an_input_of_the_samples_shape(
    residual: str, inputs: dict[str, SampleFormat], message: str
) -> None:
    with pytest.raises(PreflightError, match=message):
        MlpGenerator(MlpGeneratorConfig(residual=residual), BuildContext(sample=points(2), noise=(2,), inputs=inputs))


def test_a_generator_needs_something_to_generate_from() -> None:
    with pytest.raises(PreflightError, match=r"no noise and no input: set generator\.noise"):
        MlpGenerator(MlpGeneratorConfig(), BuildContext(sample=points(2)))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16), shape=st.sampled_from([(1,), (2,), (5,), (2, 3)]), stretch=st.floats(0.1, 10))
def test_the_lipschitz_critic_is_one_whatever_its_weights(seed: int, shape: tuple[int, ...], stretch: float) -> None:
    torch.manual_seed(seed)
    critic = lipschitz_critic(LipschitzMlpConfig(width=8, depth=2), BuildContext(sample=points(*shape))).double()
    for parameter in critic.parameters():
        nn.init.normal_(parameter, std=stretch)
    a, b = torch.randn(2, 20, *shape, dtype=torch.float64).unbind(0)
    assert critic(a).shape == (20,)
    assert ((critic(a) - critic(b)).abs() / (a - b).flatten(1).norm(dim=1)).max() <= 1 + 1e-5


def test_the_lipschitz_critic_sees_the_sample_alone() -> None:
    context = BuildContext(sample=points(2), inputs={"label": LABEL})
    with pytest.raises(PreflightError, match=r"also gives it label; .*task\.labels=false.* or choose critic\.name=mlp"):
        lipschitz_critic(LipschitzMlpConfig(), context)


def test_the_lipschitz_critic_sorts_pairs() -> None:
    with pytest.raises(ValidationError, match="multiple of 2"):
        LipschitzMlpConfig(width=9)
