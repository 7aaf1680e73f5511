"""Whose a process is, and what becomes of its Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from wganx import process


class _Interrupted:
    """Its finalizer is where Ctrl-C falls."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


class _Broken:
    def __del__(self) -> None:
        raise ValueError("of its own")


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_in_a_finalizer_comes_again_after_it(capfd: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    with process.interrupts_kept():
        last = _Interrupted()
        del last  # which raises nothing
        with pytest.raises(KeyboardInterrupt):
            time.sleep(30)
    assert time.monotonic() - begun < 20
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_waits_where_it_could_end_the_process() -> None:
    done = []

    def work() -> None:
        with process.uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
            done.append("all of it")
        done.append("more")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]
    with ThreadPoolExecutor() as threads:  # which takes no signals
        assert threads.submit(process.uninterrupted().__enter__).result() is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_other_errors_of_finalizers_are_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: told.append(found.exc_type))
    before = sys.unraisablehook
    with process.interrupts_kept():
        last = _Broken()
        del last
    assert told == [ValueError]
    assert sys.unraisablehook is before


def test_whose_it_is() -> None:
    assert not process.is_own()
    with process.own():
        assert process.is_own()
    assert not process.is_own()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_is_heard_during_a_long_call() -> None:
    goes_on = threading.Event()

    def call() -> None:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        goes_on.wait(60)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        process.interruptible(call)
    assert time.monotonic() - begun < 20
    goes_on.set()


def test_what_is_done_aside_returns_and_raises_as_it_does_here() -> None:
    assert process.interruptible(lambda: [1]) == [1]
    with pytest.raises(ZeroDivisionError):
        process.interruptible(lambda: 1 // 0)
    with ThreadPoolExecutor() as threads:
        mine = threads.submit(lambda: process.interruptible(threading.get_ident) == threading.get_ident())
        assert mine.result()
