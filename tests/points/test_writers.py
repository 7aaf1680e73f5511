"""Files that read back, and pictures that show what they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from wganx_points.writers import FAKE, PATH, preview_points, write_points

from wganx import Batch, SampleFormat

PLANE = SampleFormat(axes=("coordinate",), shape=(2,), value_range=None)


def colours_in(path: Path) -> set[tuple[int, int, int]]:
    with Image.open(path) as picture:
        assert picture.size == (720, 720)
        return {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=720 * 720)}  # type: ignore[misc, union-attr]


def cloud(count: int, dimension: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed))


def test_points_read_back_exactly_from_both_files(tmp_path: Path) -> None:
    samples = cloud(7, 3)
    table, array = write_points(samples, PLANE, tmp_path / "new", "points")
    assert (table.name, array.name) == ("points.csv", "points.npy")
    np.testing.assert_array_equal(np.load(array), samples.numpy())
    assert table.read_text(encoding="utf-8").splitlines()[0] == "x0,x1,x2"
    np.testing.assert_array_equal(np.loadtxt(table, delimiter=",", skiprows=1, dtype=np.float32), samples.numpy())


@pytest.mark.parametrize("dimension", [1, 2, 3, 10])
def test_previews_show_real_and_made_points_in_any_dimension(tmp_path: Path, dimension: int) -> None:
    format = SampleFormat(axes=("coordinate",), shape=(dimension,), value_range=None)
    path = preview_points(cloud(50, dimension), Batch(cloud(50, dimension, seed=1)), format, tmp_path, "step")
    assert path == tmp_path / "step.png"
    assert FAKE in colours_in(path)


def test_labels_colour_the_points(tmp_path: Path) -> None:
    format = SampleFormat(axes=("coordinate",), shape=(2,), value_range=None, classes=("a", "b"))
    real, label = cloud(40, 2), torch.arange(40) % 2
    one = preview_points(real, Batch(real, {"label": label * 0}), format, tmp_path, "one")
    two = preview_points(real, Batch(real, {"label": label}), format, tmp_path, "two")
    added = colours_in(two) - colours_in(one)
    assert any(blue > 150 and red < 60 for red, _, blue in added) or any(
        green > 150 and red < 60 for red, green, _ in added
    )


def test_translations_are_drawn_as_lines_from_their_source(tmp_path: Path) -> None:
    real, source = cloud(30, 2), cloud(30, 2, seed=2)
    path = preview_points(real, Batch(real, {"source": source}), PLANE, tmp_path, "moved")
    plain = preview_points(real, Batch(real), PLANE, tmp_path, "plain")
    red, green, blue = PATH

    def close(colours: set[tuple[int, int, int]]) -> int:
        return sum(abs(r - red) + abs(g - green) + abs(b - blue) < 12 for r, g, b in colours)

    assert close(colours_in(path)) > close(colours_in(plain))


def test_a_point_lies_where_the_axes_say(tmp_path: Path) -> None:
    """Held-out points at the corners of a square: the made one in its middle is in the middle of the box."""
    corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    path = preview_points(torch.tensor([[0.0, 0.0]] * 4), Batch(corners), PLANE, tmp_path, "middle")
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    rows, columns = np.nonzero(np.abs(pixels - FAKE).sum(axis=2) < 6)
    below_legend = rows > 60
    assert rows[below_legend].mean() == pytest.approx((40 + 720 - 36) / 2, abs=1.5)
    assert columns[below_legend].mean() == pytest.approx((54 + 720 - 16) / 2, abs=1.5)


def test_points_beyond_the_frame_are_left_out_and_counted(tmp_path: Path) -> None:
    real = cloud(30, 2)
    far = preview_points(real + 100, Batch(real), PLANE, tmp_path, "far")
    pixels = np.asarray(Image.open(far).convert("RGB")).astype(int)
    shown = np.abs(pixels - FAKE).sum(axis=2) < 6
    assert not shown[60:].any()
    near = preview_points(real, Batch(real), PLANE, tmp_path, "near")
    legends = [np.asarray(Image.open(path).convert("L"))[:36] for path in (far, near)]
    assert (legends[0] < 128).sum() > (legends[1] < 128).sum()


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_a_cloud_of_one_place_has_a_picture(tmp_path: Path, dimension: int) -> None:
    format = SampleFormat(axes=("coordinate",), shape=(dimension,), value_range=None)
    same = torch.full((5, dimension), 1e6)
    path = preview_points(same, Batch(same), format, tmp_path, "one")
    assert FAKE in colours_in(path)
