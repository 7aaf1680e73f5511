import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wganx import SampleFormat
from wganx.data import ArrayItems, FileItems, FileTree, changes, describe_data, fingerprint

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(None,))}
FILES = {"train/1.bin": b"one", "train/2.bin": b"two", "test/3.bin": b"three"}


def of_files(root, decoders):
    return fingerprint(FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS))


def of_array(tensor):
    format = SampleFormat(axes=("value",) * (tensor.dim() - 1), shape=(None,) * (tensor.dim() - 1))
    return fingerprint(ArrayItems({"sample": tensor}, {"sample": format}))


def test_files_wherever_they_lie_have_the_same_fingerprint(write, pack, decoders):
    here = of_files(write(FILES, "here"), decoders)
    assert here == of_files(write(FILES, "there"), decoders) == of_files(pack(FILES), decoders)
    assert len(here) == 16
    int(here, 16)


@pytest.mark.parametrize(
    "change",
    [
        {"train/2.bin": b"longer"},
        {"train/4.bin": b"new"},
        {"train/2.bin": b"", "train/1.bin": b"one two"},
        {"train/1.bin": b"eno"},
    ],
)
def test_files_that_change_change_it(write, decoders, change):
    before = of_files(write(FILES, "before"), decoders)
    assert before != of_files(write(FILES | change, "after"), decoders)


def test_arrays_by_every_value_type_and_shape():
    base = torch.arange(12, dtype=torch.int16).view(4, 3)
    changed = base.clone()
    changed[2, 1] += 1
    prints = [of_array(tensor) for tensor in (base, changed, base.view(2, 6), base.int(), base.to(torch.bfloat16))]
    assert len(set(prints)) == len(prints)
    assert of_array(base.t().contiguous().t()) == of_array(base)
    assert of_array(torch.tensor([True, False])) != of_array(torch.tensor([False, False]))
    assert of_array(torch.zeros(2, 0)) != of_array(torch.zeros(3, 0))


def test_of_a_large_array_only_spaced_rows_count():
    large = torch.zeros(64, 2**20, dtype=torch.uint8)
    before = of_array(large)
    large[1] = 1  # between the rows looked at
    assert of_array(large) == before
    large[-1, -1] = 1
    assert of_array(large) != before


def test_other_items_by_what_they_hold():
    class Powers:
        formats = FORMATS

        def __init__(self, exponent, count=300):
            self.exponent, self.count = exponent, count

        def __len__(self):
            return self.count

        def __getitem__(self, index):
            return {"sample": torch.tensor(index**self.exponent)}

    assert fingerprint(Powers(2)) == fingerprint(Powers(2))
    assert len({fingerprint(items) for items in (Powers(2), Powers(3), Powers(2, 299))}) == 3


def described(root, decoders):
    return describe_data(FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS))


def said(decoders, write, before, after):
    """What changed from one set of training files to another, and back through JSON."""
    test = (
        {"test/cat/t.bin": b"t", "test/dog/t.bin": b"t"}
        if any("cat" in path for path in before)
        else {"test/t.bin": b"t"}
    )
    old, new = (
        described(write({f"train/{path}": content for path, content in files.items()} | test, name), decoders)
        for name, files in (("before", before), ("after", after))
    )
    return changes(json.loads(json.dumps(old)), new)


PETS = {"cat/1.bin": b"one", "cat/2.bin": b"two", "dog/1.bin": b"three"}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (PETS, PETS, []),
        (
            PETS,
            PETS | {"eel/1.bin": b"four"},
            [
                "class 'eel' of 'label' is new",
                "1 more file in 'eel': 1, and were 0",
                "there are 4 items, and were 3",
            ],
        ),
        (
            PETS | {"eel/1.bin": b"four"},
            PETS,
            [
                "class 'eel' of 'label' is gone",
                "1 fewer file in 'eel': 0, and were 1",
                "there are 3 items, and were 4",
            ],
        ),
        (PETS, PETS | {"cat/1.bin": b"longer"}, ["the files in 'cat' have 9 bytes together, and had 6"]),
        (
            {"1.bin": b"one", "2.bin": b"two"},
            {"1.bin": b"one", "3.bin": b"two"},
            ["the files have other names, sizes or labels"],
        ),
        (PETS, PETS | {"dog/1.bin": b"eerht"}, ["the contents changed, under the same names and sizes"]),
        (
            {"1.bin": b"one"},
            {f"{i}.bin": b"one" for i in range(1, 1301)},
            ["1,299 more files: 1,300, and were 1", "there are 1,300 items, and were 1"],
        ),
    ],
)
def test_what_changed_is_said_in_words(write, decoders, before, after, words):
    assert said(decoders, write, before, after) == words


def test_what_changed_in_tensors_is_said_in_words():
    format = SampleFormat(axes=("value",), shape=(None,))

    def items(tensor, *classes):
        return describe_data(
            ArrayItems(
                {"sample": tensor, "label": torch.zeros(len(tensor), dtype=torch.int64)},
                {"sample": format, "label": SampleFormat.label(classes)},
            )
        )

    base = items(torch.zeros(4, 3), "cat", "dog")
    assert changes(base, items(torch.zeros(4, 3), "cat", "dog")) == []
    assert changes(base, items(torch.zeros(4, 3), "dog", "cat")) == ["the classes of 'label' are in another order"]
    assert changes(base, items(torch.ones(4, 3), "cat", "dog")) == [
        "the contents changed, under the same names and sizes"
    ]
    assert changes(base, items(torch.zeros(5, 3), "cat", "dog")) == [
        "there are 5 items, and were 4",
        "the tensors are label int64 (5,), sample float32 (5, 3), and were label int64 (4,), sample float32 (4, 3)",
    ]


def test_another_kind_of_data_is_said(write, decoders):
    files = describe_data(FileItems(FileTree(write(FILES), (".bin",)), "train", decoders.decode, FORMATS))
    arrays = describe_data(ArrayItems({"sample": torch.zeros(2, 3)}, FORMATS))
    assert changes(files, arrays) == ["2 fewer files: 0, and were 2"]
    assert changes(arrays | {"fingerprint": "another"}, arrays) == ["the data is of another kind"]


def test_of_many_or_large_files_only_some_blocks_are_read(write, decoders, monkeypatch):
    root = write({f"train/{i:03}.bin": bytes(200_000) for i in range(100)} | {"test/0.bin": b"abc"})
    reads = []
    opened = FileTree.open

    def counting(tree, path):
        reads.append(path)
        return opened(tree, path)

    monkeypatch.setattr(FileTree, "open", counting)
    before = of_files(root, decoders)
    assert len(reads) == 64
    assert reads[0] == "train/000.bin"
    assert reads[-1] == "train/099.bin"
    change(root / "train/000.bin", 100_000)
    assert of_files(root, decoders) == before  # beyond the first block
    change(root / "train/099.bin", 0)
    assert of_files(root, decoders) != before


def change(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 299_999), count=st.integers(1, 3))
def test_of_a_few_files_every_place_up_to_four_megabytes_counts(decoders, tmp_path_factory, place, count):
    root = tmp_path_factory.mktemp("data")
    for split in ("train", "test"):
        (root / split).mkdir()
        for number in range(count):
            (root / split / f"{number}.bin").write_bytes(bytes(300_000))
    before = of_files(root, decoders)
    change(root / "train/0.bin", place)
    assert of_files(root, decoders) != before


def test_a_file_that_cannot_be_read_has_a_fingerprint_too(write, decoders, tmp_path):
    root = write(FILES)
    before = of_files(root, decoders)
    (root / "train/1.bin").unlink()
    try:
        (root / "train/1.bin").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("no links here")
    assert of_files(root, decoders) not in ("", before)
    assert of_files(root, decoders) == of_files(root, decoders)
