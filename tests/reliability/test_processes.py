"""A case of each kind of blow to what a training is made of; benchmarks/reliability.py has hundreds."""

from __future__ import annotations

import random
import signal
import sys
from pathlib import Path

import pytest

from tests.reliability import processes
from tests.reliability.processes import Blow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it"),
]


class Drawn(random.Random):
    """Draws what is told, in order."""

    def __init__(self, *told: object) -> None:
        super().__init__(0)
        self.told = list(told)

    def choice(self, seq):
        return self._next()

    def randrange(self, *limits):
        return self._next()

    def randint(self, a, b):
        return self._next()

    def _next(self):
        return self.told.pop(0)


def test_a_killed_process_is_named_and_another_number_goes_on(tmp_path: Path) -> None:
    found = processes.killed_rank(Drawn(2, 1, "in a save", 5, 1), tmp_path)
    assert found.result == "refused", found.said
    assert "process 1 of 2 is gone" in found.said


def test_what_stands_still_is_named(tmp_path: Path) -> None:
    blow = Blow(1, signal.SIGSTOP, "at a step", 3)
    ended = processes.train_together(tmp_path / "run", 2, blow)
    said = {each.struck: each.said for each in ended}
    assert "wganx: process 1 of 2 has shown no sign of life for " in said[False], said
    assert "start all again with --resume" in said[True], said
    assert all(each.verdict == "refused" for each in ended)


@pytest.mark.parametrize(
    ("how", "result"), [("for ever", "refused"), ("for a while", "survived"), ("and exits", "refused")]
)
def test_a_thread_that_reads(tmp_path: Path, monkeypatch, how: str, result: str) -> None:
    monkeypatch.setattr(processes, "SILENCE", 0.6)
    found = processes.stalled_reader(Drawn(how, 9), tmp_path)
    assert found.result == result, found.said
    assert ("wganx: " in found.said) == (result == "refused")
