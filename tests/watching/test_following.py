"""The report is rewritten while a run goes on, only where it changed, and following ends with the run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from click.testing import CliRunner

from wganx.cli import main
from wganx.errors import DataError
from wganx.lock import locked
from wganx.watching import follow, following
from wganx.watching.following import FollowedPage


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(following, "WRITTEN_EVERY", 0.05)
    monkeypatch.setattr(following, "FAREWELL", 0.05)


def address_in(line):
    return re.search(r"http://\S+", line)[0]


def get(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read()


def wait_until(holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_page_is_written_anew_only_where_the_records_changed(begun, reach):
    with locked(begun):
        page = FollowedPage(begun)
        first, stamp = page.version, (begun / "report.html").stat().st_mtime_ns
        page.refresh()
        assert (page.version, (begun / "report.html").stat().st_mtime_ns) == (first, stamp)
        reach(6)
        page.refresh()
    assert page.version != first
    assert page.content == (begun / "report.html").read_bytes()
    assert page.status == "running"


def test_the_end_of_a_run_is_the_end_of_following(begun, reach, quick):
    said = []
    with locked(begun):
        thread = threading.Thread(target=follow, args=(begun,), kwargs={"tell": said.append})
        thread.start()
        wait_until(lambda: said)
        address = address_in(said[0])
        assert b"3 of 9" in get(f"{address}report.html")
        before = get(f"{address}version")
        reach(6)
        wait_until(lambda: get(f"{address}version") != before)
        assert b"6 of 9" in get(f"{address}report.html")
        reach(9, status="finished")
    thread.join(30)
    assert said == [
        f"following <b>run at {address}", "until the run ends, or Ctrl-C",
        f"the run has ended: finished at step 9; its report is {begun / 'report.html'}",
    ]  # fmt: skip
    assert "finished" in (begun / "report.html").read_text(encoding="utf-8")


def test_a_run_that_is_killed_ends_following_too(begun, quick):
    said = []
    with locked(begun):
        thread = threading.Thread(target=follow, args=(begun,), kwargs={"tell": said.append})
        thread.start()
        wait_until(lambda: len(said) == 2)
    # Behind the block the lock is free, and run.json still says that it runs: what a SIGKILL leaves.
    thread.join(30)
    assert said[-1].startswith("the run has ended: interrupted at step 3; ")
    assert "it ended without a word" in (begun / "report.html").read_text(encoding="utf-8")


def test_a_disk_that_is_full_for_a_while_is_told_once(begun, reach, quick, monkeypatch):
    said, full = [], threading.Event()
    write = following.write_report

    def writing(folder):
        if full.is_set():
            raise following.WganxError("cannot write report.html: no space")
        return write(folder)

    monkeypatch.setattr(following, "write_report", writing)
    with locked(begun):
        thread = threading.Thread(target=follow, args=(begun,), kwargs={"tell": said.append})
        thread.start()
        wait_until(lambda: len(said) == 2)
        full.set()
        reach(6)
        wait_until(lambda: len(said) == 3)
        time.sleep(0.2)
        full.clear()
        wait_until(lambda: b"6 of 9" in get(f"{address_in(said[0])}report.html"))
        reach(9, status="finished")
    thread.join(30)
    assert said[2] == "cannot write report.html: no space"
    assert len(said) == 4


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_finished_run_is_served_until_ctrl_c(begun, reach):
    reach(9, status="finished")
    command = [sys.executable, "-c", "from wganx.cli import main; main()", "report", str(begun), "--follow"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = address_in(process.stdout.readline())
        assert process.stdout.readline() == "the run has ended: finished at step 9; until Ctrl-C\n"
        assert b"<!doctype html>" in get(address)
        assert get(f"{address}report.html") == (begun / "report.html").read_bytes()
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
        assert (process.returncode, said, errors) == (0, "no longer followed\n", "")
    finally:
        process.kill()
        process.communicate()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(DataError, match="is no run folder"):
        follow(tmp_path, tell=print)


def test_a_port_without_following_is_refused(begun):
    done = CliRunner().invoke(main, ["report", str(begun), "--port", "8000"])
    assert done.exit_code == 2
    assert "--port is for --follow" in done.output
