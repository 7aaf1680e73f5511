"""What a plugin decodes itself: packed, loaded and streamed as files are."""

import os
import pickle
import threading
import tracemalloc

import pytest
import torch

from wganx import SampleFormat
from wganx.data import (
    DecodedItems,
    FileItems,
    FileTree,
    PackedItems,
    ResidentFeed,
    StreamFeed,
    choose_feed,
    fingerprint,
    load,
    packed,
)
from wganx.errors import DataError

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(3,))}


@pytest.fixture
def records(tmp_path):
    """A file of 40 records of three letters."""
    path = tmp_path / "records.txt"
    path.write_bytes(b"\n".join(bytes([97 + i % 26, 97 + i // 26, 97]) for i in range(40)))
    return path


def breaks(path, line):
    lines = path.read_bytes().split()
    lines[line] = b"broken"
    path.write_bytes(b"\n".join(lines))


def same(one, other):
    return len(one) == len(other) and all(torch.equal(one[i]["sample"], other[i]["sample"]) for i in range(len(one)))


@pytest.mark.parametrize("broken", [(), (7,), (39, 0)])
def test_items_of_a_plugins_own_are_packed_loaded_and_streamed(records, decoders, broken):
    for line in broken:
        breaks(records, line)
    plain = decoders.Stamped(records)
    made, said = packed(decoders.Stamped(records), "always")
    assert isinstance(made, PackedItems), said
    assert same(made, plain)
    assert same(pickle.loads(pickle.dumps(plain)), plain)  # as a worker process gets them
    assert made.unreadable == plain.unreadable == {f"line {n + 1}": "ValueError: not a sample at all" for n in broken}
    assert same(load(decoders.Stamped(records)), plain)
    feeds = [
        ResidentFeed(decoders.Stamped(records), batch_size=7, seed=1, device="cpu"),
        StreamFeed(decoders.Stamped(records), batch_size=7, seed=1, device="cpu"),
        StreamFeed(made, batch_size=7, seed=1, device="cpu"),
    ]
    for _ in range(20):
        batches = [feed.next()["sample"] for feed in feeds]
        assert all(torch.equal(batches[0], batch) for batch in batches[1:])
    for feed in feeds:
        assert dict(feed.unreadable) == plain.unreadable
        feed.close()


def test_another_state_or_another_recipe_is_another_pack(records, decoders):
    one, _ = packed(decoders.Stamped(records), "always")
    assert packed(decoders.Stamped(records), "always")[0].folder == one.folder
    other, _ = packed(decoders.Stamped(records, by=2), "always")
    assert other.folder != one.folder
    assert torch.equal(other[3]["sample"], 2 * one[3]["sample"])
    records.write_bytes(records.read_bytes() + b"\nzzz")
    more, _ = packed(decoders.Stamped(records), "always")
    assert len(more) == 41
    assert not one.folder.exists()


def test_without_stamps_they_are_not_packed_and_that_is_said(records, decoders):
    items = decoders.Records(records)
    assert packed(items, "always") == (items, "not packed, because when its files changed is not known")


def test_they_have_a_fingerprint(records, decoders):
    before = fingerprint(decoders.Records(records))
    assert before == fingerprint(decoders.Stamped(records))
    assert before != fingerprint(decoders.Records(records, by=2))


def test_they_are_read_by_several_threads_or_one_beside_the_training(records, decoders):
    threads = set()
    both = threading.Barrier(2, timeout=30)

    class Watched(decoders.Records):
        def decode_item(self, index):
            threads.add(threading.current_thread().name)
            if index in (1, 39):  # in the parts of two threads
                both.wait()
            return super().decode_item(index)

    load(Watched(records))
    assert len(threads - {"MainThread"}) == 2
    threads.clear()
    both.reset()
    feed = StreamFeed(decoders.Records(records), batch_size=4, seed=0, device="cpu")
    feed.next()
    feed.close()


@pytest.mark.parametrize("requested", ["resident", "stream"])
def test_none_is_decoded_twice_while_a_feed_is_opened(records, decoders, requested):
    """Of which some may be pictures that take seconds; afterwards one that changed is seen to have changed."""
    asked = []

    class Counted(decoders.Stamped):
        def decode_item(self, index):
            asked.append(index)
            return super().decode_item(index)

    items = Counted(records)
    feed = choose_feed(items, batch_size=4, seed=0, device="cpu", requested=requested)
    assert 0 in asked
    assert max(asked.count(index) for index in range(40)) == 1
    before = len(asked)
    items[0]
    assert len(asked) == before + 1
    feed.close()


def test_too_many_that_fail_are_refused_in_their_own_words(records, decoders):
    for line in range(1, 10):
        breaks(records, line)
    with pytest.raises(DataError) as refusal:
        load(decoders.Records(records))
    assert str(refusal.value).startswith(
        f"9 of 40 items in {records} cannot be read, and at most 5% are skipped; mend or remove them:"
        "\n  line 10: ValueError: not a sample at all\n  line 2: "
    )


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ({"sample": SampleFormat(axes=("value",), shape=(4,))}, r"^b\.bin: 'sample' has rows of shape \(3,\), and its"),
        (
            FORMATS | {"more": FORMATS["sample"]},
            r"^b\.bin: every tensor .* \['sample'\] and formats \['more', 'sample'\]",
        ),
        ({"sample": SampleFormat.label(("a",))}, r"^b\.bin: a format with classes needs a tensor 'sample' of shape"),
    ],
)
def test_an_item_that_is_not_what_its_formats_say_is_refused_not_skipped(write, decoders, formats, message):
    tree = FileTree(write({"b.bin": b"abc", "c.bin": b"abc"}), (".bin",))
    items = FileItems(tree, "train", decoders.decode, formats)
    assert items.paths == ("b.bin",)
    for read in (lambda: items[0], lambda: load(items)):
        with pytest.raises(DataError, match=message):
            read()
    assert not items.unreadable


def test_the_label_of_class_folders_has_the_key_that_is_wanted(write, decoders):
    root = write({f"train/{name}/1.bin": b"abc" for name in ("anna", "ben")} | {"test/anna/1.bin": b"abc"})

    def opened(**options):
        return FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS, **options)

    assert opened().formats == FORMATS | {"label": SampleFormat.label(("anna", "ben"))}
    assert opened(label="speaker").formats == FORMATS | {"speaker": SampleFormat.label(("anna", "ben"))}
    assert [int(item["speaker"]) for item in opened(label="speaker")] == [0, 1]
    assert opened(label=None).formats == FORMATS
    assert set(opened(label=None)[0]) == {"sample"}
    message = (
        f"'sample' is the label of the class folders in {root}, and a format of the decoder's own; "
        "give the folders' label another key, or label=None"
    )
    with pytest.raises(DataError) as refusal:
        opened(label="sample")
    assert str(refusal.value) == message


def test_a_file_too_large_to_be_decoded_whole_is_not_read(write, decoders):
    root = write({f"{number}.bin": b"abc" for number in range(30)})
    (root / "film.bin").touch()
    os.truncate(root / "film.bin", 2**31 + 1)  # a hole, which takes no space
    items = FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS)
    if "film.bin" not in items.paths:
        items = FileItems(FileTree(root, (".bin",)), "heldout", decoders.decode, FORMATS)
    place = items.paths.index("film.bin")
    tracemalloc.start()
    items[place]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert items.unreadable == {
        "film.bin": "has 2,147,483,649 bytes, and a file that is decoded whole 2,147,483,648 at most"
    }
    assert most < 2**24


def test_files_are_split_by_group_too(write, decoders):
    root = write({f"{speaker}{i}.bin": b"abc" for speaker in "abcdefghij" for i in range(3)})
    splits = [
        FileItems(FileTree(root, (".bin",)), split, decoders.decode, FORMATS, group=decoders.speaker)
        for split in ("train", "heldout")
    ]
    assert not {path[0] for path in splits[0].paths} & {path[0] for path in splits[1].paths}
    assert len(splits[0]) + len(splits[1]) == 30
    assert pickle.loads(pickle.dumps(splits[0])).paths == splits[0].paths


def test_the_base_wants_three_methods(decoders, records):
    with pytest.raises(TypeError, match="abstract"):
        DecodedItems(FORMATS, root=records, recipe=())
