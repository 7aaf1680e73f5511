"""Files that read back, and pictures that show what they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from wganx_points.writers import FAKE, PATH, preview_points, write_points

from wganx import Batch, SampleFormat

PLANE = SampleFormat(axes=("coordinate",), shape=(2,), value_range=None)


def pixels_of(samples: torch.Tensor, reference: Batch, format: SampleFormat = PLANE) -> np.ndarray:
    """The preview ``(H, W, 3)``."""
    preview = preview_points(samples, reference, format, Path("nowhere"), "step")
    assert preview.picture.shape == (3, 720, 720)
    assert preview.picture.dtype == torch.uint8
    assert preview.files == ()
    return preview.picture.permute(1, 2, 0).numpy().astype(int)


def colours_in(pixels: np.ndarray) -> set[tuple[int, int, int]]:
    return set(map(tuple, pixels.reshape(-1, 3).tolist()))


def cloud(count: int, dimension: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed))


def test_points_read_back_exactly_from_both_files(tmp_path: Path) -> None:
    samples = cloud(7, 3)
    table, array = write_points(Batch(samples), PLANE, tmp_path, "points")
    assert (table.name, array.name) == ("points.csv", "points.npy")
    np.testing.assert_array_equal(np.load(array), samples.numpy())
    assert table.read_text(encoding="utf-8").splitlines()[0] == "x0,x1,x2"
    np.testing.assert_array_equal(np.loadtxt(table, delimiter=",", skiprows=1, dtype=np.float32), samples.numpy())


@pytest.mark.parametrize("dimension", [1, 2, 3, 10])
def test_previews_show_real_and_made_points_in_any_dimension(dimension: int) -> None:
    format = SampleFormat(axes=("coordinate",), shape=(dimension,), value_range=None)
    assert FAKE in colours_in(pixels_of(cloud(50, dimension), Batch(cloud(50, dimension, seed=1)), format))


def test_held_out_points_alone_are_not_called_generated() -> None:
    real = cloud(40, 2)
    assert FAKE not in colours_in(pixels_of(real, Batch(real)))


def test_without_data_there_is_a_picture_of_what_was_made() -> None:
    assert FAKE in colours_in(pixels_of(cloud(40, 2), Batch(torch.empty(0, 2))))


@pytest.mark.parametrize("signal", [{}, {"classes": 2}])
def test_labels_colour_the_points(signal: dict[str, int]) -> None:
    format = SampleFormat(axes=("coordinate",), shape=(2,), value_range=None, signal=signal)
    real, label = cloud(40, 2), torch.arange(40) % 2
    one = pixels_of(real + 0.01, Batch(real, {"label": label * 0}), format)
    two = pixels_of(real + 0.01, Batch(real, {"label": label}), format)
    added = colours_in(two) - colours_in(one)
    assert any(blue > 150 and red < 60 for red, _, blue in added) or any(
        green > 150 and red < 60 for red, green, _ in added
    )


def test_translations_are_drawn_as_lines_from_their_source() -> None:
    real, source = cloud(30, 2), cloud(30, 2, seed=2)
    moved = pixels_of(real + 0.01, Batch(real, {"source": source}))
    plain = pixels_of(real + 0.01, Batch(real))
    red, green, blue = PATH

    def close(colours: set[tuple[int, int, int]]) -> int:
        return sum(abs(r - red) + abs(g - green) + abs(b - blue) < 12 for r, g, b in colours)

    assert close(colours_in(moved)) > close(colours_in(plain))


def test_a_point_lies_where_the_axes_say() -> None:
    """Held-out points at the corners of a square: the made one in its middle is in the middle of the box."""
    corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    pixels = pixels_of(torch.tensor([[0.0, 0.0]] * 4), Batch(corners))
    rows, columns = np.nonzero(np.abs(pixels - FAKE).sum(axis=2) < 6)
    below_legend = rows > 60
    assert rows[below_legend].mean() == pytest.approx((40 + 720 - 36) / 2, abs=1.5)
    assert columns[below_legend].mean() == pytest.approx((54 + 720 - 16) / 2, abs=1.5)


def test_points_beyond_the_frame_are_left_out_and_counted() -> None:
    real = cloud(30, 2)
    far = pixels_of(real + 100, Batch(real))
    assert not (np.abs(far - FAKE).sum(axis=2) < 6)[60:].any()
    near = pixels_of(real + 0.01, Batch(real))
    legends = [pixels[:36].mean(axis=2) for pixels in (far, near)]
    assert (legends[0] < 128).sum() > (legends[1] < 128).sum()


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_a_cloud_of_one_place_has_a_picture(dimension: int) -> None:
    format = SampleFormat(axes=("coordinate",), shape=(dimension,), value_range=None)
    same = torch.full((5, dimension), 1e6)
    assert FAKE in colours_in(pixels_of(same, Batch(same.roll(1, 0)[:4]), format))
