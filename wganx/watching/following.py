"""Keeps the report of a run up to date while the run goes on, and serves it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from wganx.errors import DataError, WganxError
from wganx.report import write_report
from wganx.report.reading import RunRecord, read_run
from wganx.watching.serving import LOOKS_EVERY, serving

WRITTEN_EVERY = 10.0
"""Seconds between two looks at the records; more where the page takes long to write, so that the training keeps its
processor."""
SHARE = 0.1
"""Of the time, at most, that goes into writing the page."""
FAREWELL = 2 * LOOKS_EVERY
"""Seconds that the last page of a run is still served, so that whoever looks gets it."""

_RECORDS = ("config.yaml", "run.json", "metrics.jsonl", "timings.jsonl", "evaluation.json", "samples")


class FollowedPage:
    """The report of a run as it was last written.

    Attributes:
        name: of the run.
        content: the page.
        version: another for every other page.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: object = None
        self._run = RunRecord(folder)
        self.content, self.version = b"", ""
        self.refresh()
        self.name = self._run.name

    @property
    def status(self) -> str:
        """``running`` while a process trains in the folder; a run that has not made its first record is expected to."""
        return str(self._run.facts.get("status", "running"))

    @property
    def ending(self) -> str:
        """How the run ended, in words."""
        step = self._run.facts.get("step")
        return self.status if step is None else f"{self.status} at step {step}"

    def refresh(self) -> None:
        """Write the page anew where the records are others than the last time.

        Raises:
            DataError: there is no run.
            WganxError: the page cannot be written.
        """
        run = read_run(self._folder)
        seen = (run.facts.get("status"), *(_stamp(self._folder / name) for name in _RECORDS))
        self._run = run
        if seen != self._seen:
            self.content = write_report(self._folder).read_bytes()
            self.version = hashlib.sha256(self.content).hexdigest()
            self._seen = seen


def follow(folder: Path, *, port: int = 0, tell: Callable[[str], None]) -> None:
    """Rewrite the report of the run in `folder` while it goes on, and serve it to browsers on this machine.

    Ends when the run ends, or on Ctrl-C; the report of a run that had ended before is served until Ctrl-C.

    Args:
        port: of the server; 0 for one that is free.
        tell: is told the address, and how it ends.

    Raises:
        DataError: there is no run.
        UsageError: the port is taken.
        WganxError: the page cannot be written.
    """
    page = FollowedPage(folder)
    try:
        with serving(page, port) as address:
            tell(f"following {page.name} at {address}")
            goes_on = page.status == "running"
            tell("until the run ends, or Ctrl-C" if goes_on else f"the run has ended: {page.ending}; until Ctrl-C")
            _keep_up(page, tell, until_it_ends=goes_on)
            time.sleep(FAREWELL)
    except KeyboardInterrupt:
        tell("no longer followed" + ("; the run goes on" if page.status == "running" else ""))
        return
    tell(f"the run has ended: {page.ending}; its report is {folder / 'report.html'}")


def _keep_up(page: FollowedPage, tell: Callable[[str], None], *, until_it_ends: bool) -> None:
    told: str | None = None
    pause = WRITTEN_EVERY
    while not (until_it_ends and page.status != "running"):
        time.sleep(pause)
        begun = time.perf_counter()
        try:
            page.refresh()
            told = None
        except DataError:
            raise
        except (WganxError, OSError) as error:  # a disk that is full now need not be so later
            if str(error) != told:
                told = str(error)
                tell(told)
        pause = max(WRITTEN_EVERY, (time.perf_counter() - begun) / SHARE)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written, or a folder gets another file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
