"""The game `generate`: sounds to batches, what is chosen, wrong conditions, baselines."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from wganx_audio.configs.tasks import GenerateConfig
from wganx_audio.representations import fit_moments
from wganx_audio.tasks.generate import Generate

from wganx import Batch, ConfigError, Formats, Networks, SampleFormat

SOUND = SampleFormat(axes=("channel", "time"), shape=(1, 512), value_range=(-32768, 32767), rate_hz=8000)
LABELS = {"word": SampleFormat.label(("yes", "no", "up")), "speaker": SampleFormat.label(("anna", "boris"))}
TEXT = {"text": SampleFormat.text(tuple("abc"), 4)}
WAVES = GenerateConfig(representation="waveform")
SPECTRA = {"window": 64, "hop": 16}


def items(rows: int = 6) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {
        "sample": torch.randint(-20_000, 20_000, (rows, 1, 512), generator=rng, dtype=torch.int16),
        "word": torch.arange(rows) % 3,
        "speaker": torch.arange(rows) % 2,
        "text": torch.tensor([[1, 2, 0, 0]]).repeat(rows, 1),
    }


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def formats(**others: SampleFormat) -> Formats:
    return Formats({"sample": SOUND, **others})


class Rows:
    """Items as a dataset gives them, one by one."""

    formats: Mapping[str, SampleFormat] = formats()

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: value[index] for name, value in items().items()}


def test_waveforms_are_what_is_stored_over_32768() -> None:
    batch = Generate(WAVES, formats()).batch(items(), rng(), training=True)
    torch.testing.assert_close(batch.real, items()["sample"].float() / 32768)
    assert batch.context == batch.condition == {}


@pytest.mark.parametrize("kind", ["linear", "mel", "phase"])
def test_spectrograms_have_the_moments_that_were_fitted(kind: str) -> None:
    config = GenerateConfig.model_validate(
        {"representation": kind, **SPECTRA, **({"bands": 16} if kind == "mel" else {})}
    )
    fitted = fit_moments(config, formats(), Rows())
    game = Generate(config, Formats({"sample": SOUND}, fitted))
    real = game.batch(items(), rng(), training=True).real
    assert game.sample.fits(tuple(real.shape[1:]))
    assert real[:, 0].mean().abs() < 0.05
    assert real.abs().max() <= 1
    assert game.sample.signal["mean"] == pytest.approx(fitted["mean"].tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, []),
        ({"labels": "auto"}, ["word", "speaker"]),
        ({"labels": ["speaker"]}, ["speaker"]),
        ({"text": True}, ["text"]),
        ({"labels": "auto", "text": True}, ["word", "speaker", "text"]),
    ],
)
def test_what_is_chosen_goes_to_both_players(options: dict[str, object], chosen: list[str]) -> None:
    config = GenerateConfig.model_validate({"representation": "waveform", **options})
    game = Generate(config, formats(**LABELS, **TEXT))
    batch = game.batch(items(), rng(), training=False)
    assert list(game.context) == list(game.condition) == list(batch.context) == list(batch.condition) == chosen
    for name in chosen:
        assert torch.equal(batch.context[name], items()[name])


def test_labels_that_are_not_there_are_named() -> None:
    with pytest.raises(ConfigError) as refusal:
        Generate(GenerateConfig(labels=("emotion", "word")), formats(**LABELS))
    assert str(refusal.value) == (
        "task.labels names emotion, and the labels of this dataset are: word, speaker; name some of these, "
        "or set task.labels=auto for all"
    )
    with pytest.raises(ConfigError, match="the labels of this dataset are: none"):
        Generate(GenerateConfig(labels=("word",)), formats())


def test_a_text_needs_a_dataset_with_texts() -> None:
    with pytest.raises(ConfigError) as refusal:
        Generate(GenerateConfig(text=True), formats(**LABELS))
    assert str(refusal.value) == ("task.text=true needs a dataset with texts, as formant-speech with dataset.text=true")


def test_more_bands_than_bins_are_refused() -> None:
    with pytest.raises(ValidationError, match="200 bands cannot be made of the 128 bins of window=256; take fewer"):
        GenerateConfig(representation="mel", window=256, bands=200)
    assert GenerateConfig(representation="linear", window=64, hop=16).bands == 80


def test_a_mismatch_needs_conditions_and_inverting_needs_waveforms() -> None:
    with pytest.raises(ConfigError, match=r"task\.mismatch needs something that is chosen: set task\.labels"):
        Generate(GenerateConfig(mismatch=1.0), formats(**LABELS))
    with pytest.raises(ValueError, match="invert has a meaning for representation=waveform alone"):
        GenerateConfig(invert=True)


def test_about_half_of_the_waveforms_are_turned_upside_down_in_training_alone() -> None:
    game = Generate(GenerateConfig(representation="waveform", invert=True), formats())
    given = items(400)
    plain = game.batch(given, rng(), training=False).real
    torch.testing.assert_close(plain, given["sample"].float() / 32768)
    real = game.batch(given, rng(), training=True).real
    kept, turned = ((real == side).flatten(1).all(dim=1) for side in (plain, -plain))
    assert (kept ^ turned).all()
    assert 150 < turned.sum() < 250


def test_inverting_a_waveform_leaves_its_spectrogram() -> None:
    game = Generate(GenerateConfig.model_validate(SPECTRA), formats())
    turned = {"sample": -items()["sample"]}
    plain, other = (game.batch(given, rng(), training=False).real for given in (items(), turned))
    torch.testing.assert_close(plain, other)


class Scores(nn.Module):
    """The word's number, and ten where it is that of the sound."""

    def forward(self, x: Tensor, word: Tensor) -> Tensor:
        return word.float() + 10 * (x[:, 0, 0] == word)


def test_real_sounds_under_others_conditions_are_fakes_to_the_critic() -> None:
    game = Generate(GenerateConfig(representation="waveform", labels=("word",), mismatch=0.5), formats(**LABELS))
    word = torch.tensor([0, 1, 2, 2])
    real = word[:, None, None].expand(4, 1, 512).float()
    batch = Batch(real, context={"word": word}, condition={"word": word})
    losses = game.critic_losses(Networks(nn.Identity(), Scores()), real, batch, 0)
    # The neighbours' words are 2, 0, 1, 2: one of four is right, so three scores fall by ten.
    assert {name: value.item() for name, value in losses.items()} == {"mismatch": 0.5 * -30 / 4}
    assert Generate(WAVES, formats()).critic_losses(Networks(nn.Identity(), Scores()), real, batch, 0) == {}


def test_steady_noise_of_waveforms_has_the_spectrum_of_the_sounds() -> None:
    wave = 0.3 * torch.sin(torch.arange(512) * 2 * torch.pi * 40 / 512) * torch.linspace(0, 1, 512)
    real = wave.expand(64, 1, 512).clone() + 0.01 * torch.randn(64, 1, 512, generator=rng(1))
    made = Generate(WAVES, formats()).baselines()["noise"](Batch(real), rng())
    assert made.shape == real.shape
    powers = [torch.fft.rfft(side).abs().square().mean((0, 1)) for side in (made, real)]
    torch.testing.assert_close(powers[0][35:46], powers[1][35:46], rtol=1e-3, atol=1e-3)
    halves = made.square().mean((0, 1)).reshape(2, -1).mean(1)
    assert halves[0].item() == pytest.approx(
        halves[1].item(), rel=0.3
    )  # the sounds grow louder, and their noise does not


def test_steady_noise_of_spectrograms_has_the_values_of_every_bin() -> None:
    real = torch.randn(8, 2, 5, 9, generator=rng(1)) + 10 * torch.arange(5)[:, None]
    made = Generate(WAVES, formats()).baselines()["noise"](Batch(real), rng())
    assert made.shape == real.shape
    for row in range(5):
        assert set(made[:, 1, row].flatten().tolist()) <= set(real[:, 1, row].flatten().tolist())


def test_backwards_is_the_sound_from_its_end() -> None:
    real = torch.randn(2, 1, 6)
    assert torch.equal(Generate(WAVES, formats()).baselines()["reversed"](Batch(real), rng()), real.flip(2))
