"""The lock file of development says what pyproject.toml asks for and names no place; the audit says what it knows."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / ".ci/development.lock").read_text(encoding="utf-8")
ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.M)
LOCKED = {canonicalize_name(name): set() for name, _, _ in ENTRY.findall(LOCK)}
for _name, _version, _ in ENTRY.findall(LOCK):
    LOCKED[canonicalize_name(_name)].add(Version(_version))


def asked(lines: list[str]) -> Iterator[Requirement]:
    for line in lines:
        requirement = Requirement(line)
        if requirement.name == "wganx":
            for extra in sorted(requirement.extras):
                yield from asked(PROJECT["optional-dependencies"][extra])
        else:
            yield requirement


ASKED = [*asked(PROJECT["dependencies"]), *asked(["wganx[dev,docs]"])]


def test_every_line_is_a_version_with_its_hashes_and_no_place() -> None:
    assert ENTRY.sub("", LOCK).strip() == ""
    assert len(LOCKED) > 100
    assert "://" not in LOCK


@pytest.mark.parametrize("requirement", ASKED, ids=str)
def test_what_pyproject_asks_for_is_locked(requirement: Requirement) -> None:
    locked = LOCKED.get(canonicalize_name(requirement.name))
    assert locked, "just lock"
    assert all(requirement.specifier.contains(version, prereleases=True) for version in locked), "just lock"


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci/audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WEAK = {"name": "one", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1", "2.0"]}]}
SOUND = {"name": "two", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "three", "version": "3", "skip_reason": "not found"}


def test_a_known_weakness_ends_with_1(audit: ModuleType) -> None:
    code, said = audit.verdict([WEAK, SOUND, UNKNOWN])
    assert code == 1
    assert said.splitlines() == [
        "2 packages audited, 1 with known weaknesses", "one 1.0: CVE-1, mended in 1.1, 2.0", "not asked about: three",
    ]  # fmt: skip
    assert audit.verdict([SOUND]) == (0, "1 packages audited, 0 with known weaknesses")


def test_where_nothing_could_be_asked_that_is_said(audit: ModuleType) -> None:
    """pip-audit says "no known vulnerabilities" there."""
    assert audit.verdict([UNKNOWN] * 3) == (0, "audit skipped: of 3 packages the database knows none (not found)")


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        (json.dumps({"dependencies": [SOUND]}), "", "1 packages audited, 0 with known weaknesses\n"),
        ("", "ERROR: x\nERROR: no route to the database\n", "audit skipped: ERROR: no route to the database\n"),
        ("", "", "audit skipped: pip-audit ended with 1\n"),
    ],
)
def test_what_pip_audit_says_is_told(audit, monkeypatch, capsys, out: str, err: str, said: str) -> None:
    called = []

    def run(command, **options):
        called.append(command)
        return SimpleNamespace(stdout=out, stderr=err, returncode=1)

    monkeypatch.setattr(subprocess, "run", run)
    assert audit.main([]) == 0
    assert capsys.readouterr().out == said
    assert called[0][:3] == [sys.executable, "-m", "pip_audit"]
    assert str(ROOT / ".ci/development.lock") in called[0]


def test_a_database_that_does_not_answer_is_not_waited_for(audit, monkeypatch, capsys) -> None:
    def run(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", run)
    assert audit.main([]) == 0
    assert capsys.readouterr().out == "audit skipped: no answer within 300 s\n"
