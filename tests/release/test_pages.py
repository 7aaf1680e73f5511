"""What the pages on installing, machines and versions say is so."""

from __future__ import annotations

import importlib
import re
import tomllib
from types import ModuleType

import pytest

import wganx
from wganx.cli import main

from .conftest import ROOT

PAGES = {
    name: (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
    for name in ("guides/installing", "guides/machines", "guides/several-processes", "reference/versions")
}
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]


@pytest.fixture
def extras(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "docs/_ext"))
    return importlib.import_module("from_code.extras")


def test_every_extra_is_read_with_its_packages_and_its_reason(extras: ModuleType) -> None:
    found = {name: (packages, why) for name, packages, why in extras.parsed(extras.PROJECT.read_text("utf-8"))}
    assert {name: packages for name, (packages, _) in found.items()} == EXTRAS
    assert [name for name, (_, why) in found.items() if not why] == []


def test_the_table_has_every_extra_that_users_want(extras: ModuleType) -> None:
    page = importlib.import_module("from_code").fill(PAGES["guides/installing"])
    rows = set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE))
    assert rows == EXTRAS.keys() - {"test", "docs", "dev"}
    assert "| `video` | `av` | reads and writes films" in page


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    for path in re.findall(r"\bdeploy/[\w./-]+\w", PAGES[page]):
        assert (ROOT / path).is_file(), path


def test_extras_that_are_typed_exist() -> None:
    for typed in re.findall(r'pip install "wganx\[([\w,]+)\]"', " ".join(PAGES.values())):
        assert set(typed.split(",")) <= EXTRAS.keys()


def test_commands_of_completion_are_those_of_its_help() -> None:
    for line in re.findall(r"^wganx completion .+$", PAGES["guides/installing"], re.MULTILINE):
        assert line in str(main.commands["completion"].help)


def test_the_number_of_the_api() -> None:
    page = PAGES["reference/versions"]
    assert f"`WGANX_API = {wganx.WGANX_API}`" in page
    assert f"it has been {wganx.WGANX_API} since" in page
