"""Serving to browsers on this machine, and to nobody else.

Bound to the loopback address. A page elsewhere whose name was made to lead here (DNS rebinding) still sends its own
name as ``Host``, and is refused; a page elsewhere that posts here sends its own name as ``Origin``, and is refused too.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import socketserver
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Thread

from wganx.errors import UsageError

LOOPBACK = "127.0.0.1"
CLOSED = "default-src 'none'; frame-ancestors 'none'"
"""Policy of what is no page: nothing is run, asked for or framed."""
_HERE = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?", re.IGNORECASE)


class LoopbackServer(socketserver.ThreadingTCPServer):
    """A thread a request; ends with the process."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = os.name == "posix"  # elsewhere it would let others take the port as well

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that left is no news."""


class LoopbackHandler(BaseHTTPRequestHandler):
    """What all answers have in common."""

    timeout = 10
    server_version, sys_version = "wganx", ""

    def is_for_here(self) -> bool:
        """Whether it was asked by a name of this machine; says so where it was not."""
        if _HERE.fullmatch(self.headers.get("Host", "")):
            return True
        self.answer(HTTPStatus.MISDIRECTED_REQUEST, b"this page is served to this machine alone\n")
        return False

    def is_from_here(self) -> bool:
        """Whether the page that asks is one of this server, or no page at all; says so where it is another."""
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")
        own = f"http://{self.headers.get('Host', '')}".lower()
        if (origin is None or origin.lower() == own) and site in (None, "same-origin", "none"):
            return True
        self.answer(HTTPStatus.FORBIDDEN, b"only the page that is served here may ask for this\n")
        return False

    def answer(
        self,
        status: HTTPStatus,
        body: bytes = b"",
        kind: str = "text/plain; charset=utf-8",
        policy: str = CLOSED,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Send `body`, which nobody keeps."""
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **(more or {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads who looked when."""


@contextmanager
def listening(make: Callable[[tuple[str, int]], LoopbackServer], port: int = 0) -> Iterator[str]:
    """Inside, the server that `make` makes of an address answers there; yields the address to open.

    Raises:
        UsageError: the port is taken, or may not be used.
    """
    try:
        server = make((LOOPBACK, port))
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


def source_hash(text: str) -> str:
    """A style or a script as content security policies name it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
