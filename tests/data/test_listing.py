"""What a data set says itself of its files, in place of folders."""

import pytest

from wganx.batch import SampleFormat
from wganx.data import Entry, FileItems, FileTree, Listing, describe_data, fingerprint, scan
from wganx.data.fingerprint import changes
from wganx.data.telling import balance_in_words, found_in
from wganx.errors import DataError

NAMES = [f"{who}{number}.bin" for who in "ab" for number in range(10)]
BYTES = {"sample": SampleFormat(axes=("value",), shape=(3,), value_range=(0.0, 255.0))}


@pytest.fixture
def tree(write):
    return FileTree(write({name: bytes([number, 2, 3]) for number, name in enumerate(NAMES)}), (".bin",))


def entries(**changed):
    said = {name: Entry({"who": name[0], "odd": str(int(name[1]) % 2)}, group=name[1]) for name in NAMES}
    return said | changed


def test_groups_stay_together_where_splits_are_drawn(tree):
    layout = Listing(tree, entries()).layout
    assert not {path[1] for path in layout.train} & {path[1] for path in layout.heldout}
    assert len(layout.train) + len(layout.heldout) == 20
    assert layout.how == "by a hash"


def test_splits_of_the_data_set_are_kept_unless_others_are_wanted(tree):
    said = {name: Entry({"who": name[0]}, "heldout" if name[1] == "9" else "train") for name in NAMES}
    said["a0.bin"] = Entry({"who": "a"})
    listing = Listing(tree, said)
    assert listing.layout.heldout == ("a9.bin", "b9.bin")
    assert listing.layout.outside == ("a0.bin",)
    by_who = Listing(tree, said, by="who").layout
    assert [{path[0] for path in files} for files in (by_who.train, by_who.heldout)] in ([{"a"}, {"b"}], [{"b"}, {"a"}])
    assert by_who.how == "by who"
    drawn = Listing(tree, said, by="file").layout
    assert len(drawn.train) + len(drawn.heldout) == 20


def test_one_split_alone_is_drawn_from(tree):
    said = {name: Entry({"who": name[0]}, "train") for name in NAMES}
    assert Listing(tree, said).layout.heldout


@pytest.mark.parametrize(
    ("said", "by", "message"),
    [
        ({}, None, "nothing is said of the 20 files"),
        ({"c.bin": Entry()}, None, r"1 of 1 listed files are not in .*, c\.bin first; unpack it again"),
        ({"a0.bin": Entry({"x": "1"}), "b0.bin": Entry()}, None, r"b0\.bin has the labels none and a0\.bin \['x'\]"),
        ({"a0.bin": Entry({"x": "1"})}, "y", "there is no label 'y' to split by; labels: x"),
        ({"a0.bin": Entry({"x": "1"}), "b0.bin": Entry({"x": "1"})}, "x", "all 2 files belong to one group, '1'"),
    ],
)
def test_what_cannot_be_is_refused(tree, said, by, message):
    with pytest.raises(DataError, match=message):
        Listing(tree, said, by=by)


def test_items_have_the_labels_of_the_listing(tree, decoders):
    listing = Listing(tree, entries())
    train, heldout = (FileItems(tree, split, decoders.decode, BYTES, listing=listing) for split in ("train", "heldout"))
    assert train.formats["who"].classes == ("a", "b")
    for items in (train, heldout):
        for index, path in enumerate(items.paths):
            assert ["a", "b"][items[index]["who"]] == path[0]
            assert int(items[index]["odd"]) == int(path[1]) % 2
    told = found_in(train, heldout)
    assert "who: 2 classes: a" in told[1]
    assert "odd: 2 classes: 0" in told[2]


def test_a_label_that_is_always_the_same_is_none(tree, decoders):
    said = {name: Entry({"who": name[0], "all": "same"}) for name in NAMES}
    items = FileItems(tree, "train", decoders.decode, BYTES, listing=Listing(tree, said))
    assert list(items.formats) == ["sample", "who"]


def test_other_labels_are_other_data(tree, decoders):
    def opened(said):
        return FileItems(tree, "train", decoders.decode, BYTES, listing=Listing(tree, said))

    once, swapped = opened(entries()), opened(entries(**{"a0.bin": Entry({"who": "b", "odd": "0"}, group="0")}))
    assert list(once.stamps()) != list(swapped.stamps())
    assert fingerprint(once) != fingerprint(swapped)
    assert changes(describe_data(once), describe_data(swapped)) == ["the files have other names, sizes or labels"]


def test_a_label_and_a_tensor_of_one_name_are_refused(tree, decoders):
    said = {name: Entry({"sample": name[0]}) for name in NAMES}
    with pytest.raises(DataError, match=r"'sample' is a label of the files in .*, and a format of the decoder's own"):
        FileItems(tree, "train", decoders.decode, BYTES, listing=Listing(tree, said))


def test_a_scan_counts_by_the_listing(tree):
    said = {name: Entry({"who": name[0]}, "heldout" if name[1] == "9" else "train") for name in NAMES[:15]}
    report = scan(tree.root, (".bin",), lambda content, path: {}, listing=Listing(tree, said))
    assert report.files == 15
    assert report.labels == {"who": {"a": {"train": 9, "heldout": 1}, "b": {"train": 5, "heldout": 0}}}
    assert balance_in_words(report.labels["who"]) == (
        "2 classes, 5 to 10 files each: a 9 + 1 held out, b 5 + 0 held out; 1 only in train: b"
    )
    assert report.how == "as published"


def test_many_classes_are_shortened():
    counts = {f"{number:02}": {"train": number % 2, "heldout": 1} for number in range(40)}
    told = balance_in_words(counts)
    assert told.startswith("40 classes, 1 to 2 files each: 00 0 + 1 held out, ")
    assert ", and 28 more; 20 only held out: 00, 02, 04, 06, 08 and 15 more" in told
