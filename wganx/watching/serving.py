"""Serves one page to browsers on this machine, and nothing else of its folder."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from importlib.resources import files
from string import Template
from typing import Protocol

from wganx.loopback import LoopbackHandler, LoopbackServer, listening, source_hash

LOOKS_EVERY = 2.0
"""Seconds between two questions of an open page whether there is a new one."""
_HTML = "text/html; charset=utf-8"


class Page(Protocol):
    """What is served: a whole HTML document, with a version that is another for every other document."""

    name: str
    content: bytes
    version: str


@contextmanager
def serving(page: Page, port: int = 0) -> Iterator[str]:
    """Inside, `page` is served on the loopback address; yields the address to open.

    Raises:
        UsageError: the port is taken, or may not be used.
    """
    with listening(lambda address: _Server(address, page), port) as address:
        yield address


class _Server(LoopbackServer):
    def __init__(self, address: tuple[str, int], page: Page) -> None:
        self.page = page
        super().__init__(address, _Handler)


class _Handler(LoopbackHandler):
    server: _Server

    def do_GET(self) -> None:
        page, path = self.server.page, self.path.partition("?")[0]
        if not self.is_for_here():
            return
        if path == "/":
            self.answer(HTTPStatus.OK, *_frame(page))
        elif path == "/report.html":
            self.answer(HTTPStatus.OK, page.content, _HTML, "frame-ancestors 'self'")
        elif path == "/version":
            self.answer(HTTPStatus.OK, page.version.encode("ascii"))
        else:
            self.answer(HTTPStatus.NOT_FOUND, b"only the report is served here\n")

    do_HEAD = do_GET


def _frame(page: Page) -> tuple[bytes, str, str]:
    """The document around the page, which loads it again when there is another; its type, and its policy.

    The page itself may ask for nothing, by its own policy, so it cannot find out.
    """
    style, script = _asset("frame.css"), _asset("frame.js")
    filled = Template(_asset("frame.html")).substitute(
        name=html.escape(page.name), version=page.version, seconds=LOOKS_EVERY, style=style, script=script
    )
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src data:; "
        f"frame-src 'self'; connect-src 'self'; script-src {source_hash(script)}; style-src {source_hash(style)}"
    )
    return filled.encode("utf-8"), _HTML, policy


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
