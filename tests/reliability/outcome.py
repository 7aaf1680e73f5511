"""A command that meets something hostile, and what came of it: the runner and the judge of every harness here.

A case is run in a forked child, so that a thousand of them pay for one import of torch. The child may use so much
memory and so much time, writes where it was told to, and ends at whatever else it opens for writing, or starts.
"""

from __future__ import annotations

import faulthandler
import math
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NoReturn

from wganx.storage import open_to_add

Result = Literal[
    "refused", "survived", "lost", "traceback", "hang", "memory", "outside", "executed", "differs", "escaped"
]
GOOD: frozenset[str] = frozenset({"refused", "survived"})
"""``refused``: one clean message and an exit code of 1 or 2; ``survived``: the work was done. All others are faults."""

SECONDS = 10.0
"""Of the processor, since the machine may be busy with others; who waits for something else has `_PATIENCE` as many."""
_PATIENCE = 12
MEMORY = 4 << 30
_HARMLESS = frozenset({"git", "uname", "ldconfig", "gcc", "cc", "ld", "nvidia-smi"})
"""What libraries ask about the machine, and a checkout about its commit."""
_OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, or shows turned around."""
_OF_TORCH = "ERROR: Unexpected segmentation fault encountered in worker.\n\0"
"""What a loader's worker writes that dies, with the end of the text in C."""
_HOMES = ("HOME", "WGANX_CACHE", "XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR")
_EXECUTED = 97
_OUTSIDE = 98


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        kind: of fault, ``configuration``.
        case: what was done, enough to do it again.
        seconds: of the processor that it took.
        said: what the command printed, shortened.
    """

    kind: str
    result: Result
    seconds: float
    case: str
    said: str = ""

    @property
    def good(self) -> bool:
        return self.result in GOOD


def carry_out(
    kind: str,
    case: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    writable: Sequence[Path],
    environ: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    stopped_after: float = math.inf,
) -> Outcome:
    """Run ``wganx`` with these arguments in `folder`, and judge what it did.

    Args:
        writable: folders below which it may write; everywhere else a write is a fault. The temporary folder and the
            caches that the environment names are written to by right.
        memory: bytes beyond what this process maps already.
        stopped_after: as of `judge`.

    What starts a process is seen here. Code that a case plants is to write somewhere else, and is seen by that.
    """

    main = _command()

    def work() -> int:
        os.chdir(folder)
        os.environ.update(environ or {})
        tempfile.tempdir = None  # looked up anew, where the environment says
        main(args=list(arguments), prog_name="wganx")
        return 0

    return judge(kind, case, work, writable=writable, seconds=seconds, memory=memory, stopped_after=stopped_after)


def judge(
    kind: str,
    case: str,
    work: Callable[[], int],
    *,
    writable: Sequence[Path],
    seconds: float = SECONDS,
    memory: int = MEMORY,
    stopped_after: float = math.inf,
) -> Outcome:
    """Run `work` in a forked child, which returns an exit code, and judge what it did.

    Args:
        stopped_after: seconds after which it is told to stop, as with Ctrl-C, and again every two seconds.
    """
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        _in_the_child(work, sending, [*writable, *_by_right()], memory)
    os.close(sending)
    said, status, taken = _listen(child, receiving, seconds, stopped_after)
    return Outcome(kind, _verdict(status, said), taken, case, said[-2000:])


@cache
def _command() -> Any:
    """The command line, with all that commands import when they are needed: once, before the first fork."""
    for package in ("runs", "report", "evaluation", "comparison", "export", "demo"):
        import_module(f"wganx.{package}")
    return import_module("wganx.cli").main


def _in_the_child(work: Callable[[], int], out: int, writable: Sequence[Path], memory: int) -> NoReturn:
    try:
        sys.dont_write_bytecode = True  # beside what is installed, which is no writing of the case
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # which who runs in the background ignores
        silence = os.open(os.devnull, os.O_RDONLY)
        os.dup2(silence, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        faulthandler.enable(sys.stderr)  # a test's own goes to the terminal
        mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if "torch" in sys.modules:  # its pool of threads is made anew after a fork, and by two at once in vain
            sys.modules["torch"].set_num_threads(1)
        sys.addaudithook(_watch([str(path.resolve()) for path in writable]))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    end_with(work)


def end_with(work: Callable[[], int]) -> NoReturn:
    """End this process as one ends that does `work`: with its exit code, and what it raised told."""
    code = 1
    try:
        code = work()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


@contextmanager
def homes_in(place: Path) -> Iterator[None]:
    """Inside, home and caches of this process and its children lie in `place`."""
    kept = {name: os.environ.get(name) for name in _HOMES}
    os.environ.update({name: f"{place}/{name.lower()}" for name in _HOMES})
    try:
        yield
    finally:
        for name, value in kept.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _watch(writable: Sequence[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """Ends the process at a write outside of `writable`; what a file really is, links resolved, counts."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    paths_of = {
        "os.rename": ((0, 2), (1, 3)), "os.remove": ((0, 1),), "os.rmdir": ((0, 1),), "os.mkdir": ((0, 2),),
        "os.truncate": ((0, None),), "os.link": ((1, 3),), "os.symlink": ((1, 2),), "shutil.rmtree": ((0, None),),
        "os.chmod": ((0, 2),),
    }  # fmt: skip
    # For each, where among the arguments a path stands, and where the open folder from which it is meant.
    inside = [f"{path}{os.sep}" for path in writable]
    following_none = open_to_add.__code__

    def refuse(path: Any, follow: bool, folder: int = -1) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor, which was opened before
        given = Path(_folder_of(folder) if folder >= 0 else "", os.fsdecode(path)).absolute()
        real = str(given.resolve() if follow else given.parent.resolve() / given.name)
        if real.startswith(("/dev/", "/proc/")) or real in writable or any(real.startswith(start) for start in inside):
            return
        os.write(2, f"\nwritten outside: {given}\n".encode(errors="backslashreplace"))
        os._exit(_OUTSIDE)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & writing):
                # The built-in says nothing of the flags that an opener of its own adds.
                refuse(path, follow=not flags & os.O_NOFOLLOW and sys._getframe(1).f_code is not following_none)
        elif event in paths_of:
            for index, folder in paths_of[event]:
                refuse(arguments[index], follow=False, folder=-1 if folder is None else arguments[folder])
        elif event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
            program = Path(os.fsdecode(arguments[0])).name
            if program not in _HARMLESS and not _looks_at_a_database(arguments):
                os.write(2, f"\nstarted: {program}\n".encode(errors="backslashreplace"))
                os._exit(_EXECUTED)

    return hook


def _looks_at_a_database(arguments: tuple[Any, ...]) -> bool:
    """LMDB ends the process that reads a damaged one, so another reads it first."""
    return arguments[0] == sys.executable and "\nimport lmdb\n" in str(list(arguments[1])[2:3][0])


def _folder_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def _by_right() -> list[Path]:
    names = ("TMPDIR", "WGANX_CACHE", "XDG_CACHE_HOME", "HOME", "TORCH_HOME", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR")
    return [Path(os.environ[name]) for name in names if os.environ.get(name)]


def _listen(child: int, receiving: int, seconds: float, stopped_after: float) -> tuple[str, int | None, float]:
    """What the child says, its status and the seconds it worked.

    The status is None when its time was over, and it was killed with all that it started.
    """
    os.set_blocking(receiving, False)
    heard, status, until = b"", None, time.monotonic() + _PATIENCE * seconds
    while True:
        with suppress(BlockingIOError):
            heard += os.read(receiving, 1 << 16)
        done, found, used = os.wait4(child, os.WNOHANG)
        if done:
            status = found
            break
        if (worked := _worked(child)) > stopped_after:
            os.kill(child, signal.SIGINT)
            stopped_after += 2.0
        if worked > seconds or time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            _, _, used = os.wait4(child, 0)
            break
        time.sleep(0.002)
    with suppress(BlockingIOError):  # a process that it started may hold the other end
        while more := os.read(receiving, 1 << 16):
            heard += more
    os.close(receiving)
    return heard.decode("utf-8", "backslashreplace"), status, used.ru_utime + used.ru_stime


def _worked(child: int) -> float:
    """Seconds of the processor, so far."""
    fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _verdict(status: int | None, said: str) -> Result:
    if status is None:
        return "hang"
    code = os.waitstatus_to_exitcode(status)
    if code == _OUTSIDE:
        return "outside"
    if code == _EXECUTED:
        return "executed"
    if "MemoryError" in said or "DefaultCPUAllocator" in said or code == -signal.SIGKILL:
        return "memory"
    if "Traceback (most recent call last)" in said or code < 0 or code not in (0, 1, 2, 3):
        return "traceback"
    if _OBEYED.search(said.replace(_OF_TORCH, "")):
        return "escaped"
    return "refused" if code else "survived"
