"""The game `predict`: which frames are given, which are the truth, and what is known without learning."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from wganx_video.configs.tasks import PredictConfig
from wganx_video.tasks.predict import Predict, fit_prediction

from wganx import ConfigError, Formats, Networks, SampleFormat


def test_the_future_follows_the_past(clips, play, rng):
    game = play(Predict, PredictConfig, films := clips(), past=3, future=4)
    batch = game.batch(films.all, rng, training=False)
    unit = films.sample.float() / 255
    assert torch.equal(batch.context["past"], unit[:, :3])
    assert torch.equal(batch.real, unit[:, 3:7])
    assert batch.condition["past"] is batch.context["past"]
    assert game.sample.shape == (4, 1, 16, 24)
    assert game.context["past"].shape == (3, 1, 16, 24)
    assert game.sample.value_range == (0.0, 1.0)
    assert game.sample.rate_hz == 25.0
    assert (game.past_frames, game.future_frames) == (3, 4)


def test_training_begins_anywhere_in_a_clip_and_cuts_parts_out(clips, play, rng):
    films = clips(rows=24)
    game = play(Predict, PredictConfig, films, past=3, future=4)
    batch = game.batch(films.all, rng, training=True)
    whole = torch.cat([batch.context["past"], batch.real], 1)
    first = (whole[:, :, 0, 0, 0] * 255).round() - 10 * torch.arange(24)[:, None]
    assert torch.equal(first - first[:, :1], torch.arange(7.0).expand(24, 7))
    assert set(first[:, 0].tolist()) == {0, 1, 2, 3}
    game = play(Predict, PredictConfig, films, past=3, future=4, crop=8)
    assert game.batch(films.all, rng, training=True).real.shape == (24, 4, 1, 8, 8)
    assert game.batch(films.all, rng, training=False).real.shape == (24, 4, 1, 16, 24)
    assert game.sample.shape == (4, 1, None, None)


def test_mirrored_clips_are_mirrored_as_a_whole(clips, play, rng):
    films = clips(rows=16, frames=2)
    batch = play(Predict, PredictConfig, films, past=1, future=1, flip=True).batch(films.all, rng, training=True)
    unit, seen = films.sample.float() / 255, torch.cat([batch.context["past"], batch.real], 1)
    turned = [torch.equal(row, own.flip(3)) for row, own in zip(seen, unit)]
    assert [torch.equal(row, own) for row, own in zip(seen, unit)] == [not each for each in turned]
    assert 0 < sum(turned) < 16


def test_baselines(clips, play, rng):
    films = clips()
    fitted = fit_prediction(PredictConfig(past=3, future=4), Formats(films.formats), films)
    game = play(Predict, PredictConfig, films, fitted, past=3, future=4)
    batch = game.batch(films.all, rng, training=False)
    made = {name: baseline(batch, rng) for name, baseline in game.baselines().items()}
    assert set(made) == {"copy-last", "blank", "mean-of-past", "mean-frame"}
    past, unit = batch.context["past"], films.sample.float() / 255
    assert torch.equal(made["copy-last"], past[:, 2:].expand(-1, 4, -1, -1, -1))
    assert made["blank"].sum() == 0
    torch.testing.assert_close(made["mean-of-past"], past.mean(1, keepdim=True).expand_as(batch.real))
    torch.testing.assert_close(made["mean-frame"][1, 2], unit.mean((0, 1)))
    assert "mean-frame" not in play(Predict, PredictConfig, films).baselines()


def test_going_on_feeds_predictions_back(clips, play):
    game = play(Predict, PredictConfig, clips(), past=3, future=2)
    past, future = torch.arange(3.0).view(1, 3, 1, 1, 1), torch.arange(3.0, 5).view(1, 2, 1, 1, 1)
    assert game.roll(past, future).flatten().tolist() == [2, 3, 4]
    longer = play(Predict, PredictConfig, clips(), past=2, future=5)
    assert longer.roll(past[:, :2], torch.arange(5.0).view(1, 5, 1, 1, 1)).flatten().tolist() == [3, 4]


class Shifted(nn.Module):
    """Futures that lie off the truth by what the noise says."""

    def __init__(self, truth: torch.Tensor, noise_length: int = 2) -> None:
        super().__init__()
        self.truth, self.noise_length = truth, noise_length
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, noise: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
        return self.truth + self.scale * noise[:, :1, None, None, None]


def test_of_several_futures_the_nearest_has_to_be_near(clips, play, rng):
    films = clips()
    one, many = (play(Predict, PredictConfig, films, past=3, future=4, futures=count) for count in (1, 64))
    batch = one.batch(films.all, rng, training=False)
    generator = Shifted(batch.real)
    networks, fake = Networks(generator, nn.Identity()), generator(torch.full((4, 2), 3.0), batch.context["past"])
    torch.manual_seed(0)
    far, near = (game.generator_losses(networks, fake, batch, 0)["fidelity"] for game in (one, many))
    assert near < far / 4
    near.backward()
    assert generator.scale.grad.abs() > 0
    generator = Shifted(batch.real, noise_length=0)
    with pytest.raises(ConfigError, match=r"the generator takes none: set generator\.noise=8, or task\.futures=1"):
        many.generator_losses(Networks(generator, nn.Identity()), fake, batch, 0)


def test_motion_is_compared_from_the_last_given_frame_on(clips, play, rng):
    films = clips()
    game = play(
        Predict, PredictConfig, films, past=3, future=1, temporal_difference=1.0, fidelity=0, gradient_difference=0
    )
    batch = game.batch(films.all, rng, training=False)
    losses = game.generator_losses(Networks(nn.Identity(), nn.Identity()), batch.real + 0.1, batch, 0)
    assert float(losses["temporal_difference"]) == pytest.approx(0.1 * (16 * 24) ** 0.5, rel=1e-4)


def test_clips_that_do_not_suit_are_refused_with_the_mend(clips, play):
    with pytest.raises(ConfigError, match=r"takes 20 frames of each clip, and this dataset's clips have 10: raise"):
        play(Predict, PredictConfig, clips(), past=10, future=10)
    with pytest.raises(ConfigError, match=r"needs clips \(frame, channel, height, width\), and 'sample' is one of 2"):
        Predict(PredictConfig(), Formats({"sample": SampleFormat.label(("a", "b"))}))
    unbounded = SampleFormat(axes=("frame", "channel", "height", "width"), shape=(10, 1, 8, 8), value_range=None)
    with pytest.raises(ConfigError, match=r"needs to know the range of values in 'sample'"):
        Predict(PredictConfig(), Formats({"sample": unbounded}))
    films = clips()
    with pytest.raises(ConfigError, match=r"task\.crop=20 is larger than the clips, which have 24 x 16 px"):
        play(Predict, PredictConfig, films, crop=20).batch(films.all, torch.Generator(), training=True)
