"""Both pairs: every size, what is chosen, what is refused, and that a penalty can be put on their critics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings, strategies
from hypothesis import given as for_all
from torch import Tensor, nn
from wganx_audio.configs.networks import (
    SpecganCriticConfig,
    SpecganGeneratorConfig,
    WaveganCriticConfig,
    WaveganGeneratorConfig,
)
from wganx_audio.networks import specgan, wavegan
from wganx_audio.networks.conditioning import Film
from wganx_audio.networks.specgan import Levels, _StretchedConvolution
from wganx_audio.networks.wavegan import PhaseShuffle, PostFilter, Stages

from wganx import BuildContext, Config, ConfigError, GradientPenalty, SampleFormat

Context = Callable[..., BuildContext]
Given = Callable[..., Mapping[str, Tensor]]
CHOICES = [(), ("word",), ("word", "speaker"), ("word", "intensity"), ("speaker", "text"), ("text",)]
CONFIGS: dict[str, type[Config]] = {
    "specgan generator": SpecganGeneratorConfig,
    "specgan critic": SpecganCriticConfig,
    "wavegan generator": WaveganGeneratorConfig,
    "wavegan critic": WaveganCriticConfig,
}


def built(module: ModuleType, role: str, context: BuildContext, **options: object) -> nn.Module:
    name = f"{module.__name__.rsplit('.', 1)[1]} {role}"
    config = CONFIGS[name].model_validate({"width": 2, "embedding": 4, **options})
    network: nn.Module = getattr(module, role.capitalize())(config, context)
    return network


@pytest.mark.parametrize(
    ("bins", "frames"), [(64, 64), (128, 64), (256, 64), (80, 100), (40, 33), (9, 4), (8, 2), (5, 130), (64, 7)]
)
@pytest.mark.parametrize("block", ["plain", "residual"])
def test_spectrograms_of_every_size(spectrogram: Context, given: Given, bins: int, frames: int, block: str) -> None:
    maker = built(specgan, "generator", spectrogram(bins, frames, "word", noise=3, channels=2), block=block)
    judge = built(specgan, "critic", spectrogram(bins, frames, "word", channels=2), block=block)
    fake = maker(torch.randn(3, 3), **given(3, "word"))
    assert fake.shape == (3, 2, bins, frames)
    assert fake.std() > 0.01
    assert fake.abs().max() <= 1
    assert judge(fake, **given(3, "word")).shape == (3,)


@for_all(strategies.integers(8, 1000), strategies.integers(1, 1000))
def test_levels_lead_from_the_smallest_map_to_one_that_holds_the_spectrogram(bins: int, frames: int) -> None:
    levels = Levels(bins, frames)
    for axis, size in enumerate((bins, frames)):
        factor = 1
        for stride in levels.strides:
            factor *= stride[axis]
        assert levels.full[axis] == levels.start[axis] * factor
        assert 0 <= levels.full[axis] - size < factor
        assert levels.start[axis] == size if size < 8 else 4 <= levels.start[axis] <= 8
    assert all(max(stride) == 2 for stride in levels.strides)
    assert len(levels.widths(3)) == len(levels.strides) > 0


@pytest.mark.parametrize("stride", [(2, 2), (2, 1), (1, 2)])
def test_the_last_convolution_is_that_of_the_stretched_map(stride: tuple[int, int]) -> None:
    quick = _StretchedConvolution(3, 2, stride)
    x = torch.randn(2, 3, 5, 4)
    stretched = nn.functional.interpolate(x, scale_factor=tuple(map(float, stride)))
    plain = nn.functional.conv2d(stretched, quick.convolve.weight, quick.convolve.bias, padding=2)
    torch.testing.assert_close(quick(x), plain)


@pytest.mark.parametrize("length", [64, 1000, 1024, 2048, 4096, 5001, 16_384])
def test_waveforms_of_every_length(waveform: Context, length: int) -> None:
    maker = built(wavegan, "generator", waveform(length, noise=3, channels=2))
    judge = built(wavegan, "critic", waveform(length, channels=2))
    fake = maker(torch.randn(2, 3))
    assert fake.shape == (2, 2, length)
    assert 0.01 < fake.std() < 0.6
    assert judge(fake).shape == (2,)


@pytest.mark.parametrize(
    ("length", "strides", "start"),
    [
        (1024, [4, 4, 4], 16),
        (4096, [4, 4, 4, 4], 16),
        (16_384, [4] * 5, 16),
        (32_768, [4] * 5 + [2], 16),
        (65_536, [4] * 6, 16),
        (96_000, [4] * 6, 24),
    ],
)
def test_lengths_are_factorised(length: int, strides: list[int], start: int) -> None:
    stages = Stages(length)
    assert (stages.strides, stages.start) == (strides, start)


@for_all(strategies.integers(64, 3_000_000))
def test_any_length_comes_of_16_to_32_steps(length: int) -> None:
    stages = Stages(length)
    factor = stages.full // stages.start
    assert 16 <= stages.start <= 32
    assert 0 <= stages.full - length < factor
    assert torch.tensor(stages.strides).prod() == factor


def test_the_paper_s_waveform_pair_has_its_published_size(waveform: Context) -> None:
    """Counted by hand from the paper's tables of 16,384 samples: widths 1024 to 64, 25 taps, noise of 100."""
    widths = [1024, 512, 256, 128, 64, 1]
    layers = sum(25 * c_in * c_out for c_in, c_out in pairwise(widths))
    maker = wavegan.Generator(WaveganGeneratorConfig(), waveform(16_384, noise=100))
    assert parameters(maker) == 100 * 16_384 + 16_384 + layers + sum(widths[1:])
    judge = wavegan.Critic(WaveganCriticConfig(), waveform(16_384))
    assert parameters(judge) == layers + sum(widths[:-1]) + 16_384 + 1


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("options", [{"upsample": "nearest"}, {"norm": "batch"}, {"post_filter": 31}, {"hidden": 5}])
@pytest.mark.parametrize("names", [(), ("word", "text")])
def test_every_option_of_a_waveform_generator(
    waveform: Context, given: Given, options: dict[str, object], names: tuple[str, ...]
) -> None:
    maker = built(wavegan, "generator", waveform(260, *names, noise=3), **options)
    fake = maker(torch.randn(3, 3), **given(3, *names))
    assert fake.shape == (3, 1, 260)
    fake.square().mean().backward()
    idle = {name for name, weight in maker.named_parameters() if weight.grad is None or not weight.grad.any()}
    # What scales and shifts starts at zero, and hides what it is told until it has moved.
    assert not {name for name in idle if not name.startswith(("norms", "conditions"))}


def test_a_post_filter_starts_as_the_sound_itself_and_is_the_same_for_all_channels() -> None:
    x = torch.randn(2, 3, 50)
    filter = PostFilter(3, 8)
    torch.testing.assert_close(filter(x), x)
    with torch.no_grad():
        filter.taps[0, 0] = torch.randn(8)
    made = filter(x)
    assert not torch.allclose(made, x)
    torch.testing.assert_close(made.flip(1), filter(x.flip(1)))


@pytest.mark.parametrize(("module", "name"), [(specgan, "spectrogram"), (wavegan, "waveform")])
@pytest.mark.parametrize("names", CHOICES)
def test_what_is_chosen_reaches_both_players(
    module: ModuleType, name: str, names: tuple[str, ...], given: Given, request: pytest.FixtureRequest
) -> None:
    """Every input changes what is made and every score, and the penalty reaches every weight of the critic."""
    make: Context = request.getfixturevalue(name)
    sizes = (16, 24) if name == "spectrogram" else (256,)
    torch.manual_seed(0)
    maker = built(module, "generator", make(*sizes, *names, noise=3), hidden=7).eval()
    judge = built(module, "critic", make(*sizes, *names), hidden=7).double()
    chosen, noise = given(3, *names), torch.randn(3, 3)
    fake = maker(noise, **chosen)
    scores = judge.eval()(fake.double(), **chosen)
    for changed in names:
        others = {**chosen, changed: chosen[changed].roll(1, 0)}
        assert not torch.allclose(fake, maker(noise, **others))
        assert not torch.allclose(scores, judge(fake.double(), **others))
    real = torch.randn_like(fake.double())
    torch.autograd.backward(GradientPenalty(10.0).penalty(judge, real, fake.double().detach(), **chosen))
    weights = {name: weight for name, weight in judge.named_parameters() if name.endswith("weight")}
    assert all(weight.grad is not None and weight.grad.any() for weight in weights.values())


@pytest.mark.parametrize(("module", "name"), [(specgan, "spectrogram"), (wavegan, "waveform")])
def test_a_critic_scores_every_sample_by_itself(
    module: ModuleType, name: str, given: Given, request: pytest.FixtureRequest
) -> None:
    sizes = (16, 24) if name == "spectrogram" else (256,)
    judge = built(module, "critic", request.getfixturevalue(name)(*sizes, "word", "text")).eval()
    x, chosen = torch.randn(4, 1, *sizes), given(4, "word", "text")
    alone = [
        judge(x[row : row + 1], **{name: value[row : row + 1] for name, value in chosen.items()}) for row in range(4)
    ]
    torch.testing.assert_close(judge(x, **chosen), torch.cat(alone), rtol=1e-4, atol=1e-5)
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in judge.modules())


def test_scales_and_shifts_start_as_the_norm_alone() -> None:
    film = Film(nn.BatchNorm1d(4, affine=False), 4, 3)
    film.reset()
    x = torch.randn(5, 4, 7)
    torch.testing.assert_close(film(x, torch.randn(5, 3)), nn.BatchNorm1d(4, affine=False)(x))


@settings(suppress_health_check=[HealthCheck.too_slow])
@for_all(strategies.integers(1, 4), strategies.integers(0, 10_000))
def test_phase_shuffle_is_a_shift_with_reflected_ends(most: int, seed: int) -> None:
    x = torch.arange(11.0).expand(2, 3, 11)
    torch.manual_seed(seed)
    made = PhaseShuffle(most)(x)
    padded = nn.functional.pad(x, (most, most), mode="reflect")
    shifts = [shift for shift in range(2 * most + 1) if torch.equal(made, padded[:, :, shift : shift + 11])]
    assert len(shifts) == 1
    torch.manual_seed(seed)
    assert torch.equal(made, PhaseShuffle(most)(x))
    assert torch.equal(PhaseShuffle(most).eval()(x), x)


def test_every_shift_comes_equally_often() -> None:
    torch.manual_seed(0)
    shuffle, x = PhaseShuffle(2), torch.arange(9.0)[None, None]
    middles = torch.tensor([shuffle(x)[0, 0, 4].item() for _ in range(2000)])
    counts = middles.long().bincount(minlength=7)[2:]
    assert counts.sum() == 2000
    assert (counts > 320).all()  # 400 expected, deviation 18


def test_the_penalty_differentiates_through_a_shift(waveform: Context) -> None:
    judge = built(wavegan, "critic", waveform(256), phase_shuffle=2).train().double()
    real, fake = torch.randn(2, 3, 1, 256, dtype=torch.float64)
    torch.autograd.backward(GradientPenalty(10.0).penalty(judge, real, fake))
    assert all(weight.grad is not None for name, weight in judge.named_parameters() if name.endswith("weight"))


REFUSED: dict[str, tuple[Any, ...]] = {
    "other axes": (
        specgan, "generator", {"axes": ("channel", "time"), "shape": (1, 256)}, {}, (3,),
        "the specgan generator works on spectrograms (channel, frequency, frame), not on channel 1 x time 256: "
        "set task.representation=linear, or use wavegan for waveforms",
    ),
    "spectrograms for waves": (
        wavegan, "critic", {"axes": ("channel", "frequency", "frame"), "shape": (1, 64, 64)}, {}, (),
        "the wavegan critic works on waveforms (channel, time), not on channel 1 x frequency 64 x frame 64: "
        "set task.representation=waveform, or use specgan for spectrograms",
    ),
    "any length": (
        wavegan, "generator", {"axes": ("channel", "time"), "shape": (1, None)}, {}, (3,),
        "the wavegan generator is built for sounds of one length: set dataset.length",
    ),
    "any number of frames": (
        specgan, "critic", {"axes": ("channel", "frequency", "frame"), "shape": (1, 64, None)}, {}, (),
        "the specgan critic is built for sounds of one length: set dataset.length",
    ),
    "too short": (
        wavegan, "critic", {"axes": ("channel", "time"), "shape": (1, 63)}, {}, (),
        "the wavegan critic needs 64 samples at least, not 63: set dataset.length",
    ),
    "too small": (
        specgan, "critic", {"axes": ("channel", "frequency", "frame"), "shape": (1, 7, 5)}, {}, (),
        "the specgan critic needs 8 bins or 8 frames at least, not 7 x 5",
    ),
    "no noise": (
        specgan, "generator", {"axes": ("channel", "frequency", "frame"), "shape": (1, 64, 64)}, {}, (),
        "the specgan generator makes samples of a vector of noise, and has none here: set generator.noise to a number",
    ),
    "a map of noise": (
        wavegan, "generator", {"axes": ("channel", "time"), "shape": (1, 256)}, {}, (3, 4),
        "the wavegan generator makes samples of a vector of noise, not noise of the shape (3, 4): "
        "set generator.noise to a number",
    ),
    "a source": (
        wavegan, "generator", {"axes": ("channel", "time"), "shape": (1, 256)},
        {"source": SampleFormat(axes=("channel", "time"), shape=(1, 256))}, (3,),
        "the wavegan generator takes labels, numbers and texts, and this task gives it source; "
        "it is made for task.name=generate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_network_does_not_fit_is_refused(case: str) -> None:
    module, role, sample, inputs, noise, message = REFUSED[case]
    context = BuildContext(sample=SampleFormat(**sample), noise=noise, inputs=inputs)
    with pytest.raises(ConfigError) as refusal:
        built(module, role, context)
    assert str(refusal.value) == message
