"""The command, from the address it says to the signal that ends it."""

from __future__ import annotations

import os
import signal
import webbrowser
from threading import Thread

import pytest
from click.testing import CliRunner

from wganx.cli import main
from wganx.demo import running


@pytest.fixture
def end_by(monkeypatch):
    """Sends this process a signal once the demo stands, and hears where it left its files."""

    def end(number):
        folders = []
        served = running.serving

        def serving(demo, port):
            folders.append(demo.folder)
            return served(demo, port)

        def sleep(seconds):
            Thread(target=lambda: os.kill(os.getpid(), number)).start()
            real_sleep(seconds)

        real_sleep = running.time.sleep
        monkeypatch.setattr(running, "serving", serving)
        monkeypatch.setattr(running.time, "sleep", sleep)
        return folders

    return end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_cleanly_and_nothing_stays_behind(ring, end_by, number):
    folders, before = end_by(number), signal.getsignal(signal.SIGTERM)
    result = CliRunner().invoke(main, ["demo", str(ring.folder.path)])
    assert result.exit_code == 0, result.output
    first, second, last = result.output.splitlines()
    assert first.startswith(f"demo of {ring.folder.path} at http://127.0.0.1:")
    assert (second, last) == ("for browsers on this machine alone, until Ctrl-C", "the demo has ended")
    assert [folder.exists() for folder in folders] == [False]
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_page_is_opened_where_that_is_wanted(ring, end_by, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    end_by(signal.SIGINT)
    result = CliRunner().invoke(main, ["demo", str(ring.folder.path), "--open"])
    assert [address in result.output for address in opened] == [True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no run in nowhere: it has no config.yaml"),
        (["RUN", "--checkpoint", "9"], "no checkpoint '9'; there are last, best and the steps 0, 1"),
        (["RUN", "--max-upload", "0"], "0.0 is not in the range x>0"),
        (["RUN", "--port", "70000"], "70000 is not in the range 0<=x<=65535"),
    ],
)
def test_a_wrong_call_is_one_line(ring, arguments, message):
    arguments = [str(ring.folder.path) if each == "RUN" else each for each in arguments]
    result = CliRunner().invoke(main, ["demo", *arguments])
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output


def test_help_has_an_example():
    result = CliRunner().invoke(main, ["demo", "--help"])
    assert result.exit_code == 0
    assert "wganx demo runs/first" in result.output
