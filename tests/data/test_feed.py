import logging
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from wganx import Batch, SampleFormat
from wganx.data import (
    ArrayItems,
    BatchStream,
    DecodedItems,
    FileItems,
    FileTree,
    ResidentFeed,
    ShuffledOrder,
    StreamFeed,
    choose,
    choose_feed,
    patience,
)
from wganx.errors import DataError, NoAnswer

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(3,))}


def numbered(count, broken=()):
    return {f"train/{i:03}.bin": b"broken" if i in broken else bytes([i, 0, 1]) for i in range(count)} | {
        "test/0.bin": b"abc"
    }


@pytest.fixture
def file_items(write, decoders):
    root = write(numbered(40, broken=(3, 17)))
    return lambda: FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS)


def array_items(count=10):
    return ArrayItems({"sample": torch.arange(count * 3).view(count, 3)}, FORMATS)


def samples(feed, batches):
    return [feed.next()["sample"] for _ in range(batches)]


def same(one, other):
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other))


@pytest.mark.parametrize("kind", ["resident", "stream"])
def test_batches_follow_the_order(kind):
    feed = choose_feed(array_items(), batch_size=4, seed=3, device="cpu", requested=kind)
    assert feed.kind == kind
    order = ShuffledOrder(10, 4, 3)
    for k in range(8):
        assert feed.position == k
        assert torch.equal(feed.next()["sample"][:, 0], order.indices(k) * 3)
    feed.close()


def test_both_kinds_hand_out_the_same_batches_over_unreadable_files(file_items, caplog):
    resident = ResidentFeed(file_items(), batch_size=7, seed=1, device="cpu")
    stream = StreamFeed(file_items(), batch_size=7, seed=1, device="cpu")
    assert same(samples(resident, 15), samples(stream, 15))
    assert (
        sorted(stream.unreadable)
        == sorted(resident.unreadable)
        == [(f"train/{i:03}.bin", "ValueError: not a sample at all") for i in (3, 17)]
    )
    assert sum("train/003.bin cannot be read" in record.message for record in caplog.records) == 2  # once a feed
    assert all(record.levelno == logging.WARNING for record in caplog.records)


def test_spawned_workers_change_nothing_and_what_they_read_ahead_does_not_count(file_items):
    alone = StreamFeed(file_items(), batch_size=7, seed=1, device="cpu")
    helped = StreamFeed(file_items(), batch_size=7, seed=1, device="cpu", workers=2)
    alone.next()
    helped.load_state_dict(alone.state_dict())
    random_state = torch.get_rng_state()
    assert same(samples(alone, 11), samples(helped, 11))
    assert torch.equal(random_state, torch.get_rng_state())
    assert helped.state_dict() == {"batches": 12, "count": 40, "seed": 1, "batch_size": 7}
    assert sorted(helped.unreadable) == sorted(alone.unreadable)
    helped.close()
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()


def test_thousands_of_unreadable_items_are_counted_and_a_few_named(write, decoders, caplog):
    root = write(
        {f"train/{i:04}.bin": b"broken" if i % 25 == 1 else b"abc" for i in range(1000)} | {"test/0.bin": b"a"}
    )
    feed = ResidentFeed(FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS),
                        batch_size=7, seed=1, device="cpu")  # fmt: skip
    assert len(feed.unreadable) == 40
    assert len(caplog.messages) == 21
    assert caplog.messages[-1] == "more than 20 cannot be read; the others are counted and not named"


@pytest.mark.parametrize("saved_by", ["resident", "stream"])
@pytest.mark.parametrize("loaded_by", ["resident", "stream"])
@pytest.mark.parametrize("position", [0, 1, 6, 23])
def test_resuming_at_any_position_continues_the_same(saved_by, loaded_by, position):
    def feed(kind):
        return choose_feed(array_items(), batch_size=4, seed=5, device="cpu", requested=kind)

    whole = feed(saved_by)
    samples(whole, position)
    resumed = feed(loaded_by)
    resumed.next()
    resumed.load_state_dict(whole.state_dict())
    assert resumed.position == position
    assert same(samples(whole, 6), samples(resumed, 6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 1200}, "the number of items was 1,200 and is 10"),
        ({"seed": 7}, "the seed was 7 and is 5"),
        ({"batch_size": 8}, "the batch size was 8 and is 4"),
    ],
)
def test_a_state_of_other_data_is_refused_and_changes_nothing(change, message):
    feed = ResidentFeed(array_items(), batch_size=4, seed=5, device="cpu")
    samples(feed, 3)
    with pytest.raises(DataError, match=f"the data changed since the checkpoint: {message}; restore it, or start"):
        feed.load_state_dict({**feed.state_dict(), "batches": 1, **change})
    assert feed.position == 3


def test_a_batch_may_be_larger_than_the_data():
    feed = ResidentFeed(array_items(3), batch_size=10, seed=0, device="cpu")
    assert sorted(feed.next()["sample"][:9, 0].tolist()) == sorted([0, 3, 6] * 3)


def test_a_batch_stream_yields_batches_and_passes_the_state_on():
    def make_batch(items):
        return Batch(items["sample"].float())

    stream = BatchStream(ResidentFeed(array_items(), batch_size=4, seed=0, device="cpu"), make_batch)
    assert iter(stream) is stream
    first = [next(stream).real for _ in range(3)]
    assert first[0].dtype == torch.float32
    assert stream.state_dict()["batches"] == 3
    stream.load_state_dict({**stream.state_dict(), "batches": 1})
    assert same(first[1:], [next(stream).real for _ in range(2)])
    stream.close()


def test_a_stream_refuses_too_many_unreadable_files_early(write, decoders):
    root = write(numbered(250, broken=range(1, 250, 3)))
    feed = StreamFeed(FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS),
                      batch_size=24, seed=0, device="cpu")  # fmt: skip
    with pytest.raises(DataError, match=r"\d+ of the first 24 files in .* cannot be read, and at most 5% are skipped"):
        feed.next()
    assert feed.position == 0


def test_a_worker_that_dies_is_an_error_not_a_hang(write, decoders):
    items = FileItems(FileTree(write(numbered(10)), (".bin",)), "train", decoders.die, FORMATS)
    feed = StreamFeed(items, batch_size=2, seed=0, device="cpu", workers=1)
    with pytest.raises(DataError, match=r"a worker process that reads the data died .* with fewer workers, or with 0"):
        feed.next()


def slow_items(harm):
    class Slow(DecodedItems):
        def __len__(self):
            return 40

        def name(self, index):
            return f"item {index}"

        def decode_item(self, index):
            harm(index)
            return {"sample": torch.full((3,), float(index))}

    return Slow(FORMATS, root=Path("slow"), recipe=())


def test_a_file_that_does_not_answer_is_told_and_then_an_error(monkeypatch, caplog):
    monkeypatch.setattr(patience, "TELL", 0.1)
    monkeypatch.setattr(patience, "LONGEST", 0.3)
    answered = threading.Event()
    feed = StreamFeed(slow_items(lambda index: index and answered.wait()), batch_size=4, seed=0, device="cpu")
    with pytest.raises(DataError, match=r"no batch came for 0 s: a file does not answer .* then resume"):
        feed.next()
    assert "waiting for data: no batch came for 0 s" in caplog.text
    answered.set()
    assert len(feed.next()["sample"]) == 4  # the same batch, once it can be read
    feed.close()


def test_a_reading_thread_that_exits_is_an_error_of_the_data():
    def exits(index):
        if index:
            raise SystemExit(3)

    feed = StreamFeed(slow_items(exits), batch_size=4, seed=0, device="cpu")
    with pytest.raises(DataError, match="what reads the data ended by SystemExit: 3"):
        feed.next()


def test_workers_leave_the_end_of_other_children_alone(write, decoders):
    """torch would answer it by an error out of whatever the main thread is at."""
    before = signal.getsignal(signal.SIGCHLD)
    items = FileItems(FileTree(write(numbered(10)), (".bin",)), "train", decoders.decode, FORMATS)
    feed = StreamFeed(items, batch_size=2, seed=0, device="cpu", workers=1)
    feed.next()
    assert signal.getsignal(signal.SIGCHLD) is before
    (worker,) = feed._batches._workers
    os.kill(worker.pid, signal.SIGSTOP)  # one that stands still does not keep the others from ending
    feed.close()
    worker.join(10)
    assert not worker.is_alive()


@pytest.mark.skipif(os.name != "posix", reason="processes are stopped as POSIX does it")
def test_a_worker_that_stands_still_while_it_hands_over_a_batch_is_an_error(write, decoders, monkeypatch):
    """The loader's own limit does not hold for what is handed over beside the queue."""
    items = FileItems(FileTree(write(numbered(10)), (".bin",)), "train", decoders.decode, FORMATS)
    feed = StreamFeed(items, batch_size=2, seed=0, device="cpu", workers=1)
    feed.next()
    monkeypatch.setattr(patience, "LONGEST", 2.0)
    time.sleep(1)  # more are in the queue
    (worker,) = feed._batches._workers
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(NoAnswer, match="reading by worker processes has had no answer for 2 s"):
        samples(feed, 10)
    monkeypatch.setattr(patience, "LONGEST", 60.0)  # starting others may take a while
    worker.join(10)
    assert not worker.is_alive()
    assert len(feed.next()["sample"]) == 2  # by others
    feed.close()


def test_a_worker_that_aborts_while_it_is_ended_is_of_no_interest():
    class Ending:
        def _shutdown_workers(self):
            raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Aborted.")

    feed = StreamFeed(array_items(), batch_size=2, seed=0, device="cpu", workers=1)
    feed._batches = Ending()
    feed.close()
    assert feed._batches is None


def test_a_worker_ends_though_it_still_sends_a_batch():
    """A thread of its interpreter that is inside torch at the end would abort the process."""
    code = """
import threading, time
import torch
from multiprocessing.reduction import ForkingPickler
import torch.multiprocessing
from wganx.data.stream import _start_worker

def send():
    while True:
        ForkingPickler.dumps(torch.ones(8))

_start_worker(0)
for _ in range(4):
    threading.Thread(target=send, daemon=True).start()
time.sleep(0.1)
"""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_decoder_that_cannot_be_sent_is_refused(write):
    items = FileItems(
        FileTree(write(numbered(10)), (".bin",)), "train", lambda content, path: {"sample": torch.zeros(1)}, FORMATS
    )
    feed = StreamFeed(items, batch_size=2, seed=0, device="cpu", workers=1)
    with pytest.raises(DataError, match=r"cannot be sent to worker processes .* at the top level of a module, or read"):
        feed.next()


class Failing:
    formats = FORMATS

    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise KeyError("frame")


def test_a_failure_of_a_plugins_own_items_keeps_its_cause():
    feed = StreamFeed(Failing(), batch_size=2, seed=0, device="cpu")
    with pytest.raises(DataError, match="reading a batch failed: 'frame'") as error:
        feed.next()
    assert isinstance(error.value.__cause__, KeyError)


def test_a_stream_refuses_items_of_different_shapes(write, decoders):
    files = {f"train/{i}.bin": b"abc" if i else b"ab" for i in range(6)} | {"test/0.bin": b"abc"}
    free = {"sample": SampleFormat(axes=("value",), shape=(None,))}
    items = FileItems(FileTree(write(files), (".bin",)), "train", decoders.decode, free)
    feed = StreamFeed(items, batch_size=1, seed=0, device="cpu")
    with pytest.raises(DataError, match="every item must be alike"):
        samples(feed, 6)


@pytest.mark.parametrize(
    ("budget", "kind", "reason"),
    [
        (120, "resident", r"resident: 40 items, 0\.0 MB of 0\.0 MB \(the budget given\)"),
        (119, "stream", r"streamed: 40 items take 0\.0 MB, more than 0\.0 MB \(the budget given\); no workers"),
        (None, "resident", r"resident: 40 items, 0\.0 MB of \d+\.\d GB \(a quarter of the free memory\)"),
    ],
)
def test_the_choice_is_by_size_and_stated(file_items, monkeypatch, budget, kind, reason):
    monkeypatch.setattr(choose, "available_memory", lambda: 24 * 10**9)
    feed = choose_feed(file_items(), batch_size=4, seed=0, device="cpu", memory_budget=budget)
    assert feed.kind == kind
    assert re.fullmatch(reason, feed.reason)


def test_an_unknown_memory_is_assumed_and_said(file_items, monkeypatch):
    monkeypatch.setattr(choose, "available_memory", lambda: None)
    feed = choose_feed(file_items(), batch_size=4, seed=0, device="cpu")
    assert feed.reason == "resident: 40 items, 0.0 MB of 536.9 MB (a quarter of an assumed free memory)"


def test_what_is_in_memory_stays_there():
    items = array_items()
    feed = choose_feed(items, batch_size=4, seed=0, device="cpu", memory_budget=0)
    assert feed.reason == "resident: 10 items, 0.0 MB, in memory already"
    assert feed._items.tensors["sample"].data_ptr() == items.tensors["sample"].data_ptr()


def test_no_items_are_refused():
    class Nothing(Failing):
        def __len__(self):
            return 0

    with pytest.raises(DataError, match="no items to train on"):
        choose_feed(Nothing(), batch_size=4, seed=0, device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_cuda_device_both_kinds_agree_and_a_resident_batch_never_waits():
    resident = choose_feed(array_items(), batch_size=4, seed=3, device="cuda")
    stream = choose_feed(array_items(), batch_size=4, seed=3, device="cuda", memory_budget=0)
    assert (resident.kind, stream.kind) == ("resident", "stream")
    torch.cuda.set_sync_debug_mode("error")
    try:
        on_device = samples(resident, 12)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert same(on_device, samples(stream, 12))
