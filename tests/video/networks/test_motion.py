"""Frames along a flow: looked at elsewhere, and without motion the linear blend."""

from __future__ import annotations

import pytest
import torch
from wganx_video.configs.networks import FoldnetGeneratorConfig
from wganx_video.networks.foldnet import FoldNet
from wganx_video.networks.motion import MOTIONS, carried, neighbours, warped
from wganx_video.networks.starts import blend, blend_weights, time_weights

from wganx import ConfigError


def clips(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def test_a_flow_looks_at_the_frame_elsewhere_and_repeats_its_edge():
    frames, flow = clips(2, 2, 3, 6, 9), torch.zeros(2, 2, 2, 6, 9)
    torch.testing.assert_close(warped(frames, flow), frames)
    flow[:, :, 0], flow[:, :, 1] = 2, -1  # two to the right, one up
    seen = warped(frames, flow)
    torch.testing.assert_close(seen[..., 1:, :-2], frames[..., :-1, 2:])
    torch.testing.assert_close(seen[..., 1:, -1], frames[..., :-1, -1])
    flow[:, :, 0], flow[:, :, 1] = 0.5, 0
    torch.testing.assert_close(warped(frames, flow)[..., :-1], (frames[..., :-1] + frames[..., 1:]) / 2)


def test_what_moves_evenly_is_carried_to_the_middle():
    """A step that moves by 4 pixels: along half of it from both sides it stands between, where a blend shows two."""
    before, after, middle = torch.zeros(3, 1, 1, 1, 8, 16)
    before[..., 3:7], after[..., 7:11], middle[..., 5:9] = 1, 1, 1
    motion = torch.zeros(1, 1, MOTIONS, 8, 16)
    motion[:, :, 0], motion[:, :, 2] = -2 / 8, 2 / 8
    torch.testing.assert_close(carried(before, after, torch.tensor(0.5), motion), middle)
    torch.testing.assert_close(carried(before, after, torch.tensor(0.5), 0 * motion), (before + after) / 2)


def test_neighbours_are_the_nearest_on_both_sides():
    assert neighbours((0, 2, 6), (1, 3, 5)) == ([0, 1, 1], [1, 2, 2])


def test_an_untrained_network_with_motion_gives_the_linear_blend(interpolates):
    config = FoldnetGeneratorConfig(width=8, blocks=1, motion=True)
    frames = clips(2, 3, 1, 15, 9)
    made = FoldNet(config, interpolates(1, (0, 1, 5), (2, 4)))(frames=frames)
    torch.testing.assert_close(made, blend(frames, blend_weights((0, 1, 5), (2, 4))))
    time = torch.tensor([0.2, 0.7])
    made = FoldNet(config, interpolates(1, (0, 2), (1,), timed=True))(frames=frames[:, :2], time=time)
    torch.testing.assert_close(made, blend(frames[:, :2], time_weights(time)))


def test_motion_is_learnt(interpolates):
    torch.manual_seed(0)
    network = FoldNet(FoldnetGeneratorConfig(width=8, blocks=1, motion=True), interpolates(1, (0, 2), (1,)))
    frames = clips(2, 2, 1, 8, 8)
    (network(frames=frames) - clips(2, 1, 1, 8, 8)).norm().backward()
    assert network.last.weight.grad.flatten(1).norm(dim=1).gt(0).all()


def test_motion_is_for_interpolation_alone(predicts):
    with pytest.raises(ConfigError, match=r"generator\.motion=true is for task\.name=interpolate; leave it out"):
        FoldNet(FoldnetGeneratorConfig(motion=True), predicts())
