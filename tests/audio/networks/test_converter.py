"""The converter's networks: any length, mean scores, and how much of a label."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from wganx_audio.configs.networks import ConverterCriticConfig, ConverterGeneratorConfig
from wganx_audio.networks.converter import Converter, Critic, Target

import wganx
from wganx import BuildContext, ConfigError, SampleFormat

BINS, FRAMES = 32, 32
SPECTROGRAM = SampleFormat(
    axes=("channel", "frequency", "frame"),
    shape=(1, BINS, FRAMES),
    rate_hz=8000.0,
    signal={"representation": "linear", "window": 64, "hop": 16, "mean": [-4.0] * BINS, "reach": [4.0] * BINS},
)
VOICE = SampleFormat.label(("anna", "boris", "clara"))


def number(neutral: str | None) -> SampleFormat:
    format = SampleFormat.number(0.0, 1.5, usual=1.0)
    return replace(format, signal={**format.signal, "of": "voice", "from": neutral})


def converter(sample: SampleFormat = SPECTROGRAM, noise: tuple[int, ...] = (), **options: object) -> Converter:
    torch.manual_seed(0)
    inputs = {"source": sample, "voice": VOICE}
    config = ConverterGeneratorConfig.model_validate({"width": 16, "bottleneck": 8, "embedding": 8, **options})
    return Converter(config, BuildContext(sample=sample, noise=noise, inputs=inputs))


def critic(sample: SampleFormat = SPECTROGRAM, **options: object) -> Critic:
    torch.manual_seed(0)
    config = ConverterCriticConfig.model_validate({"width": 4, "hidden": 16, **options})
    return Critic(config, BuildContext(sample=sample, inputs={"voice": VOICE}))


def sounds(rows: int = 3, frames: int = FRAMES) -> torch.Tensor:
    return torch.rand(rows, 1, BINS, frames, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


@pytest.mark.parametrize("frames", [16, 32, 33, 35, 200])
def test_a_sound_of_any_length_keeps_its_length(frames):
    source, voice = sounds(frames=frames), torch.tensor([0, 1, 2])
    made = converter()(source=source, voice=voice)
    assert made.shape == source.shape
    assert made.abs().max() <= 1
    assert critic()(source, voice=voice).shape == (3,)


def test_a_change_of_the_source_begins_with_no_change():
    made = converter(residual=True)(source=sounds(), voice=torch.tensor([0, 1, 2]))
    torch.testing.assert_close(made, sounds())


def test_the_target_makes_a_difference_once_it_is_learnt():
    generator, source = converter(), sounds(2)
    for layer in generator.decoder:
        torch.nn.init.normal_(layer.film.to_film.weight, generator=torch.Generator().manual_seed(2))
    one, other = (generator(source=source, voice=torch.full((2,), voice)) for voice in (0, 1))
    assert (one - other).abs().mean() > 0.01


def test_the_encoding_is_narrow_and_without_mean_and_deviation():
    found = converter().encode(sounds())
    assert found.shape == (3, 8, FRAMES // 4)
    torch.testing.assert_close(found.mean(2), torch.zeros(3, 8), atol=1e-5, rtol=0)
    assert converter(normalise=False).encode(sounds()).mean(2).abs().max() > 1e-3


def test_scores_and_their_gradients_do_not_grow_with_the_length():
    """The penalty asks for a gradient of length 1 of a short sound and of a long one alike."""
    network, voice = critic(), torch.tensor([0, 1, 2])
    short = sounds(frames=256)
    readings = []
    for x in (short, short.repeat(1, 1, 1, 4)):
        x = x.clone().requires_grad_(True)
        score = network(x, voice=voice)
        (gradient,) = torch.autograd.grad(score.sum(), x)
        readings.append((score.detach(), gradient.flatten(1).norm(dim=1)))
    (score, norm), (long_score, long_norm) = readings
    torch.testing.assert_close(long_score, score, atol=0.05 * float(score.abs().mean()), rtol=0.05)
    assert (long_norm < 0.6 * norm).all()  # the mean of four times as many patches: half of it


@pytest.mark.parametrize("prosody", [False, True])
def test_the_penalty_reaches_every_weight_of_the_critic(prosody):
    network = critic(prosody=prosody)
    penalty = wganx.GradientPenalty(weight=10.0).penalty(network, sounds(), -sounds(), voice=torch.tensor([0, 1, 2]))
    penalty.backward()
    for name, weight in network.named_parameters():
        # What only shifts the score has no part in its gradient along the input.
        if name != "head.linear.bias" and not name.endswith(".bias"):
            assert weight.grad is not None, name
            assert torch.isfinite(weight.grad).all(), name
            assert weight.grad.any(), name


def test_what_is_asked_for_moves_the_score():
    network, x = critic(), sounds(1)
    assert network(x, voice=torch.tensor([0])) != network(x, voice=torch.tensor([1]))


@pytest.mark.parametrize(("neutral", "index"), [("clara", 2), (None, None)])
def test_a_number_goes_from_what_is_neutral_to_the_label_and_on(neutral, index):
    torch.manual_seed(0)
    target = Target({"voice": VOICE, "intensity": number(neutral)}, 6)
    weight = target.labels["voice"].weight.detach()
    origin = weight.mean(0) if index is None else weight[index]
    voice = torch.tensor([0, 1, 1])
    for much in (0.0, 0.5, 1.0, 1.5):
        found = target({"voice": voice, "intensity": torch.full((3,), much)})
        torch.testing.assert_close(found.detach(), origin + much * (weight[voice] - origin))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: converter(replace(SPECTROGRAM, shape=(1, BINS, 8))), "make task.hop smaller"),
        (lambda: critic(replace(SPECTROGRAM, shape=(1, 8, 32))), "needs 16 bins and frames"),
        (lambda: converter(noise=(16,)), "set generator.noise=0"),
        (lambda: critic(replace(SPECTROGRAM, shape=(None, BINS, 32))), "fixed number of channels"),
        (
            lambda: critic(SampleFormat(axes=("channel", "time"), shape=(1, 4096))),
            "is for spectrograms, and the samples here are channel 1 x time 4096",
        ),
        (
            lambda: Converter(ConverterGeneratorConfig(), BuildContext(sample=SPECTROGRAM, inputs={"voice": VOICE})),
            "it is for task.name=convert",
        ),
        (
            lambda: Converter(
                ConverterGeneratorConfig(), BuildContext(sample=SPECTROGRAM, inputs={"source": SPECTROGRAM})
            ),
            "needs a label to convert to",
        ),
    ],
)
def test_what_cannot_be_built_is_told_with_the_mend(build, message):
    with pytest.raises(ConfigError, match=message):
        build()
