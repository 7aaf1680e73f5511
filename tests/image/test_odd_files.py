"""Folders as people have them, of whose files other tools report that they stop a training: this one trains."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wganx_image.configs.datasets import MENDS, SUFFIXES
from wganx_image.datasets.pictures import probe

import wganx
from wganx.data import scan

SMALL = {
    "train.steps": 1, "train.critic_steps": 1, "train.batch_size": 8, "dataset.size": 16, "generator.width": 2,
    "critic.width": 2, "generator.hidden": 0, "preview.count": 4, "preview.walk": 0,
}  # fmt: skip


def picture(number: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    pixels = np.random.default_rng(number).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize(size)


def mixed(folder: Path) -> Path:
    """Modes, sizes and formats in one folder; more than nineteen in twenty can be read."""
    folder.mkdir()
    for number, mode in enumerate(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr", "LAB", "I;16"] * 6):
        made = picture(number, (30 + number, 90 - number))
        suffix = ".tif" if mode in ("CMYK", "YCbCr", "LAB") else ".png"
        values = np.asarray(made.convert("L")).astype(np.uint16) * 257
        (Image.fromarray(values) if mode == "I;16" else made.convert(mode)).save(
            folder / f"{number} {mode[:2]}{suffix}"
        )
    picture(60).save(folder / "really a png.jpg", "PNG")
    picture(61).save(folder / "UPPER.JPG")
    picture(62).save(folder / "f\u00fcnf \u5199\u771f.jpg")
    picture(63).save(folder / ("n" * 200 + ".jpg"))
    picture(64, (2000, 40)).save(folder / "panorama.jpg")
    picture(65, (1, 1)).save(folder / "one pixel.png")
    picture(66).save(folder / "moving.gif", save_all=True, append_images=[picture(67)])
    (folder / "a" / "b").mkdir(parents=True)
    picture(68).save(folder / "a" / "b" / "deep.webp")
    (folder / "cut.jpg").write_bytes((folder / "UPPER.JPG").read_bytes()[:400])
    (folder / "empty.png").write_bytes(b"")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._UPPER.JPG", "IMG_1.HEIC"):
        (folder / name).write_bytes(b"\0\1")
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_everything_is_learnt_from(
    tmp_path: Path, packed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    data = mixed(tmp_path / "photos")
    if packed:
        archive = tmp_path / "photos.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for path in sorted(data.rglob("*")):
                file.write(path, Path("photos") / path.relative_to(data))
        data = archive
    run = wganx.train("image", data=data, out=tmp_path / "run", device="cpu", overrides=SMALL, progress=False)
    assert run.folder.facts()["status"] == "finished"
    assert run.resolved.run.scenario == "photos"


def test_the_scan_names_what_is_odd(tmp_path: Path) -> None:
    report = scan(mixed(tmp_path / "photos"), SUFFIXES, probe, MENDS)
    assert sorted(report.unreadable) == ["cut.jpg", "empty.png"]
    assert report.properties["moving"] == {"the first of several pictures is used": 1}
    assert report.properties["shape"] == {"more than 3 times as long as wide": 1}
    assert report.skipped == {".db": 1, ".heic": 1, ".ini": 1}


def test_the_same_photo_in_another_size_and_format_is_found_and_others_are_not(tmp_path: Path) -> None:
    for number in range(12):
        picture(number, (200, 150)).save(tmp_path / f"{number}.png")
    picture(3, (200, 150)).resize((120, 90)).save(tmp_path / "small.jpg", quality=60)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(5, (200, 150)).rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif)
    report = scan(tmp_path, SUFFIXES, probe)
    assert (report.alike, report.duplicates) == ([["3.png", "small.jpg"], ["5.png", "turned.jpg"]], [])


@pytest.mark.parametrize("count", [2, 3, 9])
def test_a_handful_of_pictures_is_enough_to_begin_with(tmp_path: Path, count: int) -> None:
    """Tools that drop the last batch have none where there are fewer pictures than a batch."""
    (tmp_path / "few").mkdir()
    for number in range(count):
        picture(number).save(tmp_path / "few" / f"{number}.jpg")
    small = {name: value for name, value in SMALL.items() if name != "train.batch_size"}
    run = wganx.train(
        "image", data=tmp_path / "few", out=tmp_path / "run", device="cpu", overrides=small, progress=False
    )
    assert run.folder.facts()["status"] == "finished"


def test_pictures_in_memory_order_of_every_kind_have_three_channels(tmp_path: Path) -> None:
    """A picture of grey and alpha, or of a palette with a transparent colour, is read in colour like the others."""
    from wganx_image.datasets.pictures import decode

    content = io.BytesIO()
    picture(0).convert("P").save(content, "PNG", transparency=3)
    assert decode(content.getvalue(), "x", size=16, channels=3)["sample"].shape == (3, 16, 16)
