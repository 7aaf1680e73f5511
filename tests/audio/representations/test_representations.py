"""What all representations have in common: shapes, ranges, and the way back."""

from __future__ import annotations

import pytest
import torch
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations import describe, representation_of

from wganx import ConfigError, DataError, SampleFormat

SPECTRA = ["linear", "mel", "phase"]


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("waveform", (1, 8192)), ("linear", (1, 128, 128)), ("mel", (1, 80, 128)), ("phase", (2, 128, 128))],
)
def test_samples_have_the_shape_and_range_that_the_format_says(fitted, voices, kind: str, shape) -> None:
    representation = fitted(representation=kind)
    assert representation.format.shape == shape
    samples = representation.encode(voices)
    assert samples.shape == (6, *shape)
    assert samples.dtype == torch.float32
    assert samples.abs().max() <= 1
    assert representation.decode(samples).shape == voices.shape


def test_a_waveform_is_itself(fitted, voices) -> None:
    representation = fitted(representation="waveform")
    assert torch.equal(representation.decode(representation.encode(voices)), voices)
    assert representation.decode(torch.full((1, 1, 8), 3.0)).max() == 1


@pytest.mark.parametrize(("kind", "most"), [("linear", 0.15), ("mel", 0.45), ("phase", 0.05)])
def test_the_way_back_is_heard_as_the_same(fitted, voices, convergence, kind: str, most: float) -> None:
    representation = fitted(representation=kind)
    assert convergence(representation.decode(representation.encode(voices)), voices) < most


def test_the_phase_gives_back_the_wave_itself(fitted, voices) -> None:
    representation = fitted(representation="phase")
    found = representation.decode(representation.encode(voices))
    inner = slice(256, -256)  # the last frame is left out
    assert (found[..., inner] - voices[..., inner]).abs().max() < 0.02


def test_the_instantaneous_frequency_of_a_steady_tone_in_the_middle_of_its_bin_is_zero(fitted, tone) -> None:
    representation = fitted(representation="phase")
    hertz = 8000 / 256 * 20
    frequency_FT = representation.encode(tone(hertz, 1.024, 8000)[None])[0, 1]
    assert frequency_FT[20, 3:-3].abs().max() < 1e-3


@pytest.mark.parametrize("kind", SPECTRA)
def test_silence_stays_silence(fitted, kind: str) -> None:
    representation = fitted(representation=kind)
    found = representation.decode(representation.encode(torch.zeros(1, 1, 8192)))
    assert not found.any()


@pytest.mark.parametrize("kind", SPECTRA)
def test_a_quiet_sound_is_no_second_kind_of_silence(fitted, kind: str) -> None:
    """Whatever lies below the floor is as the padding: the critic has no easy mark of what was padded."""
    representation = fitted(representation=kind)
    below = 1e-6 * torch.randn(1, 1, 8192, generator=torch.Generator().manual_seed(0))
    silence = representation.encode(torch.zeros(1, 1, 8192))
    magnitudes = slice(0, 1)
    assert torch.equal(representation.encode(below)[:, magnitudes], silence[:, magnitudes])


@pytest.mark.parametrize("kind", SPECTRA)
def test_rows_do_not_depend_on_what_is_beside_them(fitted, voices, kind: str) -> None:
    representation = fitted(representation=kind)
    samples = representation.encode(voices)
    assert torch.allclose(representation.encode(voices[2:3]), samples[2:3], atol=1e-5)
    assert torch.allclose(representation.decode(samples[2:3]), representation.decode(samples)[2:3], atol=1e-3)


@pytest.mark.parametrize("kind", SPECTRA)
def test_stereo_channels_are_turned_back_apart(stored, voices, kind: str) -> None:
    config = RepresentationConfig(representation=kind, reach=8.0)
    representation = representation_of(describe(config, stored(channels=2), None))
    stereo = torch.stack([voices[0, 0], 0.3 * voices[3, 0]])[None]
    samples = representation.encode(stereo)
    assert samples.shape == (1, *representation.format.shape)
    assert representation.format.shape[0] == (4 if kind == "phase" else 2)
    assert representation.decode(samples).shape == stereo.shape
    assert representation.magnitudes(samples).shape[1] == 2


@pytest.mark.parametrize("length", [64, 128, 8192, 16384])
def test_any_length_goes_through_where_it_is_free(stored, voice, length: int) -> None:
    representation = representation_of(describe(RepresentationConfig(), stored(length=None), None))
    assert representation.format.shape == (1, 128, None)
    wave = voice(2.1, 8000)[None, :, :length]
    assert representation.encode(wave).shape == (1, 1, 128, length // 64)
    assert representation.decode(representation.encode(wave)).shape == wave.shape


def test_a_length_between_two_hops_is_padded(fitted, voice) -> None:
    representation = fitted(representation="linear")
    assert representation.encode(voice(1.1)[None, :, :8001]).shape[-1] == 126


def test_a_length_that_the_hop_does_not_divide_is_refused(stored) -> None:
    message = r"task\.hop=60 does not divide the 8000 samples of a sound; set dataset\.length to .* such as 8040"
    with pytest.raises(ConfigError, match=message):
        describe(RepresentationConfig(hop=60), stored(length=8000), None)


def test_what_a_representation_has_no_use_for_is_refused(stored) -> None:
    with pytest.raises(ConfigError, match=r"task\.bands has no meaning for .*=linear; .*: --set task\.bands=80"):
        describe(RepresentationConfig(bands=40), stored(), None)
    with pytest.raises(ConfigError, match=r"task\.window has no meaning .*: --set task\.window=256"):
        describe(RepresentationConfig(representation="waveform", window=512), stored(), None)


def test_a_format_without_a_description_is_no_sound() -> None:
    format = SampleFormat(axes=("channel", "height"), shape=(1, 8))
    with pytest.raises(DataError, match=r"does not say how it becomes a sound; its signal has \{\}"):
        representation_of(format)


@pytest.mark.parametrize("kind", ["waveform", *SPECTRA])
def test_the_description_survives_json(fitted, voices, kind: str) -> None:
    """A format is all that a checkpoint keeps, and all that it takes to listen to its samples elsewhere."""
    import json

    representation = fitted(representation=kind)
    again = representation_of(SampleFormat.from_json(json.loads(json.dumps(representation.format.to_json()))))
    samples = representation.encode(voices[:2])
    assert torch.equal(again.encode(voices[:2]), samples)
    assert torch.equal(again.decode(samples), representation.decode(samples))


def test_a_hop_beyond_half_of_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="hop must be half of the window at most, 128, or sound is lost between"):
        RepresentationConfig(window=256, hop=129)


def test_magnitudes_of_a_full_sine_are_one(fitted, tone) -> None:
    representation = fitted(representation="linear")
    samples = representation.encode(tone(1000, 1.024, 8000, 0.5)[None])
    assert representation.magnitudes(samples)[0, 0, 32, 10:-10].mean() == pytest.approx(0.5, rel=0.02)
    with pytest.raises(DataError, match="a waveform has no magnitudes"):
        fitted(representation="waveform").magnitudes(samples)
