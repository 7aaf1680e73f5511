"""What strangers call their things reaches no terminal as a command."""

from __future__ import annotations

import io
import sys

import pytest
from rich.table import Table

from wganx.cli import main
from wganx.cli.console import Shown, make_console, shown
from wganx.names import at_home, shortened, visible

HOSTILE = "a\x1b[31mb\x07\x9b\u202e\u2066\ud800.png"
SHOWN = "a\\x1b[31mb\\x07\\x9b\\u202e\\u2066\\ud800.png"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_a_terminal_obeys_is_shown() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible(SHOWN) == SHOWN
    assert visible("名前 ü\tß\n") == "名前 ü\tß\n"


def test_long_text_is_told_by_its_beginning() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "abc... (4 characters)"


def test_a_home_is_spelt_out_and_one_of_nobody_stays(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert at_home("~/x") == tmp_path / "x"
    assert str(at_home("~nobody-is-called-so/x")).replace("\\", "/") == "~nobody-is-called-so/x"


@pytest.mark.parametrize("terminal", [False, True])
def test_tables_and_lines_show_it_and_keep_their_own_colours(terminal: bool) -> None:
    file = Terminal() if terminal else io.StringIO()
    console = make_console(file)
    table = Table("[bold]name", title=HOSTILE)
    table.add_row(HOSTILE)
    console.print(table)
    console.print(HOSTILE, markup=False, highlight=False)
    text = file.getvalue()
    assert "\x1b[31m" not in text
    assert text.count("\\x1b[31mb\\x07\\x9b\\u202e") == 3
    if not terminal:
        assert visible(text) == text


def test_a_stream_shows_it_whoever_writes(monkeypatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    with shown():
        print(HOSTILE, "\rx")
        with shown():  # once is enough
            print("twice")
    assert file.getvalue() == f"{SHOWN} \\rx\ntwice\n"
    assert sys.stdout is file


def test_bars_of_others_move_on_a_terminal() -> None:
    terminal = Terminal()
    stream = Shown(terminal)
    for text in ("\r10 %", "\x1b[A", "\x1b[A\x1b[A", "\x1b[A name"):
        stream.write(text)
    assert terminal.getvalue() == "\r10 %\x1b[A\x1b[A\x1b[A\\x1b[A name"


def test_a_command_shows_what_it_was_given(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text('plugin: points\n"\\e]0;x\\a": 1\n', encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["config", "show", "--config", "run.yaml", "--set", "train.\x1b[2J=1"])
    said = capsys.readouterr().err
    assert "\\x1b]0;x\\x07: no such section" in said
    assert "train.\\x1b[2J: no such option" in said
    assert visible(said) == said
