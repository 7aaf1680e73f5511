"""Which commit a wganx was built from, and what `wganx --version` makes of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import wganx
from wganx import commit as module
from wganx.cli import main

commit_of = module.commit_of


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    module.commit.cache_clear()
    yield
    module.commit.cache_clear()


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Git in `tmp_path`, of nobody's settings."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(*words: str) -> str:
        own = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
        done = subprocess.run(
            ["git", *own, *words], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def checkout(tmp_path: Path, git: Callable[..., str]) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    return tmp_path


def test_a_checkout_is_of_its_commit(checkout: Path, git: Callable[..., str]) -> None:
    whole = git("rev-parse", "HEAD")
    assert commit_of(checkout) == whole[:9]
    git("tag", "-a", "v9", "-m", "a tag changes nothing")
    assert commit_of(checkout) == whole[:9]
    (checkout / "untracked.txt").write_text("no part of what is built", encoding="utf-8")
    assert commit_of(checkout) == whole[:9]
    (checkout / "pyproject.toml").write_text("[tool]\n", encoding="utf-8")
    assert commit_of(checkout) == f"{whole[:9]}+dirty"


def test_a_worktree_is_a_checkout(checkout: Path, git: Callable[..., str]) -> None:
    git("worktree", "add", "-q", "-b", "other", "beside")
    assert commit_of(checkout / "beside") == git("rev-parse", "HEAD")[:9]


def test_a_folder_in_the_repository_of_somebody_else_is_of_no_commit(checkout: Path) -> None:
    """An environment lies in a project of its user's, and an archive is unpacked in one: that is another commit."""
    inside = checkout / "venv/site-packages"
    inside.mkdir(parents=True)
    assert commit_of(inside) is None
    (inside / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    assert commit_of(inside) is None


def test_what_git_is_told_by_its_surroundings_changes_nothing(
    checkout: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a hook of another repository git is told to look there."""
    expected = git("rev-parse", "HEAD")[:9]
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))
    assert commit_of(checkout) == expected


@pytest.mark.parametrize("broken", ["no git", "no commit", "no repository"])
def test_nobody_knows(broken: str, tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    git("init", "-q")
    if broken == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif broken == "no repository":
        (tmp_path / ".git/HEAD").unlink()
    assert commit_of(tmp_path) is None


@pytest.mark.parametrize(("recorded", "told"), [("abc123def", "abc123def"), ("", "unknown")])
def test_a_wheel_tells_what_was_written_into_it(
    recorded: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "commit.txt"
    record.write_text(f"{recorded}\n", encoding="ascii")
    monkeypatch.setattr(module, "RECORD", record)
    monkeypatch.setattr(module, "commit_of", lambda _: pytest.fail("git was asked"))
    done = CliRunner().invoke(main, ["--version"])
    assert (done.exit_code, done.output) == (0, f"wganx, version {wganx.__version__} (commit {told})\n")


def test_version_needs_nothing_but_the_command_line() -> None:
    code = (
        "import sys\n"
        "from wganx.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'torch', 'pydantic', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert re.fullmatch(r"wganx, version \d+\.\d+\.\d+ \(commit (unknown|[0-9a-f]{9,}(\+dirty)?)\)\n", done.stdout)


def test_doctor_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so does every run: test_deploy.py looks into one."""
    monkeypatch.setattr("wganx.commit.commit", lambda: "abc123def+dirty")
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert json.loads(done.output)["commit"] == "abc123def+dirty"
