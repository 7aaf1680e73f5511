"""The two halves of a batch, and the thread that reads ahead."""

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wganx import Batch, SampleFormat, UsageError
from wganx.data import (
    ArrayItems,
    BatchStream,
    FileItems,
    FileTree,
    ResidentFeed,
    ShuffledOrder,
    StreamFeed,
    choose_feed,
    packed,
    ring,
)
from wganx.errors import DataError

SCALAR = SampleFormat(axes=(), shape=(), value_range=None)
FORMATS = {"sample": SampleFormat(axes=("value",), shape=(3,))}
LONG = {"sample": SampleFormat(axes=("value",), shape=(None,))}


def array_items(count=10):
    tensors = {"sample": torch.arange(count * 3).view(count, 3), "number": torch.arange(count)}
    return ArrayItems(tensors, FORMATS | {"number": SCALAR})


def file_items(write, decoders, count=40, decode=None):
    files = {f"train/{i:03}.bin": bytes([i, 0, 1]) for i in range(count)} | {"test/0.bin": b"abc"}
    return FileItems(FileTree(write(files), (".bin",)), "train", decode or decoders.decode, FORMATS)


@pytest.fixture
def packed_items(write, decoders):
    """Ten items, of which a thread reads ahead."""
    return packed(file_items(write, decoders, 10), "always")[0]


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "wganx data"]


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    seed=st.integers(0, 5),
    position=st.integers(0, 200),
    kind=st.sampled_from([torch.uint8, torch.int16, torch.bool, torch.float64, torch.bfloat16]),
    transposed=st.booleans(),
)
def test_a_stream_hands_out_what_a_resident_feed_does_from_any_position(
    count, batch_size, seed, position, kind, transposed
):
    values = torch.randint(0, 100, (2, 3, count)).to(kind)
    sample = values.permute(2, 0, 1) if transposed else values.permute(2, 0, 1).contiguous()
    formats = {"sample": SampleFormat(axes=("column", "value"), shape=(2, 3)), "number": SCALAR}
    items = ArrayItems({"sample": sample, "number": torch.arange(count)}, formats)
    resident, stream, by_thread = (
        made(items, batch_size=batch_size, seed=seed, device="cpu") for made in (ResidentFeed, StreamFeed, StreamFeed)
    )
    by_thread._in_memory, by_thread._rows = (
        None,
        lambda: ring.ArrayRows(items),
    )  # as for a device with memory of its own
    order = ShuffledOrder(count, batch_size, seed)
    for feed in (resident, stream, by_thread):
        feed.load_state_dict(feed.state_dict() | {"batches": position})
        for batch in range(position, position + 5):
            rows = order.indices(batch)
            assert equal(feed.next(), {"sample": sample[rows], "number": rows})
        feed.close()
    assert resident.state_dict() == stream.state_dict() == by_thread.state_dict()


def test_streams_of_a_pack_of_files_and_of_memory_agree(write, decoders):
    items = file_items(write, decoders)
    made, _ = packed(items, "always")
    feeds = [StreamFeed(source, batch_size=7, seed=2, device="cpu") for source in (items, made)]
    feeds.append(ResidentFeed(made, batch_size=7, seed=2, device="cpu"))
    for _ in range(20):
        one, *others = [feed.next() for feed in feeds]
        assert all(equal(one, other) for other in others)
    for feed in feeds:
        feed.close()


def test_the_rows_of_a_pack_that_are_larger_than_a_page_are_read_right(write, decoders):
    files = {f"train/{i:03}.bin": bytes([i]) * 9001 for i in range(30)} | {"test/0.bin": b"abc"}
    made, _ = packed(FileItems(FileTree(write(files), (".bin",)), "train", decoders.decode, LONG), "always")
    feed = StreamFeed(made, batch_size=11, seed=0, device="cpu")
    order = feed.order
    for batch in range(9):
        assert feed.next()["sample"].tolist() == [[i] * 9001 for i in order.indices(batch).tolist()]
    feed.close()


KINDS = pytest.mark.parametrize("kind", ["resident", "stream"])


@KINDS
def test_what_is_staged_lies_where_it_always_lay_and_what_is_gathered_is_new(kind):
    feed = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    other = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    feed.stage()
    places = {name: tensor.data_ptr() for name, tensor in feed._slots[0].items()}
    first = feed.gather()
    assert equal(first, feed.gather())  # again, as a replay would
    assert equal(first, expected := other.next())
    feed.load_state_dict(feed.state_dict())
    for _ in range(5):
        feed.stage()
        assert {name: tensor.data_ptr() for name, tensor in feed._slots[0].items()} == places
        assert equal(feed.gather(), other.next())
    assert equal(first, expected)
    for each in (feed, other):
        each.close()


@KINDS
def test_several_batches_can_be_staged_before_any_is_gathered(kind):
    feed = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    other = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    for _ in range(3):
        for slot in range(6):  # more than are read ahead
            feed.stage(slot)
        assert feed.position == other.position + 6
        staged = [feed.gather(slot) for slot in range(6)]
        assert all(equal(one, other.next()) for one in staged)
    for each in (feed, other):
        each.close()


@KINDS
def test_a_slot_in_which_nothing_was_staged_is_named(kind):
    feed = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    feed.stage(1)
    with pytest.raises(UsageError, match=r"nothing was staged in slot 0 of the feed; call stage\(0\) first"):
        feed.gather()
    feed.close()


@KINDS
def test_a_batch_that_was_written_to_comes_again_as_it_was(kind):
    feed = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    other = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    for _ in range(2):
        feed.next()["sample"].zero_()
    feed.load_state_dict(feed.state_dict() | {"batches": 0})
    assert all(equal(feed.next(), other.next()) for _ in range(3))


@KINDS
def test_whole_batches_and_halves_may_alternate(kind):
    feed = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    other = choose_feed(array_items(), batch_size=4, seed=0, device="cpu", requested=kind)
    for batch in range(20):
        if batch % 3:
            feed.stage(7)
            found = feed.gather(7)
        else:
            found = feed.next()
        assert equal(found, other.next())


def test_a_batch_stream_passes_both_halves_on():
    def stream():
        feed = ResidentFeed(array_items(), batch_size=4, seed=0, device="cpu")
        return BatchStream(feed, lambda items: Batch(items["sample"].float()))

    halves, whole = stream(), stream()
    for slot in (0, 1):
        halves.stage(slot)
    assert halves.state_dict()["batches"] == 2
    assert torch.equal(halves.assemble(0).real, next(whole).real)
    assert torch.equal(halves.assemble(1).real, next(whole).real)


def test_no_more_is_read_ahead_than_the_ring_holds(monkeypatch, packed_items):
    read = []

    def count(self, indices, into):
        read.append(indices)
        return {}

    monkeypatch.setattr(ring.ArrayRows, "read", count)
    feed = StreamFeed(packed_items, batch_size=4, seed=0, device="cpu")
    time.sleep(0.1)
    assert not read  # before anything is asked for
    for taken in range(1, 5):
        feed.next()
        deadline = time.monotonic() + 10
        while len(read) < taken + ring.DEPTH and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(read) == taken + ring.DEPTH
        assert feed.state_dict()["batches"] == taken
    feed.close()


@pytest.mark.parametrize("end", ["close", "forget", "rewind"])
def test_the_thread_ends_with_its_feed(end, packed_items):
    gc.collect()
    before = readers()
    feed = StreamFeed(packed_items, batch_size=4, seed=0, device="cpu")
    feed.next()
    assert len(readers()) == len(before) + 1
    if end == "close":
        feed.close()
    elif end == "rewind":
        feed.load_state_dict(feed.state_dict())
    else:
        del feed
        gc.collect()
    assert readers() == before


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(5, "Input/output error"), r"reading a batch failed: \[Errno 5\] Input/output error"),
        (DataError("item 3 is odd"), "item 3 is odd"),
    ],
)
def test_an_error_in_the_thread_is_raised_where_the_batch_is_wanted(monkeypatch, packed_items, error, message):
    read, failing = ring.ArrayRows.read, True

    def fail(self, indices, into):
        if failing and 2 in indices:
            raise error
        return read(self, indices, into)

    monkeypatch.setattr(ring.ArrayRows, "read", fail)
    feed = StreamFeed(packed_items, batch_size=1, seed=0, device="cpu")
    position = next(k for k in range(10) if feed.order.indices(k).item() == 2)
    for _ in range(position):
        feed.stage()
    for half in (feed.stage, feed.next):
        with pytest.raises(DataError, match=message) as raised:
            half()
        assert raised.value is error or raised.value.__cause__ is error
        assert feed.position == position
    failing = False
    assert feed.next()["sample"].tolist() == [[2, 0, 1]]  # the trouble was passing
    feed.close()


def test_what_was_found_ahead_and_dropped_is_reported_when_it_is_reached(write, decoders):
    files = {f"train/{i:03}.bin": b"broken" if i == 7 else bytes([i, 0, 1]) for i in range(40)}
    items = FileItems(FileTree(write(files | {"test/0.bin": b"abc"}), (".bin",)), "train", decoders.decode, FORMATS)
    feed = StreamFeed(items, batch_size=1, seed=0, device="cpu")
    place = next(k for k in range(40) if feed.order.indices(k).item() == 7)
    feed.load_state_dict(feed.state_dict() | {"batches": max(0, place - 2)})
    deadline = time.monotonic() + 10
    if place >= 2:
        feed.next()
        while not items.unreadable and time.monotonic() < deadline:
            time.sleep(0.01)
    assert not feed.unreadable
    feed.load_state_dict(feed.state_dict() | {"batches": place})
    feed.next()
    assert [path for path, _ in feed.unreadable] == ["train/007.bin"]
    feed.close()


EXIT = """
import sys
from wganx import SampleFormat
from wganx.data import FileItems, FileTree, StreamFeed
import decoders_of_the_tests as decoders
items = FileItems(FileTree(sys.argv[1], (".bin",)), "train", getattr(decoders, sys.argv[2]),
                  {"sample": SampleFormat(axes=("value",), shape=(3,))})
feed = StreamFeed(items, batch_size=4, seed=0, device="cpu")
if sys.argv[2] == "hang":
    feed._start_ring(feed._rows())
else:
    feed.next()
print("done")
"""


@pytest.mark.parametrize("decode", ["decode", "hang"])
def test_the_interpreter_ends_while_the_thread_reads(write, decoders, decode):
    items = file_items(write, decoders)
    found = os.pathsep.join([str(Path(decoders.__file__).parent), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-c", EXIT, str(items.tree.root), decode],
        env=os.environ | {"PYTHONPATH": found},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


class Own:
    """A plugin's own items, which tell by which thread they were read."""

    formats = FORMATS

    def __init__(self):
        self.threads = set()

    def __len__(self):
        return 9

    def __getitem__(self, index):
        self.threads.add(threading.current_thread())
        return {"sample": torch.full((3,), index)}


def test_a_plugins_own_items_are_read_by_the_thread_that_wants_them():
    items = Own()
    feed = StreamFeed(items, batch_size=4, seed=0, device="cpu")
    for k in range(5):
        assert feed.next()["sample"][:, 0].tolist() == feed.order.indices(k).tolist()
    assert items.threads == {threading.current_thread()}
    feed.close()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@KINDS
def test_on_a_cuda_device_a_staged_batch_is_gathered_within_a_graph(kind):
    many = array_items(1000)
    feed = choose_feed(many, batch_size=64, seed=0, device="cuda", requested=kind)
    plain = ResidentFeed(many, batch_size=64, seed=0, device="cpu")
    feed.stage()
    feed.gather()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        gathered = feed.gather()
    torch.cuda.set_sync_debug_mode("error")
    try:
        seen = []
        for _ in range(50):
            graph.replay()
            seen.append({name: tensor.clone() for name, tensor in gathered.items()})
            feed.stage()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(equal({name: tensor.cpu() for name, tensor in one.items()}, plain.next()) for one in seen)
    feed.close()
