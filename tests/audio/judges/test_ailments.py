"""WX071 to WX074: made ailments are found, healthy sounds are left alone."""

import pytest
import torch
import wganx_audio
from torch.nn import functional as F

from wganx import Vitals

from .conftest import RATE, Sounds, glides

COUNT, LENGTH = 24, 4096
TIME = torch.arange(LENGTH) / RATE


def checks():
    return {check.name: check for check in wganx_audio.wganx_health_checks()}


def inspect(name, fake, real):
    return checks()[name].factory("inspect")(Vitals(step=1, scalars={}, real=real, fake=fake))


def told(fake, real):
    return {name for name in checks() if inspect(name, fake, real) is not None}


@pytest.fixture(scope="module")
def waves():
    return {seed: real_waves(seed) for seed in (0, 1)}


@pytest.fixture(scope="module")
def spectra(opened):
    game = Sounds(opened["train"])
    rng = torch.Generator()
    return game, {seed: game.batch(glides(COUNT, seed), rng, training=False).real for seed in (0, 1)}


def real_waves(seed):
    return glides(COUNT, seed)["sample"].float() / 32768


def noise(seed=0, strength=0.1):
    return strength * torch.randn(COUNT, 1, LENGTH, generator=torch.Generator().manual_seed(seed))


def tone(hertz=440.0):
    phases = torch.rand(COUNT, 1, 1, generator=torch.Generator().manual_seed(0))
    return 0.3 * (2 * torch.pi * (hertz * TIME + phases)).sin()


def comb():
    """What a stack of transposed convolutions of stride 4 makes of noise, with a bias of its own at every place."""
    torch.manual_seed(0)
    x = torch.randn(COUNT, 1, LENGTH // 64)
    for _ in range(3):
        weight = torch.randn(1, 1, 25)
        x = F.conv_transpose1d(x + 1, weight, stride=4, padding=11, output_padding=1)
        x = x / x.std()
    return 0.1 * x


def test_codes():
    assert [check.code for check in checks().values()] == ["WX071", "WX072", "WX073", "WX074"]
    assert {check.modality for check in checks().values()} == {"audio"}


class TestWaveforms:
    @pytest.mark.parametrize(
        ("ailment", "fake"),
        [
            ("silence", noise(strength=1e-4)),
            ("silence", torch.zeros(COUNT, 1, LENGTH)),
            ("one-tone", tone()),
            ("one-tone", tone(1234.5)),
            ("phase-comb", comb()),
            ("clipping", (8 * tone(300.0)).clamp(-1, 1) * 0.999 + noise(strength=1e-6)),
        ],
    )
    def test_an_ailment_is_found(self, waves, ailment, fake):
        assert ailment in told(fake, waves[0])

    def test_real_sounds_white_noise_and_early_fakes_are_left_alone(self, waves):
        assert told(waves[1], waves[0]) == set()
        assert told(noise(), waves[0]) == set()
        assert told(waves[1] + noise(1, 0.02), waves[0]) == set()
        assert told(waves[1] / 8, waves[0]) == set()

    def test_real_tones_and_real_clipping_are_the_measure(self):
        loud = (8 * tone(300.0)).clamp(-1, 1)
        assert told(tone(500.0), tone()) == set()
        assert "clipping" not in told(loud, loud)

    def test_formant_speech_is_left_alone(self):
        from wganx_audio.configs.datasets import FormantSpeechConfig
        from wganx_audio.datasets.formant_speech.items import open_formant_speech

        from wganx import DataContext

        items = open_formant_speech(FormantSpeechConfig(count=64), "train", DataContext())
        speech = torch.stack([items[index]["sample"] for index in range(64)]).float() / 32768
        assert told(speech[:32], speech[32:]) == set()


class TestSpectrograms:
    def test_ailments_are_found(self, spectra):
        game, real = spectra
        encode = game.representation.encode
        assert "silence" in told(encode(torch.zeros(COUNT, 1, LENGTH)), real[0])
        assert "one-tone" in told(encode(tone()), real[0])
        assert "clipping" in told(torch.ones_like(real[0]), real[0])
        stripes = 0.6 * torch.tensor([1.0, -1.0, 1.0, -1.0]).repeat(real[0].shape[-1] // 4)
        assert "phase-comb" in told((0.5 * real[1] + stripes).clamp(-1, 1), real[0])

    def test_healthy_ones_are_left_alone(self, spectra):
        game, real = spectra
        assert told(real[1], real[0]) == set()
        assert told(game.representation.encode(real_waves(1) / 8), real[0]) == set()
        blurred = real[1] + 0.1 * torch.randn(real[1].shape, generator=torch.Generator().manual_seed(0))
        assert told(blurred.clamp(-1, 1), real[0]) == set()


def test_samples_that_are_no_sounds_are_left_alone():
    for shape in ((4, 1, 16), (4, 2), (4, 3, 2, 8, 8)):
        assert told(torch.zeros(shape), torch.ones(shape)) <= {"silence"}
