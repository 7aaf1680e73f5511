"""Shell completion: what is offered, by click's own classes; what real shells make of it; and how little it takes."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import CompletionItem, ShellComplete
from click.testing import CliRunner

from wganx.cli import main
from wganx.plugins import load
from wganx.plugins.descriptors import Scenario

SHELLS = ("bash", "zsh", "fish")

IN_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Becomes a program whose terminal is its standard input: fish wants to be master of its own."""


def offered(*words: str) -> list[str]:
    """What is offered for the last of `words`, in order; folders and files of the shell's own as ``<dir>``."""
    *args, incomplete = words
    items: list[CompletionItem] = ShellComplete(main, {}, "wganx", "_WGANX_COMPLETE").get_completions(args, incomplete)
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in items]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("wganx tr", ["train"]),
        ("wganx train --plug", ["--plugin"]),
        ("wganx train --plugin a", ["audio"]),
        ("wganx train --plugin ./mi", ["<file>"]),
        ("wganx train --plugin image --scenario mnist", ["mnist", "mnist-gpu"]),
        ("wganx train --scenario di", []),
        ("wganx train --plugin nobody --scenario di", []),
        ("wganx train --plugin points --extension ml", ["mlflow"]),
        ("wganx train --config ", ["<file>"]),
        ("wganx train --device c", ["cpu", "cuda"]),
        ("wganx plugins show vid", ["video"]),
        ("wganx distance a b --plugin po", ["points"]),
        ("wganx data scan photos --plugin im", ["image"]),
        ("wganx sample run --factor", []),  # of a task, which only the run knows
        ("wganx sample run --factor 4 --sou", ["--source"]),
        ("wganx completion ", list(SHELLS)),
    ],
)
def test_what_is_offered(line: str, found: list[str]) -> None:
    assert offered(*line.split(" ")[1:]) == found


def test_every_command_is_offered() -> None:
    assert offered("") == sorted(main.commands)


@pytest.mark.parametrize("plugin", ["audio", "image", "points", "video"])
def test_scenarios_of_built_in_plugins_have_the_names_of_their_files(plugin: str) -> None:
    """They are offered by these, so that no plugin is loaded at a Tab."""
    offers = sorted(scenario.name for scenario in load([plugin]).offers(Scenario))
    assert offered("train", "--plugin", plugin, "--scenario", "") == offers
    assert len(offers) >= 6


def test_scenarios_of_a_plugin_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "shapes_for_completion.py"
    file.write_text(
        "from wganx import Scenario, hookimpl\n"
        "WGANX_API = 1\n"
        "@hookimpl\n"
        "def wganx_scenarios():\n"
        "    return [Scenario(name=name, summary='', modality='points', config={}) for name in ('stars', 'discs')]\n",
        encoding="utf-8",
    )
    assert offered("train", "--plugin", str(file), "--scenario", "") == ["stars", "discs"]
    file.write_text("no python", encoding="utf-8")
    other = file.rename(tmp_path / "broken_for_completion.py")
    assert offered("train", "--plugin", str(other), "--scenario", "") == [], "no traceback into the line"


@pytest.mark.parametrize("command", ["board", "compare", "evaluate", "report", "resume", "sample"])
def test_runs_are_offered_the_last_touched_first(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, name in enumerate(("runs/first", "runs/second", "kept", "photos/cats")):
        (tmp_path / name).mkdir(parents=True)
        if name != "photos/cats":
            (tmp_path / name / "run.json").write_text("{}", encoding="utf-8")
            os.utime(tmp_path / name / "run.json", (seconds, seconds))
    monkeypatch.chdir(tmp_path)
    assert offered(command, "") == ["kept", "runs/second", "runs/first"]
    assert offered(command, "runs/f") == ["runs/first"]
    assert offered(command, "ke") == ["kept"]
    assert offered(command, "./ke") == ["./kept"]
    assert offered(command, f"{tmp_path}/runs/") == [f"{tmp_path}/runs/second", f"{tmp_path}/runs/first"]
    assert offered(command, "photos/") == ["<dir>"], "to go deeper"
    assert offered(command, "~nobody-of-this-name/") == ["<dir>"]


def test_every_choice_of_a_run_or_a_plugin_is_completed() -> None:
    """Of every command, those to come included: its runs, plugins, scenarios and devices."""

    def walk(command: click.Command, path: str) -> list[str]:
        missing = []
        for param in command.params:
            name = str(param.name)
            if name in ("run", "runs", "plugin", "scenario", "extensions", "device") and (
                param._custom_shell_complete is None
            ):
                missing.append(f"{path} {name}")
        for name, below in getattr(command, "commands", {}).items():
            missing += walk(below, f"{path} {name}")
        return missing

    assert walk(main, "wganx") == [], "give it shell_complete=, a function of wganx.cli.completing"


@pytest.mark.parametrize(
    "words", ["wganx tr", "wganx train --plugin image --scenario f", "wganx train --device c", "wganx sample "]
)
def test_a_tab_waits_for_nothing_dear(words: str) -> None:
    """Every Tab starts Python anew: 0.14 s of a core as it is, 2 s with torch, 0.35 s with pydantic."""
    code = (
        "import sys\n"
        "from wganx.cli import main\n"
        "try: main(prog_name='wganx')\n"
        "except SystemExit: pass\n"
        "dear = {'torch', 'pydantic', 'rich', 'yaml', 'numpy', 'PIL'} & sys.modules.keys()\n"
        "sys.exit(f'imported {dear}' if dear else 0)"
    )
    environ = {
        **os.environ, "_WGANX_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(("plain,", "dir,"))


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed(shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version, and there is none here")
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_WGANX_COMPLETE={shell}_complete" in done.output


def test_another_shell_is_a_wrong_call() -> None:
    done = CliRunner().invoke(main, ["completion", "tcsh"])
    assert done.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.output


@pytest.fixture
def typed(tmp_path: Path) -> Callable[[str, str], list[str]]:
    """``typed(shell, keys)``: what arguments a command has at last, with these keys pressed in a real terminal."""
    pty = pytest.importorskip("pty")
    told = tmp_path / "told.json"
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "wganx"
    command.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        "if '_WGANX_COMPLETE' in os.environ:\n"
        "    from wganx.cli import main\n"
        "    main()\n"
        f"aside = pathlib.Path({str(told)!r} + '.new')\n"
        "aside.write_text(json.dumps(sys.argv[1:]))\n"
        f"aside.rename({str(told)!r})\n",
        encoding="utf-8",
    )
    command.chmod(0o755)
    start = {
        "bash": (["--norc", "--noprofile", "-i"], "source {script}\n"),
        "zsh": (["-f", "-i"], "autoload -Uz compinit; compinit -D; source {script}\n"),
        "fish": (["--no-config", "-i"], "source {script}\n"),
    }

    def press(shell: str, keys: str) -> list[str]:
        program = shutil.which(shell)
        if program is None:
            pytest.skip(f"{shell} is not installed here")
        script = tmp_path / f"completion.{shell}"
        script.write_text(CliRunner().invoke(main, ["completion", shell]).output, encoding="utf-8")
        options, begin = start[shell]
        ours, theirs = pty.openpty()
        environ = {
            **os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb",
            "HOME": str(tmp_path),
        }  # fmt: skip
        with subprocess.Popen(
            [sys.executable, "-c", IN_A_TERMINAL, program, *options],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environ, start_new_session=True,
        ) as process:  # fmt: skip
            os.close(theirs)
            os.write(ours, begin.format(script=script).encode() + keys.encode())
            shown, deadline = b"", time.monotonic() + 120
            while not told.exists() and time.monotonic() < deadline and process.poll() is None:
                if select.select([ours], [], [], 0.05)[0]:  # a terminal that nobody reads stands still
                    shown += os.read(ours, 4096)
            process.kill()
        os.close(ours)
        assert told.exists(), shown.decode(errors="replace")
        found: list[str] = json.loads(told.read_text(encoding="utf-8"))
        return found

    return press


@pytest.mark.parametrize("shell", SHELLS)
def test_keys_pressed_in_a_shell(shell: str, typed: Callable[[str, str], list[str]], tmp_path: Path) -> None:
    (tmp_path / "runs/first").mkdir(parents=True)
    (tmp_path / "runs/first/run.json").write_text("{}", encoding="utf-8")
    keys = "wganx sam\truns/fi\t--checkp\tbest --extension ml\t\n"
    assert typed(shell, keys) == ["sample", "runs/first", "--checkpoint", "best", "--extension", "mlflow"]


@pytest.mark.parametrize("shell", SHELLS)
def test_scenarios_in_a_shell(shell: str, typed: Callable[[str, str], list[str]]) -> None:
    assert typed(shell, "wganx tra\t--plugin poi\t--scenario swi\t\n") == [
        "train", "--plugin", "points", "--scenario", "swiss-roll",
    ]  # fmt: skip
