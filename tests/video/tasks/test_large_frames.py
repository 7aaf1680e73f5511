"""Frames of any size and number of channels through generators: tiles make what the whole would."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from wganx_video.tasks.large_frames import FrameNetwork

from wganx import SampleFormat, UsageError, WganxError

AXES = ("frame", "channel", "height", "width")
LEVEL = 1 / 255


def given_format(frames=3, channels=3, height=None, width=None) -> SampleFormat:
    return SampleFormat(axes=AXES, shape=(frames, channels, height, width), value_range=(0.0, 1.0))


def film_format(window_TCHW: Tensor) -> SampleFormat:
    return SampleFormat(axes=AXES, shape=(None, *window_TCHW.shape[1:]), value_range=(0.0, 255.0))


def drawn(frames=3, channels=3, height=100, width=150, seed=0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (frames, channels, height, width), generator=rng, dtype=torch.uint8)


class Blur:
    """A generator that knows nothing of where it is: means over squares, and the mean of the frames; enlarged."""

    def __init__(self, radius: int = 0, scale: int = 1) -> None:
        self.radius, self.scale = radius, scale
        self.shapes: list[tuple[int, ...]] = []
        self.draws: list[int | None] = []

    def __call__(self, context, *, draw=None):
        clip_NTCHW = context["low"]
        self.shapes.append(tuple(clip_NTCHW.shape))
        self.draws.append(draw)
        assert clip_NTCHW.min() >= 0
        assert clip_NTCHW.max() <= 1
        mean = clip_NTCHW.mean(1, keepdim=True) / 2 + clip_NTCHW / 2
        flat = mean.flatten(0, 1)
        flat = F.avg_pool2d(flat, 2 * self.radius + 1, 1, self.radius, count_include_pad=False)
        flat = F.interpolate(flat, scale_factor=self.scale, mode="nearest")
        return flat.unflatten(0, mean.shape[:2])


def through(make, window, **options) -> Tensor:
    options = {"trained": given_format(len(window), window.shape[1]), "scale": 1, **options}
    return FrameNetwork(make, "low", film=film_format(window), **options)(window)


@pytest.mark.parametrize(("radius", "tile"), [(0, 16), (2, 32), (4, 64), (8, 128)])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_tiles_of_a_generator_that_knows_no_place_are_what_the_whole_frame_gives(radius, tile, scale):
    window = drawn(height=171, width=203)
    whole = through(Blur(radius, scale), window, scale=scale)
    tiled_by = Blur(radius, scale)
    tiled = through(tiled_by, window, scale=scale, tile=tile)
    assert tiled.shape == whole.shape == (3, 3, 171 * scale, 203 * scale)
    assert max(shape[-1] for shape in tiled_by.shapes) == tile
    assert (tiled - whole).abs().max() < LEVEL


def test_squares_that_are_folded_into_channels_are_the_same_in_every_tile():
    """A network of squares of 8 pixels is none that knows no place: only whole squares may be moved."""

    def make(context, *, draw=None):
        clip = context["low"]
        return F.interpolate(F.avg_pool2d(clip.flatten(0, 1), 8), scale_factor=8).unflatten(0, clip.shape[:2])

    window = drawn(height=120, width=216)
    assert (through(make, window, tile=40) - through(make, window)).abs().max() < LEVEL


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
def test_any_height_and_width_comes_back_as_it_is(height, width):
    window = drawn(2, 1, height, width)
    unchanged = through(lambda context, *, draw=None: context["low"], window, tile=24)
    assert (unchanged - window / 255).abs().max() < LEVEL / 2


def test_one_noise_is_drawn_for_all_tiles():
    make = Blur()
    window = drawn(height=300, width=300)
    network = FrameNetwork(make, "low", given_format(), film=film_format(window), tile=32)
    network(window, draw=4)
    assert set(make.draws) == {4}
    assert len(make.draws) > 1


def test_a_generator_of_one_size_is_given_tiles_of_it():
    made = []

    def make(context, *, draw=None):
        clip = context["low"]
        if clip.shape[-2:] != (20, 28):
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        made.append(len(clip))
        return clip

    window = drawn(height=50, width=90)
    unchanged = through(make, window, trained=given_format(3, 3, 20, 28))
    assert (unchanged - window / 255).abs().max() < LEVEL / 2
    assert max(made) > 1, "small tiles go through together"
    small = drawn(height=9, width=11)
    assert (through(make, small, trained=given_format(3, 3, 20, 28)) - small / 255).abs().max() < LEVEL / 2
    with pytest.raises(UsageError, match="takes 28 x 20 pixels alone, and its tiles have that size; leave tile out"):
        through(make, window, trained=given_format(3, 3, 20, 28), tile=32)


def test_a_generator_that_takes_other_sizes_than_the_training_s_is_given_whole_frames():
    make = Blur()
    window = drawn(height=48, width=96)
    through(make, window, trained=given_format(3, 3, 16, 16))
    assert make.shapes[-1] == (1, 3, 3, 48, 96)


def test_a_grey_generator_is_given_each_channel_by_itself():
    make = Blur()
    window = drawn(channels=4, height=16, width=16)
    made = through(make, window, trained=given_format(3, 1))
    assert made.shape == window.shape
    assert make.shapes == [(1, 3, 1, 16, 16)] * 4
    assert (made - through(Blur(), window)).abs().max() < LEVEL


@pytest.mark.parametrize(("channels", "groups"), [(1, [0, 0, 0]), (2, [0, 0, 0, 1, 1, 1]), (4, [0, 1, 2, 3, 3, 3])])
def test_a_generator_of_colours_is_given_grey_and_alpha_three_times(channels, groups):
    seen = []

    def make(context, *, draw=None):
        seen.append(context["low"][0, 0, :, 0, 0])
        return context["low"]

    window = drawn(channels=channels, height=16, width=16)
    made = through(make, window, trained=given_format(3, 3))
    assert (made - window / 255).abs().max() < LEVEL / 2
    assert torch.equal((torch.cat(seen) * 255).round(), window[0, :, 0, 0].float()[groups])


@pytest.mark.parametrize(("trained", "channels"), [(3, 5), (2, 3), (4, 3)])
def test_other_channels_are_refused_with_both_numbers(trained, channels):
    with pytest.raises(UsageError, match=f"trained on films of {trained} channels, and this one has {channels}; bring"):
        through(Blur(), drawn(channels=channels), trained=given_format(3, trained))


def test_where_memory_does_not_do_tiles_are_smaller_from_then_on():
    sizes = []

    def make(context, *, draw=None):
        sizes.append(context["low"].shape[-1])
        if context["low"].shape[-1] > 200:
            raise torch.OutOfMemoryError("no memory")
        return context["low"]

    window = drawn(1, 1, 400, 400)
    network = FrameNetwork(make, "low", given_format(1, 1), film=film_format(window))
    assert (network(window) - window / 255).abs().max() < LEVEL / 2
    tried = len(sizes)
    network(window)
    assert max(sizes[tried:]) <= 200, "it does not try in vain again"


def test_a_tile_that_was_asked_for_is_not_made_smaller():
    def make(context, *, draw=None):
        raise torch.OutOfMemoryError("no memory")

    with pytest.raises(torch.OutOfMemoryError):
        through(make, drawn(), tile=64)


def test_a_generator_that_went_wrong_makes_no_film():
    with pytest.raises(WganxError, match=r"values that are no numbers.*--checkpoint STEP or best"):
        through(lambda context, *, draw=None: context["low"] / 0, drawn())


def test_large_frames_are_cut_where_nothing_is_said():
    make = Blur()
    window = drawn(1, 1, 600, 1000)
    through(make, window, trained=given_format(1, 1))
    assert max(shape[-1] * shape[-2] for shape in make.shapes) <= 512**2
