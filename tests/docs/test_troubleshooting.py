"""What the guides say that people see is what the code says: every health code, every refusal of a network."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.pages import DOCS, ROOT

PAGE = (DOCS / "guides" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = [*sorted((ROOT / "wganx").rglob("*.py")), *sorted((ROOT / "plugins").rglob("*.py"))]


def said(node: ast.AST) -> Iterator[str]:
    """Every text of a program, with ``...`` where a value comes in."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "..." for part in node.values]
        yield "".join(str(part) for part in parts)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from said(child)


@pytest.fixture(scope="module")
def texts() -> str:
    return "\n".join(
        " ".join(text.split()) for source in SOURCES for text in said(ast.parse(source.read_text(encoding="utf-8")))
    )


def refusals() -> Iterator[str]:
    """What `PreflightError` is raised with, with ``...`` where a value comes in."""
    for folder in ("engine", "wasserstein/constraints"):
        for source in sorted((ROOT / "wganx" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("PreflightError", "NetworkFails"):
                    yield from list(said(node.args[0]))[:1]


def test_every_refusal_of_a_network_is_on_its_page() -> None:
    page = " ".join((DOCS / "guides" / "own-networks.md").read_text(encoding="utf-8").split())
    told = [[part for part in re.split(r"\.\.\.|[:;] ", text) if len(part.strip()) > 13] for text in refusals()]
    assert len(told) > 30
    # Its first words that are always the same say what is wrong; what comes later is the mend, often a common one.
    missing = [parts for parts in told if parts and not any(part.strip(" :;,") in page for part in parts[:2])]
    assert missing == []


def sections() -> dict[str, str]:
    return dict(re.findall(r"^### (WX\d{3})\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_every_code_of_the_code_has_its_section_in_order(texts: str) -> None:
    known = set(re.findall(r"\bWX\d{3}\b", texts))
    assert sections().keys() == known
    assert list(sections()) == sorted(sections())


@pytest.mark.parametrize("code", sections())
def test_a_section_says_what_is_seen_why_and_what_to_do_in_order(code: str, texts: str) -> None:
    section = sections()[code]
    seen, why, do = re.split(r"^- \*\*(?:Why\.|Do\.)\*\*", section, flags=re.MULTILINE)
    quoted = re.findall(r"`([^`]+)`", seen)
    assert quoted
    for text in quoted:
        assert " ".join(text.split()) in texts, f"{code}: nothing says {text!r}"
    assert len(why.split()) > 5
    steps = re.findall(r"(?<![\w.-])([1-9])\.\s", do)
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
