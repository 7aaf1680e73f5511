"""Networks that grow: fades between the smaller and the larger network, what they refuse, and pixels through both."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from wganx_image.configs.networks import GrowingCriticConfig, GrowingGeneratorConfig
from wganx_image.growth import Growth
from wganx_image.networks.equalised import EqualisedConv2d, EqualisedLinear, pack_deviation, pixel_norm
from wganx_image.networks.growing import (
    Critic,
    Generator,
    GrowingCritic,
    GrowingGenerator,
    PackedCritic,
    average_pixels,
    repeat_pixels,
    widths_to,
)

from wganx import BuildContext, ConfigError, GradientPenalty, SampleFormat, Sampler

GROWTH = Growth(32, 4, first_steps=2, stage_steps=4, fade_steps=2)
WIDTHS = [6, 5, 4, 3]


def built_for(size: int = 32, channels: int = 3, noise: int = 5) -> BuildContext:
    sample = SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size))
    growth = Growth(size, 4, first_steps=2, stage_steps=4, fade_steps=2)
    return BuildContext(sample=sample, noise=(noise,), fitted={"growth": growth.to_json()})


def noise(rows: int = 4, length: int = 5) -> Tensor:
    return torch.randn(rows, length, generator=torch.Generator().manual_seed(0))


def pictures(rows: int = 4, size: int = 32) -> Tensor:
    return torch.rand(rows, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_a_layer_is_he_s_constant_times_an_affine_map() -> None:
    convolution, linear = EqualisedConv2d(3, 4, 3), EqualisedLinear(7, 2)
    with torch.no_grad():
        convolution.bias.normal_()
        linear.bias.normal_()
    x, v = pictures(2, 8), torch.randn(5, 7)
    plain = torch.nn.functional.conv2d(x, convolution.weight, convolution.bias, padding=1)
    torch.testing.assert_close(convolution(x), plain * math.sqrt(2 / 27))
    torch.testing.assert_close(linear(v), (v @ linear.weight.T + linear.bias) * math.sqrt(2 / 7))


def test_rectified_layers_keep_the_size_of_what_passes() -> None:
    torch.manual_seed(0)
    x = torch.randn(4000, 256)
    assert torch.relu(EqualisedLinear(256, 256)(x)).square().mean().item() == pytest.approx(1, rel=0.1)


def test_pixel_norm_leaves_a_mean_square_of_one() -> None:
    x = pixel_norm(torch.randn(2, 7, 3, 3) * 40)
    torch.testing.assert_close(x.square().mean(1), torch.ones(2, 3, 3))


def test_the_deviation_of_a_pack_is_that_of_its_samples() -> None:
    packs = torch.randn(3, 4, 2, 5, 5)
    torch.testing.assert_close(pack_deviation(packs), packs.std(1).mean((1, 2, 3)), rtol=1e-4, atol=1e-5)
    assert (pack_deviation(torch.ones(2, 4, 1, 4, 4)) < 1e-3).all()


def test_the_paper_s_widths() -> None:
    assert widths_to(1024, 512) == [512, 512, 512, 512, 256, 128, 64, 32, 16]
    assert widths_to(16, 8) == [8, 8, 8]


def test_averaging_undoes_repeating() -> None:
    x = pictures(2, 4)
    torch.testing.assert_close(average_pixels(repeat_pixels(x, 8), 8), x)


@pytest.mark.parametrize("size", [8, 16, 32])
def test_a_fade_begins_at_the_smaller_network_and_ends_at_the_larger(size: int) -> None:
    torch.manual_seed(0)
    made, judge = GrowingGenerator(5, WIDTHS, 3), GrowingCritic(WIDTHS, 3)
    given, x = noise(), pictures()

    def at(size: int, share: float = 1.0, fading: bool = False) -> tuple[Tensor, Tensor]:
        for network in (made, judge):
            network.use(size, share, fading)
        return made(given), judge(x)

    for share, (picture, score) in ((0.0, at(size // 2)), (1.0, at(size))):
        faded, faded_score = at(size, share, fading=True)
        assert torch.equal(faded, picture)
        torch.testing.assert_close(faded_score, score)
    between = at(size, 0.5, fading=True)
    assert not torch.allclose(between[0], at(size)[0])
    assert not torch.allclose(between[1], at(size)[1])


def test_a_stage_s_picture_is_made_of_squares_and_has_the_full_size() -> None:
    made = Generator(GrowingGeneratorConfig(width=4), built_for())
    for step, size in ((0, 4), (2, 8), (5, 8), (9, 16), (13, 32), (10**6, 32)):
        made.at(step)
        picture = made(noise())
        assert picture.shape == (4, 3, 32, 32)
        torch.testing.assert_close(repeat_pixels(average_pixels(picture, 32 // size), 32 // size), picture)
    assert picture.min() >= -1
    assert picture.max() <= 1


def test_what_at_returns_names_stages_and_not_shares() -> None:
    """Else every step of a fade would be recorded anew."""
    made = Generator(GrowingGeneratorConfig(width=4), built_for())
    places = [id(buffer) for buffer in made.buffers()]
    assert [made.at(step) for step in range(6)] == ["4 px"] * 2 + ["fading to 8 px"] * 2 + ["8 px"] * 2
    assert [id(buffer) for buffer in made.buffers()] == places
    made.at(2)
    assert made.share.item() == 0.5


def test_weights_alone_tell_how_far_a_network_had_grown() -> None:
    torch.manual_seed(0)
    made = Generator(GrowingGeneratorConfig(width=4), built_for())
    made.at(2)
    grown = GrowingGenerator(5, widths_to(32, 4), 3)
    grown.load_state_dict(made.state_dict())
    assert torch.equal(grown(noise()), made(noise()))


def test_every_stage_has_slope_one_where_its_own_critic_has(self_scale: Callable[[int], float]) -> None:
    """The factor of the score makes up for the averaging, which shortens the gradient by the same factor."""
    for size in (4, 8, 16, 32):
        assert self_scale(size) == pytest.approx(1, rel=1e-4)


@pytest.fixture
def self_scale() -> Callable[[int], float]:
    torch.manual_seed(0)
    judge = GrowingCritic(WIDTHS, 3).double()

    def slope(x: Tensor) -> Tensor:
        x = x.requires_grad_()
        (gradient,) = torch.autograd.grad(judge(x).sum(), x)
        return gradient.flatten(1).norm(dim=1)

    def ratio(size: int) -> float:
        judge.largest, small = 32, pictures(3, size).double()
        judge.use(size)
        full = slope(repeat_pixels(small, 32 // size))
        judge.largest = size  # the critic of that size, for itself
        return float((full / slope(small)).mean())

    return ratio


@pytest.mark.parametrize("step", [0, 2, 4, 10, 30])
def test_the_penalty_reaches_the_layers_in_use_and_no_others(step: int) -> None:
    torch.manual_seed(0)
    judge = Critic(GrowingCriticConfig(width=4), built_for()).double()
    judge.at(step)
    real, fake = pictures(3).double(), pictures(3).double().flip(0) * 0.5
    GradientPenalty(10.0).penalty(judge, real, fake).backward()
    reached = {name for name, weight in judge.named_parameters() if weight.grad is not None and weight.grad.any()}
    stage = GROWTH.at(step)
    used = [n for n in range(len(GROWTH.sizes)) if GROWTH.sizes[n] == stage.size or
            (stage.fading and GROWTH.sizes[n] * 2 == stage.size)]  # fmt: skip
    assert {f"from_picture.{n}.weight" for n in used} == {n for n in reached if "from_picture" in n and "weight" in n}
    blocks = {name.split(".")[1] for name in reached if name.startswith("blocks")}
    assert blocks == {str(n) for n in range(max(used))}


def test_a_packed_critic_sees_how_much_its_samples_differ() -> None:
    torch.manual_seed(0)
    judge = PackedCritic(GrowingCriticConfig(width=4), built_for())
    packs = pictures(8).unflatten(0, (2, 4))
    scores = judge(packs)
    assert scores.shape == (2,)
    changed = packs.clone()
    changed[0, 1] *= -1
    assert (judge(changed) - scores).abs().gt(1e-6).tolist() == [True, False]
    # The first layer's last channel is the deviation alone: without its weights nothing couples.
    with torch.no_grad():
        judge.first.weight[:, -1] = 0
    apart = torch.stack([judge(packs[:, k : k + 1].expand(-1, 4, -1, -1, -1)) for k in range(4)]).mean(0)
    torch.testing.assert_close(judge(packs), apart)


def test_refusals(context: Callable[..., BuildContext]) -> None:
    for build, config, name in (
        (Generator, GrowingGeneratorConfig(), "growing generator"),
        (Critic, GrowingCriticConfig(), "growing critic"),
        (PackedCritic, GrowingCriticConfig(), "growing critic"),
    ):
        with pytest.raises(ConfigError, match=f"the {name} grows by the schedule of task.name=grow"):
            build(config, context(3, 32, noise=5))  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=f"the {name} makes pictures without classes"):
            build(config, context(3, 32, noise=5, classes=2))  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=f"the {name} does not fit pictures of 28 x 28 px"):
            build(config, context(3, 28, noise=5))  # type: ignore[arg-type]


def test_truncation_reaches_a_generator_that_normalises_its_noise() -> None:
    torch.manual_seed(0)
    network = GrowingGenerator(8, (8, 8), 3)
    torch.nn.init.normal_(network.start.bias)  # what is learnt; at 0, where it begins, the next norm undoes it, too
    drawn = Sampler(network, noise=(8,), device="cpu")
    noise = torch.randn(50, 8)
    torch.testing.assert_close(drawn.draw(50, noise=0.5 * noise), drawn.draw(50, noise=noise), rtol=1e-3, atol=1e-4)
    spread = [drawn.draw(50, noise=noise, truncation=t).std(0).mean().item() for t in (1.0, 0.5, 0.05)]
    assert spread[0] > spread[1] > 2 * spread[2]
