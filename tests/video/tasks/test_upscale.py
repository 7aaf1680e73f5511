"""The game `upscale`: pairs that are made, or the dataset's own, and their parts at one place."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from wganx_video.configs.tasks import UpscaleConfig
from wganx_video.networks.starts import enlarge, shrink
from wganx_video.tasks.upscale import Upscale

from wganx import ConfigError, Networks


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("output", ["all", "middle"])
def test_small_clips_are_made_of_large_ones(clips, play, rng, scale, output):
    films = clips(height=17, width=26)
    game = play(Upscale, UpscaleConfig, films, scale=scale, frames=5, output=output)
    batch = game.batch(films.all, rng, training=False)
    height, width = 17 // scale, 26 // scale
    large = films.sample[:, :5, :, : height * scale, : width * scale].float() / 255
    assert torch.equal(batch.real, large[:, 2:3] if output == "middle" else large)
    assert batch.context["low"].shape == (4, 5, 1, height, width)
    assert (batch.context["low"] - shrink(large, scale).clamp(0, 1)).abs().max() <= 0.5 / 255 + 1e-6
    assert game.sample.shape == batch.real.shape[1:]
    assert game.context["low"].shape == (5, 1, height, width)
    assert game.sample.signal["scale"] == scale
    for name, baseline in game.baselines().items():
        assert baseline(batch, rng).shape == batch.real.shape, name
    shown = batch.context["low"][:, 2:3] if output == "middle" else batch.context["low"]
    assert torch.equal(game.baselines()["bicubic-0.5"](batch, rng), enlarge(shown, scale, "bicubic-0.5"))


def test_the_datasets_own_small_clips_are_taken_and_cut_at_the_same_place(clips, play, rng):
    films = clips(rows=12, height=16, width=24, low=2)
    game = play(Upscale, UpscaleConfig, films, scale=2, frames=3, crop=8, flip=True, reverse=True)
    assert game.own_pairs
    for training in (True, False):
        batch = game.batch(films.all, rng, training=training)
        # Every second pixel of the large ones, or the other every second where they are mirrored.
        one, other = (batch.real[..., ::2, shift::2] for shift in (0, 1))
        for row in range(12):
            low = batch.context["low"][row]
            assert torch.equal(low, one[row]) or torch.equal(low, other[row])
    made = play(Upscale, UpscaleConfig, films, scale=2, frames=3, low="made")
    assert not made.own_pairs
    assert not torch.equal(made.batch(films.all, rng, training=False).context["low"], films.all["low"][:, :3] / 255)


def test_small_clips_whose_sides_were_rounded_up_lose_what_has_no_whole_large_pixels(clips, play, rng):
    films = clips(height=17, width=25, low=4)
    assert films.all["low"].shape[3:] == (5, 7)
    game = play(Upscale, UpscaleConfig, films, scale=4, frames=3)
    batch = game.batch(films.all, rng, training=False)
    assert batch.real.shape == (4, 3, 1, 16, 24)
    assert torch.equal(batch.context["low"], films.all["low"][:, :3, :, :4, :6] / 255)
    assert torch.equal(batch.real[..., ::4, ::4], batch.context["low"])


def test_consistency_is_the_distance_of_the_shrunken_to_what_was_given(clips, play, rng):
    films = clips(height=32, width=32)
    game = play(Upscale, UpscaleConfig, films, scale=2, frames=3, consistency=2.0, fidelity=0, gradient_difference=0)
    batch = game.batch(films.all, rng, training=False)
    networks = Networks(nn.Identity(), nn.Identity())
    rounding = 0.5 / 255 * (3 * 16 * 16) ** 0.5  # all that is left of the truth, at the most
    assert game.generator_losses(networks, batch.real, batch, 0)["consistency"] <= 2 * 2 * rounding
    fake = torch.rand(batch.real.shape, generator=rng).requires_grad_()
    loss = game.generator_losses(networks, fake, batch, 0)["consistency"]
    torch.testing.assert_close(loss, 4 * (shrink(fake, 2) - batch.context["low"]).flatten(1).norm(dim=1).mean())
    (gradient,) = torch.autograd.grad(loss, fake)
    lengths = gradient.flatten(1).norm(dim=1) * len(fake) / 2
    assert ((lengths > 0.7) & (lengths < 1.3)).all()  # about 1, as that of the distance at full size


def test_what_does_not_fit_is_refused_with_the_mend(clips, play, rng):
    with pytest.raises(
        ConfigError, match=r"are 2 times smaller than the large, and task\.scale is 4: set task\.scale=2"
    ):
        play(Upscale, UpscaleConfig, clips(low=2), scale=4)
    films = clips(channels=3, low=2)
    films.formats["low"] = clips(low=2).formats["low"]
    with pytest.raises(ConfigError, match=r"small clips have 1 channels and the large 3; bring both to one"):
        play(Upscale, UpscaleConfig, films)
    with pytest.raises(ConfigError, match=r"are for small clips that are made.*set task\.low=made"):
        play(Upscale, UpscaleConfig, clips(low=2), noise=0.1)
    with pytest.raises(ConfigError, match=r"takes 5 frames of each clip, and this dataset's clips have 3"):
        play(Upscale, UpscaleConfig, clips(frames=3))
    with pytest.raises(ConfigError, match=r"task\.scale=8 leaves nothing of"):
        play(Upscale, UpscaleConfig, clips(height=7), scale=8)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scale": 5}, "Input should be 2, 3, 4 or 8"),
        ({"frames": 4, "output": "middle"}, "output=middle needs an odd number of frames, not 4"),
        ({"frames": 1, "temporal_difference": 1.0}, "make several, or leave it 0"),
        ({"crop": 9, "scale": 2}, "crop must be a multiple of scale, 2, and 9 is none"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_the_mend(options, said):
    with pytest.raises(ValidationError, match=said):
        UpscaleConfig(**options)
