import errno
import os
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from wganx.data import FileTree
from wganx.errors import DataError

FILES = {
    "b/2.png": b"two",
    "a/1.PNG": b"one",
    "a/deep/er/3.jpg": b"three",
    "notes.txt": b"",
    "a/.hidden.png": b"",
    ".cache/4.png": b"",
    "__MACOSX/a/1.png": b"",
}


@pytest.fixture(params=["folder", "zip"])
def root(request, write, pack):
    return write(FILES) if request.param == "folder" else pack(FILES)


def test_lists_wanted_files_sorted_and_counts_the_others(root):
    tree = FileTree(root, (".png", ".jpg"))
    assert tree.paths == ("a/1.PNG", "a/deep/er/3.jpg", "b/2.png")
    assert tree.sizes == {"a/1.PNG": 3, "a/deep/er/3.jpg": 5, "b/2.png": 3}
    assert tree.skipped == {".txt": 1}


ODD = (
    "a\nwganx: all is well.png",
    "tab\there.png",
    "cr\rhere.png",
    "\x1b[31mred.png",
    "line\u2028here.png",
    "\x9b2J.png",
)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_name_stays_in_its_line(kind, write, pack):
    files = {f"cat\ndog/{name}": str(number).encode() for number, name in enumerate(ODD)}
    tree = FileTree((write if kind == "folder" else pack)(files), (".png",))
    assert set(tree.paths) == {
        f"cat\\ndog/{name}"
        for name in (
            "a\\nwganx: all is well.png", "tab\\there.png", "cr\\rhere.png", "\\x1b[31mred.png", "line\\u2028here.png",
            "\\x9b2J.png",
        )
    }  # fmt: skip
    assert sorted(map(tree.read, tree.paths)) == sorted(files.values())
    with pytest.raises(DataError) as raised:
        FileTree(tree.root, (".jpg",))
    assert "\n" not in str(raised.value)


def test_reads_from_many_threads_and_after_pickling_and_closing(root):
    tree = FileTree(root, (".png", ".jpg"))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tree.read, tree.paths * 50)) == [b"one", b"three", b"two"] * 50
    copy = pickle.loads(pickle.dumps(tree))
    assert [copy.read(path) for path in copy.paths] == [b"one", b"three", b"two"]
    tree.close()
    assert tree.read("b/2.png") == b"two"
    tree.close()
    copy.close()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"data is empty; put files ending in \.jpg or \.png into it, or give another path"),
        ({".DS_Store": b""}, "data is empty"),
        (
            {"a.txt": b"", "b.TXT": b"", "c": b""},
            r"data holds no file ending in \.jpg or \.png; it holds 2 \.txt, 1 without an ending",
        ),
    ],
)
def test_nothing_to_read_is_refused(write, files, message):
    with pytest.raises(DataError, match=message):
        FileTree(write(files), (".png", ".jpg"))


def test_an_empty_archive_is_refused(pack):
    with pytest.raises(DataError, match=r"data\.zip is empty"):
        FileTree(pack({}), (".png",))


def test_a_missing_path_is_refused_with_what_exists_of_it(tmp_path):
    message = re.escape(f"at {tmp_path / 'pics' / 'cats'}; check the spelling (the path exists up to {tmp_path})")
    with pytest.raises(DataError, match=message):
        FileTree(tmp_path / "pics" / "cats", (".png",))


@pytest.mark.parametrize(("name", "mend"), [("cat.png", "give the folder that holds it"), ("cats.tar.gz", "unpack it")])
def test_a_single_file_is_refused(write, name, mend):
    root = write({name: b"x"})
    with pytest.raises(DataError, match=f"is a single file, and a folder or a .zip archive is wanted; {mend}"):
        FileTree(root / name, (".png",))


@pytest.mark.parametrize("damage", ["not a zip", "truncated", "empty file"])
def test_a_broken_archive_is_refused(pack, damage):
    root = pack({f"{i}.png": b"content" for i in range(10)})
    content = root.read_bytes()
    root.write_bytes({"not a zip": b"hello", "truncated": content[: len(content) // 2], "empty file": b""}[damage])
    with pytest.raises(DataError, match=r"data\.zip is not a readable zip archive \(.+\); pack or download it"):
        FileTree(root, (".png",))


def test_a_loop_of_links_ends_and_linked_folders_are_read(write, tmp_path):
    root = write({"a/1.png": b"one"})
    elsewhere = write({"2.png": b"two"}, name="elsewhere")
    try:
        (root / "a" / "loop").symlink_to(root, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    (root / "b").symlink_to(elsewhere, target_is_directory=True)
    (root / "dead.png").symlink_to(tmp_path / "nowhere.png")
    (root / "itself").symlink_to(root / "itself")
    tree = FileTree(root, (".png",))
    assert tree.paths == ("a/1.png", "b/2.png", "dead.png")
    with pytest.raises(FileNotFoundError):
        tree.read("dead.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.timeout(10)
def test_a_pipe_is_never_opened(write):
    root = write({"1.png": b"one"})
    os.mkfifo(root / "pipe.png")
    os.mkfifo(root / "pipe.zip")
    assert FileTree(root, (".png",)).paths == ("1.png",)
    with pytest.raises(DataError, match=r"a folder or a \.zip archive is wanted"):
        FileTree(root / "pipe.zip", (".png",))


@pytest.fixture
def forbid(monkeypatch):
    """Makes one folder unlistable, also for a superuser."""
    listing = os.scandir

    def forbidder(folder):
        def scandir(path):
            if os.fspath(path) == os.fspath(folder):
                raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
            return listing(path)

        monkeypatch.setattr(os, "scandir", scandir)

    return forbidder


def test_a_root_that_may_not_be_listed_is_refused(write, forbid):
    root = write({"1.png": b"one"})
    forbid(root)
    with pytest.raises(DataError, match=r"data cannot be read: Permission denied; check its permissions"):
        FileTree(root, (".png",))


def test_a_folder_that_may_not_be_listed_is_named_and_left_out(write, forbid, caplog):
    root = write({"1.png": b"one", "lost+found/2.png": b"two"})
    forbid(root / "lost+found")
    assert FileTree(root, (".png",)).paths == ("1.png",)
    assert caplog.messages == [f"the files in {root / 'lost+found'} are left out: Permission denied"]


RUN = {f"{name}{file}": b"{}" for name in ("runs/one/", "mine/two/") for file in ("config.yaml", "run.json")}
RUN |= {"runs/one/samples/1.png": b"own", "mine/two/samples/1.png": b"own", "runs/drawn/1.png": b"own"}
OTHERS = {"a/1.png": b"one", "config.yaml": b"", "a/run.json": b"", "mine/2.png": b"two", "a/runs/3.png": b"three"}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_run_folders_are_passed_over_and_named_once(write, pack, caplog, kind):
    root = write(RUN | OTHERS) if kind == "folder" else pack(RUN | OTHERS)
    tree = FileTree(root, (".png",))
    assert tree.paths == ("a/1.png", "a/runs/3.png", "mine/2.png")
    assert sorted(tree.skipped_runs) == ["mine/two", "runs"]
    assert tree.skipped == {".json": 1, ".yaml": 1}
    (said,) = caplog.messages
    assert said.startswith(f"{root}: what lies in the run folders of wganx ")
    assert said.endswith(" is left out")
    tree.close()


def test_a_run_folder_that_is_asked_for_is_read(write):
    root = write({"config.yaml": b"", "run.json": b"", "samples/1.png": b"one"})
    assert FileTree(root, (".png",)).paths == ("samples/1.png",)
    assert FileTree(root / "samples", (".png",)).skipped_runs == ()


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_where_only_runs_have_such_files_that_is_said(write, pack, kind):
    root = write(RUN) if kind == "folder" else pack(RUN)
    with pytest.raises(DataError) as refusal:
        FileTree(root, (".png",))
    assert str(refusal.value) in (
        f"{root} holds no file ending in .png outside the run folders of wganx {named}, and what lies there is left "
        "out; give another path, or the very folder of the samples"
        for named in ("mine/two, runs", "runs, mine/two")
    )


def test_many_run_folders_are_counted(write, caplog):
    runs = {f"mine/{i}/{file}": b"" for i in range(5) for file in ("config.yaml", "run.json")}
    FileTree(write(runs | OTHERS), (".png",))
    assert caplog.messages[0].endswith("wganx mine/0, mine/1, mine/2 and 2 more is left out")


def test_backslashes_in_an_archive_separate_folders(pack):
    tree = FileTree(pack({r"pets\cat\1.png": b"cat", r"pets\dog\2.png": b"dog", "pets\\emu\\": b""}), (".png",))
    assert tree.paths == ("pets/cat/1.png", "pets/dog/2.png")
    assert tree.layout.classes == ("cat", "dog")
    assert tree.empty == ("pets/emu",)
    copy = pickle.loads(pickle.dumps(tree))
    assert [copy.read(path) for path in copy.paths] == [b"cat", b"dog"]
    with copy.open("pets/dog/2.png") as source:
        assert source.read() == b"dog"


def test_folders_without_such_a_file_are_empty(write, pack):
    files = {"cat/1.png": b"1", "dog/notes.txt": b"", "dog/deep/2.heic": b"", "emu/3/4.png": b"4"}
    for root in (write(files), pack(files)):
        assert sorted(FileTree(root, (".png",)).empty) == ["dog", "dog/deep"]


def test_names_that_are_no_utf8_are_shown_and_read(tmp_path):
    odd = tmp_path / "data" / os.fsdecode(b"caf\xe9") / os.fsdecode(b"\xff.png")
    try:
        odd.parent.mkdir(parents=True)
        odd.write_bytes(b"one")
    except OSError:
        pytest.skip("this file system takes no such names")
    tree = FileTree(tmp_path / "data", (".png",))
    assert tree.paths == (r"caf\xe9/\xff.png",)
    assert tree.paths[0].encode("utf-8")
    copy = pickle.loads(pickle.dumps(tree))
    assert copy.read(copy.paths[0]) == b"one"
    with copy.open(copy.paths[0]) as source:
        assert source.read() == b"one"


def test_what_would_make_other_files_readable_is_said(write):
    mends = {".heic": "pip install pillow-heif"}
    with pytest.raises(DataError, match=r"it holds 1 \.heic \(pip install pillow-heif\)$"):
        FileTree(write({"1.heic": b""}), (".png",), mends)
