"""The game `interpolate`: kept and missing frames, at fixed places or any time."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from wganx_video.configs.tasks import InterpolateConfig
from wganx_video.tasks.interpolate import Interpolate

from wganx import Networks


@pytest.mark.parametrize(
    ("kept", "named", "missing"),
    [((0, 2), (), (1,)), ((0, 2, 4, 6), (), (1, 3, 5)), ((0, 2, 4, 6), (3,), (3,)), ((0, 6), (), (1, 2, 3, 4, 5))],
)
def test_missing_frames_are_those_between(clips, play, rng, kept, named, missing):
    films = clips()
    game = play(Interpolate, InterpolateConfig, films, kept=kept, missing=named)
    batch, unit = game.batch(films.all, rng, training=False), films.sample.float() / 255
    assert (game.kept, game.missing) == (kept, missing)
    assert torch.equal(batch.context["frames"], unit[:, list(kept)])
    assert torch.equal(batch.real, unit[:, list(missing)])
    assert game.sample.shape == (len(missing), 1, 16, 24)


def test_frames_come_back_in_their_order(clips, play, rng):
    films = clips()
    game = play(Interpolate, InterpolateConfig, films, kept=(0, 2, 4, 6))
    batch = game.batch(films.all, rng, training=False)
    assert torch.equal(game.in_time(batch.context["frames"], batch.real), films.sample[:, :7].float() / 255)
    some = play(Interpolate, InterpolateConfig, films, kept=(0, 2, 6), missing=(4,))
    batch = some.batch(films.all, rng, training=False)
    places = (some.in_time(batch.context["frames"], batch.real)[0, :, 0, 0, 0] * 255).round().tolist()
    assert places == [0, 2, 4, 6]


def test_training_begins_anywhere_and_turns_half_of_the_clips(clips, play, rng):
    films = clips(rows=24)
    game = play(Interpolate, InterpolateConfig, films, kept=(0, 2), reverse=True)
    batch = game.batch(films.all, rng, training=True)
    whole = (game.in_time(batch.context["frames"], batch.real)[:, :, 0, 0, 0] * 255).round()
    steps = whole.diff(dim=1)
    assert {1.0, -1.0} == set(steps[:, 0].tolist())
    assert torch.equal(steps[:, 0], steps[:, 1])
    assert len(set((whole.min(1).values - 10 * torch.arange(24)).tolist())) > 3


def test_at_any_time_the_time_says_which_frame(clips, play, rng):
    films = clips(rows=24)
    game = play(Interpolate, InterpolateConfig, films, kept=(0, 4), time="any")
    batch = game.batch(films.all, rng, training=True)
    places = (batch.real[:, 0, 0, 0, 0] * 255).round() - (batch.context["frames"][:, 0, 0, 0, 0] * 255).round()
    torch.testing.assert_close(batch.context["time"], places / 4)
    assert set(places.tolist()) == {1, 2, 3}
    held = game.batch(films.all, rng, training=False)
    assert torch.equal(held.context["time"], torch.full((24,), 0.5))
    assert game.any_time
    assert game.context["time"].is_number
    blend = game.baselines()["linear-blend"](batch, rng)
    expected = torch.lerp(
        batch.context["frames"][:, 0], batch.context["frames"][:, 1], batch.context["time"].view(-1, 1, 1, 1)
    )
    torch.testing.assert_close(blend[:, 0], expected)
    assert torch.equal(game.baselines()["copy-previous"](batch, rng), batch.context["frames"][:, :1])


def test_baselines(clips, play, rng):
    films = clips()
    game = play(Interpolate, InterpolateConfig, films, kept=(0, 2, 6))
    batch, unit = game.batch(films.all, rng, training=False), films.sample.float() / 255
    made = {name: baseline(batch, rng) for name, baseline in game.baselines().items()}
    assert torch.equal(made["copy-previous"], unit[:, [0, 2, 2, 2]])
    torch.testing.assert_close(made["linear-blend"][:, 1], 0.75 * unit[:, 2] + 0.25 * unit[:, 6])


def test_motion_is_compared_with_the_frames_around(clips, play, rng):
    films = clips()
    game = play(
        Interpolate, InterpolateConfig, films, kept=(0, 2), temporal_difference=1.0, fidelity=0, gradient_difference=0
    )
    batch = game.batch(films.all, rng, training=False)
    losses = game.generator_losses(Networks(nn.Identity(), nn.Identity()), batch.real + 0.1, batch, 0)
    assert float(losses["temporal_difference"]) == pytest.approx(0.1 * (2 * 16 * 24) ** 0.5, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kept": (0, 2, 2)}, "kept must rise, as 0, 2, 4; got 0, 2, 2"),
        ({"kept": (1, 3)}, "it starts with 0, not 1"),
        ({"kept": (0, 2), "missing": (2,)}, "missing names 2, which is kept, or does not lie between"),
        ({"kept": (0, 2), "missing": (3,)}, "missing names 3"),
        ({"kept": (0, 1)}, "kept leaves no frame to be made between"),
        ({"kept": (0, 2, 4), "time": "any"}, "time=any makes one frame between two"),
        ({"kept": (0, 4), "missing": (1,), "time": "any"}, "and none in missing"),
    ],
)
def test_places_that_make_no_sense_are_refused_with_the_mend(options, said):
    with pytest.raises(ValidationError, match=said):
        InterpolateConfig(**options)


def test_a_stored_configuration_is_read_again():
    """What is made follows from it every time."""
    config = InterpolateConfig(kept=(0, 2, 4))
    assert config.made == (1, 3)
    assert InterpolateConfig.model_validate(config.model_dump()) == config
    timed = InterpolateConfig(kept=(0, 4), time="any")
    assert InterpolateConfig.model_validate(timed.model_dump()) == timed
