"""Pictures of any size through a translator: no seams, any channels, and translators of one size alone."""

from __future__ import annotations

import pytest
import torch
from wganx_image.configs.networks import TranslatorGeneratorConfig
from wganx_image.networks.translator import Translator
from wganx_image.tasks.whole_pictures import PictureNetwork, translate_file

from wganx import BuildContext, SampleFormat, UsageError, WganxError


def sample(channels: int = 3, size: int | None = 32) -> SampleFormat:
    return SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size))


def picture(height: int, width: int, channels: int = 3) -> torch.Tensor:
    return torch.rand(channels, height, width, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


class Written:
    """A source, and the sink of what is made of it."""

    def __init__(self, pixels_CHW: torch.Tensor) -> None:
        self.pixels, self.expected, self.rows = pixels_CHW, None, []
        channels, self.length, width = pixels_CHW.shape
        self.format = SampleFormat(
            axes=("channel", "height", "width"), shape=(channels, None, width), value_range=(0, 255)
        )

    def read(self, start, count):
        return self.pixels[:, start : start + count]

    def expect(self, format):
        self.expected = format

    def write(self, chunk):
        self.rows.append(chunk)

    def close(self):
        pass


@pytest.fixture
def make():
    torch.manual_seed(0)
    label = SampleFormat.label(("a", "b"))
    network = Translator(
        TranslatorGeneratorConfig(width=4, blocks=2, embedding=4),
        BuildContext(sample=sample(), inputs={"source": sample(), "label": label}),
    )
    torch.nn.init.normal_(network.last.weight, std=0.1)
    calls = []

    def make(context, /, *, draw=None):
        calls.append(tuple(context["source"].shape))
        with torch.no_grad():
            return network(**context, label=torch.zeros(len(context["source"]), dtype=torch.long))

    make.calls = calls
    return make


@pytest.mark.parametrize(("height", "width"), [(300, 420), (650, 130)])
def test_tiles_leave_no_seams(make, height, width):
    shown = picture(height, width)
    whole = PictureNetwork(make, sample())(shown)
    make.calls.clear()
    tiled = PictureNetwork(make, sample(), pixels=264 * 264)(shown)
    assert tiled.shape == whole.shape == shown.shape
    assert all(rows * high * wide <= 264 * 264 for rows, _, high, wide in make.calls[1:])
    assert len(make.calls) > 2
    assert (tiled - whole).abs().max() < 0.01 * (whole - shown).abs().max()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 90), (31, 33)])
def test_small_and_odd_pictures_keep_their_size(make, height, width):
    assert PictureNetwork(make, sample())(picture(height, width)).shape == (3, height, width)


@pytest.mark.parametrize(("height", "width"), [(20, 32), (32, 100), (75, 64)])
def test_a_translator_of_one_size_is_given_that_size(height, width):
    shapes = []

    def fixed(context, /, *, draw=None):
        if context["source"].shape[2:] != (32, 32):
            raise RuntimeError("shape mismatch")
        shapes.append(context["source"].shape)
        return -context["source"]

    shown = picture(height, width)
    torch.testing.assert_close(PictureNetwork(fixed, sample())(shown), -shown)
    assert shapes


def test_a_picture_goes_in_and_out_as_it_is_stored():
    file = Written((picture(9, 14) * 100 + 100).round())
    translate_file(file, lambda context, draw: -context["source"], file, sample())
    torch.testing.assert_close(torch.cat(file.rows, 1), 255 - file.pixels)
    assert file.expected is None


@pytest.mark.parametrize(("height", "width"), [(60, 90), (90, 60), (60, 60)])
def test_a_large_picture_takes_the_change_of_a_copy_and_keeps_its_details(height, width):
    sizes = []

    def darker(context, /, *, draw=None):
        sizes.append(min(context["source"].shape[2:]))
        return context["source"] - 0.1

    pixels = (picture(height, width) * 100 + 127).round()
    file = Written(pixels)
    translate_file(file, darker, file, sample(), seen_at=20)
    torch.testing.assert_close(torch.cat(file.rows, 1), pixels - 12.75, atol=1e-3, rtol=0)
    assert sizes[-1] <= 24  # 20, padded to a multiple of 8


def test_a_picture_that_is_no_larger_than_the_copy_is_seen_itself():
    file = Written((picture(20, 40) * 100 + 127).round())
    translate_file(file, lambda context, draw: -context["source"], file, sample(), seen_at=20)
    torch.testing.assert_close(torch.cat(file.rows, 1), 255 - file.pixels)


@pytest.mark.parametrize(("own", "trained"), [(1, 3), (3, 1)])
def test_grey_pictures_are_coloured_and_coloured_ones_become_grey(own, trained):
    file = Written(torch.full((own, 6, 8), 51.0))
    translate_file(file, lambda context, draw: context["source"], file, sample(trained))
    assert file.expected.shape == (trained, None, 8)
    torch.testing.assert_close(torch.cat(file.rows, 1), torch.full((trained, 6, 8), 51.0))


def test_memory_that_runs_out_makes_smaller_tiles():
    largest = []

    def small(context, /, *, draw=None):
        if context["source"].numel() > 3 * 100 * 100:
            raise torch.OutOfMemoryError
        largest.append(context["source"].numel())
        return context["source"]

    shown = picture(200, 200)
    torch.testing.assert_close(PictureNetwork(small, sample(size=None))(shown), shown)
    assert max(largest) <= 3 * 100 * 100


def test_what_cannot_be_translated_is_told():
    file = Written(picture(8, 8))
    with pytest.raises(UsageError, match="1 or 3 channels, and this translator makes 2"):
        translate_file(file, lambda context, draw: context["source"], file, sample(2))
    with pytest.raises(WganxError, match=r"no numbers.*--checkpoint STEP or best"):
        translate_file(file, lambda context, draw: context["source"] * float("nan"), file, sample())
