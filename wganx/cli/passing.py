"""Progress of files on their way through a generator: a bar when a person watches, plain lines otherwise."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TaskID

from wganx.engine.progress.bar import make_bar, say
from wganx.engine.progress.choosing import SECONDS
from wganx.engine.progress.lines import GAP, Pace
from wganx.names import visible

if TYPE_CHECKING:
    from wganx.runs import Passage

_BAR_SECONDS = 0.5
"""Between two looks at the pace, which is no pace over less."""


@contextmanager
def watching_files(console: Console) -> Iterator[Callable[[Passage], None]]:
    """What is told how far files are, and shows it: which one, how much of it, and the time that is left for it."""
    if not console.is_terminal:
        yield _Told(lambda line: say(console, line))
        return
    with make_bar(console) as bar:
        yield _Drawn(bar)


class _Watch(ABC):
    """Keeps the pace of the file that is on its way.

    Args:
        seconds: between two looks.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._passage: Passage | None = None
        self._pace = Pace(0, 0)
        self._looked = 0.0

    def __call__(self, passage: Passage) -> None:
        before, self._passage = self._passage, passage
        now = time.perf_counter()
        # A file may be read more than once, as when its level is measured first.
        anew = before is None or before.number != passage.number or passage.done < before.done - passage.length // 2
        ends = passage.done >= passage.length
        if anew:
            self._pace, self._looked = Pace(passage.done, passage.length), now
        elif now - self._looked >= self._seconds or ends:
            self._looked = now
            self._pace.advance(passage.done)
            self._show(passage, ends)

    @abstractmethod
    def _show(self, passage: Passage, ends: bool) -> None:
        """Show how far it is, or that the file ends here."""

    def _line(self, passage: Passage) -> str:
        place = f"{passage.number}/{passage.files}" if passage.files > 1 else ""
        share = f"{passage.done / max(passage.length, 1):.0%}"
        return GAP.join(filter(None, [place, visible(passage.file.name), share, self._pace.left]))


class _Told(_Watch):
    """Lines: every ten seconds, and one for each file of a folder."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(SECONDS)
        self._say = say

    def _show(self, passage: Passage, ends: bool) -> None:
        if not ends:
            self._say(self._line(passage))
        elif passage.files > 1:
            self._say(f"{passage.number}/{passage.files}{GAP}{visible(passage.file.name)}{GAP}done")


class _Drawn(_Watch):
    """A bar that is drawn anew for every file."""

    def __init__(self, bar: Bar) -> None:
        super().__init__(_BAR_SECONDS)
        self._bar = bar
        self._task: TaskID = bar.add_task("files", total=None, line="")

    def _show(self, passage: Passage, ends: bool) -> None:
        self._bar.update(self._task, total=passage.length, completed=passage.done, line=self._line(passage))
