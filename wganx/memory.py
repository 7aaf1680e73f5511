"""How much main memory there is, and how a command is kept within it."""

from __future__ import annotations

import mmap
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

ASSUMED_MEMORY = 2 * 2**30
"""Free memory in bytes that is assumed where the platform does not tell."""

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
_DRIVERS = tuple(map(Path, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")))
"""Of GPUs; they map much that they do not take."""
_EVERY = 1.0
"""Seconds after which a command's share is looked at again."""
_LEAST = 2 * 2**30
"""Bytes that are never refused: torch's own code alone maps .7 GB, of which it takes less than half."""

_before: tuple[int, int] | None = None
"""This process's own limits, while it is kept within what is free."""
_bytes_read = 0


def available_memory(*, swap: bool = False) -> int | None:
    """Bytes of main memory a program may still take, within its limits; None where nobody tells.

    Args:
        swap: what is free of the machine's counts too.
    """
    told = (_free_of_the_machine(swap), *_free_of_groups(), _free_of_this_process())
    known = [amount for amount in told if amount >= 0]
    return min(known) if known else _from_sysconf()


@contextmanager
def within_available_memory() -> Iterator[None]:
    """Inside, this process is refused memory that the machine does not have, and goes on with an error.

    Linux gives more than there is, and ends who uses it without a word. So what this process may hold, its
    ``RLIMIT_DATA``, follows what is free, swap included, every second: allocations beyond it fail at once. Nothing is
    done on other systems, nor where a GPU's driver is, whose mappings count as memory and are not.
    """
    if resource is None or sys.platform != "linux" or any(driver.exists() for driver in _DRIVERS):
        yield
        return
    global _before
    outer, _before = _before, resource.getrlimit(resource.RLIMIT_DATA)
    before = _, hard = _before
    # A soft limit may come from the command that started this one, and be of that moment: the hard one binds.
    bounds = [hard] if hard != resource.RLIM_INFINITY else []
    ended = threading.Event()

    def follow() -> None:
        while not ended.is_set():
            if (most := _most_of_this_process()) is not None:
                _limit(min([most, *bounds]), hard)
            ended.wait(_EVERY)

    follower = threading.Thread(target=follow, name="wganx-memory", daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()
        _limit(*before)
        _before = outer


def _unlimited() -> None:
    """In a process that was forked nothing follows what is free: it has the limits that were given."""
    if _before is not None:
        _limit(*_before)


def _limit(soft: int, hard: int) -> None:
    with suppress(OSError, ValueError):  # a sandbox may not let it
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _most_of_this_process() -> int | None:
    """Bytes of its data, when all that is free has come to them; None where nobody tells."""
    free = available_memory(swap=True)
    if free is None or (held := _statm(5)) is None:
        return None
    return max(held + free, _LEAST)


def _free_of_the_machine(swap: bool) -> int:
    free = _meminfo("MemAvailable")
    return free + max(_meminfo("SwapFree"), 0) if swap and free >= 0 else free


def bytes_read() -> int:
    """By this module so far, of what the system tells; which is no sign that data are read."""
    return _bytes_read


def _told(path: Path) -> str:
    global _bytes_read
    content = path.read_bytes()
    _bytes_read += len(content)
    return content.decode("utf-8")


def _meminfo(name: str) -> int:
    """Bytes; -1 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        for line in _told(_PROC / "meminfo").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return -1


def _free_of_groups() -> Iterator[int]:
    """What the control groups that this process is in leave it: containers, and the jobs of a cluster.

    Pages of files that nobody uses count as used in a group, and are given back when they are wanted.
    """
    try:
        lines = _told(_PROC / "self" / "cgroup").splitlines()
    except (OSError, ValueError):
        return
    for _, controllers, path in (parts for line in lines if len(parts := line.split(":", 2)) == 3):
        if not controllers:
            root, limit, usage, unused = _CGROUPS, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            root, limit = _CGROUPS / "memory", "memory.limit_in_bytes"
            usage, unused = "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        own = root / path.strip("/")
        for group in (own, *own.parents):
            if not group.is_relative_to(root):
                break
            with suppress(OSError, ValueError):  # no such file, or "max"
                most, taken = int(_told(group / limit)), int(_told(group / usage))
                stat = dict(line.split() for line in _told(group / "memory.stat").splitlines())
                yield max(most - taken + int(stat.get(unused, 0)), 0)


def _free_of_this_process() -> int:
    """What it may still map where it was given a limit, as by ``ulimit -v`` and on many shared machines; else -1."""
    if resource is None:
        return -1
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return -1
    return max(limit - (_statm(0) or 0), 0)


def _statm(place: int) -> int | None:
    """Bytes that this process has mapped (0), or holds as its data (5); None where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(_told(_PROC / "self" / "statm").split()[place]) * mmap.PAGESIZE
    return None


def _from_sysconf() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not POSIX, or a POSIX that does not count free pages
        return None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlimited)
