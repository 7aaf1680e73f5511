"""What a person sees of a training, finding by finding."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from wganx.cli.progress import BarProgress, PlainProgress
from wganx.health import Finding

BEGUN = Finding(step=20, code="WX011", level="warn", text="the reading is negative", mend="more critic steps")
ENDED = Finding(step=60, code="WX011", level="warn", text=None, mend="more critic steps")
TOLD = Finding(step=30, code="WX012", level="info", text="the reading shrinks", mend="nothing to mend")


@pytest.fixture
def console():
    return Console(file=StringIO(), width=160, force_terminal=False)


def test_findings_are_lines_of_their_own(console):
    progress = PlainProgress(console, 0, 100)
    progress.logged(20, {"w1_raw": 1.0, "w1_heldout": 0.5, "vital/score_offset": 3.0})
    for finding in (BEGUN, TOLD, ENDED):
        progress.found(finding)
    first, *rest = console.file.getvalue().splitlines()
    assert first.startswith("step 20/100  W1 raw 1  held out 0.5  ")
    assert rest == [
        "step 20  WX011 the reading is negative; more critic steps",
        "step 30  WX012 the reading shrinks; nothing to mend",
        "step 60  WX011 no longer",
    ]


def test_the_bar_carries_the_codes_of_what_is_wrong_now(console):
    with Progress(TextColumn("{task.fields[health]}"), console=console) as bar:
        progress = BarProgress(bar, 0, 100)
        (task,) = bar.tasks

        def shown():
            return task.fields["health"]

        progress.found(BEGUN)
        assert shown() == "WX011"
        progress.found(TOLD)
        assert shown() == "WX011", "what is well is no alarm"
        progress.logged(50, {"w1_raw": 1.0})
        progress.found(ENDED)
        assert shown() == ""
        assert task.completed == 50
    assert "WX011 the reading is negative; more critic steps" in console.file.getvalue()
