"""The habits of the house: one set of commands wherever they are written, tests that keep to themselves, a citation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import wganx

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci/run").read_text(encoding="utf-8")
HOOKS: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))

PACKAGE_OF = {"pytest": "pytest", "ruff": "ruff", "mypy": "mypy", "sphinx-build": "sphinx", "pre-commit": "pre-commit",
              "uv": "uv", "cyclonedx-py": "cyclonedx-bom"}  # fmt: skip
"""Which package brings a program that recipes call."""


def recipes() -> dict[str, list[str]]:
    """The commands of every recipe of the justfile, without the place for further options."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / "justfile").read_text(encoding="utf-8").splitlines():
        head = re.fullmatch(r"([a-z][a-z-]*)( \*options)?:", line)
        if head:
            name = head[1]
            found[name] = []
        elif line.startswith("    "):
            found[name].append(line.strip().replace(" {{ options }}", ""))
    return found


RECIPES = recipes()


def required(*extras: str) -> set[str]:
    """Names of the packages that extras ask for."""
    wanted = [line for extra in extras for line in PROJECT["project"]["optional-dependencies"][extra]]
    return {re.split(r"[^\w-]", line)[0] for line in wanted} | (required("test") if "dev" in extras else set())


def test_the_recipes_are_those_that_were_promised() -> None:
    assert list(RECIPES) == [
        "default", "setup", "test", "test-fast", "lint", "format", "types", "docs", "bench", "lock", "audit",
        "sbom", "ci", "clean",
    ]  # fmt: skip


def test_every_recipe_says_what_it_is_for() -> None:
    lines = (ROOT / "justfile").read_text(encoding="utf-8").splitlines()
    for name in RECIPES:
        at = next(at for at, line in enumerate(lines) if re.match(rf"{name}( \*options)?:$", line))
        assert lines[at - 1].startswith("# "), name


@pytest.mark.parametrize("command", sorted({command for commands in RECIPES.values() for command in commands}))
def test_what_a_recipe_calls_exists(command: str) -> None:
    program, *words = command.removeprefix("@").split()
    program = program.removeprefix(".venv/bin/")
    if program in PACKAGE_OF:
        assert PACKAGE_OF[program] in required("dev", "docs")
    elif program == ".ci/run":
        assert os.access(ROOT / program, os.X_OK)
    else:
        assert program in ("just", "python", "python3", "pip", "rm", "find")
    for word in words:
        if word.endswith(".py"):
            assert (ROOT / word).is_file()


def test_contributing_has_the_same_commands() -> None:
    listed = dict(re.findall(r"^just ([a-z-]+) {2,}(.+)$", CONTRIBUTING, re.MULTILINE))
    assert listed == {
        name: " && ".join(commands)
        for name, commands in RECIPES.items()
        if name not in ("default", "setup", "clean")  # these are in sentences
    }
    for name in ("setup", "clean"):
        assert f"just {name}" in CONTRIBUTING
    for command in RECIPES["setup"]:
        assert command.replace(".venv/bin/", "") in CONTRIBUTING


def test_ci_runs_the_same_commands() -> None:
    for name in ("lint", "types"):
        for command in RECIPES[name]:
            assert re.search(rf"^ *told {re.escape(command)}( &&)?$", CI, re.MULTILINE), command
    for command in (*RECIPES["test"], "pre-commit run --all-files", "sphinx-build -W"):
        assert f"told {command} " in CI or f"told {command}\n" in CI
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=False).returncode == 0


def test_hooks_are_programs_of_the_dev_extra() -> None:
    (repository,) = HOOKS["repos"]
    assert repository["repo"] == "local", "nothing is fetched from elsewhere"
    assert {"ruff", "ruff-format", "mypy"} <= {hook["id"] for hook in repository["hooks"]}
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        program = hook["entry"].split()[0]
        package = PACKAGE_OF.get(program, "pre-commit-hooks")
        assert package in required("dev")
        try:
            scripts = {script.name for script in distribution(package).entry_points}
        except PackageNotFoundError:
            continue
        assert program in scripts or package == "ruff"


def test_the_citation_is_complete_and_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "type", "license"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == wganx.__version__ == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys()
        assert all({"family-names", "given-names"} <= author.keys() for author in reference["authors"])
    titles = {reference["title"].lower() for reference in citation["references"]}
    assert {"wasserstein generative adversarial networks", "improved training of wasserstein gans"} <= titles


def test_a_test_process_keeps_to_itself() -> None:
    own = Path(os.environ["WGANX_CACHE"]).parent
    assert own.name.startswith("wganx-tests-")
    assert Path.home().parent == own == Path(os.environ["XDG_CACHE_HOME"]).parents[1]
    for name in ("TORCH_HOME", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):  # else where the user keeps it
        assert Path(os.environ[name]).parent == own
    assert not [name for name in os.environ if name.startswith("WGANX__")]


def test_torch_has_one_thread_here_and_in_processes_that_tests_start() -> None:
    assert torch.get_num_threads() == 1
    subprocess.run([sys.executable, "-c", "import torch; assert torch.get_num_threads() == 1"], check=True, timeout=120)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 4), ("200000 100000", 2), ("50000 100000", 1), ("900000 100000", 4), (None, 4), ("?", 4)],
)
def test_workers_are_as_many_as_cores_may_be_used(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str | None, cores: int
) -> None:
    conftest = pytestconfig.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py")))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4, 5}, raising=False)
    file = tmp_path / "cpu.max"
    if quota is not None:
        file.write_text(quota, encoding="ascii")
    assert conftest.usable_cores(file) == cores


@pytest.mark.parametrize("options", [["-n", "0"], ["-p", "no:xdist"], ["-n", "1"]], ids=" ".join)
def test_tests_run_with_and_without_workers(options: list[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "tests/docs/test_tolerance.py"],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
