"""Both pairs of networks: what they make, what they refuse, and that a penalty can be put on their critics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType

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

from wganx import BuildContext, ConfigError, GradientPenalty, SampleFormat

Context = Callable[..., BuildContext]
CASES = [(module, size) for module in (dcgan, resnet) for size in module.SIZES]
CRITIC_NORMS = [(dcgan, "none"), (dcgan, "layer"), (dcgan, "instance"), (resnet, "none"), (resnet, "layer")]


def generator(module: ModuleType, context: BuildContext, **options: object) -> nn.Module:
    config = DcganGeneratorConfig if module is dcgan else ResnetGeneratorConfig
    made: nn.Module = module.Generator(config.model_validate({"width": 4, **options}), context)
    return made


def critic(module: ModuleType, context: BuildContext, **options: object) -> nn.Module:
    config = DcganCriticConfig if module is dcgan else ResnetCriticConfig
    made: nn.Module = module.Critic(config.model_validate({"width": 4, **options}), context)
    return made


def labels(rows: int, classes: int) -> Mapping[str, Tensor]:
    return {"label": torch.arange(rows) % classes} if classes else {}


@pytest.mark.parametrize(("module", "size"), CASES)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("classes", [0, 3])
def test_every_size_and_channel_count(
    context: Context, module: ModuleType, size: int, channels: int, classes: int
) -> None:
    given = labels(3, classes)
    made = generator(module, context(channels, size, noise=5, classes=classes))(torch.randn(3, 5), **given)
    assert made.shape == (3, channels, size, size)
    assert made.min() >= -1
    assert made.max() <= 1
    assert made.std() > 0.01
    scores = critic(module, context(channels, size, classes=classes))(made, **given)
    assert scores.shape == (3,)


def test_both_ways_of_doubling(context: Context) -> None:
    for way, layer in (("resize", nn.Upsample), ("transposed", nn.ConvTranspose2d)):
        made = generator(dcgan, context(1, 32, noise=5), upsample=way)
        assert made(torch.randn(2, 5)).shape == (2, 1, 32, 32)
        assert sum(isinstance(part, layer) for part in made.modules()) == 3


@pytest.mark.parametrize("classes", [0, 3])
def test_a_hidden_layer_between_the_smallest_map_and_the_ends(context: Context, classes: int) -> None:
    maker = generator(dcgan, context(1, 16, noise=5, classes=classes), hidden=11)
    judge = critic(dcgan, context(1, 16, classes=classes), hidden=13)
    fake = maker(torch.randn(3, 5), **labels(3, classes))
    assert fake.shape == (3, 1, 16, 16)
    assert judge(fake, **labels(3, classes)).shape == (3,)
    dense = [
        [(part.in_features, part.out_features) for part in network.modules() if isinstance(part, nn.Linear)]
        for network in (maker, judge)
    ]
    assert dense == [[(5, 11), (11, 8 * 16)], [(8 * 16, 13), (13, 1)]]


def test_the_paper_s_residual_pair_has_its_published_size(context: Context) -> None:
    """Counted by hand from the paper's CIFAR-10 networks: 128 channels, 3 blocks up; 4 blocks down."""
    made = resnet.Generator(ResnetGeneratorConfig(), context(3, 32, noise=128))
    block = 2 * (128 * 128 * 9 + 128) + (128 * 128 + 128) + 2 * 2 * 128
    assert parameters(made) == 128 * 2048 + 2048 + 3 * block + 2 * 128 + 128 * 3 * 9 + 3
    judge = resnet.Critic(ResnetCriticConfig(), context(3, 32))
    first = (3 * 128 * 9 + 128) + (128 * 128 * 9 + 128) + (3 * 128 + 128)
    plain = 2 * (128 * 128 * 9 + 128)
    down = plain + (128 * 128 + 128)
    assert parameters(judge) == first + down + 2 * plain + 128 + 1


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("module", "norm"), CRITIC_NORMS)
def test_a_critic_scores_every_sample_by_itself(context: Context, module: ModuleType, norm: str) -> None:
    judge = critic(module, context(3, 32, classes=2), norm=norm).train()
    x = torch.randn(4, 3, 32, 32)
    given = labels(4, 2)
    together = judge(x, **given)
    alone = torch.cat([judge(x[row : row + 1], label=given["label"][row : row + 1]) for row in range(4)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    x[2] = -x[2]
    changed = (judge(x, **given) - together).abs() > 1e-5
    assert changed.tolist() == [False, False, True, False]


@pytest.mark.parametrize(("module", "norm"), CRITIC_NORMS)
@pytest.mark.parametrize("classes", [0, 3])
def test_the_penalty_reaches_every_weight_of_a_critic(
    context: Context, module: ModuleType, norm: str, classes: int
) -> None:
    judge = critic(module, context(1, 32, classes=classes), norm=norm).double()
    real, fake = torch.randn(2, 3, 1, 32, 32, dtype=torch.float64)
    penalty = GradientPenalty(10.0).penalty(judge, real, fake, **labels(3, classes))
    penalty.backward()
    weights = {name: weight for name, weight in judge.named_parameters() if name.endswith("weight")}
    assert all(weight.grad is not None and weight.grad.any() for weight in weights.values())


def test_the_penalty_s_gradient_agrees_with_finite_differences(context: Context) -> None:
    torch.manual_seed(0)
    judge = critic(dcgan, context(1, 16)).double()
    real, fake = torch.randn(2, 2, 1, 16, 16, dtype=torch.float64)
    weight = next(judge.parameters())

    def penalty() -> Tensor:
        torch.manual_seed(1)  # the same points between real and fake
        return GradientPenalty(10.0).penalty(judge, real, fake)

    (slope,) = torch.autograd.grad(penalty(), weight)
    place, step = (0, 0, 1, 1), 1e-6
    with torch.no_grad():
        weight[place] += step
    above = penalty().item()
    with torch.no_grad():
        weight[place] -= 2 * step
    below = penalty().item()
    assert slope[place].item() == pytest.approx((above - below) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("module", [dcgan, resnet])
def test_the_class_is_heard_by_both_players(context: Context, module: ModuleType) -> None:
    torch.manual_seed(0)
    maker, judge = generator(module, context(1, 32, noise=5, classes=2)), critic(module, context(1, 32, classes=2))
    noise, x = torch.randn(4, 5), torch.randn(4, 1, 32, 32)
    zeros, ones = torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    assert not torch.allclose(judge(x, label=zeros), judge(x, label=ones))
    torch.testing.assert_close(maker(noise, label=zeros), maker(noise, label=ones))  # scales start alike
    maker(noise, label=ones).sum().backward()
    moved = [name for name, weight in maker.named_parameters() if "scale" in name and weight.grad[1].any()]
    assert len(moved) == sum("scale" in name for name, _ in maker.named_parameters()) > 0


@pytest.mark.parametrize("module", [dcgan, resnet])
def test_a_label_is_refused_by_networks_without_classes(context: Context, module: ModuleType) -> None:
    label = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(TypeError):
        generator(module, context(1, 32, noise=5))(torch.randn(2, 5), label=label)
    with pytest.raises(TypeError, match="takes no label"):
        critic(module, context(1, 32))(torch.randn(2, 1, 32, 32), label=label)


@pytest.mark.parametrize(
    ("module", "size", "allowed"),
    [(dcgan, 28, "16, 32, 64, 128"), (resnet, 16, "32, 64, 128"), (resnet, 256, "32, 64, 128")],
)
def test_other_sizes_are_refused_with_the_ones_that_fit(
    context: Context, module: ModuleType, size: int, allowed: str
) -> None:
    name = module.__name__.rsplit(".", 1)[1]
    for role, build in (("generator", generator), ("critic", critic)):
        with pytest.raises(ConfigError) as refusal:
            build(module, context(1, size, noise=5))
        assert str(refusal.value) == (
            f"the {name} {role} does not fit pictures of {size} x {size} px; "
            f"it is made for square ones of {allowed} px: set dataset.size to one of these"
        )


@pytest.mark.parametrize("module", [dcgan, resnet])
def test_other_refusals(context: Context, module: ModuleType) -> None:
    name = module.__name__.rsplit(".", 1)[1]
    with pytest.raises(ConfigError, match=f"the {name} generator makes samples of noise: set generator.noise to 1"):
        generator(module, context(1, 32))
    oblong = SampleFormat(axes=("channel", "height", "width"), shape=(1, 32, 16))
    with pytest.raises(ConfigError, match="does not fit pictures of 16 x 32 px"):
        critic(module, BuildContext(sample=oblong))
    clip = SampleFormat(axes=("time", "channel", "height", "width"), shape=(8, 1, 32, 32))
    with pytest.raises(
        ConfigError, match=f"the {name} critic works on pictures .channel, height, width., not on time 8"
    ):
        critic(module, BuildContext(sample=clip))
    past = BuildContext(sample=context(1, 32).sample, noise=4, inputs={"past": context(1, 32).sample})
    with pytest.raises(ConfigError, match=f"the {name} generator takes labels at most, and this task gives it past"):
        generator(module, past)


def test_a_critic_drops_hidden_units_where_it_is_told_to():
    from wganx_image.configs.networks import DcganCriticConfig
    from wganx_image.networks.dcgan import Critic

    context = BuildContext(sample=SampleFormat(axes=("channel", "height", "width"), shape=(1, 16, 16)))
    critics = [Critic(DcganCriticConfig(width=4, hidden=8, dropout=rate), context) for rate in (0.0, 0.5)]
    counts = [sum(isinstance(layer, torch.nn.Dropout) for layer in critic.modules()) for critic in critics]
    assert counts[0] == 0
    assert counts[1] > 0
    x = torch.randn(2, 1, 16, 16)
    assert not torch.equal(critics[1](x), critics[1](x))
