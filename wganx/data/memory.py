"""How much main memory there is for data."""

from __future__ import annotations

import os
from pathlib import Path

ASSUMED_MEMORY = 2 * 2**30
"""Free memory in bytes that is assumed where the platform does not tell."""


def available_memory() -> int | None:
    """Bytes of main memory a program may still take, within its limits; None where nobody tells."""
    told = (_from_meminfo(), _from_cgroup(Path("/sys/fs/cgroup/memory.max")), _from_own_limit())
    known = [amount for amount in told if amount is not None]
    return min(known) if known else _from_sysconf()


def _from_meminfo(path: Path = Path("/proc/meminfo")) -> int | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _from_cgroup(path: Path) -> int | None:
    try:
        limit = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(limit) if limit.isdigit() else None


def _from_own_limit() -> int | None:
    """What this process may still map where it was given a limit, as by ``ulimit -v`` and on many shared machines."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return limit
    return max(limit - mapped, 0)


def _from_sysconf() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not POSIX, or a POSIX that does not count free pages
        return None
