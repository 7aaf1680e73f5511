"""Pages of the reference that are made from the code when the site is built, so that they cannot fall behind it.

A page writes its own words around a block of three backticks, ``{from-code} commands``, closed at once. In its place
comes what the function `commands` of the module of the same name returns: Markdown, headings included, which is then
read like the rest of the page. Replaced before reading, and not by a directive, since a directive's headings would be
missing from the page's contents.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

_BLOCK = re.compile(r"^```\{from-code\} (\w+)\n```$", re.MULTILINE)


def write(part: str) -> str:
    """The Markdown of one part of the reference, by the name of its module: `api`, `commands`, `datasets`, ..."""
    text: str = getattr(import_module(f"{__name__}.{part}"), part)()
    return text


def fill(page: str) -> str:
    """The page's text with every block replaced."""
    return _BLOCK.sub(lambda block: write(block[1]), page)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    filled = fill(source[0])
    if filled != source[0]:
        pages = app.env.__dict__.setdefault("from_code_pages", set())
        pages.add(docname)
    source[0] = filled


def _outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """A page with such a block is read anew in every build: what it shows may have changed without it."""
    return sorted(getattr(env, "from_code_pages", set()) - removed)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Fill the pages when they are read."""
    app.connect("source-read", _read)
    app.connect("env-get-outdated", _outdated)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
