"""Windows of long files: which there are, in which split they lie, and that nothing else is read for one."""

import json
import logging
import pickle
import re
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wganx import SampleFormat
from wganx.data import (
    FileTree,
    PackedItems,
    ResidentFeed,
    StreamFeed,
    WindowItems,
    choose_feed,
    decoding,
    fingerprint,
    load,
    packed,
    window_index,
)
from wganx.errors import DataError

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(3,), value_range=(0, 255))}
LENGTHS = {f"train/{i:02}.bin": 3 + (7 * i) % 11 for i in range(20)} | {"test/0.bin": 9}


def content(path, length):
    return bytes((len(path) * 7 + ord(path[-5]) + place) % 256 for place in range(length))


def files(lengths=LENGTHS):
    return {path: content(path, length) for path, length in lengths.items()}


def open_windows(root, decoders, split="train", **options):
    return WindowItems(FileTree(root, (".bin",)), split, decoders.windows, decoders.window, FORMATS, **options)


def same(one, other):
    return len(one) == len(other) and all(
        one[i].keys() == other[i].keys() and all(torch.equal(one[i][k], other[i][k]) for k in one[i])
        for i in range(len(one))
    )


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_every_window_of_every_file_of_the_split_in_order(write, pack, decoders, kind):
    root = write(files()) if kind == "folder" else pack(files())
    items = open_windows(root, decoders)
    expected = [
        list(content(path, length)[start : start + 3])
        for path, length in sorted(LENGTHS.items())
        if path.startswith("train")
        for start in range(0, length - 2, 3)
    ]
    assert [item["sample"].tolist() for item in map(items.__getitem__, range(len(items)))] == expected
    assert [items.place(i) for i in (0, len(items) - 1)] == [("train/00.bin", 0), ("train/19.bin", 0)]
    assert items.name(len(items) - 1) == "train/19.bin, window 0"
    assert len(open_windows(root, decoders, "heldout")) == 3
    assert same(pickle.loads(pickle.dumps(items)), items)
    with pytest.raises(IndexError):
        items[len(items)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_a_window_is_found_by_its_number(decoders, tmp_path_factory, counts):
    root = tmp_path_factory.mktemp("data")
    for split in ("train", "test"):
        (root / split).mkdir()
    for number, count in enumerate(counts):
        (root / "train" / f"{number:02}.bin").write_bytes(bytes(3 * count))
    (root / "test" / "0.bin").write_bytes(bytes(3))
    items = open_windows(root, decoders)
    assert [items.place(i) for i in range(len(items))] == [
        (f"train/{number:02}.bin", window) for number, count in enumerate(counts) for window in range(count)
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_source_can_be_read_from_any_place_in_a_folder_and_an_archive(write, tmp_path, method):
    data = np.random.default_rng(0).integers(0, 256, 100_000, dtype=np.uint8).tobytes()
    folder = write({"a.bin": data, "b.bin": b"other"})
    with zipfile.ZipFile(tmp_path / "data.zip", "w", method) as archive:
        archive.writestr("a.bin", data)
        archive.writestr("b.bin", b"other")
    for root in (folder, tmp_path / "data.zip"):
        tree = FileTree(root, (".bin",))
        with tree.open("a.bin") as source, tree.open("b.bin") as other:
            assert source.seekable()
            for place, whence, start in ((70_000, 0, 70_000), (10, 0, 10), (-5, 2, 99_995), (0, 0, 0)):
                assert source.seek(place, whence) == start
                assert source.read(20) == data[start : start + 20]
            assert source.seek(5, 1) == 25
            assert source.read() == data[25:]
            assert source.read(1) == b""
            assert other.read() == b"other"
        tree.close()
    with FileTree(folder, (".bin",)).open("a.bin") as source:
        assert source.name == str(folder / "a.bin")


def test_to_read_a_window_of_a_large_file_little_is_read(write, tmp_path, decoders):
    for root in (write({"train/1.bin": b"", "test/1.bin": b"abc"}), tmp_path / "data.zip"):
        if root.suffix == ".zip":
            with zipfile.ZipFile(root, "w", zipfile.ZIP_STORED) as archive:
                archive.write(tmp_path / "data/train/1.bin", "train/1.bin")
                archive.writestr("test/1.bin", b"abc")
        else:
            with (root / "train/1.bin").open("wb") as file:
                file.truncate(60_000_000)
        items = open_windows(root, decoders)
        items[0]
        tracemalloc.start()
        try:
            assert items[len(items) - 1]["sample"].tolist() == [0, 0, 0]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(items) == 20_000_000
        assert peak < 200_000


def test_long_files_that_are_compressed_in_an_archive_are_named(pack, decoders, caplog):
    root = pack({"train/1.bin": bytes(17 * 2**20), "test/0.bin": b"abc"})
    items = open_windows(root, decoders)
    assert caplog.messages == [
        f"train/1.bin is compressed in {root}, so for every window all before it is unpacked; unpack the archive, or "
        "store what is in it as it is (zip -0)"
    ]
    assert items[1000]["sample"].tolist() == [0, 0, 0]
    caplog.clear()
    open_windows(root, decoders, "heldout")
    assert not caplog.messages
    items.tree.close()


@pytest.mark.parametrize("named", [True, False])
def test_all_windows_of_a_group_lie_in_one_split(write, decoders, named):
    root = write({f"{speaker}{i}.bin": bytes(9) for speaker in "abcdefghijklmnopqrst" for i in range(3)})
    group = decoders.speaker if named else None
    paths = [set(open_windows(root, decoders, split, group=group).paths) for split in ("train", "heldout")]
    assert not paths[0] & paths[1]
    assert len(paths[0] | paths[1]) == 60
    shared = {path[0] for path in paths[0]} & {path[0] for path in paths[1]}
    assert bool(shared) != named


def test_class_folders_give_labels_under_the_key_that_is_wanted(write, decoders):
    root = write(
        {f"train/{name}/{i}.bin": bytes(9) for name in ("cat", "dog") for i in range(2)} | {"test/cat/0.bin": bytes(3)}
    )
    items = open_windows(root, decoders)
    assert items.formats == FORMATS | {"label": SampleFormat.label(("cat", "dog"))}
    assert [int(item["label"]) for item in items] == [0] * 6 + [1] * 6
    assert "animal" in open_windows(root, decoders, label="animal").formats
    assert open_windows(root, decoders, label=None).formats == FORMATS
    with pytest.raises(DataError, match=r"'sample' is the label of the class folders in .*another key, or label=None"):
        open_windows(root, decoders, label="sample")


@pytest.mark.parametrize("broken", [(), (7,)])
def test_packed_loaded_streamed_and_read_by_workers_are_the_same(write, decoders, broken):
    data = files({f"train/{i:02}.bin": 30 for i in range(10)} | {"test/0.bin": 9})
    for number in broken:
        path = f"train/{number:02}.bin"
        data[path] = data[path][:9] + b"BAD" + data[path][12:]  # one window of it cannot be decoded
    root = write(data)
    plain = open_windows(root, decoders)
    made, said = packed(open_windows(root, decoders), "always")
    assert isinstance(made, PackedItems), said
    assert same(made, plain)
    assert made.unreadable == plain.unreadable == {f"train/{n:02}.bin, window 3": "ValueError: BAD" for n in broken}
    assert made.formats == plain.formats
    again, _ = packed(open_windows(root, decoders), "always")
    assert again.folder == made.folder
    assert same(load(open_windows(root, decoders)), plain)
    feeds = [
        ResidentFeed(open_windows(root, decoders), batch_size=7, seed=3, device="cpu"),
        StreamFeed(open_windows(root, decoders), batch_size=7, seed=3, device="cpu"),
        StreamFeed(made, batch_size=7, seed=3, device="cpu"),
    ]
    if broken:  # two processes to start take seconds
        feeds.append(StreamFeed(open_windows(root, decoders), batch_size=7, seed=3, device="cpu", workers=2))
    for _ in range(20):
        batches = [feed.next()["sample"] for feed in feeds]
        assert all(torch.equal(batches[0], batch) for batch in batches[1:])
    for feed in feeds:
        assert dict(feed.unreadable) == plain.unreadable
        feed.close()


def test_files_without_a_window_are_named_and_left_out(write, decoders, caplog):
    lengths = {f"train/{i:02}.bin": 9 for i in range(40)} | {"train/07.bin": 2, "test/0.bin": 9}
    root = write(files(lengths) | {"train/09.bin": b"broken"})
    items = open_windows(root, decoders)
    assert items.left_out == {
        "train/07.bin": "no window fits into its 2 bytes",
        "train/09.bin": "ValueError: not a sample at all",
    }
    assert len(items) == 38 * 3
    assert not {"train/07.bin", "train/09.bin"} & set(items.paths)
    assert caplog.messages == [
        f"2 of 41 files in {root} are left out, having no window:"
        "\n  train/07.bin: no window fits into its 2 bytes\n  train/09.bin: ValueError: not a sample at all"
    ]
    assert caplog.records[0].name == "wganx.data.window_index"
    assert caplog.records[0].levelno == logging.WARNING


def test_too_many_files_without_a_window_are_refused(write, decoders):
    lengths = {f"train/{i:02}.bin": 9 if i > 7 else 2 for i in range(40)} | {"test/0.bin": 9}
    root = write(files(lengths))
    with pytest.raises(DataError) as refusal:
        open_windows(root, decoders)
    assert str(refusal.value) == (
        f"8 of 41 files in {root} have no window or cannot be read, and at most 5% are left out; "
        "take a shorter window, or mend or remove them:"
        + "".join(f"\n  train/{i:02}.bin: no window fits into its 2 bytes" for i in range(5))
        + "\n  and 3 more"
    )


def test_never_an_empty_loader_but_how_long_the_files_are(write, decoders):
    root = write({"train/1.bin": b"ab", "train/2.bin": b"a", "test/0.bin": bytes(9)})
    with pytest.raises(DataError) as refusal:
        open_windows(root, decoders)
    assert str(refusal.value) == (
        f"no file of the split 'train' in {root} gives a window (2 of 2 have none); take a shorter window, "
        "or give others:\n  train/1.bin: no window fits into its 2 bytes\n"
        "  train/2.bin: no window fits into its 1 bytes"
    )
    tree = FileTree(root, (".bin",))
    with pytest.raises(DataError, match=r"\n  train/1\.bin: 0\.2 s long, and a window takes 3 s\n"):
        WindowItems(tree, "train", decoders.too_short, decoders.window, FORMATS)


@pytest.mark.parametrize(("count", "said"), [("none", "None"), ("half", r"0\.5"), ("negative", "-1")])
def test_what_is_no_count_is_refused(write, decoders, count, said):
    tree = FileTree(write({"train/1.bin": b"abc", "test/0.bin": b"abc"}), (".bin",))
    message = rf"the number of windows of train/1\.bin is to be a whole number of 0 or more, and was {said}$"
    with pytest.raises(DataError, match=message):
        WindowItems(tree, "train", getattr(decoders, count), decoders.window, FORMATS)


def test_items_that_are_not_what_the_formats_say_are_refused_by_name(write, decoders):
    tree = FileTree(write({"train/1.bin": bytes(9), "test/0.bin": bytes(9)}), (".bin",))
    four = {"sample": SampleFormat(axes=("value",), shape=(4,))}
    items = WindowItems(tree, "train", decoders.windows, decoders.window, four)
    with pytest.raises(
        DataError, match=r"train/1\.bin, window 1: 'sample' has rows of shape \(3,\), and its format is"
    ):
        items[1]
    items = WindowItems(
        tree, "train", decoders.windows, decoders.window, FORMATS | {"speaker": SampleFormat.label(("a",))}
    )
    with pytest.raises(DataError, match=r"window 0: every tensor .* \['sample'\] and formats \['sample', 'speaker'\]"):
        items[0]


class TestIndex:
    """What is counted once and kept."""

    @pytest.fixture(autouse=True)
    def slow(self, monkeypatch):
        monkeypatch.setattr(window_index, "WORTH_SECONDS", 0.0)

    def entries(self, cache):
        folder = cache.parent / "windows"
        return sorted(folder.iterdir()) if folder.exists() else []

    def test_files_are_asked_once_until_they_change(self, write, decoders, cache):
        root = write(files())
        first = open_windows(root, decoders)
        assert len(decoders.counted) == 20
        (entry,) = self.entries(cache)
        assert sum(file.stat().st_size for file in entry.iterdir()) < 1000
        assert same(open_windows(root, decoders), first)
        assert len(decoders.counted) == 20
        (root / "train/00.bin").write_bytes(bytes(30))
        assert len(open_windows(root, decoders)) == len(first) + 9
        assert len(decoders.counted) == 40
        assert len(self.entries(cache)) == 1  # the other state is gone

    def test_files_that_are_counted_in_a_blink_leave_nothing(self, write, decoders, cache, monkeypatch):
        monkeypatch.undo()
        monkeypatch.setenv("WGANX_CACHE", str(cache.parent))
        open_windows(write(files()), decoders)
        assert not cache.parent.exists()

    def test_a_file_that_could_not_be_read_is_asked_again(self, write, decoders):
        lengths = {f"train/{i:02}.bin": 9 for i in range(40)} | {"test/0.bin": 9}
        root = write(files(lengths))
        decoders.failing.add("train/05.bin")
        assert list(open_windows(root, decoders).left_out) == ["train/05.bin"]
        assert list(open_windows(root, decoders).left_out) == ["train/05.bin"]
        assert len(decoders.counted) == 41
        decoders.failing.clear()
        assert open_windows(root, decoders).left_out == {}
        assert len(open_windows(root, decoders)) == 120

    @pytest.mark.parametrize("damage", ["header", "counts", "short", "foreign"])
    def test_what_is_torn_is_counted_anew(self, write, decoders, cache, damage):
        root = write(files())
        first = open_windows(root, decoders)
        (entry,) = self.entries(cache)
        if damage == "header":
            (entry / "header.json").write_text("{", encoding="ascii")
        elif damage == "counts":
            (entry / "counts.npy").write_bytes((entry / "counts.npy").read_bytes()[:-3])
        elif damage == "short":
            np.save(entry / "counts.npy", np.ones(3, dtype=np.int64))
        else:
            header = json.loads((entry / "header.json").read_text(encoding="ascii"))
            (entry / "header.json").write_text(json.dumps(header | {"identity": "another"}), encoding="ascii")
        assert same(open_windows(root, decoders), first)
        assert len(decoders.counted) == 40

    def test_a_function_without_a_name_is_asked_at_every_start_and_that_is_said(self, write, decoders, cache, caplog):
        tree = FileTree(write(files()), (".bin",))
        WindowItems(tree, "train", lambda source, path: decoders.windows(source, path), decoders.window, FORMATS)
        assert not self.entries(cache)
        assert caplog.messages == [
            f"the windows of {tree.root} are counted anew at every start, "
            "because its decoder is no function of a module"
        ]

    def test_a_cache_that_cannot_be_written_costs_a_warning(self, write, decoders, monkeypatch, caplog):
        monkeypatch.setenv("WGANX_CACHE", __file__)
        assert len(open_windows(write(files()), decoders))
        (said,) = caplog.messages
        assert re.search(r"are counted anew at every start, because \w+Error: ", said)

    def test_long_counting_is_told(self, write, decoders, monkeypatch, caplog):
        monkeypatch.setattr(decoding, "_FIRST_WORD", 0.0)
        root = write(files())
        open_windows(root, decoders)
        (told,) = caplog.messages
        assert re.fullmatch(rf"counting the windows of {re.escape(str(root))}: 1 of 20 files, about \d+ s left", told)

    def test_an_index_of_a_million_windows_takes_kilobytes(self, write, decoders):
        root = write({f"train/{i:03}.bin": b"" for i in range(100)} | {"test/0.bin": b"abc"})
        for i in range(100):
            with (root / f"train/{i:03}.bin").open("wb") as file:
                file.truncate(30_000)
        tracemalloc.start()
        try:
            items = open_windows(root, decoders)
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert len(items) == 1_000_000
        assert held < 1_000_000
        assert items._ends.nbytes == 800


def test_a_run_of_windows_is_fed_and_named(write, decoders):
    root = write(files())
    feed = choose_feed(open_windows(root, decoders), batch_size=4, seed=0, device="cpu", pack="always")
    assert feed.reason.startswith(f"resident: {len(open_windows(root, decoders))} items")
    assert "packed in" in feed.reason
    assert len(fingerprint(open_windows(root, decoders))) == 16
    feed.close()
