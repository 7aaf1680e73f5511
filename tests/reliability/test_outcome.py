"""The judge itself: each verdict is reached by what deserves it, so that a harness without faults means something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.reliability.outcome import carry_out, judge
from wganx.storage import open_to_add

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it")


def _writes(path: Path) -> int:
    path.write_text("x", encoding="utf-8")
    return 0


def _allocates() -> int:
    bytearray(1 << 32)
    return 0


def _raises() -> int:
    raise ValueError("no message for a person")


def _prints(text: str) -> int:
    print(text)
    return 2


def _works() -> int:
    while True:
        pass


def _starts() -> int:
    subprocess.run(["true"], check=True)
    return 0


def test_each_verdict(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
    (inside / "link").symlink_to(outside / "victim")
    works = {
        "survived": lambda: _writes(inside / "file"),
        "refused": lambda: _prints("wrong; mend it"),
        "outside": lambda: _writes(outside / "file"),
        "traceback": _raises,
        "memory": _allocates,
        "hang": _works,
        "escaped": lambda: _prints("a \x1b[31m name"),
        "executed": _starts,
    }
    found = {
        name: judge("test", name, work, writable=[inside], seconds=2, memory=1 << 30).result
        for name, work in works.items()
    }
    assert found == {name: name for name in works}
    through_a_link = judge("test", "link", lambda: _writes(inside / "link"), writable=[inside])
    assert through_a_link.result == "outside"
    assert not (outside / "victim").exists()


def test_what_follows_no_link_is_not_outside(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")

    def adds() -> int:
        with pytest.raises(OSError, match="it is a link"):
            open_to_add(tmp_path / "in" / "link")
        return 1

    assert judge("test", "link", adds, writable=[tmp_path / "in"]).result == "refused"


def test_a_folder_is_removed_where_it_lies(tmp_path: Path) -> None:
    """Its files go by their names alone, from a descriptor of the folder."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside / "deep", outside / "deep"):
        folder.mkdir(parents=True)
        (folder / "file").touch()

    def removing(folder: Path) -> int:
        shutil.rmtree(folder)
        return 0

    assert judge("test", "inside", lambda: removing(inside / "deep"), writable=[inside]).result == "survived"
    assert judge("test", "outside", lambda: removing(outside / "deep"), writable=[inside]).result == "outside"
    assert (outside / "deep" / "file").exists()


def test_what_waits_for_ever_is_found(tmp_path: Path) -> None:
    waits = judge("test", "sleep", lambda: time.sleep(60) or 0, writable=[tmp_path], seconds=0.1)
    assert waits.result == "hang"
    assert waits.seconds < 0.6  # of CPU, which is what is counted: it waited for twice as long


def test_a_process_that_dies_is_a_fault(tmp_path: Path) -> None:
    assert judge("test", "abort", lambda: os.abort() or 0, writable=[tmp_path]).result == "traceback"


def test_a_command_is_judged_by_what_it_does(tmp_path: Path) -> None:
    wrong = carry_out("test", "no run", ["report", "nowhere"], folder=tmp_path, writable=[tmp_path])
    assert wrong.result == "refused"
    assert "there is no run in nowhere" in wrong.said
    right = carry_out("test", "version", ["--version"], folder=tmp_path, writable=[tmp_path])
    assert right.result == "survived"
