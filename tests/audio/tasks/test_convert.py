"""The game `convert`: who is converted into whom, what is known of a row, its losses, baselines and preview."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from wganx_audio.configs.networks import ConverterCriticConfig, ConverterGeneratorConfig
from wganx_audio.configs.tasks import ConvertConfig
from wganx_audio.networks.converter import Converter, Critic
from wganx_audio.tasks.convert import Convert

from wganx import BuildContext, ConfigError, Formats, Networks, SampleFormat


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def networks_for(game: Convert) -> Networks:
    torch.manual_seed(0)
    generator = Converter(
        ConverterGeneratorConfig(width=8, bottleneck=4, embedding=4),
        BuildContext(sample=game.sample, inputs=game.context),
    )
    critic = Critic(ConverterCriticConfig(width=2, hidden=8), BuildContext(sample=game.sample, inputs=game.condition))
    return Networks(generator, critic, {name: helper.module for name, helper in game.helpers.items()})


def test_real_sounds_and_what_is_asked_for_are_of_one_row_and_the_source_of_another(convert, sounds):
    game = convert(keep=("word",))
    batch = game.batch(sounds.all, rng(), training=True)
    assert torch.equal(batch.real, game.representation.encode(sounds.sample.float() / 32768))
    assert torch.equal(batch.context["speaker"], sounds.speaker)
    assert torch.equal(batch.condition["speaker"], sounds.speaker)
    assert (batch.known["source_speaker"] != sounds.speaker).all()
    assert torch.equal(batch.known["word"], sounds.word)
    assert torch.equal(batch.known["real_word"], sounds.word)
    for row, source in enumerate(batch.context["source"]):
        (found,) = [index for index, real in enumerate(batch.real) if torch.equal(real, source)]
        assert sounds.speaker[found] == batch.known["source_speaker"][row]
        assert sounds.word[found] == batch.known["word"][row]


def test_what_a_batch_has_is_what_the_game_says(convert, sounds):
    game = convert(keep=("word",), intensity=True)
    batch = game.batch(sounds.all, rng(), training=True)
    for place in ("context", "condition", "known"):
        assert set(getattr(batch, place)) == set(getattr(game, place))
    assert game.sample.fits(tuple(batch.real.shape[1:]))
    assert batch.context["intensity"].tolist() == [1.0] * len(sounds)
    assert game.context["intensity"].value_range == (0.0, 1.5)


def test_the_losses_have_names_and_weights(convert, sounds):
    game = convert(keep=("word",), content=2.0, contour=1.0, prosody=True)
    networks, batch = networks_for(game), game.batch(sounds.all, rng(), training=True)
    fake = networks.generator(**batch.context)
    losses = game.generator_losses(networks, fake, batch, 0)
    assert set(losses) == {"target_speaker", "kept_word", "cycle", "contour", "identity", "content"}
    assert all(loss.ndim == 0 and loss.requires_grad and torch.isfinite(loss) for loss in losses.values())
    twice = convert(
        keep=("word",), content=4.0, contour=2.0, prosody=True, target=2.0, kept=2.0, cycle=20.0, identity=10.0
    )
    doubled = twice.generator_losses(networks, fake, batch, 0)
    for name, loss in losses.items():
        torch.testing.assert_close(doubled[name], 2 * loss)


def test_a_loss_that_weighs_nothing_is_not_computed(convert, sounds):
    game = convert(target=0.0, cycle=0.0, identity=0.0, identity_later=0.0)
    networks, batch = networks_for(game), game.batch(sounds.all, rng(), training=True)
    assert not game.helpers
    fake = networks.generator(**batch.context)
    assert game.generator_losses(networks, fake, batch, 0) == {}
    assert game.critic_losses(networks, fake, batch, 0) == {}


def test_the_identity_counts_less_from_a_step_on_and_the_stage_says_so(convert, sounds):
    game = convert(settle=10, identity=5.0, identity_later=1.0)
    networks, batch = networks_for(game), game.batch(sounds.all, rng(), training=True)
    fake = networks.generator(**batch.context)
    early, late = (game.generator_losses(networks, fake, batch, step)["identity"] for step in (9, 10))
    torch.testing.assert_close(early, 5 * late)
    assert [game.at(step) for step in (0, 9, 10, 11)] == [False, False, True, True]


def test_the_classifier_learns_from_real_sounds_alone(convert, sounds):
    """Labels of the real sounds, and no gradient to whoever made the fake."""
    game = convert(keep=("word",))
    networks, batch = networks_for(game), game.batch(sounds.all, rng(), training=True)
    classifier = networks.helpers["classifier"]
    optimizer = torch.optim.Adam(classifier.parameters(), 0.02)
    nothing = torch.full_like(batch.real, torch.nan)
    for _ in range(40):
        losses = game.critic_losses(networks, nothing, batch, 0)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert set(losses) == {"classifier_speaker", "classifier_word"}
    assert max(losses.values()) < 0.1
    found = classifier(batch.real)
    assert torch.equal(found["speaker"].argmax(1), sounds.speaker)
    assert torch.equal(found["word"].argmax(1), sounds.word)
    # It then tells a generator that leaves sounds as they are what is wrong with them, and what is right.
    same = game.generator_losses(networks, batch.context["source"], batch, 0)
    assert same["target_speaker"] > 1
    assert same["kept_word"] < 0.1


def test_the_baselines_are_the_source_and_another_real_sound_of_the_class(convert, sounds):
    game = convert(keep=("word",))
    batch = game.batch(sounds.all, rng(), training=False)
    baselines = game.baselines()
    assert torch.equal(baselines["unconverted"](batch, rng()), batch.context["source"])
    found = baselines["real-target"](batch, rng())
    for row, sound in enumerate(found):
        (other,) = [index for index, real in enumerate(batch.real) if torch.equal(real, sound)]
        assert other != row
        assert sounds.speaker[other] == batch.condition["speaker"][row]
        assert sounds.word[other] == batch.known["word"][row]


def test_the_training_level_and_the_moments_are_fitted(convert):
    game = convert()
    assert game.level_db == pytest.approx(-17, abs=4)
    assert len(game.sample.signal["mean"]) == 16


def test_a_preview_shows_source_conversion_and_the_real_voice_in_a_row(convert, sounds, tmp_path):
    game = convert(keep=("word",))
    batch = game.batch(sounds.all, rng(), training=False)[slice(0, 2)]
    preview = game.preview(batch.real, batch, tmp_path, "step-1")
    assert preview.picture.dtype == torch.uint8
    assert [path.name for path in preview.files] == [
        f"step-1-{row:04d}-{kind}.wav" for row in range(2) for kind in ("source", "converted", "real")
    ]
    assert all(path.is_file() for path in preview.files)


def test_a_preview_says_whose_a_real_sound_is_where_the_wanted_is_not_there(convert, sounds, tmp_path, monkeypatch):
    captions: list[str] = []

    def look(waves, rate, told, columns):
        captions.extend(told)
        return torch.zeros(3, 1, 1, dtype=torch.uint8)

    monkeypatch.setattr("wganx_audio.tasks.conversion_sheet.draw_sheet", look)
    game = convert(keep=("word",))
    batch = game.batch({name: rows[:2] for name, rows in sounds.all.items()}, rng(), training=False)
    clara = torch.full((2,), 2)
    asked = replace(batch, context={**batch.context, "speaker": clara}, condition={"speaker": clara})
    game.preview(batch.real, asked, tmp_path, "step-1")
    assert captions[:3] == ["0 source: boris", "0 converted: boris to clara", "0 real: boris"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convert": ("voice",)}, "task.convert names voice, and the labels of this dataset are: speaker, word"),
        ({"keep": ("digit", "accent")}, "task.keep names digit, accent, and the labels"),
        ({"intensity": True, "neutral": "dora"}, "task.neutral=dora is no class of speaker, which has: anna, boris"),
    ],
)
def test_labels_that_are_not_there_are_named(convert, options, message):
    with pytest.raises(ConfigError, match=message):
        convert(**options)


def test_a_single_voice_has_nothing_to_be_converted_to(sounds):
    formats = Formats({"sample": sounds.formats["sample"], "speaker": SampleFormat.label(("anna",))})
    with pytest.raises(ConfigError, match=r"one class of speaker, anna, so there is nothing to convert it to; add"):
        Convert(ConvertConfig(), formats)


def test_folders_without_a_name_are_given_one(sounds):
    formats = Formats({"sample": sounds.formats["sample"], "label": SampleFormat.label(("anna", "boris"))})
    with pytest.raises(ConfigError, match=r"labels of this dataset are: label; .* dataset.levels=\[speaker\]"):
        Convert(ConvertConfig(), formats)


def test_what_is_not_there_to_be_kept_can_be_left_out(convert):
    with pytest.raises(ConfigError, match=r"or none: task.keep=\[\]"):
        convert(keep=("digit",))


def test_a_dataset_without_labels_is_told_so():
    sound = SampleFormat(axes=("channel", "time"), shape=(1, 2048), value_range=(-32768.0, 32767.0), rate_hz=8000.0)
    with pytest.raises(
        ConfigError, match=r"the labels of this dataset are: none; .*; a class is a folder beside others"
    ):
        Convert(ConvertConfig(), Formats({"sample": sound}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"representation": "waveform"}, "takes its phases from the source"),
        ({"keep": ("speaker",)}, "speaker cannot be converted and kept"),
        ({"neutral": "sad"}, "set intensity=true"),
        ({"convert": ()}, "at least 1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        ConvertConfig(**options)


def test_networks_are_modules_that_take_what_the_game_gives(convert):
    game = convert(prosody=True, contour=1.0)
    assert all(isinstance(helper.module, nn.Module) for helper in game.helpers.values())
    assert game.helpers["classifier"].learns_with == "critic"
    assert game.helpers["prosody"].learns_with is None
