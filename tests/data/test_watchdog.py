"""Reads that get no answer, in the thread that trains: how soon they end, with what words, and what goes on."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from wganx import SampleFormat, process
from wganx.data import DecodedItems, StreamFeed, choose_feed, describe_data, load, patience
from wganx.data.threads import for_each_index
from wganx.data.watchdog import Wait, answered, read_item
from wganx.errors import DataError, NoAnswer

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(3,))}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="reads are interrupted by a signal")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(patience, "TELL", 0.5)
    monkeypatch.setattr(patience, "LONGEST", 1.0)


@pytest.fixture
def pipe(tmp_path):
    """Nobody writes to it: opening it waits for ever, as reading from a mount that is gone."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


class Own:
    """A plugin's own items, which the training's thread reads."""

    formats = FORMATS

    def __init__(self, harm, at=5, count=12):
        self.harm, self.at, self.count = harm, at, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index == self.at and self.harm is not None:
            self.harm()
        return {"sample": torch.full((3,), float(index))}


class Named(DecodedItems):
    def __init__(self, harm, at):
        super().__init__(FORMATS, root=Path("films"), recipe=())
        self.harm, self.at = harm, at

    def __len__(self):
        return 12

    def name(self, index):
        return f"film {index}.mp4"

    def decode_item(self, index):
        if index == self.at:
            self.harm()
        return {"sample": torch.full((3,), float(index))}


def no_answer(what):
    return pytest.raises(NoAnswer, match=rf"^{what} has had no answer for 1 s: a file does not answer .*, then resume$")


def ends_soon(begun):
    return time.monotonic() - begun < 10


@pytest.mark.parametrize("stands", ["pipe", "sleep"])
def test_an_item_that_gives_no_answer_is_told_and_then_an_error(pipe, caplog, stands):
    items = Own(pipe.read_bytes if stands == "pipe" else lambda: time.sleep(1000))
    feed = StreamFeed(items, batch_size=4, seed=0, device="cpu")
    begun = time.monotonic()
    with no_answer("reading item 5") as raised:
        for _ in range(4):
            position = feed.position
            feed.next()
    assert ends_soon(begun)
    assert (raised.value.exit_code, isinstance(raised.value, DataError)) == (1, True)
    assert "waiting for data: reading item 5 has had no answer for 0 s" in caplog.text
    signal.raise_signal(signal.SIGURG)  # from elsewhere, it interrupts nothing
    items.harm = None
    assert feed.position == position
    assert len(feed.next()["sample"]) == 4  # the same batch, once it can be read
    feed.close()


class Slow(Own):
    def __getitem__(self, index):
        time.sleep(0.2)
        return super().__getitem__(index)


def test_many_items_that_take_a_while_each_are_waited_for():
    feed = StreamFeed(Slow(None), batch_size=12, seed=0, device="cpu")
    assert len(feed.next()["sample"]) == 12


@pytest.mark.parametrize(
    "read",
    [
        lambda items: choose_feed(items, batch_size=2, seed=0, device="cpu"),
        load,
        describe_data,
        lambda items: read_item(items, items.at),
    ],
    ids=["choose", "load", "describe", "read"],
)
@pytest.mark.parametrize("at", [0, 11])
def test_so_it_is_when_a_training_is_set_up(pipe, read, at):
    with no_answer(f"reading item {at}"):
        read(Own(pipe.read_bytes, at=at))


def test_what_gives_no_answer_is_not_an_item_that_cannot_be_read(pipe):
    items = Named(pipe.read_bytes, at=3)
    with no_answer(r"reading film 3\.mp4"):
        read_item(items, 3)
    assert not items.unreadable


def test_threads_that_read_get_no_answer_either(pipe):
    begun = time.monotonic()
    with no_answer("reading films"):
        for_each_index(100, lambda index: index if index != 70 else pipe.read_bytes(), threads=2, doing="reading films")
    assert ends_soon(begun)


def test_of_what_threads_raise_the_first_counts():
    def fails(index):
        if index in (30, 90):
            raise ValueError(index)
        return index

    for _ in range(20):
        with pytest.raises(ValueError, match=r"^30$"):
            for_each_index(100, fails, threads=4)
    assert for_each_index(1000, abs, threads=4) == list(range(1000))


def test_code_of_others_may_compute_for_long():
    def compute(seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sum(range(1000))

    with Wait("fitting points", opaque=True):
        compute(2.0)
    with no_answer("fitting points"), Wait("fitting points", opaque=True):
        compute(0.2)
        time.sleep(1000)


def test_an_answer_inside_counts_for_what_is_around():
    with Wait("opening points"):
        for _ in range(10):
            time.sleep(0.2)
            answered()
    with no_answer("reading item 5"), Wait("opening points"):
        load(Own(lambda: time.sleep(1000)))


def test_a_thread_that_takes_no_signals_is_told_once_and_goes_on(caplog):
    done = []

    def read():
        done.append(load(Own(lambda: time.sleep(4))))

    with process.own():  # a server's, say, whose other threads are to live
        thread = threading.Thread(target=read)
        thread.start()
        thread.join(20)
    assert len(done[0]) == 12
    ends = [record for record in caplog.records if "nothing can end this wait" in record.message]
    assert [record.levelno for record in ends] == [logging.WARNING]


def test_a_process_ends_where_nothing_else_ends_its_wait():
    """A library that tries again whatever comes, and threads that would be waited for at the end."""
    code = """
import time
from wganx import process
from wganx.data import patience
from wganx.data.threads import for_each_index
from wganx.data import watchdog
from wganx.data.watchdog import Wait
from wganx.errors import NoAnswer

patience.LONGEST, patience.TELL, watchdog._GRACE = 0.4, 0.2, 0.1
try:
    for_each_index(8, lambda index: time.sleep(1000), threads=2)
except NoAnswer:
    print("refused", flush=True)
with process.own(), Wait("reading"):
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            print("tried again", flush=True)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout.split("\n")[:2] == ["refused", "tried again"]
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("wganx: reading has had no answer for 0 s: a file does not answer")


def test_one_of_several_processes_ends_whichever_thread_waits():
    code = """
import threading, time
from wganx import process
from wganx.data import patience
from wganx.data.watchdog import Wait

def read():
    with Wait("reading"):
        time.sleep(1000)

patience.LONGEST, patience.TELL = 0.4, 0.2
process.share()
threading.Thread(target=read).start()
time.sleep(1000)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("wganx: reading has had no answer for 0 s: a file does not answer")


def test_the_interpreter_does_not_wait_for_threads_that_hang():
    code = """
import time
from wganx.data import patience
from wganx.data.threads import for_each_index

patience.LONGEST, patience.TELL = 0.4, 0.2
for_each_index(8, lambda index: time.sleep(1000), threads=2)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "wganx.errors.NoAnswer: reading files has had no answer" in ended.stderr
