"""Writing: whole or not at all, whatever lies in the way and whenever it ends."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wganx import storage
from wganx.storage import append_line, json_text, remove_folder, sync, whole_folder, write_whole

POSIX = pytest.mark.skipif(os.name != "posix", reason="rights and links as POSIX has them")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fill(path, text):
    with whole_folder(path) as aside:
        (aside / "deep").mkdir()
        (aside / "deep" / "who").write_text(text, encoding="ascii")


def who(path):
    return (path / "deep" / "who").read_text(encoding="ascii")


@given(content=st.one_of(st.binary(), st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_content_is_written_as_it_is(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("storage") / "file"
    write_whole(path, "before")
    write_whole(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode("utf-8"))
    assert names(path.parent) == ["file"]


def test_a_folder_is_there_when_the_work_ends_and_replaces_what_was_there(tmp_path):
    path = tmp_path / "new" / "entry"
    for text in ("one", "two"):
        with whole_folder(path) as aside:
            assert names(aside) == []
            (aside / "deep").mkdir()
            (aside / "deep" / "who").write_text(text, encoding="ascii")
            assert not path.exists() or who(path) == "one"
        assert who(path) == text
        assert names(path.parent) == ["entry"]


def test_of_two_writers_at_once_the_later_wins(tmp_path):
    entry = tmp_path / "entry"
    with whole_folder(entry) as one:
        (one / "who").write_text("one", encoding="ascii")
        with whole_folder(entry) as other:
            (other / "who").write_text("other", encoding="ascii")
        assert (entry / "who").read_text(encoding="ascii") == "other"
    assert (entry / "who").read_text(encoding="ascii") == "one"
    assert names(tmp_path) == ["entry"]


@pytest.mark.parametrize("exchange", [True, False])
def test_work_that_fails_leaves_the_old_and_nothing_beside_it(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(storage, "_system_exchange", lambda: None)
    fill(tmp_path / "entry", "old")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "entry"):
        1 / 0  # noqa: B018
    assert who(tmp_path / "entry") == "old"
    assert names(tmp_path) == ["entry"]


def test_where_folders_cannot_be_exchanged_the_old_one_is_moved_aside_and_back_if_need_be(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "_system_exchange", lambda: None)
    fill(tmp_path / "entry", "old")
    fill(tmp_path / "entry", "new")
    assert who(tmp_path / "entry") == "new"
    assert names(tmp_path) == ["entry"]
    rename, calls = os.rename, []

    def fail_the_third(source, target):
        calls.append(target)
        if len(calls) in (1, 3):
            raise OSError(errno.ENOTEMPTY, "not now")
        return rename(source, target)

    monkeypatch.setattr(os, "rename", fail_the_third)
    with pytest.raises(OSError, match="not now"):
        fill(tmp_path / "entry", "newer")
    assert who(tmp_path / "entry") == "new"
    assert names(tmp_path) == ["entry"]


def test_a_folder_does_not_take_the_place_of_a_file(tmp_path):
    (tmp_path / "entry").write_text("a file", encoding="ascii")
    with pytest.raises(NotADirectoryError, match=r"entry is a file, and a folder is to take its place; move it away"):
        fill(tmp_path / "entry", "new")
    assert (tmp_path / "entry").read_text(encoding="ascii") == "a file"
    assert names(tmp_path) == ["entry"]


KILLED = """
import os, sys, threading
from pathlib import Path
from wganx import storage
step, what, root = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
calls = 0
def counted(work):
    def call(*given, **named):
        global calls
        calls += 1
        if calls == step:
            os._exit(9)
        return work(*given, **named)
    return call
for name in ("rename", "replace", "fsync", "mkdir", "unlink", "rmdir", "open", "close"):
    setattr(os, name, counted(getattr(os, name)))
exchange = storage._system_exchange()
storage._system_exchange = lambda: exchange and counted(exchange)
if what == "file":
    storage.write_whole(root / "entry", "new")
elif what == "folder":
    with storage.whole_folder(root / "entry") as aside:
        (aside / "who").write_text("new", encoding="ascii")
else:
    storage.remove_folder(root / "entry")
"""


@POSIX
@pytest.mark.parametrize("what", ["file", "folder", "removal"])
def test_killed_at_any_step_there_is_the_old_or_the_new(tmp_path, what):
    if storage._system_exchange() is None and what == "folder":
        pytest.skip("no exchange here")
    seen = set()
    for step in range(1, 40):
        root = tmp_path / str(step)
        root.mkdir()
        entry = root / "entry"
        if what != "file":
            entry.mkdir()
        (entry if what == "file" else entry / "who").write_text("old", encoding="ascii")
        ended = subprocess.run([sys.executable, "-c", KILLED, str(step), what, str(root)], timeout=60)
        found = entry if what == "file" else entry / "who"
        state = found.read_text(encoding="ascii") if found.exists() else "nothing"
        assert state in ({"old", "nothing"} if what == "removal" else {"old", "new"})
        assert what != "removal" or entry.exists() == found.exists()
        seen.add(state)
        # What is left is hidden, and says by its end what it is.
        assert all(
            name == "entry" or (name.startswith(".entry.") and name.endswith((".writing", ".removing")))
            for name in names(root)
        )
        if ended.returncode == 0:
            break
        assert ended.returncode == 9
    assert ended.returncode == 0
    assert len(seen) == 2


@POSIX
def test_a_link_that_lies_in_wait_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "kept").write_text("kept", encoding="ascii")
    (tmp_path / "file").symlink_to(victim / "kept")
    write_whole(tmp_path / "file", "new")
    assert (victim / "kept").read_text(encoding="ascii") == "kept"
    assert not (tmp_path / "file").is_symlink()
    for name in ("entry", ".removed.removing"):
        (tmp_path / name).symlink_to(victim, target_is_directory=True)
    fill(tmp_path / "entry", "new")
    assert not (tmp_path / "entry").is_symlink()
    assert who(tmp_path / "entry") == "new"
    (tmp_path / "removed").mkdir()
    remove_folder(tmp_path / "removed")
    (tmp_path / "link").symlink_to(victim, target_is_directory=True)
    remove_folder(tmp_path / "link")
    assert names(victim) == ["kept"]
    assert names(tmp_path) == ["entry", "file", "victim"]


@POSIX
@pytest.mark.parametrize("name", ["mine", "ours"])
def test_a_name_that_is_taken_aside_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(storage.secrets, "token_hex", lambda size: "known")
    (tmp_path / "target").write_text("kept", encoding="ascii")
    (tmp_path / f".{name}.known.writing").symlink_to(tmp_path / "target")
    with pytest.raises(FileExistsError):
        (write_whole if name == "mine" else fill)(tmp_path / name, "new")
    assert (tmp_path / "target").read_text(encoding="ascii") == "kept"


@POSIX
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_rights_are_those_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "file", "")
        fill(tmp_path / "folder", "")
    finally:
        assert os.umask(before) == mask
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~mask


@POSIX
def test_threads_that_write_at_once_leave_the_rights_of_the_process_alone(tmp_path):
    before = os.umask(0o027)
    try:
        threads = [
            threading.Thread(target=lambda n=n: [write_whole(tmp_path / f"{n}", str(k)) for k in range(20)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        assert os.umask(before) == 0o027


@pytest.mark.parametrize("trouble", ["missing", "full"])
def test_a_folder_that_cannot_be_written_is_an_os_error_and_keeps_the_old(tmp_path, monkeypatch, trouble):
    if trouble == "missing":
        for write in (write_whole, fill):
            (tmp_path / "a file").write_text("", encoding="ascii")
            with pytest.raises(OSError, match=r"No such file|Not a directory|File exists"):
                write(tmp_path / "a file" / "entry", "new")
        assert names(tmp_path) == ["a file"]
        return
    write_whole(tmp_path / "file", "old")
    fill(tmp_path / "folder", "old")

    def fsync(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    for write, name in ((write_whole, "file"), (fill, "folder")):
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path / name, "new")
    assert (tmp_path / "file").read_text(encoding="ascii") == "old"
    assert who(tmp_path / "folder") == "old"
    assert names(tmp_path) == ["file", "folder"]


@given(kept=st.lists(st.integers(), max_size=4), torn=st.integers(0, 30))
def test_what_a_kill_left_of_a_line_is_cut_off_and_whole_lines_stay(tmp_path_factory, kept, torn):
    path = tmp_path_factory.mktemp("lines") / "metrics.jsonl"
    for number in kept:
        append_line(path, {"step": number})
    line = json.dumps({"step": 12345, "loss": 0.25})
    with path.open("a", encoding="utf-8") as file:
        file.write(line[:torn])
    append_line(path, {"step": "next"})
    steps = [json.loads(found)["step"] for found in path.read_text(encoding="utf-8").splitlines()]
    assert steps == [*kept, *([12345] if torn >= len(line) else []), "next"]


def test_read_only_files_and_dangling_links_are_synced_or_passed_over(tmp_path):
    with whole_folder(tmp_path / "entry") as aside:
        (aside / "file").write_text("x", encoding="ascii")
        (aside / "file").chmod(0o444)
        (aside / "nowhere").symlink_to(tmp_path / "nowhere")
    sync(tmp_path / "entry" / "file")
    assert names(tmp_path / "entry") == ["file", "nowhere"]


def test_numbers_that_are_not_finite_are_null_in_json(tmp_path):
    values = {"loss": float("nan"), "health": {"limits": [float("inf"), -float("inf"), 1.5]}, "step": 3, "name": "x"}
    append_line(tmp_path / "lines", values)
    line = (tmp_path / "lines").read_text(encoding="ascii")
    assert json.loads(line, parse_constant=pytest.fail) == {
        "loss": None, "health": {"limits": [None, None, 1.5]}, "step": 3, "name": "x",
    }  # fmt: skip


def test_json_of_any_name_of_a_file_can_be_written():
    text = json_text({"name": "caf\udce9 \u4e2d"}, readable=True)
    assert text.encode("utf-8") == '{"name": "caf\\\\udce9 \u4e2d"}'.encode().replace(b"\\\\", b"\\")
    assert json.loads(text) == {"name": "caf\udce9 \u4e2d"}


def test_a_line_that_does_not_fit_is_not_there_in_part(tmp_path, monkeypatch):
    path = tmp_path / "lines.jsonl"
    append_line(path, {"step": 1})

    class Full(FileIO):
        def write(self, data):
            if self.tell() > 16:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(bytes(data)[:6])

    with monkeypatch.context() as patched:
        patched.setattr(storage, "open_to_add", lambda path: Full(path, "a+"))
        with pytest.raises(OSError, match=r"No space left on device: '.*lines.jsonl'"):
            append_line(path, {"step": 2})
    assert path.read_text() == '{"step": 1}\n'
    append_line(path, {"step": 3})
    assert path.read_text() == '{"step": 1}\n{"step": 3}\n'


def test_what_killed_writers_left_goes_and_what_is_being_written_stays(tmp_path):
    (tmp_path / ".report.html.0123abcd.writing").write_text("half")
    (tmp_path / ".kept").write_text("not ours")
    (tmp_path / ".entry.0123abcd.writing").mkdir()
    (tmp_path / ".entry.removing").mkdir()
    (tmp_path / ".lost.0123abcd.replaced").mkdir()
    (tmp_path / ".link.0123abcd.writing").symlink_to(tmp_path / ".kept")
    replace = Path.replace

    def tidied(aside, path):
        storage.tidy(tmp_path)
        replace(aside, path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "replace", tidied)
        write_whole(tmp_path / "entry.json", "{}")
    assert names(tmp_path) == [".entry.0123abcd.writing", ".entry.removing", ".kept", "entry.json", "lost"]
    storage.tidy(tmp_path, folders=True)
    assert names(tmp_path) == [".kept", "entry.json", "lost"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_line_is_added_to_files_alone(tmp_path):
    os.mkfifo(tmp_path / "lines")
    with pytest.raises(OSError, match="it is no ordinary file but a pipe or a device") as raised:
        append_line(tmp_path / "lines", {"step": 1})
    assert raised.value.filename == str(tmp_path / "lines")
