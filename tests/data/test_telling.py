"""What is said of the data before it is learnt from."""

import torch

from wganx import SampleFormat
from wganx.data import ArrayItems, FileItems, FileTree, WindowItems
from wganx.data.telling import found_in, remarks_on

PICTURES = {
    "train/cat/1.bin": b"abc",
    "train/cat/2.bin": b"abc",
    "train/dog/1.bin": b"abc",
    "test/cat/9.bin": b"abc",
    "extra/5.bin": b"pqr",
    "readme.txt": b"",
    "1.heic": b"",
    "2.heic": b"",
    "more.zip": b"",
    "runs/one/config.yaml": b"",
    "runs/one/run.json": b"",
    "runs/one/samples/1.bin": b"abc",
}
MENDS = {".heic": "pip install pillow-heif"}


def test_files_their_layout_classes_and_what_is_left_out_are_told(write, decoders):
    tree = FileTree(write(PICTURES), (".bin",), MENDS)
    train, heldout = (FileItems(tree, split, decoders.decode, decoders.RECORDS) for split in ("train", "heldout"))
    assert found_in(train, heldout) == [
        f"{tree.root}: 3 files to learn from, 1 held out by their folders",
        "2 classes: cat 2 + 1 held out, dog 1 + 0 held out",
        "every sample is brought to value 3",
        "not read: 2 .heic (pip install pillow-heif), 1 .txt, 1 .zip (unpack it to use it), "
        "1 in neither split, what lies in the run folder runs",
    ]
    assert not decoders.decoded


def test_one_stray_file_beside_class_folders_is_named(write, decoders):
    root = write({"cat/1.bin": b"abc", "dog/1.bin": b"abc", "stray.bin": b"abc"})
    items = FileItems(FileTree(root, (".bin",)), "train", decoders.decode, decoders.RECORDS)
    heldout = FileItems(FileTree(root, (".bin",)), "heldout", decoders.decode, decoders.RECORDS)
    assert "no classes" in found_in(items, heldout)
    assert remarks_on(items) == [
        f"{root}: the folders cat, dog would be classes, but for 1 file beside them (stray.bin), so there are no "
        "labels; move it into one of the folders, or out of the data"
    ]
    unlabelled = FileItems(FileTree(root, (".bin",)), "train", decoders.decode, decoders.RECORDS, label=None)
    assert remarks_on(unlabelled) == []


def test_what_the_maker_of_the_items_found_is_remarked_on(write, decoders):
    root = write({"1.bin": b"abc", "2.bin": b"abc"})
    items = FileItems(FileTree(root, (".bin",)), "train", decoders.decode, decoders.RECORDS)
    items.remarks = ("3 of 40 files are tiny",)
    assert remarks_on(items) == [f"{root}: 3 of 40 files are tiny"]


def test_windows_are_counted_beside_their_files(write, decoders):
    tree = FileTree(write({f"{number}.bin": b"abcdef" for number in range(3)}), (".bin",))
    train, heldout = (
        WindowItems(tree, split, decoders.windows, decoders.window, decoders.RECORDS) for split in ("train", "heldout")
    )
    assert found_in(train, heldout)[0] == (
        f"{tree.root}: 2 files to learn from, 1 held out by the hash of each path; 4 windows to learn from"
    )


def test_of_many_classes_a_few_are_named(write, decoders):
    tree = FileTree(write({f"{number:02}/{name}.bin": b"abc" for number in range(20) for name in "abc"}), (".bin",))
    train, heldout = (FileItems(tree, split, decoders.decode, decoders.RECORDS) for split in ("train", "heldout"))
    told = found_in(train, heldout)[1]
    assert told.startswith("20 classes: 00 ")
    assert told.endswith("and 8 more; 2 to 3 files to learn from in each")


def test_items_in_memory_are_counted_by_class():
    tensors = {"sample": torch.zeros(5, 2), "label": torch.tensor([0, 1, 1, 1, 0])}
    formats = {"sample": SampleFormat(axes=("value",), shape=(2,)), "label": SampleFormat.label(("cat", "dog"))}
    items = ArrayItems(tensors, formats)
    assert found_in(items, items) == [
        "5 items to learn from, 5 held out",
        "2 classes of label: cat 2, dog 3",
        "every sample is brought to value 2",
    ]
    assert remarks_on(items) == []
