"""What a person sees of a training: how far, how long, readings, and finding by finding."""

from __future__ import annotations

import logging
import signal
import sys
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

import wganx
from wganx.engine import Progress
from wganx.engine.progress.bar import BarProgress, make_bar
from wganx.engine.progress.cell import MOST_LINES, CellProgress
from wganx.errors import UsageError
from wganx.health import Finding, HealthCheck

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


def check(code, level="warn"):
    return HealthCheck(
        name=code.lower(), summary="found", code=code, mend="mend it", level=level, inspect=lambda vitals: "it is there"
    )


@pytest.fixture
def in_a_cell(monkeypatch):
    """A notebook, as far as can be told from within; holds what it displays. A real one: tests/docs."""
    IPython = pytest.importorskip("IPython", reason="what runs the cells of a notebook")
    shown = []

    def display(thing, *, display_id):
        shown.append(repr(thing))
        return SimpleNamespace(update=lambda thing: shown.append(repr(thing)))

    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", display)
    return shown


@pytest.mark.parametrize("wanted", ["auto", "lines", True])
def test_lines_are_said_where_no_bar_can_be(make_trainer, data, capsys, caplog, wanted):
    make_trainer().fit(data, steps=6, log_every=2, progress=wanted, checks=[check("WX900")])
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("step ")]
    assert [line.split()[1] for line in lines if "W1 raw" in line] == ["2/6", "6/6"], "the first, and the last"
    assert said.out == ""
    told = any("WX900" in line for line in lines), any("WX900" in message for message in caplog.messages)
    assert told == ((True, False) if wanted == "lines" else (False, True)), "once: among the lines, or by the logger"


def test_it_is_silent_on_request(make_trainer, data, capsys):
    make_trainer().fit(data, steps=4, log_every=2, progress=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("wanted", [None, "bar", 3])
def test_another_wish_is_refused(make_trainer, data, wanted):
    with pytest.raises(UsageError, match='progress must be "auto", "lines", True or False'):
        make_trainer().fit(data, steps=1, progress=wanted)


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_and_what_is_printed_to_a_file_stays_there(make_trainer, data, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    class Prints(wganx.Observer):
        def logged(self, step, scalars):
            print(f"mine {step}")

    make_trainer().fit(data, steps=4, log_every=2, observers=[Prints()], checks=[check("WX900")])
    shown = terminal.getvalue()
    assert "4/4" in shown
    assert "\u2501" in shown, "a bar"
    assert "WX900 it is there; mend it" in shown
    assert "mine" not in shown
    assert capsys.readouterr().out.splitlines() == ["mine 2", "mine 4"]
    assert sys.stderr is terminal, "and the terminal is given back"


def test_a_training_that_breaks_leaves_the_terminal_to_the_next(make_trainer, data, monkeypatch):
    """A bar that was left open draws beside the next one, line upon line."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    before = sys.stdout

    class Breaks(wganx.Observer):
        def logged(self, step, scalars):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_trainer().fit(data, steps=4, log_every=2, observers=[Breaks()])
    assert sys.stderr is terminal
    assert sys.stdout is before
    assert terminal.getvalue().endswith("\x1b[?25h"), "the cursor is back"
    drawn = len(terminal.getvalue())
    make_trainer().fit(data, steps=4, log_every=2)
    assert "4/4" in terminal.getvalue()[drawn:]
    assert "0/4" not in terminal.getvalue()[drawn:].rpartition("4/4")[2]


@pytest.mark.parametrize("how", ["dumb", "none"])
def test_where_no_bar_can_be_drawn_there_are_lines_or_nothing(make_trainer, data, monkeypatch, how):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "dumb" if how == "dumb" else "xterm")
    monkeypatch.setattr(sys, "stderr", None if how == "none" else terminal)
    assert make_trainer().fit(data, steps=2, log_every=2).status == "finished"
    assert "\u2501" not in terminal.getvalue()
    assert ("step 2/2" in terminal.getvalue()) == (how != "none")


def test_a_cell_gets_a_bar_of_its_own(make_trainer, data, in_a_cell, capsys):
    make_trainer().fit(data, steps=4, log_every=2, checks=[check("WX900")])
    assert in_a_cell[0] == "step 0/4  ? left"
    first, *found = in_a_cell[-1].splitlines()
    assert first.startswith("step 4/4  0:00:00 left  ")
    assert "step 2  WX900 it is there; mend it" in found
    assert capsys.readouterr() == ("", "")


def test_the_bar_of_a_cell_trusts_no_text_and_keeps_the_newest_lines():
    cell = CellProgress()
    for i in range(MOST_LINES + 5):
        cell.noted(f"<script>note {i}</script>")
    html = cell._repr_html_()
    assert "<script>" not in html
    assert html.count("<li>") == MOST_LINES
    assert f"note {MOST_LINES + 4}" in html
    assert "style=" not in html, "colours are those of the notebook"
    CellProgress(notes=False).noted("said elsewhere")


def test_what_is_amiss_is_warned_of_once_where_nobody_shows_it(make_trainer, data, caplog):
    checks = [check("WX900"), check("WX901", "info")]
    with caplog.at_level(logging.WARNING, "wganx"):
        trainer = make_trainer()
        result = trainer.fit(data, steps=6, log_every=2, checks=checks, progress=False)
    said = [record.getMessage() for record in caplog.records if "WX90" in record.getMessage()]
    assert said == ["step 2: WX900 it is there; mend it"]
    assert {finding.code for finding in result.findings} >= {"WX900", "WX901"}


def test_whoever_listens_is_told_instead(make_trainer, data, caplog):
    class Listens(wganx.Observer):
        def found(self, finding):
            heard.append(finding.code)

    heard = []
    make_trainer().fit(data, steps=2, log_every=2, checks=[check("WX900")], progress=False, observers=[Listens()])
    assert "WX900" in heard
    assert not any("WX900" in record.getMessage() for record in caplog.records)


class Presses(wganx.Observer):
    """Ctrl-C, at a logging point."""

    def logged(self, step, scalars):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_a_cell_saves_and_stops_the_cells_below(make_trainer, data, in_a_cell, tmp_path):
    trainer, store = make_trainer(), wganx.CheckpointStore(tmp_path)
    with pytest.raises(wganx.Interrupted) as stopped:
        trainer.fit(data, steps=50, log_every=2, observers=[Presses()], checkpoints=store)
    step = trainer.step
    assert str(stopped.value) == f"stopped after step {step} of 50; saved in {tmp_path}; fit goes on from here"
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert stopped.value.result.status == "interrupted"
    assert stopped.value._render_traceback_() == [f"Interrupted: {stopped.value}"]
    assert store.steps()[-1] == step
    assert trainer.fit(data, steps=2).status == "finished"


def test_stop_and_sigterm_in_a_cell_return(make_trainer, data, in_a_cell):
    class Terminates(wganx.Observer):
        def logged(self, step, scalars):
            signal.raise_signal(signal.SIGTERM)

    assert make_trainer().fit(data, steps=50, log_every=2, observers=[Terminates()]).status == "interrupted"
