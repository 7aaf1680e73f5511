"""``python elsewhere.py FOLDER``: a training, its interruption and what follows, in a process that looks like Windows.

Files are as `windows` has them; what Python has on POSIX alone is gone; standard output takes the letters of an old
console and no others; whoever opens a text says its encoding.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parent))
import pytest
import windows

ROOT = Path(sys.argv[1])
SMALL = {
    "train.steps": 6, "train.batch_size": 16, "checkpoint.every": 1, "checkpoint.keep": 1, "preview.every": 2,
    "preview.count": 4, "log.every": 2,
}  # fmt: skip


def leave_posix() -> None:
    for name in ("fork", "sched_getaffinity", "sysconf", "getloadavg", "killpg", "setsid"):
        with suppress(AttributeError):
            delattr(os, name)
    for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGQUIT"):
        with suppress(AttributeError):
            delattr(signal, name)
    sys.modules["resource"] = None  # type: ignore[assignment]
    multiprocessing.set_start_method("spawn")


class Locking(ModuleType):
    """``msvcrt``, for one process: a place of a file is locked by whoever locked it first, until it is closed."""

    LK_NBLCK = 2
    held: dict[tuple[int, int], int] = {}  # noqa: RUF012

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        status = os.fstat(descriptor)
        key = status.st_ino, os.lseek(descriptor, 0, os.SEEK_CUR)
        holder = self.held.get(key)
        if holder not in (None, descriptor) and Path(f"/proc/self/fd/{holder}").exists():
            raise PermissionError(13, "Permission denied")
        self.held[key] = descriptor


def main() -> None:
    leave_posix()
    import torch

    torch.set_num_threads(1)
    sys.modules["msvcrt"] = Locking("msvcrt")
    os.name = "nt"
    try:
        import wganx.lock
    finally:
        os.name = "posix"
    import wganx
    from wganx import storage
    from wganx.cli import main as command
    from wganx.errors import UsageError

    warnings.filterwarnings("error", category=EncodingWarning, module=r"wganx")
    storage._WINDOWS, storage._PATIENCE = True, 0.2
    storage._system_exchange = lambda: None
    windows.refuse(ROOT)
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="cp1252", errors="strict", write_through=True)

    class Stop(wganx.Observer):
        def logged(self, step: int, scalars: object) -> None:
            assert wganx.lock.held(run)
            with pytest.raises(UsageError, match="in use by process"):
                wganx.resume(run)
            raise KeyboardInterrupt

    run = ROOT / "run é"
    with suppress(KeyboardInterrupt):
        wganx.train(
            plugin="points", scenario="ring-labels", out=run, overrides=SMALL, observers=[Stop()], progress=False
        )
    assert not wganx.lock.held(run)
    for arguments in (
        ["--help"], ["resume", str(run)], ["sample", str(run), "-n", "4", "--out", str(ROOT / "drawn")],
    ):  # fmt: skip
        with suppress(SystemExit):
            command(arguments, standalone_mode=True)
        print(f"\N{MINUS SIGN} {arguments[0]}")
    mapped = [str(path) for path in windows.opened() if str(path).startswith(str(ROOT))]
    print(json.dumps({"strange": windows.strange_names(ROOT), "open": mapped}))


if __name__ == "__main__":
    main()
