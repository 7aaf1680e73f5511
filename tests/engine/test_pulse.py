"""Signs of life between processes: who is missed, how soon, and what the others are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

from wganx.engine import pulse
from wganx.engine.pulse import Pulse
from wganx.engine.ranks import Ranks
from wganx.errors import ProcessLost


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(pulse, "BEAT", 0.02)
    monkeypatch.setattr(pulse, "SILENCE", 0.3)
    monkeypatch.setattr(pulse, "AWAY", 0.9)
    monkeypatch.setattr(pulse, "GRACE", 0.3)


@pytest.fixture
def pulses():
    store = dist.HashStore()
    made = [Pulse(number, 3, store, "test") for number in range(3)]
    time.sleep(0.1)
    yield made
    for each in made:
        each.end()


def stop(stopped: Pulse) -> None:
    """As SIGSTOP does: no sign any more, and no farewell."""
    stopped._ended.set()
    stopped._thread.join()


def until_lost(others):
    begun = time.monotonic()
    while not all(each.missing() for each in others):
        assert time.monotonic() - begun < 20
        time.sleep(0.01)
    return time.monotonic() - begun


def test_all_hear_of_the_one_that_stands_still(pulses):
    stop(pulses[1])
    assert until_lost([pulses[0], pulses[2]]) > 0.2
    for each in (pulses[0], pulses[2]):
        assert each.lost.startswith("process 1 of 3 has shown no sign of life for ")
        assert not each.told


def test_who_is_done_is_not_missed(pulses):
    pulses[1].end()
    time.sleep(0.6)
    assert not any(each.missing() for each in (pulses[0], pulses[2]))


def test_who_fails_has_told_the_others_why(pulses):
    pulses[2].end("DataError: no batch came")
    until_lost(pulses[:2])
    assert {each.lost for each in pulses[:2]} == {"process 2 of 3 ended: DataError: no batch came"}
    assert all(each.told for each in pulses[:2])


def test_the_first_may_be_away_for_longer(pulses):
    pulses[0].away(True)
    time.sleep(0.1)
    stop(pulses[0])
    assert until_lost(pulses[1:]) > 0.7


def test_a_connection_that_is_lost_has_a_name(pulses):
    stop(pulses[0])
    assert pulses[1].look().startswith("process 0 of 3 ")


class Broken(dist.HashStore):
    """Kept by a process that is gone."""

    def check(self, keys):
        raise dist.DistNetworkError("Connection reset by peer")


class Hanging(dist.HashStore):
    """Kept by a process that stands still."""

    def check(self, keys):
        time.sleep(2)
        return False


def test_a_store_that_is_gone_is_the_first_process_or_the_launcher():
    alone = Pulse(1, 2, Broken(), "broken")
    time.sleep(0.1)
    assert not alone.missing()  # those that live still hear of each other by what they compute
    assert alone.look() == "process 0 of 2, or what launched it, is gone"
    alone.end("whatever")


def test_a_store_that_gives_no_answer_is_missed_too():
    waiting = Pulse(1, 2, Hanging(), "hanging")
    until_lost([waiting])
    assert waiting.lost.startswith("process 0 of 2, or what launched it, has given no answer for ")
    begun = time.monotonic()
    waiting.end("whatever")
    assert time.monotonic() - begun < 1


class Work:
    """Something that all processes do, and this one waits for."""

    def __init__(self, *ends: Exception | None, completed: bool = True) -> None:
        self.ends, self.completed = list(ends), completed

    def wait(self, timeout: timedelta | None = None) -> None:
        if end := self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]:
            raise end

    def is_completed(self) -> bool:
        return self.completed


CLOSED = RuntimeError("[/torch/pair.cc:547] Connection closed by peer [127.0.0.1]:4321. This may help:\nmore")


def test_what_others_do_is_waited_for(pulses):
    ranks = Ranks(1, 3)
    ranks._wait(Work(RuntimeError("Operation timed out!"), None))  # it came in the moment after
    with pytest.raises(ProcessLost, match=r"^another of the 3 processes is gone \(Connection closed by peer \[127"):
        ranks._wait(Work(CLOSED))
    ranks._pulse = pulses[1]
    stop(pulses[2])
    until_lost([pulses[1]])
    with pytest.raises(ProcessLost, match=r"^process 2 of 3 has shown .* start all again with --resume$") as raised:
        ranks._wait(Work(RuntimeError("Operation timed out!"), completed=False))
    assert not raised.value.told_elsewhere


def test_one_process_alone_waits_for_nobody():
    with Ranks().watched(), Ranks().away():
        assert torch.equal(Ranks().sum_(torch.ones(1)), torch.ones(1))


@pytest.fixture
def ends(monkeypatch):
    """With what code a process would have ended."""
    codes: list[int] = []
    monkeypatch.setattr(pulse.os, "_exit", codes.append)
    return codes


def test_who_waits_inside_of_its_device_is_ended_after_a_while(pulses, ends, capsys):
    pulses[0].queued = True
    stop(pulses[1])
    until_lost([pulses[0], pulses[2]])
    assert not ends
    until = time.monotonic() + 0.6
    while time.monotonic() < until:  # as long as it comes to work with the others, it hears of it by itself
        pulses[0].moved()
        time.sleep(0.01)
    assert not ends
    pulses[0].end("ProcessLost")  # and may hang yet, at the end of the interpreter
    time.sleep(0.6)
    stop(pulses[0])
    assert ends[0] == 1
    said = capsys.readouterr().err
    assert "wganx: process 1 of 3 has shown no sign of life for " in said
    assert "; process 0 waits for it inside of its device, which only its own end ends: start all again" in said


def test_nobody_else_is_ended(pulses, ends):
    pulses[2].queued = True
    pulses[2].away(True)
    stop(pulses[1])
    until_lost([pulses[0], pulses[2]])
    time.sleep(0.8)
    stop(pulses[2])
    assert not ends


def test_who_waits_inside_of_its_device_without_a_store_is_ended_later(ends, monkeypatch, capsys):
    monkeypatch.setattr(pulse, "SILENCE", 0.6)
    alone = Pulse(1, 2, Broken(), "broken")
    alone.queued = True
    time.sleep(0.3)
    assert not ends
    time.sleep(1.0)
    stop(alone)
    assert ends[0] == 1
    assert "wganx: process 0 of 2, or what launched it, is gone; process 1 waits" in capsys.readouterr().err


STUCK = """
import os, signal, sys, time
from datetime import timedelta
import torch.distributed as dist
from wganx.engine import pulse
from wganx.engine.ranks import Ranks

pulse.BEAT, pulse.SILENCE, pulse.GRACE = 0.1, 1.0, 0.5
number = int(sys.argv[1])
store = dist.FileStore(sys.argv[2], 2)
dist.init_process_group("gloo", store=store, rank=number, world_size=2)
ranks = Ranks(number, 2)
with ranks.watched():
    ranks._pulse.queued = True
    time.sleep(1)
    if number:
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(1000)  # as in cudaStreamSynchronize, behind a sum that NCCL waits in
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes are stopped as POSIX does it")
def test_a_rank_that_waits_inside_of_its_device_for_one_that_is_stopped(tmp_path):
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", STUCK, str(number), str(tmp_path / "store")], stderr=subprocess.PIPE, text=True,
            env=environ,
        )
        for number in range(2)
    ]  # fmt: skip
    try:
        said = ranks[0].communicate(timeout=100)[1]
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()
            rank.stderr.close()
    assert ranks[0].returncode == 1, said
    assert "wganx: process 1 of 2 has shown no sign of life for 1 s" in said
