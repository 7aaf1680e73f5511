import pytest
import torch

from wganx import SampleFormat
from wganx.data import ArrayItems, FileItems, FileTree, load
from wganx.data.decoded import refuse_if_too_many
from wganx.errors import DataError

FORMAT = SampleFormat(axes=("value",), shape=(3,))
FORMATS = {"sample": FORMAT}
FREE = {"sample": SampleFormat(axes=("value",), shape=(None,))}
SCALAR = {"sample": SampleFormat(axes=(), shape=(), value_range=None)}
LABELLED = {"sample": FORMAT, "label": SampleFormat.label(("cat", "dog"))}


def file_items(root, decoders, split="train"):
    return FileItems(FileTree(root, (".bin",)), split, decoders.decode, FORMATS)


def numbered(count, broken=()):
    return {f"train/{i:03}.bin": b"broken" if i in broken else bytes([i, 0, 1]) for i in range(count)} | {
        "test/0.bin": b"abc"
    }


def test_array_items_are_rows():
    items = ArrayItems({"sample": torch.arange(12).view(4, 3), "label": torch.tensor([0, 1, 1, 0])}, LABELLED)
    assert len(items) == 4
    assert items[1]["sample"].tolist() == [3, 4, 5]
    assert items[-1]["label"].item() == 0
    assert [item["label"].item() for item in items] == [0, 1, 1, 0]
    assert items.gather(torch.tensor([3, 0]))["sample"].tolist() == [[9, 10, 11], [0, 1, 2]]
    with pytest.raises(IndexError):
        items[4]


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "at least one row"),
        ({"sample": torch.zeros(0, 3)}, r"at least one row each, got rows \{'sample': 0\}"),
        ({"sample": torch.tensor(1.0)}, "at least one row"),
        ({"sample": torch.zeros(2), "label": torch.zeros(3)}, r"as many rows .*'sample': 2, 'label': 3"),
        (
            {"sample": torch.zeros(2, 3)},
            r"every format a tensor, got tensors \['sample'\] and formats \['label', 'sample'\]",
        ),
        ({"other": torch.zeros(2, 3), "label": torch.tensor([0, 1])}, r"got tensors \['label', 'other'\] and formats"),
        (
            {"sample": torch.zeros(2, 4), "label": torch.tensor([0, 1])},
            r"'sample' has rows of shape \(4,\), and its format is value 3; make one fit the other",
        ),
        (
            {"sample": torch.zeros(2, 3), "label": torch.zeros(2)},
            r"a format with classes needs a tensor 'label' of shape \(N,\) and type int64, got float32 \(2,\)",
        ),
        (
            {"sample": torch.zeros(2, 3), "label": torch.tensor([0, 2])},
            r"labels 'label' must lie in 0 \.\. 1 for 2 classes, got 0 \.\. 2",
        ),
        ({"sample": torch.zeros(2, 3), "label": torch.tensor([-1, -1])}, r"for 2 classes, got -1"),
    ],
)
def test_array_items_that_do_not_fit_are_refused(tensors, message):
    with pytest.raises(DataError, match=message):
        ArrayItems(tensors, LABELLED)


def test_file_items_decode_the_files_of_their_split(write, decoders):
    root = write(numbered(5))
    train, heldout = file_items(root, decoders), file_items(root, decoders, "heldout")
    assert [item["sample"].tolist() for item in train] == [[i, 0, 1] for i in range(5)]
    assert [item["sample"].tolist() for item in heldout] == [list(b"abc")]
    assert train.formats == FORMATS
    assert set(train[0]) == {"sample"}


def test_class_folders_become_labels_that_both_splits_share(write, decoders):
    root = write({"train/dog/1.bin": b"dog", "train/cat/1.bin": b"cat", "val/dog/1.bin": b"dig"})
    train, heldout = file_items(root, decoders), file_items(root, decoders, "heldout")
    assert train.formats == heldout.formats == LABELLED
    assert [item["label"].item() for item in train] == [0, 1]
    assert heldout[0]["label"].item() == 1
    assert heldout[0]["label"].dtype == torch.int64
    assert load(train).tensors["label"].tolist() == [0, 1]


def test_an_empty_split_is_refused(write, decoders):
    with pytest.raises(DataError, match="holds 1 file, which leaves none for the split 'heldout'; at least 2"):
        file_items(write({"one.bin": b"abc"}), decoders, "heldout")


@pytest.mark.parametrize("broken", [(), (7,), (0, 1), (38, 39)])
def test_unreadable_files_are_replaced_by_the_next_and_loading_agrees_with_indexing(write, decoders, broken):
    items = file_items(write(numbered(40, broken)), decoders)
    expected = []
    for i in range(40):
        while i in broken:
            i = (i + 1) % 40
        expected.append([i, 0, 1])
    assert [item["sample"].tolist() for item in items] == expected
    assert items.unreadable == {f"train/{i:03}.bin": "ValueError: not a sample at all" for i in broken}
    fresh = file_items(items.tree.root, decoders)
    assert load(fresh).tensors["sample"].tolist() == expected
    assert fresh.unreadable == items.unreadable


def test_loading_refuses_more_than_five_percent_with_the_whole_count(write, decoders):
    root = write(numbered(40, range(2, 10)))
    with pytest.raises(DataError) as error:
        load(file_items(root, decoders))
    assert str(error.value) == (
        f"8 of 41 files in {root} cannot be read, and at most 5% are skipped; mend or remove them:"
        + "".join(f"\n  train/{i:03}.bin: ValueError: not a sample at all" for i in range(2, 7))
        + "\n  and 3 more"
    )


def test_nothing_readable_is_refused_when_indexed(write, decoders):
    with pytest.raises(DataError, match=r"3 of 41 files .* cannot be read"):
        file_items(write(numbered(40, range(40))), decoders)[0]


def test_a_damaged_archive_member_is_unreadable_by_name(pack, decoders):
    root = pack({f"{i:03}.bin": bytes([i]) * 3000 for i in range(60)})
    content = bytearray(root.read_bytes())
    first_member = content.index(b"000.bin") + len(b"000.bin")
    content[first_member : first_member + 4] = b"\xff\xff\xff\xff"
    root.write_bytes(content)
    items = FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FREE)
    assert "000.bin" in items.paths  # of the training split, by its hash
    assert len(load(items)) == len(items)
    assert list(items.unreadable) == ["000.bin"]
    items.tree.close()


def test_items_of_different_shapes_are_refused(write, decoders):
    root = write({"train/1.bin": b"abc", "train/2.bin": b"ab", "test/3.bin": b"abc"})
    items = FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FREE)
    message = r"item 1 is sample uint8 \(2,\), but the first is sample uint8 \(3,\); every item must be alike"
    with pytest.raises(DataError, match=message):
        load(items)


class Squares:
    """A plugin's own items: neither arrays nor files."""

    formats = SCALAR

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return {"sample": torch.tensor(index**2)}


def test_any_items_can_be_loaded():
    assert load(Squares()).tensors["sample"].tolist() == [0, 1, 4, 9, 16]


class Thousand(Squares):
    def __len__(self):
        return 1000


@pytest.mark.parametrize(
    ("failed", "drawn", "refused"),
    [(50, 0, False), (51, 0, True), (4, 20, False), (5, 20, True), (19, 19, False), (14, 100, True), (13, 100, False)],
)
def test_the_share_is_judged_early_only_when_luck_cannot_explain_it(failed, drawn, refused):
    unreadable = {str(i): "reason" for i in range(failed)}
    if not refused:
        refuse_if_too_many(Thousand(), unreadable, drawn=drawn)
        return
    wanted = f"{failed} of the first {drawn} items cannot" if drawn else "51 of 1000 items cannot"
    with pytest.raises(DataError, match=wanted):
        refuse_if_too_many(Thousand(), unreadable, drawn=drawn)


def test_one_bad_file_of_a_hundred_does_no_harm_where_it_is_held_out(write, decoders):
    root = write({f"{i:03}.bin": bytes([i, 0, 1]) for i in range(100)})
    tree = FileTree(root, (".bin",))
    bad = tree.layout.heldout[0]
    assert len(tree.layout.heldout) < 20  # one of those is more than 5 %
    (root / bad).write_bytes(b"broken")
    tree = FileTree(root, (".bin",))
    items = FileItems(tree, "heldout", decoders.decode, FORMATS)
    assert items.whole() == 100
    assert len(load(items)) == len(tree.layout.heldout)
    assert items.unreadable == {bad: "ValueError: not a sample at all"}
    for name in tree.layout.heldout[:6]:
        (root / name).write_bytes(b"broken")
    with pytest.raises(DataError, match=r"^6 of 100 files in .* cannot be read, and at most 5% are skipped"):
        load(FileItems(tree, "heldout", decoders.decode, FORMATS))


def test_a_split_of_which_nothing_can_be_read_is_refused(write, decoders):
    root = write({f"train/{i:03}.bin": bytes([i, 0, 1]) for i in range(60)} | {"test/1.bin": b"broken"})
    items = FileItems(FileTree(root, (".bin",)), "heldout", decoders.decode, FORMATS)
    with pytest.raises(
        DataError, match=r"^none of the 1 files in .* of a split can be read; mend them:\n  test/1\.bin:"
    ):
        items[0]


def test_what_is_remembered_is_decoded_once_and_handed_out_as_it_was(write, decoders):
    items = file_items(write(numbered(40, [3])), decoders)
    items.remember(most_bytes=30)
    first = [items[i]["sample"].clone() for i in range(40)]
    items[0]["sample"].zero_()
    decoders.decoded.clear()
    assert all(torch.equal(items[i]["sample"], first[i]) for i in range(40))
    assert len(decoders.decoded) == 40 - 10 - 1  # three bytes each, and one that is known to be unreadable
