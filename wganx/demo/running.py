"""The demo of a run, from the command to Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from wganx.demo.line import KEPT, Line
from wganx.demo.making import Workshop
from wganx.demo.offers import MOST_DRAWN, MOST_STOPPED
from wganx.demo.serving import Demo, Shown, serving
from wganx.demo.showing import draw_page
from wganx.demo.wishes import USUAL
from wganx.plain import printable
from wganx.runs import Run

MOST_UPLOAD, MOST_SECONDS = 20.0, 60.0
"""MB of a visitor's file; seconds of work for one visitor."""
_FEW = 4
"""Samples where several pictures belong to each: at every stop of a way, or beside what it was made of."""


def demonstrate(
    run: Run,
    *,
    checkpoint: str = "last",
    port: int = 0,
    max_upload: float = MOST_UPLOAD,
    max_seconds: float = MOST_SECONDS,
    opens: bool = False,
    tell: Callable[[str], None],
) -> None:
    """Serve a page on which the run is tried out, to browsers on this machine, until Ctrl-C.

    Args:
        checkpoint: ``last``, ``best``, or a step.
        port: of the server; 0 for one that is free.
        max_upload: MB of a file that a visitor sends.
        max_seconds: that one visitor may take.
        opens: the page in a browser.
        tell: is told the address, and how it ends.

    Raises:
        CheckpointError: there is no such checkpoint.
        UsageError: there is nothing to try, or the port is taken.
    """
    limits = {"max_upload": max_upload, "max_seconds": max_seconds}
    with (
        _ended_by_signal(),
        demo_of(run, checkpoint=checkpoint, **limits) as demo,
        serving(demo, port) as address,
        suppress(KeyboardInterrupt),
    ):
        tell(f"demo of {run.folder.path} at {address}")
        tell("for browsers on this machine alone, until Ctrl-C")
        if opens:
            webbrowser.open(address)
        while True:
            time.sleep(3600)  # an event could not be waited for and interrupted on Windows
    tell("the demo has ended")


@contextmanager
def demo_of(
    run: Run, *, checkpoint: str = "last", max_upload: float = MOST_UPLOAD, max_seconds: float = MOST_SECONDS
) -> Iterator[Demo]:
    """What there is to serve, with a worker and a folder of its own, both of which are gone afterwards.

    Raises:
        UsageError: there is nothing to try.
        CheckpointError: there is no such checkpoint.
    """
    workshop = Workshop(run, checkpoint)
    most_bytes = round(max_upload * 1e6)
    resolved = run.resolved.run
    facts = [("Trained", f"{workshop.step:,} steps"), ("Makes", str(workshop.sampler.sample or "samples"))]
    name = run.folder.path.resolve().name
    page = draw_page(
        workshop.offer,
        [(word, printable(said)) for word, said in facts],
        title=f"{printable(name)} · wganx demo",
        name=printable(name),
        kicker=[printable(each) for each in (resolved.plugin, resolved.scenario, run.resolved.parts.task.name) if each],
        seed=resolved.seed,
        count=_FEW if workshop.offer.from_data else USUAL,
        few=_FEW,
        most=MOST_DRAWN,
        most_stopped=MOST_STOPPED,
        most_bytes=most_bytes,
        most_said=f"{max_upload:g} MB",
        most_seconds=f"{max_seconds:g}",
        kept=f"{KEPT / 60:g}",
    )
    with (
        # What a request still writes when the server has ended must not fail the end.
        TemporaryDirectory(prefix="wganx-demo-", ignore_cleanup_errors=True) as folder,
        Line[Shown](seconds=max_seconds) as line,
    ):
        yield Demo(workshop, line, page.encode("utf-8"), Path(folder), most_bytes)


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Inside, SIGTERM ends the demo as Ctrl-C does, so that nothing stays behind on the disk."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
