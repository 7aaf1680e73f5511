"""What a person sees of a training: how far, how long, readings, and finding by finding."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from wganx.cli.progress import BarProgress, make_bar
from wganx.engine import Progress
from wganx.health import Finding

BEGUN = Finding(step=20, code="WX011", level="warn", text="the reading is negative", mend="more critic steps")
ENDED = Finding(step=60, code="WX011", level="warn", text=None, mend="more critic steps")
TOLD = Finding(step=30, code="WX012", level="info", text="the reading shrinks", mend="nothing to mend")

SCALARS = {"w1_raw": 1.234, "w1_corrected": 1.1, "w1_heldout": 0.987, "gradient_norm": 1.02, "penalty": 0.0123}


def console(width=160):
    return Console(file=StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)


def test_findings_are_lines_of_their_own():
    lines = []
    progress = Progress(lines.append)
    progress.started(0, 100)
    progress.logged(20, {"w1_raw": 1.0, "w1_heldout": 0.5, "vital/score_offset": 3.0})
    for finding in (BEGUN, TOLD, ENDED):
        progress.found(finding)
    first, *rest = lines
    assert first.startswith("step 20/100  W1 raw 1  held out 0.5  ")
    assert first.endswith(" left")
    assert rest == [
        "step 20  WX011 the reading is negative; more critic steps",
        "step 30  WX012 the reading shrinks; nothing to mend",
        "step 60  WX011 no longer",
    ]


def test_a_time_is_said_from_the_first_steps_and_notes_where_nobody_else_says_them(capsys):
    progress = Progress()
    progress.started(7, 1000)
    progress.paced(10, 0.5)
    progress.noted("a batch was taken in parts")
    Progress(notes=False).noted("said elsewhere")
    assert capsys.readouterr().err.splitlines() == [
        "resuming after step 7",
        "time  0:08:15 left, at 2.0 steps/s",
        "wganx: a batch was taken in parts",
    ]


def test_lines_keep_their_distance_but_for_the_last_one():
    lines = []
    progress = Progress(lines.append, seconds=1000)
    progress.started(0, 30)
    for step in (10, 20, 30):
        progress.logged(step, {})
    assert [line.split()[1] for line in lines] == ["10/30", "30/30"]


def test_the_bar_carries_the_codes_of_what_is_wrong_now():
    screen = console()
    with make_bar(screen) as bar:
        progress = BarProgress(bar, 100)
        (task,) = bar.tasks
        progress.found(BEGUN)
        assert "WX011" in task.fields["line"]
        progress.found(TOLD)
        assert "WX012" not in task.fields["line"], "what is well is no alarm"
        progress.logged(50, {"w1_raw": 1.0})
        progress.found(ENDED)
        assert "WX011" not in task.fields["line"]
        assert task.completed == 50
    assert "WX011 the reading is negative; more critic steps" in screen.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_bar_step_and_time_left_come_first_and_readings_as_far_as_they_fit(width):
    screen = console(width)
    with make_bar(screen) as bar:
        progress = BarProgress(bar, 200_000)
        progress.started(0, 200_000)
        progress.paced(12, 0.08)
        progress.logged(150, SCALARS)
        progress._pace.expect(150, 0.08)
        progress._show()
        (task,) = bar.tasks
        line = task.fields["line"]
    assert line.startswith("150/200000  4:26:28 left")
    shown = next(each for each in reversed(screen.file.getvalue().splitlines()) if "left" in each)
    assert line in shown, "whole, beside the bar"
    assert len(shown.partition(line)[0].replace("\x1b[2K", "")) == (25 if width >= 100 else 13), "the bar's room"
    assert len(line) <= width
    for reading, least in {"W1 raw 1.23": 80, "corrected 1.1": 80, "held out 0.987": 160}.items():
        assert (reading in line) == (width >= least), f"{reading} at {width}"
