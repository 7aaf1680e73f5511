"""FoldNet starts exactly at what is known without learning, for clips of any size, and can leave it."""

from __future__ import annotations

import pytest
import torch
from wganx_video.configs.networks import FoldnetGeneratorConfig
from wganx_video.networks.foldnet import FoldNet, bounded
from wganx_video.networks.starts import blend, blend_weights, enlarge, last_frame, mean_of_past, time_weights

from wganx import BuildContext, ConfigError, SampleFormat


def build(context: BuildContext, **options: object) -> FoldNet:
    torch.manual_seed(0)
    return FoldNet(FoldnetGeneratorConfig.model_validate({"width": 8, "blocks": 2, **options}), context)


def clips(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 23), (1, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_untrained_predictor_gives_its_start(predicts, height, width, channels):
    past = clips(2, 3, channels, height, width)
    for start, expected in (
        ("auto", torch.zeros(2, 2, channels, height, width)),
        ("blank", torch.zeros(2, 2, channels, height, width)),
        ("last-frame", last_frame(past, 2)),
        ("mean-of-past", mean_of_past(past, 2)),
    ):
        assert torch.equal(build(predicts(channels), start=start)(past=past), expected)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (15, 9)])
def test_an_untrained_interpolator_gives_the_linear_blend(interpolates, height, width):
    frames = clips(2, 3, 1, height, width)
    made = build(interpolates())(frames=frames)
    assert torch.equal(made, blend(frames, blend_weights((0, 2, 4), (1, 3))))


def test_an_untrained_interpolator_gives_the_blend_at_any_time(interpolates):
    frames, time = clips(3, 2, 3, 8, 8), torch.tensor([0.1, 0.5, 0.9])
    network = build(interpolates(3, (0, 2), (1,), timed=True))
    assert torch.equal(network(frames=frames, time=time), blend(frames, time_weights(time)))
    torch.nn.init.normal_(network.last.weight)
    one, other = (network(frames=frames, time=torch.full((3,), at)) for at in (0.2, 0.21))
    gap = (one - other).abs() - (blend(frames, time_weights(torch.full((3,), 0.01))) - frames[:, :1]).abs()
    assert gap.abs().max() > 1e-4  # beyond what the blend makes of it


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("middle", [False, True])
def test_an_untrained_upscaler_gives_the_bicubic_enlargement(upscales, scale, middle):
    low = clips(2, 3, 1, 5, 7)
    made = build(upscales(scale=scale, middle=middle))(low=low)
    assert torch.equal(made, enlarge(low[:, 1:2] if middle else low, scale))


@pytest.mark.parametrize("block", ["plain", "mixer"])
@pytest.mark.parametrize("norm", ["none", "pixel", "group"])
def test_every_weight_is_reached_once_the_last_has_moved(predicts, block, norm):
    network, past = build(predicts(noise=4), block=block, norm=norm), clips(2, 3, 1, 16, 16)
    torch.nn.init.normal_(network.last.weight, std=0.01)
    made = network(torch.randn(2, 4), past=past)
    assert made.min() >= 0
    assert made.max() <= 1
    (made - 0.5).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_noise_makes_futures_that_differ(predicts):
    network, past = build(predicts(noise=4), start="last-frame"), clips(1, 3, 1, 16, 16)
    torch.nn.init.normal_(network.last.weight, std=0.1)
    one, other = network(torch.ones(1, 4), past=past), network(-torch.ones(1, 4), past=past)
    assert (one - other).abs().mean() > 1e-3


def test_a_part_of_a_frame_is_made_as_the_whole_is(upscales):
    """Far from a part's own edges: nothing in the network looks over the whole frame, so tiles leave no seams."""
    network = build(upscales(), norm="pixel")
    torch.nn.init.normal_(network.last.weight, std=0.1)
    low = clips(1, 3, 1, 32, 40)
    whole, part = network(low=low), network(low=low[..., :, :24])
    reach = 2 * (1 + 2 * 2 + 1) + 2  # convolutions of 3 x 3, and the bicubic kernel, in large pixels
    torch.testing.assert_close(whole[..., : 48 - 2 * reach], part[..., : 48 - 2 * reach], atol=1e-5, rtol=0)


def test_bounds_let_through_what_leads_back():
    x = torch.tensor([-0.5, -0.5, 0.5, 0.5, 1.5, 1.5], requires_grad=True)
    made = bounded(x)
    assert made.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    made.backward(torch.tensor([1.0, -1, 1, -1, 1, -1]))
    assert x.grad.tolist() == [0, -1, 1, -1, 1, 0]
    with torch.no_grad():
        assert torch.equal(bounded(x), made)


def test_black_that_was_wrong_is_left_again(predicts):
    """Plain clamping would keep a network for ever on what it cut off."""
    network = build(predicts())
    torch.nn.init.constant_(network.last.bias, -0.1)
    past, wanted = clips(4, 3, 1, 16, 16), torch.full((4, 2, 1, 16, 16), 0.5)
    update = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(40):
        update.zero_grad()
        (network(past=past) - wanted).flatten(1).norm(dim=1).mean().backward()
        update.step()
    assert (network(past=past) - wanted).abs().mean() < 0.1


def test_what_does_not_suit_it_is_refused_with_the_mend(predicts, interpolates):
    picture = SampleFormat(axes=("channel", "height", "width"), shape=(1, 8, 8))
    with pytest.raises(ConfigError, match=r"is for clips \(frame, channel, height, width\)"):
        build(BuildContext(sample=picture))
    sample = predicts().sample
    with pytest.raises(ConfigError, match=r"this task gives it label"):
        build(BuildContext(sample=sample, inputs={"label": SampleFormat.label(("a", "b"))}))
    with pytest.raises(ConfigError, match=r"this task gives it nothing"):
        build(BuildContext(sample=sample))
    with pytest.raises(ConfigError, match=r"generator\.start=last-frame is for task\.name=predict; leave it out"):
        build(interpolates(), start="last-frame")
    noise = predicts()
    with pytest.raises(ConfigError, match=r"takes a vector of noise, not \(2, 3\): set generator\.noise to one number"):
        build(BuildContext(sample=noise.sample, noise=(2, 3), inputs=noise.inputs))
