"""A person's own points, from files as people write them, and every way in which they can be wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from wganx_points.configs import FolderConfig
from wganx_points.folder import open_folder, probe

from wganx import DataContext, DataError

POINTS = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)


def rows_of(root: Path, seed: int = 0, heldout: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    config = FolderConfig(root=root, heldout=heldout)
    train, held = (
        open_folder(config, split, DataContext(seed=seed)).tensors["sample"].numpy() for split in ("train", "heldout")
    )
    return train, held


def sorted_rows(*parts: np.ndarray) -> np.ndarray:
    together = np.concatenate(parts)
    return together[np.lexsort(together.T)]


@pytest.mark.parametrize("header", ["", "x,y,z"])
def test_csv_with_and_without_a_header(tmp_path: Path, header: str) -> None:
    np.savetxt(tmp_path / "a.csv", POINTS, delimiter=",", header=header, comments="", fmt="%.9g")
    train, held = rows_of(tmp_path / "a.csv")
    assert (len(train), len(held)) == (30, 10)
    np.testing.assert_array_equal(sorted_rows(train, held), sorted_rows(POINTS))


def test_a_folder_and_its_archive_hold_the_same_rows(tmp_path: Path) -> None:
    folder = tmp_path / "points"
    folder.mkdir()
    np.save(folder / "a.npy", POINTS[:15])
    np.savetxt(folder / "b.csv", POINTS[15:], delimiter=",", fmt="%.9g")
    with zipfile.ZipFile(tmp_path / "points.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"points/{file.name}")
    for root in (folder, tmp_path / "points.zip"):
        np.testing.assert_array_equal(sorted_rows(*rows_of(root)), sorted_rows(POINTS))


def test_the_seed_draws_the_split(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)
    np.testing.assert_array_equal(rows_of(tmp_path, seed=1)[1], rows_of(tmp_path, seed=1)[1])
    assert not np.array_equal(rows_of(tmp_path, seed=1)[1], rows_of(tmp_path, seed=2)[1])


def test_two_points_give_one_to_each_split(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS[:2])
    assert [len(part) for part in rows_of(tmp_path, heldout=0.01)] == [1, 1]
    assert [len(part) for part in rows_of(tmp_path, heldout=0.99)] == [1, 1]


def test_split_folders_and_class_folders(tmp_path: Path) -> None:
    for split, start in (("train", 0), ("test", 20)):
        for label, shift in (("left", 0), ("right", 5)):
            (tmp_path / split / label).mkdir(parents=True)
            np.save(tmp_path / split / label / "a.npy", POINTS[start + shift : start + shift + 5])
    items = open_folder(FolderConfig(root=tmp_path), "heldout", DataContext())
    assert items.formats["label"].classes == ("left", "right")
    for index in range(10):
        np.testing.assert_array_equal(items[index]["sample"].numpy(), POINTS[20 + index])
        assert items[index]["label"] == index // 5


def test_class_folders_without_split_folders(tmp_path: Path) -> None:
    for label, value in (("one", 1.0), ("two", 2.0)):
        (tmp_path / label).mkdir()
        np.save(tmp_path / label / "a.npy", np.full((20, 2), value))
    for split in ("train", "heldout"):
        items = open_folder(FolderConfig(root=tmp_path), split, DataContext())
        for index in range(len(items)):
            assert items[index]["sample"][0] == items[index]["label"] + 1


def test_probe_tells_dimension_and_count(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)
    with (tmp_path / "a.npy").open("rb") as file:
        assert probe(file, "a.npy") == {"dimension": "3", "points": "40"}


def test_a_row_that_is_not_finite_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)
    (tmp_path / "b.csv").write_text("x,y,z\n1,2,3\n4,nan,1e99\n", encoding="utf-8")
    items = open_folder(FolderConfig(root=tmp_path), "train", DataContext())
    held = open_folder(FolderConfig(root=tmp_path), "heldout", DataContext())
    broken = [name for part in (items, held) for row, name in enumerate(map(part.name, range(len(part))))
              if not np.isfinite(part[row]["sample"].numpy()).all()]  # fmt: skip
    assert broken == ["b.csv, row 1 (counted from 0)"]
    with (tmp_path / "b.csv").open("rb") as file, pytest.raises(DataError, match=r"b\.csv: row 1 \(counted from 0\)"):
        probe(file, "b.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2\n3,4,5\n", r"a\.csv holds no points: line 2 has 3 numbers, those before it 2"),
        ("x,y\n1,2\n3,four\n", r"a\.csv holds no points: line 3: could not convert string to float: 'four'"),
        ("x,y\n", r"a\.csv holds float64 values of shape \(0,\); points are numbers of shape \(points, coordinates\)"),
        ("", r"a\.csv holds float64 values of shape \(0,\)"),
        ("1,2\n", r"holds a single point; one to train on and one to hold out are needed"),
    ],
)
def test_csv_that_holds_no_points(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        open_folder(FolderConfig(root=tmp_path / "a.csv"), "train", DataContext())


def test_csv_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"a\.csv holds no points: .*utf-8"):
        open_folder(FolderConfig(root=tmp_path), "train", DataContext())


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4), r"a\.npy holds float64 values of shape \(4,\)"),
        (np.array([["a"]]), r"a\.npy holds <U1 values, and numbers of at most 64 bit are wanted"),
    ],
)
def test_npy_that_holds_no_points(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=message):
        open_folder(FolderConfig(root=tmp_path), "train", DataContext())


def test_pickled_and_torn_npy_are_never_executed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy holds object values, and numbers"):
        open_folder(FolderConfig(root=tmp_path), "train", DataContext())
    np.save(tmp_path / "a.npy", POINTS)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:200])
    with pytest.raises(DataError, match=r"a\.npy is cut short: 480 bytes of float32 values of shape \(40, 3\)"):
        open_folder(FolderConfig(root=tmp_path), "train", DataContext())


def test_files_of_different_dimension(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)
    np.save(tmp_path / "b.npy", POINTS[:, :2])
    with pytest.raises(DataError, match=r"b\.npy has 2 coordinates a point and a\.npy has 3; all files"):
        open_folder(FolderConfig(root=tmp_path), "train", DataContext())


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        open_folder(FolderConfig(root=tmp_path / "nowhere"), "train", DataContext())
    with pytest.raises(DataError, match=r"\.csv"):
        open_folder(FolderConfig(root=tmp_path), "train", DataContext())


def test_a_file_beside_class_folders_is_remarked_on(tmp_path: Path) -> None:
    for path in ("left/1.npy", "right/1.npy", "stray.npy"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        np.save(tmp_path / path, POINTS)
    items = open_folder(FolderConfig(root=tmp_path), "train", DataContext())
    assert [remark.partition(",")[0] for remark in items.remarks] == ["the folders left"]
    (tmp_path / "stray.npy").unlink()
    assert not open_folder(FolderConfig(root=tmp_path), "train", DataContext()).remarks
