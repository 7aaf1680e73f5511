"""Every link leads somewhere, without a network: pages, their headings, files; external ones by their form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from tests.pages import DOCS, PAGES, ROOT, without_blocks

_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_ROLE = re.compile(r"\{(?:download|doc)\}`(?:[^`<]*<)?([^`<>]+)>?`")
_AUTOMATIC = re.compile(r"<(https?://[^>\s]+)>")
_DEPTH = 3  # of headings that are anchors: myst_heading_anchors


def links(text: str) -> Iterator[tuple[int, str]]:
    """The targets in prose, with their lines; code has none."""
    plain = re.sub(
        r"`+[^`\n]*`+", lambda code: code[0] if code[0].count("<") else "`" * len(code[0]), without_blocks(text)
    )
    for pattern in (_LINK, _ROLE, _AUTOMATIC):
        for found in pattern.finditer(plain):
            yield plain.count("\n", 0, found.start()) + 1, found[1]


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip()).replace("`", "")
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


@cache
def filled(extension: Callable[[str], ModuleType], page: Path) -> str:
    return str(extension("from_code").fill(page.read_text(encoding="utf-8")))


def anchors(text: str) -> set[str]:
    found: set[str] = set()
    for marks, heading in re.findall(r"^(#+) (.+?)\s*#*$", without_blocks(text), re.MULTILINE):
        if len(marks) <= _DEPTH:
            name = slug(heading)
            found.add(name if name not in found else f"{name}-1")
    return found | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)) | set(re.findall(r'id="([\w-]+)"', text))


def wrong(page: Path, target: str, extension: Callable[[str], ModuleType]) -> str | None:
    """What is wrong with a link on a page, if anything is."""
    if re.match(r"[a-z]+:", target):
        parts = urlsplit(target)
        if parts.scheme == "mailto":
            return None
        well = parts.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc)
        return None if well or parts.hostname in ("localhost", "127.0.0.1") else "is no https address"
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    if not there.exists():
        return "is not there"
    if not there.is_relative_to(ROOT):
        return "is outside the repository"
    if page.is_relative_to(DOCS) and there.suffix == ".md" and not there.is_relative_to(DOCS):
        return "is no page of the site"
    if anchor and there.suffix == ".md" and anchor not in anchors(filled(extension, there)):
        return f"has no heading {anchor!r}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path, extension: Callable[[str], ModuleType]) -> None:
    text = filled(extension, page) if page.is_relative_to(DOCS) else page.read_text(encoding="utf-8")
    found = list(links(text))
    faults = [f"line {line}: {target} {fault}" for line, target in found if (fault := wrong(page, target, extension))]
    assert faults == []


def test_links_are_found_and_broken_ones_are_told(tmp_path: Path, extension: Callable[[str], ModuleType]) -> None:
    text = "[a](guides/plugins.md#every-hook) `[b](c.md)` ![p\nq](x.png)\n```text\n[d](e.md)\n```\n<https://a.org/b>"
    assert [target for _, target in links(text)] == ["guides/plugins.md#every-hook", "x.png", "https://a.org/b"]
    index = DOCS / "index.md"
    assert wrong(index, "guides/plugins.md#every-hook", extension) is None
    assert wrong(index, "guides/plugins.md#no-such", extension) == "has no heading 'no-such'"
    assert wrong(index, "guides/nowhere.md", extension) == "is not there"
    assert wrong(index, "http://a.org", extension) == "is no https address"
    assert wrong(index, "reference/commands.md#wganx-train", extension) is None


def test_every_page_is_in_the_contents() -> None:
    for page in sorted(DOCS.rglob("*.md")):
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        listed = any(
            re.search(
                rf"^{re.escape(page.relative_to(other.parent).with_suffix('').as_posix())}$", entries, re.MULTILINE
            )
            for other in DOCS.rglob("*.md")
            if page.is_relative_to(other.parent)
            for entries in re.findall(r"^```\{toctree\}\n(.*?)^```", other.read_text(encoding="utf-8"), re.M | re.S)
        )
        assert listed or name == "index", name
