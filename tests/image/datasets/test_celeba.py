"""CelebA in every form that people have it in: lists as text or CSV, pictures in folders or archives."""

from __future__ import annotations

import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
import torch
from pydantic import ValidationError
from wganx_image.configs.datasets import CelebaConfig
from wganx_image.datasets.celeba import list_celeba, open_celeba

from wganx import DataContext, DataError
from wganx.data import FileItems
from wganx.data.telling import found_in

Save = Callable[..., Path]
SPLITS: tuple[Literal["train", "heldout"], ...] = ("train", "heldout")
PARTS = [0, 0, 0, 1, 2, 0]
SMILING = [1, -1, 1, 1, -1, -1]
NUMBERS = [f"{number:06d}" for number in range(1, 7)]
TEXT = "6\n5_o_Clock_Shadow Smiling Male \n" + "".join(
    f"{number}.jpg  -1  {smiles:d} {'1' if smiles < 0 else '-1'}\n" for number, smiles in zip(NUMBERS, SMILING)
)
HEADED = "image_id 5_o_Clock_Shadow Smiling Male\n" + TEXT.split("\n", 2)[2]
TABLE = "image_id,5_o_Clock_Shadow,Smiling,Male\n" + "".join(
    f"{number}.jpg,-1,{smiles},{-smiles}\n" for number, smiles in zip(NUMBERS, SMILING)
)


@pytest.fixture
def root(tmp_path: Path, save_picture: Save) -> Path:
    folder = tmp_path / "data"
    for number, name in enumerate(NUMBERS):
        save_picture(folder / "img_align_celeba" / f"{name}.jpg", (178, 218), (number * 40, 0, 0))
    lines = [f"{name}.jpg {part}" for name, part in zip(NUMBERS, PARTS)]
    (folder / "list_eval_partition.txt").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return folder


def opened(root: Path, split: Literal["train", "heldout"] = "train", **options: object) -> FileItems:
    items = open_celeba(CelebaConfig.model_validate({"root": root, "size": 16, **options}), split, DataContext())
    assert isinstance(items, FileItems)
    return items


def reds(items: FileItems) -> list[float]:
    return [items[index]["sample"][0].float().mean().item() for index in range(len(items))]


def test_the_official_split(root: Path) -> None:
    train, heldout = (opened(root, split) for split in SPLITS)
    assert train.formats["sample"].shape == (3, 16, 16)
    assert set(train[0]) == {"sample"}
    assert reds(train) == pytest.approx([0, 40, 80, 200], abs=3)
    assert reds(heldout) == pytest.approx([120, 160], abs=3)
    assert found_in(train, heldout)[0].endswith("4 files to learn from, 2 held out as published")


@pytest.mark.parametrize(("name", "content"), [("txt", TEXT), ("txt", HEADED), ("csv", TABLE)])
def test_each_chosen_attribute_is_a_label(root: Path, name: str, content: str) -> None:
    (root / f"list_attr_celeba.{name}").write_text(content, encoding="utf-8")
    train, heldout = (opened(root, split, attributes=["Male", "Smiling"]) for split in SPLITS)
    assert [format.classes for key, format in train.formats.items() if key != "sample"] == [("no", "yes")] * 2
    assert [train[index]["Smiling"].item() for index in range(4)] == [1, 0, 1, 0]
    assert [train[index]["Male"].item() for index in range(4)] == [0, 1, 0, 1]
    assert [heldout[index]["Smiling"].item() for index in range(2)] == [1, 0]


def test_an_attribute_that_all_share_is_no_label(root: Path) -> None:
    (root / "list_attr_celeba.txt").write_text(TEXT, encoding="utf-8")
    assert list(opened(root, attributes=["5_o_Clock_Shadow", "Male"]).formats) == ["sample", "Male"]


def test_lists_as_csv_and_a_folder_within_a_folder(root: Path) -> None:
    """What is unpacked from the copy that most download."""
    (root / "list_eval_partition.txt").unlink()
    lines = [f"{name}.jpg,{part}" for name, part in zip(NUMBERS, PARTS)]
    (root / "list_eval_partition.csv").write_text("image_id,partition\n" + "\n".join(lines), encoding="utf-8")
    (root / "list_attr_celeba.csv").write_text(TABLE, encoding="utf-8")
    pictures = root / "img_align_celeba"
    pictures.rename(root / "inner")
    pictures.mkdir()
    (root / "inner").rename(pictures / "img_align_celeba")
    items = opened(root, attributes=["Smiling"])
    assert reds(items) == pytest.approx([0, 40, 80, 200], abs=3)
    assert [items[index]["Smiling"].item() for index in range(4)] == [1, 0, 1, 0]

    archive = shutil.make_archive(str(root.parent / "whole"), "zip", root)
    zipped = opened(Path(archive), attributes=["Smiling"])
    assert all(torch.equal(items[index][key], zipped[index][key]) for index in range(4) for key in items[0])


def test_pictures_still_in_their_archive_and_lists_in_their_folders(root: Path) -> None:
    plain = [opened(root)[index]["sample"] for index in range(4)]
    (root / "Img").mkdir()
    with zipfile.ZipFile(root / "Img" / "img_align_celeba.zip", "w") as archive:
        for path in sorted((root / "img_align_celeba").iterdir()):
            archive.write(path, f"img_align_celeba/{path.name}")
    shutil.rmtree(root / "img_align_celeba")
    (root / "Eval").mkdir()
    (root / "list_eval_partition.txt").rename(root / "Eval" / "list_eval_partition.txt")
    zipped = opened(root)
    assert all(torch.equal(plain[index], zipped[index]["sample"]) for index in range(4))


def test_png_pictures_under_the_names_of_jpg_ones(root: Path, save_picture: Save) -> None:
    shutil.rmtree(root / "img_align_celeba")
    for number, name in enumerate(NUMBERS):
        save_picture(root / "img_align_celeba_png" / f"{name}.png", (178, 218), (number * 40, 0, 0))
    assert reds(opened(root)) == [0, 40, 80, 200]


def test_the_folder_that_holds_celeba_will_do(root: Path, tmp_path: Path) -> None:
    for name in ("celeba", "CelebA"):
        above = tmp_path / f"above {name}"
        shutil.copytree(root, above / name)
        assert len(opened(above)) == 4


def test_a_picture_outside_the_list_is_in_neither_split(root: Path, save_picture: Save) -> None:
    save_picture(root / "img_align_celeba" / "999999.jpg")
    assert sum(len(opened(root, split)) for split in SPLITS) == 6
    assert len(list_celeba(root).layout.outside) == 1


def test_it_travels_to_workers(root: Path) -> None:
    items = opened(root)
    assert torch.equal(pickle.loads(pickle.dumps(items))[2]["sample"], items[2]["sample"])


def test_what_is_missing_is_said_once_with_what_to_put_where(root: Path, tmp_path: Path) -> None:
    wanted = (
        r"Wanted there, or in its folder celeba: the pictures as img_align_celeba/000001\.jpg and so on, or "
        r"img_align_celeba\.zip; list_eval_partition\.txt or \.csv; and list_attr_celeba\.txt or \.csv where "
        r"dataset\.attributes are chosen\. Get them from .*, and set dataset\.root"
    )
    with pytest.raises(DataError, match=rf"no img_align_celeba of CelebA in .*nowhere\. {wanted}"):
        opened(tmp_path / "nowhere")
    with pytest.raises(DataError, match=rf"no list_attr_celeba of CelebA in .*data\. {wanted}"):
        opened(root, attributes=["Smiling"])
    (root / "list_eval_partition.txt").unlink()
    with pytest.raises(DataError, match=rf"no list_eval_partition of CelebA in .*data\. {wanted}"):
        opened(root)
    archive = shutil.make_archive(str(tmp_path / "pictures"), "zip", root)
    with pytest.raises(DataError, match=rf"no list_eval_partition of CelebA in .*pictures\.zip\. {wanted}"):
        opened(Path(archive))


def test_refusals(root: Path) -> None:
    (root / "img_align_celeba" / "000003.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 6 pictures that list_eval_partition lists are not in .*, 000003 first"):
        opened(root)
    partition = root / "list_eval_partition.txt"
    partition.write_text("000001.jpg 0\n000002.jpg three\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"partition\.txt, line 2: a file name and 0, 1 or 2 are wanted, not '0000"):
        opened(root)
    partition.write_text("000001.jpg 0\n000002.jpg 1\n", encoding="utf-8")
    attributes = root / "list_attr_celeba.txt"
    for content, message in (
        ("", r"a line of the attributes' names is wanted before the pictures"),
        ("000001.jpg -1 1 1\n", r"a line of the attributes' names is wanted before the pictures"),
        (
            "A Smiling C\n000001.jpg -1 1\n",
            r"txt, line 2: a file name and 3 times 1 or -1 are wanted, not '000001\.jpg -1 1'",
        ),
        ("A Smiling\n000001.jpg -1 2\n", r"line 2: a file name and 2 times 1 or -1"),
        ("A Happy\n000001.jpg -1 1\n", r"there is no 'Smiling' in .*celeba\.txt; there are: A, Happy"),
        ("A Smiling\n000001.jpg -1 1\n", r"list_attr_celeba says nothing of 1 pictures, 000002 first"),
    ):
        attributes.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            opened(root, attributes=["Smiling"])


def test_attributes_that_exclude_each_other_are_one_label(root: Path) -> None:
    """As labels apart, a translation could be asked for hair of two colours, and its preview always is."""
    colours = ["-1 1 -1", "1 -1 -1", "-1 -1 1", "-1 -1 -1", "1 1 -1", "1 -1 -1"]
    rows = [f"{name}.jpg {answers} 1" for name, answers in zip(NUMBERS, colours)]
    (root / "list_attr_celeba.txt").write_text("\n".join(["Black Blond Brown Male", *rows]), encoding="utf-8")
    train, heldout = (opened(root, split, attributes=["hair=Brown|Black|Blond"]) for split in SPLITS)
    assert train.formats["hair"].classes == ("Black", "Blond", "Brown", "other")
    assert [train[index]["hair"].item() for index in range(4)] == [1, 0, 2, 0]
    assert [heldout[index]["hair"].item() for index in range(2)] == [3, 3]
    with pytest.raises(DataError, match="there is no 'Red' in"):
        opened(root, attributes=["hair=Black|Red"])


@pytest.mark.parametrize("text", ["hair=", "hair=Black", "=Black|Blond", "hair=Black|"])
def test_a_label_of_several_attributes_is_written_so(root: Path, text: str) -> None:
    with pytest.raises(
        ValidationError, match=r"is no label of several attributes; write it hair=Black_Hair\|Blond_Hair"
    ):
        CelebaConfig(root=root, attributes=(text,))


def test_an_attribute_is_named_once(root: Path) -> None:
    with pytest.raises(ValidationError, match="each is to be named once"):
        CelebaConfig(root=root, attributes=("hair=Black|Blond", "beard=Grey|Black"))
    with pytest.raises(ValidationError, match="each is to be named once"):
        CelebaConfig(root=root, attributes=("Male", "Male"))
