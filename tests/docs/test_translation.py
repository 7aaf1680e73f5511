"""The Chinese chapters say what the English ones do: the same sections, formulas, code and printed numbers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

THEORY = Path(__file__).parents[2] / "docs" / "theory"
CHAPTERS = sorted(path.name for path in (THEORY / "en").glob("[0-9]*.md"))


def blocks(text: str, *kinds: str) -> list[str]:
    """The contents of the fenced blocks of any of `kinds`."""
    fence = "|".join(re.escape(kind) for kind in kinds)
    return re.findall(rf"^```(?:{fence})\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def shape(code: str) -> str:
    """A block of code without its comments, and without the words in its strings, which are translated."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def chapter(language: str, name: str) -> str:
    return (THEORY / language / name).read_text(encoding="utf-8")


def test_every_chapter_is_translated():
    assert len(CHAPTERS) == 11
    assert sorted(path.name for path in (THEORY / "zh").glob("[0-9]*.md")) == CHAPTERS


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_the_same_sections_and_formulas(name):
    english, chinese = (
        re.sub(r"^```.*?^```", "", chapter(one, name), flags=re.DOTALL | re.MULTILINE) for one in ("en", "zh")
    )
    levels = [[len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)] for text in (english, chinese)]
    assert levels[0] == levels[1]
    displayed = [
        [re.sub(r"\\text\{.*?\}", "", one) for one in re.findall(r"\$\$.*?\$\$", text, re.DOTALL)]
        for text in (english, chinese)
    ]
    assert displayed[0] == displayed[1]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_the_same_code_and_numbers(name):
    english, chinese = chapter("en", name), chapter("zh", name)
    code = [shape(block) for block in blocks(english, "{testcode}")]
    assert code, "a chapter computes something"
    translated = [shape(block) for block in blocks(chinese, "python")]
    assert code == translated
    printed = [
        [re.findall(r"[-+]?\d[\d.]*", block) for block in found]
        for found in (blocks(english, "{testoutput}", "text"), blocks(chinese, "text"))
    ]
    assert printed[0] == printed[1]


def test_the_reading_list_names_the_same_in_both_languages():
    english, chinese = ((THEORY.parent / name).read_text(encoding="utf-8") for name in ("reading.md", "reading.zh.md"))
    outside = [re.findall(r"\]\((https://[^)\s]+)\)", text) for text in (english, chinese)]
    in_chinese_alone = "https://spaces.ac.cn/"
    assert len(outside[0]) > 60
    assert outside[0] == [link for link in outside[1] if not link.startswith(in_chinese_alone)]
    titles = [re.findall(r"\*([^*]+)\*", " ".join(text.split())) for text in (english, chinese)]
    assert titles[0] == titles[1]
    chapters = [re.findall(rf"^## \[.*\]\(theory/{language}/(.*)\)$", text, re.MULTILINE) for language, text in
                (("en", english), ("zh", chinese))]  # fmt: skip
    assert chapters == [CHAPTERS, CHAPTERS]
