"""Every piece of Python that people copy is executed, where no test of its own does.

What the doctest builder executes when the site is built (``testcode``, ``doctest``) is left to it; the plugins of the
guide for authors and the page on style transfer have tests of their own, beside those of what they are about.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import wganx
from tests.pages import DOCS, PAGES, ROOT, Block, blocks

ELSEWHERE = {
    "guides/plugins.md": "tests/second_distribution/test_guide.py",
    "guides/style-transfer.md": "tests/image/test_guides.py",
    "guides/sharing.md": "tests/hub/test_guide.py",
}
"""Pages whose Python is executed by another test, with data and plugins made for it."""


def python_blocks() -> list[Block]:
    return [
        block
        for page in PAGES
        for block in blocks(page)
        if block.kind == "python" and "theory/zh" not in page.as_posix()  # those are the English ones
    ]


@pytest.mark.parametrize("block", python_blocks(), ids=lambda block: block.place)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of digits, two steps long, that stands for the reader's own."""
    folder = tmp_path_factory.mktemp("snippets") / "run"
    small = {"train.steps": 2, "log.every": 1, "preview.count": 10, "preview.walk": 0, "preview.sliders": 0}
    wganx.train("image", "digits", overrides=small, out=folder, device="cpu", progress=False)
    return folder


@pytest.mark.parametrize(
    "block",
    [
        block
        for block in python_blocks()
        if str(block.page.relative_to(DOCS) if block.page.is_relative_to(DOCS) else "README") not in ELSEWHERE
        and not (block.page.name == "README.md" and "runs/..." not in block.text)  # tests/test_readme.py
        and "PluginConformance" not in block.text  # pytest collects that
    ],
    ids=lambda block: block.place,
)
def test_python_runs(block: Block, tiny: Path, files_of_page: Callable[[str], None]) -> None:
    """On the tiny run where a run is named, for a few steps where it trains, and on a small plugin where one is."""
    files_of_page("docs/guides/plugins.md:")
    code = (
        re.sub(r'"runs/[^"]*"', repr(str(tiny)), block.text)
        .replace('checkpoint="best"', 'checkpoint="last"')
        .replace('"spectro"', '"./spiral.py"')
    )
    code = re.sub(r"\bsteps(=|\": )\d+", r"steps\g<1>2", code)
    torch.manual_seed(0)
    exec(compile(code, block.place, "exec"), {"wganx": wganx, "torch": torch, "__name__": "snippet"})


@pytest.mark.parametrize("page", ELSEWHERE)
def test_what_is_executed_elsewhere_is_read_there(page: str) -> None:
    assert Path(page).name in (ROOT / ELSEWHERE[page]).read_text(encoding="utf-8")
