import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wganx import SampleFormat
from wganx.data import ArrayItems, FileItems, FileTree, PackedItems, choose_feed, decoding, load, packed
from wganx.data.cache import tidy
from wganx.errors import DataError
from wganx.places import cache_folder

# The function of this name hides the module from an ordinary import.
packing = sys.modules["wganx.data.packed"]

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(None,))}


def numbered(count, broken=()):
    return {f"train/{i:03}.bin": b"broken" if i in broken else bytes([i, 0, 1]) for i in range(count)} | {
        "test/0.bin": b"abc"
    }


def items_in(root, decode, formats=FORMATS):
    return FileItems(FileTree(root, (".bin",)), "train", decode, formats)


def entries(cache):
    return sorted(path for path in cache.iterdir() if path.is_dir())


def same(one, other):
    assert len(one) == len(other)
    for index in range(len(one)):
        a, b = one[index], other[index]
        assert a.keys() == b.keys()
        for name in a:
            torch.testing.assert_close(a[name], b[name], rtol=0, atol=0, equal_nan=True)
    return True


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("broken", [(), (7,), (0, 1), (38, 39)])
def test_a_pack_holds_the_items_and_what_is_known_of_them(write, pack, decoders, cache, archive, broken):
    files = numbered(40, broken)
    root = pack(files) if archive else write(files)
    plain = items_in(root, decoders.decode)
    made, said = packed(items_in(root, decoders.decode), "always")
    assert isinstance(made, PackedItems)
    assert said == f"packed in {made.folder}"
    assert made.folder in entries(cache)
    assert made.formats == plain.formats
    assert same(made, plain)
    assert list(made.unreadable.items()) == sorted(plain.unreadable.items())
    decoders.decoded.clear()
    opened, _ = packed(items_in(root, decoders.decode), "always")
    assert len(decoders.decoded) <= 8 + len(broken)
    assert same(opened, plain)
    assert opened.unreadable == made.unreadable


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(st.binary(min_size=5, max_size=5), min_size=2, max_size=30))
def test_any_contents_in_any_types_come_back(decoders, tmp_path_factory, contents):
    root = tmp_path_factory.mktemp("data")
    for number, content in enumerate(contents):
        folder = root / ("odd" if number % 2 else "even")
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.bin").write_bytes(content)
    made, _ = packed(items_in(root, decoders.of_every_type, decoders.FORMATS), "always")
    assert isinstance(made, PackedItems)
    plain = items_in(root, decoders.of_every_type, decoders.FORMATS)
    assert made.formats == plain.formats
    assert same(made, plain)
    again, said = packed(items_in(root, decoders.of_every_type, decoders.FORMATS), "auto")  # NaN and all
    assert isinstance(again, PackedItems)
    assert said == f"packed in {made.folder}"


def test_items_of_a_pack_may_be_written_to(write, decoders):
    made, _ = packed(items_in(write(numbered(5)), decoders.decode), "always")
    made[3]["sample"].zero_()
    assert made[3]["sample"].tolist() == [3, 0, 1]


def test_files_that_decode_in_a_blink_leave_nothing_behind(write, decoders, cache):
    items = items_in(write(numbered(40)), decoders.decode)
    assert packed(items, "auto") == (items, None)
    assert not cache.parent.exists()


def test_auto_packs_what_is_slow_and_uses_a_pack_that_is_there(write, decoders, monkeypatch, cache):
    root = write(numbered(40))
    monkeypatch.setattr(packing, "WORTH_SECONDS", 0.0)
    assert isinstance(packed(items_in(root, decoders.decode), "auto")[0], PackedItems)
    monkeypatch.undo()
    monkeypatch.setenv("WGANX_CACHE", str(cache.parent))
    assert isinstance(packed(items_in(root, decoders.decode), "auto")[0], PackedItems)
    items = items_in(root, decoders.decode)
    assert packed(items, "off") == (items, None)


def rewrite(path, content, *, keep_time):
    before = path.stat()
    path.write_bytes(content)
    later = before.st_mtime_ns + (0 if keep_time else 1)
    os.utime(path, ns=(later, later))


@pytest.mark.parametrize(("index", "keep_time"), [(1, False), (0, True)])
def test_a_file_that_changed_at_the_same_size_is_packed_anew(write, decoders, cache, index, keep_time):
    """Its time tells; without that, only a file that is looked at each time (the first) would be noticed."""
    root = write(numbered(40))
    packed(items_in(root, decoders.decode), "always")
    before = entries(cache)
    rewrite(root / f"train/{index:03}.bin", b"new", keep_time=keep_time)
    made, _ = packed(items_in(root, decoders.decode), "always")
    assert made[index]["sample"].tolist() == list(b"new")
    assert len(before) == len(entries(cache)) == 1
    assert before != entries(cache)


def test_files_added_or_taken_away_are_packed_anew(write, decoders, cache):
    root = write(numbered(10))
    packed(items_in(root, decoders.decode), "always")
    (root / "train/100.bin").write_bytes(b"add")
    assert len(packed(items_in(root, decoders.decode), "always")[0]) == 11
    (root / "train/100.bin").unlink()
    assert len(packed(items_in(root, decoders.decode), "always")[0]) == 10
    assert len(entries(cache)) == 1


def test_a_mended_file_is_seen_even_if_its_time_is_the_same(write, decoders, cache):
    root = write({f"train/{i:03}.bin": b"broken" if i == 3 else b"sample" for i in range(40)} | {"test/0.bin": b"abc"})
    assert list(packed(items_in(root, decoders.decode), "always")[0].unreadable) == ["train/003.bin"]
    rewrite(root / "train/003.bin", b"mended", keep_time=True)
    made, _ = packed(items_in(root, decoders.decode), "always")
    assert not made.unreadable
    assert made[3]["sample"].tolist() == list(b"mended")
    assert len(entries(cache)) == 1


def test_every_way_of_decoding_has_a_pack_of_its_own(write, decoders, cache):
    root = write(numbered(10))
    ways = [
        decoders.decode,
        partial(decoders.scaled, by=1),
        partial(decoders.scaled, by=2),
        partial(partial(decoders.scaled, by=2), by=3),
    ]
    for _ in range(2):
        for factor, way in zip((1, 1, 2, 3), ways):
            made, _ = packed(items_in(root, way), "always")
            assert made[9]["sample"].tolist() == [9 * factor, 0, factor]
    assert len(entries(cache)) == 4


def test_another_source_of_the_decoder_is_packed_anew(write, decoders, cache):
    root = write(numbered(10))
    packed(items_in(root, decoders.decode), "always")
    before = entries(cache)
    source = Path(decoders.__file__)
    source.write_text(source.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    packed(items_in(root, decoders.decode), "always")
    assert len(entries(cache)) == 1
    assert before != entries(cache)


@pytest.mark.parametrize(
    "decode", [lambda content, path: {"sample": torch.zeros(3)}, partial(len), partial(partial, torch.zeros(1))]
)
def test_decoders_without_a_name_are_not_packed(write, decode, cache):
    if not isinstance(decode, partial):
        items = items_in(write(numbered(10)), decode)
        assert packed(items, "always") == (items, "not packed, because its decoder is no function of a module")
        assert not cache.exists()
        return
    made, said = packed(items_in(write(numbered(10)), decode), "always")
    assert isinstance(made, FileItems)
    assert said.startswith("not packed, because its decoder")


def test_arguments_without_a_name_are_not_packed(write, decoders):
    decode = partial(decoders.scaled, by=1, kind=torch.int16)
    _, said = packed(items_in(write(numbered(10)), decode), "always")
    assert said == "not packed, because its decoder was given a dtype, which has no name"


def test_items_that_are_no_files_are_handed_back():
    items = ArrayItems({"sample": torch.zeros(4, 3)}, FORMATS)
    assert packed(items, "auto") == (items, None)
    assert packed(items, "always") == (items, "not packed, since nothing of them is decoded")


def cut(entry):
    (entry / "0.bin").write_bytes((entry / "0.bin").read_bytes()[:-1])


def lose_the_header(entry):
    (entry / "header.json").unlink()


def garble(entry):
    (entry / "header.json").write_text("{", encoding="ascii")


def rename_another(entry):
    header = json.loads((entry / "header.json").read_text(encoding="ascii"))
    (entry / "header.json").write_text(json.dumps(header | {"identity": "another"}), encoding="ascii")


def blank(entry):
    (entry / "0.bin").write_bytes(bytes((entry / "0.bin").stat().st_size))


def lose_a_key(entry):
    (entry / "header.json").write_text(json.dumps({"schema": 1}), encoding="ascii")


@pytest.mark.parametrize("damage", [cut, lose_the_header, garble, rename_another, blank, lose_a_key])
def test_a_torn_or_foreign_pack_is_made_anew(write, decoders, cache, damage):
    root = write(numbered(40))
    packed(items_in(root, decoders.decode), "always")
    damage(*entries(cache))
    made, _ = packed(items_in(root, decoders.decode), "always")
    assert isinstance(made, PackedItems)
    assert same(made, items_in(root, decoders.decode))
    assert len(entries(cache)) == 1


SCRIPT = """
import os, sys
from wganx import SampleFormat
from wganx.data import FileItems, FileTree, packed
import decoders_of_the_tests as decoders
if "killed" in sys.argv:
    os.rename = lambda *paths: os._exit(9)
items = FileItems(FileTree(sys.argv[1], (".bin",)), "train", decoders.decode,
                  {"sample": SampleFormat(axes=("value",), shape=(3,))})
made, said = packed(items, "always")
print(len(decoders.decoded), said, [item["sample"].tolist() for item in made])
"""


@pytest.fixture
def in_a_process(decoders, tmp_path):
    script = tmp_path / "packer.py"
    script.write_text(SCRIPT, encoding="utf-8")
    found = os.pathsep.join([str(Path(decoders.__file__).parent), os.environ.get("PYTHONPATH", "")])

    def start(root, *words):
        return subprocess.Popen(
            [sys.executable, str(script), str(root), *words],
            env=os.environ | {"PYTHONPATH": found},
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def test_a_packer_killed_before_the_pack_has_its_name_leaves_none(write, decoders, cache, in_a_process):
    root = write(numbered(40))
    killed = in_a_process(root, "killed")
    killed.communicate(timeout=120)
    assert killed.returncode == 9
    (left,) = entries(cache)
    assert re.fullmatch(r"\.data-.*\.writing", left.name)
    assert (left / "header.json").exists()
    made, _ = packed(items_in(root, decoders.decode), "always")
    assert isinstance(made, PackedItems)
    assert left in entries(cache)  # it might be at work still
    yesterday = time.time() - 2 * 24 * 60 * 60
    for path in (*left.iterdir(), left):
        os.utime(path, (yesterday, yesterday))
    tidy(made.folder, "other")
    assert entries(cache) == [made.folder]


def test_of_two_packers_at_once_one_decodes_and_both_end_well(write, cache, in_a_process):
    root = write({f"train/{i}.bin": bytes([i % 256, i // 256, 1]) for i in range(3000)} | {"test/0.bin": b"abc"})
    packers = [in_a_process(root) for _ in range(2)]
    told = [packer.communicate(timeout=180)[0].split(" ", 1) for packer in packers]
    assert [packer.returncode for packer in packers] == [0, 0]
    assert len({rest for _, rest in told}) == 1
    assert sorted(int(count) > 2000 for count, _ in told) == [False, True]
    assert len(entries(cache)) == 1


def test_a_file_system_without_locks_is_packed_on_all_the_same(write, decoders, monkeypatch):
    def no_locks(self, timeout=None):
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr("wganx.data.cache.FileLock.acquire", no_locks)
    assert isinstance(packed(items_in(write(numbered(5)), decoders.decode), "always")[0], PackedItems)


def full(monkeypatch):
    def fsync(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fsync)
    return "No space left on device"


def nearly_full(monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=100)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    return "a pack takes 0.0 GB, and half of what is free in"


def unwritable(monkeypatch):
    monkeypatch.setenv("WGANX_CACHE", __file__)
    return "Not a directory"


@pytest.mark.parametrize("trouble", [full, nearly_full, unwritable])
def test_a_disk_that_takes_no_pack_costs_a_warning_and_nothing_else(
    write, decoders, monkeypatch, caplog, cache, trouble
):
    root = write(numbered(40, broken=(3,)))
    reason = trouble(monkeypatch)
    feed = choose_feed(items_in(root, decoders.decode), batch_size=7, seed=1, device="cpu", pack="always")
    about = [record.message for record in caplog.records if "is not packed" in record.message]
    assert len(about) == 1
    assert reason in about[0]
    assert "set WGANX_CACHE to a folder with room, or dataset.pack=off" in about[0]
    assert "; not packed (" in feed.reason
    other = choose_feed(items_in(root, decoders.decode), batch_size=7, seed=1, device="cpu", pack="off")
    assert all(torch.equal(feed.next()["sample"], other.next()["sample"]) for _ in range(12))
    assert not cache.exists() or not entries(cache)


def test_too_many_unreadable_files_are_refused_as_without_a_pack(write, decoders, cache):
    root = write(numbered(40, range(2, 10)))
    with pytest.raises(DataError) as plain:
        load(items_in(root, decoders.decode))
    with pytest.raises(DataError) as of_pack:
        packed(items_in(root, decoders.decode), "always")
    assert sorted(str(of_pack.value)) == sorted(str(plain.value))
    assert not entries(cache)


def test_what_is_not_used_for_long_goes_and_what_is_used_stays(write, decoders, cache):
    old, _ = packed(items_in(write(numbered(5), "old"), decoders.decode), "always")
    long_ago = time.time() - 100 * 24 * 60 * 60
    for path in (*old.folder.iterdir(), old.folder):
        os.utime(path, (long_ago, long_ago))
    packed(items_in(old.folder.parents[2] / "old", decoders.decode), "always")  # a use
    packed(items_in(write(numbered(5), "new"), decoders.decode), "always")
    assert len(entries(cache)) == 2
    for path in (*old.folder.iterdir(), old.folder):
        os.utime(path, (long_ago, long_ago))
    packed(items_in(write(numbered(5), "newer"), decoders.decode), "always")
    assert len(entries(cache)) == 2
    assert same(old, items_in(old.folder.parents[2] / "old", decoders.decode))  # who has it open keeps it


def test_long_decoding_is_told(write, decoders, monkeypatch, caplog):
    monkeypatch.setattr(decoding, "_FIRST_WORD", 0.0)
    root = write(numbered(40))
    load(items_in(root, decoders.decode))
    (told,) = [record.message for record in caplog.records]
    assert re.fullmatch(rf"reading {re.escape(str(root))}: 1 of 40 files, about \d+ s left", told)


def test_the_cache_lies_where_it_is_wanted(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/general")
    monkeypatch.setenv("WGANX_CACHE", "~/own")
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("WGANX_CACHE")
    assert cache_folder() == Path("/general/wganx")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "wganx"


@pytest.mark.parametrize("kind", ["resident", "stream"])
def test_a_feed_says_where_its_data_is_packed_and_reports_what_is_unreadable(write, decoders, cache, kind):
    items = items_in(write(numbered(40, broken=(3, 17))), decoders.decode)
    feed = choose_feed(items, batch_size=7, seed=1, device="cpu", requested=kind, pack="always")
    assert feed.kind == kind
    assert feed.reason.endswith(f"; packed in {entries(cache)[0]}")
    assert feed.unreadable == [(f"train/{i:03}.bin", "ValueError: not a sample at all") for i in (3, 17)]
    other = choose_feed(items, batch_size=7, seed=1, device="cpu", pack="off")
    assert all(torch.equal(feed.next()["sample"], other.next()["sample"]) for _ in range(12))
    feed.close()
