"""Every line of the page on determinism names a test, and each of these exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.pages import DOCS, ROOT

PAGE = (DOCS / "reference" / "determinism.md").read_text(encoding="utf-8")
LINES = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what differs")]
NAMED = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)+)`")


def test_there_are_lines():
    assert len(LINES) > 30
    assert PAGE.count("tests/") == sum(len(NAMED.findall(line)) for line in LINES)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip()[:60])
def test_a_line_names_a_test_that_is_there(line):
    named = NAMED.findall(line.split("|")[-2])
    assert named, "name the test that holds it"
    for file, place in named:
        body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for name in place.removeprefix("::").split("::"):
            found = [each for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name == name]
            assert found, f"{file} has no {place.removeprefix('::')}"
            body = found[0].body
        assert name.startswith("test_")
