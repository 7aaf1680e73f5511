import json
import tracemalloc

import pytest

from wganx.data import Entry, FileTree, Listing, scan
from wganx.errors import DataError

FILES = {
    "train/cat/1.bin": b"abc",
    "train/cat/2.bin": b"abcd",
    "train/dog/1.bin": b"abc",
    "train/dog/2.bin": b"broken",
    "test/cat/9.bin": b"abc",
    "test/dog/9.bin": b"xyz",
    "extra/5.bin": b"pq",
    "readme.txt": b"hello",
}


def probe(file, path):
    content = file.read()
    if content == b"broken":
        raise ValueError("ends too early")
    return {"length": str(len(content))}


@pytest.fixture(params=["folder", "zip"])
def root(request, write, pack):
    return write(FILES) if request.param == "folder" else pack(FILES)


def test_a_scan_reports_what_is_there(root):
    report = scan(root, (".bin",), probe, {".txt": "rename it", ".wav": "not there"})
    same = ["test/cat/9.bin", "train/cat/1.bin", "train/dog/1.bin"]
    assert report.to_json() == {
        "path": str(root),
        "files": 7,
        "bytes": 24,
        "splits": {"train": 4, "heldout": 2},
        "beside": 0,
        "split_by_folder": True,
        "how": "by their folders",
        "outside": 1,
        "classes": {"cat": {"train": 2, "heldout": 1}, "dog": {"train": 2, "heldout": 1}},
        "labels": {},
        "properties": {"length": {"3": 4, "2": 1, "4": 1}},
        "noted": {},
        "duplicates": [same],
        "alike": [],
        "leaked": [same],
        "unreadable": {"train/dog/2.bin": "ValueError: ends too early"},
        "skipped": {".txt": 1},
        "mends": {".txt": "rename it"},
        "skipped_runs": [],
        "remarks": [],
    }
    assert json.loads(json.dumps(report.to_json())) == report.to_json()


def test_files_that_are_read_beside_others_lie_in_their_split(write):
    tree = FileTree(
        write({"a.bin": b"1", "a_small.bin": b"2", "b.bin": b"3", "b_small.bin": b"2", "c.bin": b"4"}), (".bin",)
    )
    said = {
        "a.bin": Entry(split="train", beside=("a_small.bin",)),
        "b.bin": Entry(split="heldout", beside=("b_small.bin",)),
    }
    report = scan(tree.root, (".bin",), probe, listing=Listing(tree, said))
    assert (report.files, report.splits, report.beside, report.outside) == (4, {"train": 1, "heldout": 1}, 2, 1)
    assert report.leaked == [["a_small.bin", "b_small.bin"]]


def test_a_file_that_should_lie_beside_another_and_does_not_is_a_finding(write):
    tree = FileTree(write({"a.bin": b"1", "b.bin": b"3"}), (".bin",))
    report = scan(tree.root, (".bin",), probe, listing=Listing(tree, {"a.bin": Entry(beside=("a_small.bin",))}))
    assert list(report.unreadable) == ["a_small.bin"]
    assert (report.files, report.bytes) == (2, 1)


def test_files_that_cannot_even_be_read_are_findings(write, tmp_path):
    root = write({"1.bin": b"abc"})
    try:
        (root / "2.bin").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("no links here")
    report = scan(root, (".bin",), probe)
    assert list(report.unreadable) == ["2.bin"]
    assert report.unreadable["2.bin"].startswith("FileNotFoundError")
    assert not report.duplicates
    assert not report.classes


def test_many_files_keep_their_order(write):
    root = write({f"{i:03}.bin": b"broken" if i % 50 == 0 else bytes(i) for i in range(300)})
    report = scan(root, (".bin",), probe)
    assert list(report.unreadable) == [f"{i:03}.bin" for i in range(0, 300, 50)]
    assert sum(report.properties["length"].values()) == 294
    assert report.duplicates == [[f"{i:03}.bin" for i in range(0, 300, 50)]]
    assert sum(report.splits.values()) == 300


def test_nothing_to_scan_is_refused(write):
    with pytest.raises(DataError, match="is empty"):
        scan(write({}), (".bin",), probe)


def test_what_may_be_amiss_is_named_with_its_files(write):
    def look(file, path):
        content = file.read()
        return {"length": str(len(content)), **({"look": "all the same"} if len(set(content)) == 1 else {})}

    report = scan(write({"a.bin": b"aaa", "b.bin": b"abc", "c.bin": b"c"}), (".bin",), look)
    assert report.noted == {"all the same": ["a.bin", "c.bin"]}
    assert "look" not in report.properties
    assert report.unreadable == {}


def test_a_file_of_any_size_stays_on_the_disk(tmp_path):
    with (tmp_path / "long.bin").open("wb") as file:
        file.truncate(1 << 28)

    def look(file, path):
        return {"length": str(file.seek(0, 2))}

    tracemalloc.start()
    report = scan(tmp_path, (".bin",), look)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.properties == {"length": {str(1 << 28): 1}}
    assert most < 1 << 24
