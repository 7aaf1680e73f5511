"""The pages that people read, as tests see them: blocks of code and commands, headings and links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md"])

_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<kind>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=fence) *$", re.M | re.S
)
_END = re.compile(r"^(\||\|\||&&|;|>|>>|2>|2>&1)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language or directive, its text, and the line of the page where that begins."""

    page: Path
    kind: str
    text: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command line as the shell would split it, from ``wganx`` on without that, and where it stands."""

    words: tuple[str, ...]
    place: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(page, found["kind"].strip(), dedent(found["text"]), line)


def commands(page: Path) -> Iterator[Command]:
    """Every ``wganx`` command in the blocks of a page that are a shell's.

    Where lines begin with ``$`` the others are what was printed; where none does, a command begins with its name.
    """
    for block in blocks(page):
        if block.kind in ("", "console", "text", "bash", "sh", "shell", "powershell"):
            yield from _typed(block)


def _typed(block: Block) -> Iterator[Command]:
    prompted = any(line.startswith("$ ") for line in block.text.splitlines())
    lines = enumerate(block.text.splitlines(), block.line)
    for number, line in lines:
        if prompted and not line.startswith("$ "):
            continue
        while line.endswith("\\"):
            line = line[:-1] + next(lines)[1]
        yield from calls(line.removeprefix("$ "), f"{block.page.relative_to(ROOT)}:{number}", told=prompted)


def calls(line: str, place: str, *, told: bool = True) -> Iterator[Command]:
    """The calls of ``wganx`` in one line of a shell; what is not `told` to be one may be prose or output."""
    if not re.search(
        r"(^|&& |; |-m )wganx(\.cli)? "
        if told
        else r"^(?:[A-Z_]+=\S+ |.* && |torchrun .* -m |python .*-m )?wganx(\.cli)? ",
        line,
    ):
        return
    words = shlex.split(line, comments=True)
    while words:
        end = next((at for at, word in enumerate(words) if _END.match(word)), len(words))
        part, words = words[:end], words[end + 1 :]
        start = next((at for at, word in enumerate(part) if word in ("wganx", "wganx.cli")), None)
        if start is not None:
            yield Command(tuple(part[start + 1 :]), place)


def without_blocks(text: str) -> str:
    """A page's text with as many empty lines where its blocks were."""
    return _BLOCK.sub(lambda found: "\n" * found[0].count("\n"), text)
