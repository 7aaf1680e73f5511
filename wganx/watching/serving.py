"""Serves one page to browsers on this machine, and nothing else of its folder.

Bound to the loopback address. A page elsewhere whose name was made to lead here (DNS rebinding) still sends its own
name as ``Host``, and is refused.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from string import Template
from threading import Thread
from typing import Protocol

from wganx.errors import UsageError

LOOKS_EVERY = 2.0
"""Seconds between two questions of an open page whether there is a new one."""
LOOPBACK = "127.0.0.1"
_HERE = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?", re.IGNORECASE)


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
    try:
        server = _Server((LOOPBACK, port), page)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise UsageError(f"cannot serve on port {port}: {reason}; give another --port, or none") from None
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="wganx-page", daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let others take the port as well

    def __init__(self, address: tuple[str, int], page: Page) -> None:
        self.page = page
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that left is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10
    server_version, sys_version = "wganx", ""

    def do_GET(self) -> None:
        page, path = self.server.page, self.path.partition("?")[0]
        if not _HERE.fullmatch(self.headers.get("Host", "")):
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, b"this page is served to this machine alone\n")
        elif path == "/":
            self._answer(HTTPStatus.OK, *_frame(page))
        elif path == "/report.html":
            self._answer(HTTPStatus.OK, page.content, "text/html", "frame-ancestors 'self'")
        elif path == "/version":
            self._answer(HTTPStatus.OK, page.version.encode("ascii"))
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"only the report is served here\n")

    do_HEAD = do_GET

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain", policy: str = "") -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", policy or "default-src 'none'; frame-ancestors 'none'"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads who looked when."""


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
        f"frame-src 'self'; connect-src 'self'; script-src '{_digest(script)}'; style-src '{_digest(style)}'"
    )
    return filled.encode("utf-8"), "text/html", policy


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
