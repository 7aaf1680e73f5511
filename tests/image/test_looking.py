"""What is said of a folder of pictures before it is learnt from."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from wganx_image.configs.datasets import MENDS, SUFFIXES, FolderConfig
from wganx_image.datasets import looking
from wganx_image.datasets.folder import fit_folder, open_folder
from wganx_image.datasets.looking import look

from wganx import DataContext
from wganx.data import FileItems, FileTree, scan
from wganx.data.telling import found_in, remarks_on

Save = Callable[..., Path]


def looked_at(root: Path, size: int = 16) -> tuple[list[str], list[str]]:
    seen = look(FileTree(root, SUFFIXES), size)
    return list(seen.details), [*seen.remarks, *seen.remarks_on_bits]


def save_grey(path: Path, largest: int, kind: str = "PNG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.linspace(0, largest, 1024).astype(np.uint16).reshape(32, 32)).save(path, kind)


def png_of_16_bit_colours(values: NDArray[np.uint16]) -> bytes:
    """Pillow writes none."""
    height, width, _ = values.shape

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_sizes_and_turned_pictures_are_told(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "1.png", (40, 30))
    save_picture(tmp_path / "2.png", (64, 48))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (50, 50)).save(tmp_path / "3.jpg", exif=exif)
    assert looked_at(tmp_path) == (
        ["3 pictures looked at: from 40 x 30 to 64 x 48 px; 1 of them turned as the camera noted"],
        [],
    )


def test_enlargements_and_long_pictures_are_remarked_on(tmp_path: Path, save_picture: Save) -> None:
    save_picture(tmp_path / "1.png", (40, 30))
    save_picture(tmp_path / "2.png", (10, 12))
    save_picture(tmp_path / "3.png", (200, 20))
    assert looked_at(tmp_path)[1] == [
        "1 of 3 pictures looked at are smaller than 16 x 16 px, one of them 10 x 12, and are enlarged, which shows; "
        "take a smaller dataset.size, or leave them out",
        "1 of 3 pictures looked at are more than 3 times as long as wide, one of them 200 x 20, and only the square in "
        "their middle is used; set dataset.crop=whole, or cut them yourself, where that is not meant",
    ]


@pytest.mark.parametrize(("largest", "bits"), [(255, 8), (900, 10), (4000, 12), (16000, 14)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_few_bits_in_16_bit_files_are_found_and_fill_the_range(
    tmp_path: Path, largest: int, bits: int, kind: str
) -> None:
    for number in range(4):
        save_grey(tmp_path / f"{number}.{kind.lower()}", largest, kind)
    config = FolderConfig(root=tmp_path, size=32, channels=1)
    for split in ("train", "heldout"):
        items = open_folder(config, split, DataContext())
        assert items[0]["sample"].max() == round(largest / (2**bits - 1) * 255)
        assert remarks_on(items) == [
            f"{tmp_path}: no value in 4 16-bit pictures looked at is above {2**bits - 1:,}, so they are read as "
            f"{bits}-bit ones; set dataset.bits=16 to read them as they are"
        ]
    as_they_are = open_folder(config.model_copy(update={"bits": 16}), "train", DataContext())
    assert as_they_are[0]["sample"].max() == round(largest / 257)
    assert remarks_on(as_they_are) == []


def test_sixteen_bits_stay_sixteen(tmp_path: Path) -> None:
    save_grey(tmp_path / "1.png", 900)
    save_grey(tmp_path / "2.png", 65535)
    assert look(FileTree(tmp_path, SUFFIXES), 16).bits == 16
    assert looked_at(tmp_path)[1] == []


def test_twelve_bits_in_colours_of_sixteen_are_remarked_on(tmp_path: Path) -> None:
    dim = np.random.default_rng(0).integers(0, 4096, (20, 20, 3)).astype(np.uint16)
    (tmp_path / "1.png").write_bytes(png_of_16_bit_colours(dim))
    (tmp_path / "2.png").write_bytes(png_of_16_bit_colours((dim * 16).astype(np.uint16)))
    assert looked_at(tmp_path)[1] == [
        "1 of 2 pictures of 16 bit a colour looked at are nearly black, as values of 12 bit are in such files; "
        "scale them to the whole 16 bit"
    ]


def test_what_cannot_be_read_is_left_to_who_reads_it(tmp_path: Path, save_picture: Save) -> None:
    (tmp_path / "1.png").write_bytes(b"words")
    assert looked_at(tmp_path) == ([], [])
    save_picture(tmp_path / "2.png")
    assert looked_at(tmp_path)[0] == ["1 picture looked at: 20 x 16 px"]


def test_only_headers_are_read_of_ordinary_pictures(tmp_path: Path, save_picture: Save) -> None:
    for number in range(200):
        save_picture(tmp_path / f"{number:03}.png")
    (tmp_path / "000.png").write_bytes((tmp_path / "000.png").read_bytes()[:60])
    assert looked_at(tmp_path)[0] == ["64 pictures looked at: 20 x 16 px"]


def test_pictures_of_other_endings_are_named_with_their_mend(
    tmp_path: Path, save_picture: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wganx_image.datasets.folder.SUFFIXES", tuple(set(SUFFIXES) - {".heic", ".heif"}))
    save_picture(tmp_path / "1.png")
    save_picture(tmp_path / "2.jpg").rename(tmp_path / "2.JFIF")
    for name in ("3.HEIC", "4.heic", "5.zip", "6.nef"):
        (tmp_path / name).write_bytes(b"")
    train, heldout = (open_folder(FolderConfig(root=tmp_path), split, DataContext()) for split in ("train", "heldout"))
    assert found_in(train, heldout) == [
        f"{tmp_path}: 1 file to learn from, 1 held out by the hash of each path",
        "no classes",
        "2 pictures looked at: 20 x 16 px",
        "every sample is brought to channel 3, height 16, width 16",
        f"not read: 2 .heic ({MENDS['.heic']}), 1 .nef (convert them to PNG or JPEG), 1 .zip (unpack it to use it)",
    ]


def test_what_the_scan_calls_unreadable_is_what_the_training_cannot_read(tmp_path: Path, save_picture: Save) -> None:
    from wganx_image.datasets.pictures import probe

    for number in range(60):
        save_picture(tmp_path / f"{number}.png", colour=(number, 0, 0))
    Image.fromarray(np.zeros((20, 20), np.float32)).save(tmp_path / "float.tif")
    (tmp_path / "words.jpg").write_bytes(b"words")
    report = scan(tmp_path, SUFFIXES, probe)
    failed: dict[str, str] = {}
    for split in ("train", "heldout"):
        items = open_folder(FolderConfig(root=tmp_path), split, DataContext())
        assert isinstance(items, FileItems)
        assert all(torch.is_tensor(items[index]["sample"]) for index in range(len(items)))
        failed |= items.unreadable
    assert failed == report.unreadable
    assert sorted(failed) == ["float.tif", "words.jpg"]


def test_the_size_stays_where_the_run_started(tmp_path: Path, save_picture: Callable[..., Path]) -> None:
    for number in range(4):
        save_picture(tmp_path / f"{number}.png", (190, 180))
    config = FolderConfig(root=tmp_path)
    fitted = fit_folder(config, DataContext(device="cuda"))
    for context, size in ((DataContext(fitted=fitted), 128), (DataContext(), 32), (DataContext(device="cuda"), 128)):
        assert open_folder(config, "train", context).formats["sample"].shape == (3, size, size)
    said = FolderConfig(root=tmp_path, size=24)
    assert (
        open_folder(said, "train", DataContext(fitted=fit_folder(said, DataContext()))).formats["sample"].shape[1] == 24
    )


def test_very_large_pictures_are_glanced_at_only_where_there_are_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_MOST_PIXELS", 64)
    Image.fromarray(np.full((9, 9), 40_000, dtype=np.uint16)).save(tmp_path / "large.png")
    assert look(FileTree(tmp_path, SUFFIXES), 8).bits == 16
    assert len(looking.thumbnails(FileTree(tmp_path, SUFFIXES)).pictures) == 1
    Image.fromarray(np.full((8, 8), 1_000, dtype=np.uint16)).save(tmp_path / "small.png")
    assert look(FileTree(tmp_path, SUFFIXES), 8).bits == 10
    assert len(looking.thumbnails(FileTree(tmp_path, SUFFIXES)).pictures) == 1
