"""Critics of clips: any size, one score a row, and everything they are shown matters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from wganx_video.configs.networks import FoldedCriticConfig, SpacetimeCriticConfig
from wganx_video.networks.critics import FoldedCritic, SpacetimeCritic

import wganx
from wganx import BuildContext, ConfigError


def folded(context: BuildContext, **options: object) -> nn.Module:
    torch.manual_seed(0)
    return FoldedCritic(FoldedCriticConfig.model_validate({"width": 4, **options}), context)


def spacetime(context: BuildContext, **options: object) -> nn.Module:
    torch.manual_seed(0)
    return SpacetimeCritic(SpacetimeCriticConfig.model_validate({"width": 4, **options}), context)


BOTH = pytest.mark.parametrize("critic", [folded, spacetime])


def clips(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def shown(context: BuildContext, side: int, rows: int = 2) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Clips for what the critic is built for, `side` px large."""
    scale = int(context.sample.signal.get("scale", 1))
    given = {}
    for name, format in context.inputs.items():
        given[name] = clips(rows, *format.shape[:2], side // scale, side // scale) if format.axes else clips(rows)
    return clips(rows, *context.sample.shape[:2], side, side), given


@BOTH
@pytest.mark.parametrize("crop", [None, 16])
@pytest.mark.parametrize("side", [16, 24, 50])
def test_frames_of_any_size_have_one_score(critic, crop, side, predicts, interpolates, upscales):
    for context in (
        predicts(3), interpolates(), interpolates(1, (0, 2), (1,), timed=True), upscales(), upscales(middle=True),
    ):  # fmt: skip
        x, given = shown(context, side)
        for mode in (True, False):
            assert critic(context, crop=crop, halvings=2).train(mode)(x, **given).shape == (2,)


@BOTH
def test_the_score_depends_on_all_that_is_shown(critic, interpolates, predicts, upscales):
    for context in (interpolates(1, (0, 2), (1,), timed=True), predicts(), upscales(middle=True)):
        network, (x, given) = critic(context), shown(context, 16, rows=1)
        tensors = {"x": x, **given}
        for tensor in tensors.values():
            tensor.requires_grad_()
        network(x, **given).sum().backward()
        for name, tensor in tensors.items():
            reached = tensor.grad.abs()
            assert reached.flatten(2).sum(2).gt(0).all() if reached.ndim > 1 else reached.gt(0).all(), name


def test_over_time_order_matters_to_what_convolves_it(predicts):
    """Each frame lies at its place among all: given before made, and missing frames between those kept."""
    network = spacetime(predicts())
    assert (network.given, network.made, network.places) == ([0, 1, 2], [3, 4], 5)


def test_missing_frames_lie_between_those_that_are_kept(interpolates, upscales):
    network = spacetime(interpolates(1, (0, 2, 6), (4,)))
    assert (network.given, network.made) == ([0, 1, 3], [2])
    frames = torch.arange(1.0, 4).view(1, 3, 1, 1, 1)
    assert network._in_time(frames, network.given).flatten().tolist() == [1, 2, 0, 3]
    network = spacetime(upscales(middle=True))
    assert (network.given, network.made) == ([0, 1, 2], [1])


@BOTH
def test_slopes_do_not_grow_with_the_frames(critic, predicts):
    network, slopes = critic(predicts()), []
    for side in (16, 64):
        x, given = shown(predicts(), side)
        x.requires_grad_()
        (slope,) = torch.autograd.grad(network(x, **given).sum(), x)
        slopes.append(slope.flatten(1).norm(dim=1).mean())
    assert slopes[1] < 1.5 * slopes[0]


@BOTH
def test_a_cropping_critic_sees_another_part_each_time_and_all_in_evaluation(critic, predicts):
    network, (x, given) = critic(predicts(), crop=8, halvings=2), shown(predicts(), 32)
    torch.manual_seed(0)
    assert len({network(x, **given)[0].item() for _ in range(6)}) > 1
    network.eval()
    assert torch.equal(network(x, **given), network(x, **given))


@BOTH
def test_the_penalty_is_taken_through_crops(critic, predicts):
    network, (real, given) = critic(predicts(), crop=8, halvings=2), shown(predicts(), 32, rows=4)
    wganx.GradientPenalty(10.0).penalty(network, real, real.flip(0), **given).backward()
    last = network.looks.near.score
    assert all(
        w.grad is not None for w in network.parameters() if w is not last.bias and w is not network.looks.far.score.bias
    )


@BOTH
def test_what_is_too_small_to_halve_is_refused_with_the_mend(critic: Callable[..., nn.Module], predicts):
    with pytest.raises(ConfigError, match=r"halves frames 3 times and needs 8 px, .*: lower critic\.halvings"):
        critic(predicts(side=6))
    with pytest.raises(ConfigError, match=r"halves frames 3 times and needs 16 px"):
        critic(predicts(side=12), crop=8)
    with pytest.raises(ConfigError, match=r"critic\.crop=8 is too small to be halved 4 times"):
        critic(predicts(side=None), crop=8, halvings=4)
    critic(predicts(side=None))
