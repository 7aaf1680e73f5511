"""Errands in processes of their own: some at a time, stopped together, and one that breaks takes none with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from wganx.engine.stopping import StopRequest
from wganx.errors import INTERRUPTED
from wganx.experiments.errand import Errand, to_text
from wganx.storage import open_to_add
from wganx.trust import for_others

_LOOK_EVERY, _LOOKS_A_SECOND = 0.1, 10
_NEW_GROUP = 0x200  # CREATE_NEW_PROCESS_GROUP of Windows, which the module has only there
_PROGRAM = (sys.executable, "-m", "wganx.experiments")

State = Literal["done", "failed", "stopped", "enough"]


@dataclass(frozen=True)
class Ending:
    """How an errand ended: `enough` where who watches wanted no more of it; `said` is its reason where it failed."""

    name: str
    state: State
    said: str = ""


class Watch:
    """Who is told how the errands go; override what you want to hear."""

    def began(self, errand: Errand) -> None:
        """Its process was started."""

    def looked(self, running: Sequence[Errand]) -> None:
        """Ten times a second, while these are on their way."""

    def enough(self, errand: Errand) -> bool:
        """Whether it may stop where it is; asked once a second while it is on its way."""
        return False

    def ended(self, errand: Errand, ending: Ending) -> None:
        """Its process has ended."""

    def stopping(self) -> None:
        """Someone asked to stop: those on their way save and end, no other begins."""


@dataclass
class _Process:
    errand: Errand
    log: Path
    begins: int
    process: subprocess.Popen[bytes]
    recalled: bool = False
    enough: bool = False

    def recall(self) -> None:
        """Ask it to stop when it can go on from where it is."""
        self.recalled = True
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def ending(self) -> Ending | None:
        """None while it is on its way."""
        code = self.process.poll()
        if code is None:
            return None
        self.recall()
        if code == 0:
            return Ending(self.errand.name, "done")
        if code == INTERRUPTED:
            return Ending(self.errand.name, "enough" if self.enough else "stopped")
        return Ending(self.errand.name, "failed", _reason(code, self.log, self.begins))


def carry_out_all(
    errands: Sequence[Errand], logs: Path, *, parallel: int = 1, watch: Watch | None = None,
    program: Sequence[str] = _PROGRAM,
) -> list[Ending]:  # fmt: skip
    """Send a process on each errand, `parallel` at a time, in their order; what each prints goes to ``logs/NAME.log``.

    The first Ctrl-C or SIGTERM asks those on their way to save and end; a second one ends them at once. Should this
    process be killed, they save and end likewise.

    Returns:
        The endings of those that were begun; ended at once counts as stopped.
    """
    logs.mkdir(parents=True, exist_ok=True)
    watch = watch or Watch()
    crew = _Crew(logs, program, _environment(parallel))
    endings: list[Ending] = []
    waiting = list(errands)
    looks = 0
    with StopRequest() as stop:
        try:
            while crew.on_their_way or (waiting and not stop.requested):
                while waiting and len(crew.on_their_way) < parallel and not stop.requested:
                    watch.began(waiting[0])
                    crew.send(waiting.pop(0))
                time.sleep(_LOOK_EVERY)
                watch.looked([one.errand for one in crew.on_their_way])
                looks += 1
                for one in list(crew.on_their_way):
                    if looks % _LOOKS_A_SECOND == 0 and not one.recalled and watch.enough(one.errand):
                        one.enough = True
                        one.recall()
                    if (ending := one.ending()) is not None:
                        crew.on_their_way.remove(one)
                        endings.append(ending)
                        watch.ended(one.errand, ending)
                if stop.requested and any(not one.recalled for one in crew.on_their_way):
                    watch.stopping()
                    for one in crew.on_their_way:
                        one.recall()
        except KeyboardInterrupt:
            endings += [Ending(one.errand.name, "stopped") for one in crew.on_their_way]
        finally:
            crew.end()
    return endings


@dataclass
class _Crew:
    logs: Path
    program: Sequence[str]
    environment: dict[str, str]
    on_their_way: list[_Process] = field(default_factory=list)

    def send(self, errand: Errand) -> None:
        log = self.logs / f"{errand.name}.log"
        with open_to_add(log) as output:
            self.on_their_way.append(_Process(errand, log, output.tell(), self._start(errand, output)))

    def _start(self, errand: Errand, output: IO[bytes]) -> subprocess.Popen[bytes]:
        # In a group of its own: what a terminal sends to all at Ctrl-C, this process alone answers.
        return subprocess.Popen(
            [*self.program, to_text(errand)], stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
            env=self.environment, start_new_session=os.name != "nt",
            creationflags=_NEW_GROUP if os.name == "nt" else 0,
        )  # fmt: skip

    def end(self) -> None:
        """Nobody is left behind."""
        for one in self.on_their_way:
            one.recall()
            one.process.terminate()
        for one in self.on_their_way:
            try:
                one.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()


def _environment(parallel: int) -> dict[str, str]:
    """Several processes share the cores; each with all of them would slow the others down."""
    environment = {**os.environ, **for_others()}
    environment.setdefault("PYTHONIOENCODING", "utf-8:backslashreplace")  # in which their logs are read
    if parallel > 1:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        environment.setdefault("OMP_NUM_THREADS", str(max(1, cores // parallel)))
    return environment


def _reason(code: int, log: Path, begins: int) -> str:
    """What a process said last, from byte `begins` of its log on, or which signal ended it."""
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; was there too little memory?" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    text = log.read_bytes()[begins:].decode("utf-8", "replace").rstrip()
    told = f"\n{text}".rpartition("\nwganx: ")
    if told[1] and "Traceback (most recent call last)" not in told[2]:
        return told[2]  # an error of wganx may have several lines
    return text.rpartition("\n")[2] or f"exit code {code}"  # the last line of a traceback says what happened
