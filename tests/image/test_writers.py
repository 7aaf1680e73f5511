"""What the writers put on disk, read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from wganx_image.writers import preview_pictures, write_pictures

from wganx import Batch, DataError, SampleFormat


def format_of(channels: int, size: int, value_range: tuple[float, float] | None = (-1.0, 1.0)) -> SampleFormat:
    return SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size), value_range=value_range)


def grid(samples: torch.Tensor, format: SampleFormat) -> torch.Tensor:
    """The preview's picture ``(H, W, 3)``."""
    preview = preview_pictures(samples, Batch(samples[:0]), format, Path("nowhere"), "step")
    assert preview.files == ()
    return preview.picture.permute(1, 2, 0)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_every_byte_survives_writing(tmp_path: Path, channels: int, mode: str) -> None:
    pixels = torch.randint(0, 256, (3, channels, 16, 16), dtype=torch.uint8)
    pixels[0, 0].flatten()[:] = 0
    pixels[0, 0] = torch.arange(256, dtype=torch.uint8).view(16, 16)
    paths = write_pictures(Batch(pixels / 127.5 - 1), format_of(channels, 16), tmp_path, "sample")
    assert [path.name for path in paths] == ["sample-0000.png", "sample-0001.png", "sample-0002.png"]
    for path, expected in zip(paths, pixels):
        with Image.open(path) as picture:
            assert picture.mode == mode
            seen = np.asarray(picture).reshape(16, 16, channels)
        assert np.array_equal(seen, expected.permute(1, 2, 0).numpy())


def test_other_ranges_are_scaled_and_what_lies_outside_is_cut(tmp_path: Path) -> None:
    sample = torch.tensor([-3.0, 0.0, 5.0, 10.0]).view(1, 1, 2, 2)
    (path,) = write_pictures(Batch(sample), format_of(1, 2, value_range=(0.0, 10.0)), tmp_path, "x")
    with Image.open(path) as picture:
        assert np.asarray(picture).tolist() == [[0, 0], [128, 255]]


@pytest.mark.parametrize(
    ("rows", "size", "columns", "factor"),
    [(64, 16, 8, 4), (64, 64, 8, 1), (10, 16, 4, 8), (2, 128, 2, 2)],
)
def test_the_grid_is_large_enough_to_see(rows: int, size: int, columns: int, factor: int) -> None:
    samples = torch.rand(rows, 1, size, size) * 2 - 1
    height, width, _ = grid(samples, format_of(1, size)).shape
    lines = -(-rows // columns)
    cell = size * factor + 2
    assert (width, height) == (columns * cell + 2, lines * cell + 2)
    assert width >= 512


def test_a_single_sample_fills_the_picture() -> None:
    assert grid(torch.zeros(1, 3, 32, 32), format_of(3, 32)).shape == (512, 512, 3)


def test_a_sample_stands_enlarged_in_its_cell() -> None:
    samples = torch.zeros(4, 3, 16, 16)
    samples[3, :, 5, 7] = torch.tensor([1.0, -1.0, 1.0])
    pixels = grid(samples, format_of(3, 16)).numpy()
    cell, factor = 16 * 16 + 2, 16
    top, left = cell + 2 + 5 * factor, cell + 2 + 7 * factor
    assert (pixels[top : top + factor, left : left + factor] == [255, 0, 255]).all()
    assert (pixels == [255, 0, 255]).all(axis=2).sum() == factor**2


def test_other_channel_counts_are_refused(tmp_path: Path) -> None:
    message = "a picture is written with 1 or 3 channels, and these samples have 4"
    with pytest.raises(DataError, match=message):
        write_pictures(Batch(torch.zeros(1, 4, 8, 8)), format_of(4, 8), tmp_path, "x")
    with pytest.raises(DataError, match=message):
        grid(torch.zeros(1, 4, 8, 8), format_of(4, 8))


def test_samples_may_carry_a_graph_and_half_precision(tmp_path: Path) -> None:
    samples = torch.ones(1, 1, 8, 8, dtype=torch.bfloat16, requires_grad=True)
    (path,) = write_pictures(Batch(samples), format_of(1, 8), tmp_path, "x")
    with Image.open(path) as picture:
        assert np.asarray(picture).min() == 255
