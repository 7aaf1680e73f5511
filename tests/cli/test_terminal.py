"""A training on a real terminal: narrow, without colours, stopped by the keyboard; names of files say nothing to it."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

pty = pytest.importorskip("pty", reason="terminals as POSIX has them")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="terminals as POSIX has them")]

_SMALL = (
    "train.batch_size=4", "preview.count=2", "preview.walk=0", "preview.sliders=0", "checkpoint.every=1000",
    "evaluate.n=2", "dataset.size=16", "generator.width=4", "critic.width=4", "log.every=2",
)  # fmt: skip
_HOSTILE = ("\x1b[31mred", "a\nwganx: all is well", "bell\x07", "\x9b2J", "g\u202egnp", "back\rwganx: fake")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal") / "pictures"
    for kind in ("cat\x1b[2J", "dog\nwganx: fake"):
        (folder / kind).mkdir(parents=True)
        for number in range(36):
            name = f"{_HOSTILE[number % len(_HOSTILE)]}{number}.png"
            Image.new("RGB", (16, 16), (number * 7, number, 9)).save(folder / kind / name)
    (folder / "dog\nwganx: fake" / "broken\nwganx: \x1b[31m.png").write_bytes(b"\x89PNG nothing")
    return folder


def trained(
    pictures: Path, out: Path, *, steps: int, columns: int = 80, interrupts: int = 0, **environ: str
) -> tuple[str, int]:
    """All that the terminal was sent, and the exit code."""
    program = [sys.executable, "-m", "wganx.cli", "train", "--plugin", "image", "--data", str(pictures), "--device=cpu"]
    program += [*(f"--set={each}" for each in _SMALL), f"--set=train.steps={steps}", f"--out={out}"]
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, program, {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **environ})
    sent, ends = b"", time.monotonic() + 180
    try:
        while time.monotonic() < ends:
            if not select.select([terminal], [], [], 0.5)[0]:
                continue
            try:
                sent += (piece := os.read(terminal, 1 << 16))
            except OSError:  # as a terminal ends on Linux
                break
            if not piece:
                break
            for _ in range(interrupts if b"W1" in sent else 0):
                os.write(terminal, b"\x03")
                time.sleep(0.05)
            interrupts = 0 if b"W1" in sent else interrupts
        else:
            os.kill(process, signal.SIGKILL)
    finally:
        os.close(terminal)
    return sent.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ({"steps": 4, "columns": 20}, 0, "finished 4 steps"),
        ({"steps": 4, "TERM": "dumb", "NO_COLOR": "1"}, 0, "finished 4 steps"),
        ({"steps": 10**6, "interrupts": 1}, 3, "and saved; continue with: wganx resume"),
        ({"steps": 10**6, "interrupts": 2}, 3, "wganx resume"),
    ],
    ids=["narrow", "dumb", "once", "twice"],
)
def test_a_terminal_is_told_nothing_by_names(pictures: Path, tmp_path: Path, how: dict, code: int, said: str) -> None:
    told, ended = trained(pictures, tmp_path / "run", **how)
    assert ended == code, told[-2000:]
    assert said in told.replace("\r\n", " ").replace("\n", " ")
    assert "Traceback" not in told
    for raw in ("\x1b[31m", "\x1b[2J", "\x07", "\x9b", "\u202e"):
        assert raw not in told
    assert not any(line.strip().startswith(("wganx: all is well", "wganx: fake")) for line in told.splitlines())
    if how.get("NO_COLOR"):
        assert "\x1b" not in told
    shutil.rmtree(tmp_path / "run")
