"""The demo over HTTP: the page, a wish, its place in the line, what was made. Everything else is not there.

GET  /                     the page
POST /jobs?do=draw&...     a wish, with the visitor's file as the body: 202 and a token
GET  /jobs/TOKEN?known=... how it stands, as JSON, as soon as that is another than what is known
GET  /jobs/TOKEN/file      what was made, to be taken away
POST /jobs/TOKEN/leave     the visitor goes
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import parse_qs, quote, urlsplit

from wganx.demo.line import Full, Line, Place, View
from wganx.demo.making import Workshop
from wganx.demo.showing import draw_made
from wganx.demo.wishes import Wish, read_wish
from wganx.errors import UsageError
from wganx.loopback import LoopbackHandler, LoopbackServer, listening
from wganx.report.wording import size_in_words

HELD = 10.0
"""Seconds that a question how it stands is held where nothing changes."""
_PIECE = 65_536
_LINGERS, _LINGERS_FOR = 200_000_000, 10.0
"""Bytes and seconds for which a file that is too large is read on and thrown away, so that its sender hears why."""
_TOKEN = r"([A-Za-z0-9_-]{22})"
_PLACE, _FILE, _LEAVE = (re.compile(f"/jobs/{_TOKEN}{end}") for end in ("", "/file", "/leave"))


@dataclass
class Shown:
    """What a place leads to: the piece of the page, and the file to take away."""

    html: str
    download: Path
    name: str


@dataclass
class Demo:
    """What the server serves.

    Attributes:
        page: the whole document.
        folder: where everything that visitors send and get lies, a folder each.
        most_bytes: of a file that is sent.
        most_seconds: that a file may take to arrive.
    """

    workshop: Workshop
    line: Line[Shown]
    page: bytes
    folder: Path
    most_bytes: int
    most_seconds: float = 120.0


@contextmanager
def serving(demo: Demo, port: int = 0) -> Iterator[str]:
    """Inside, the demo is served on the loopback address; yields the address to open.

    Raises:
        UsageError: the port is taken, or may not be used.
    """
    with listening(lambda address: _Server(address, demo), port) as address:
        yield address


class _Server(LoopbackServer):
    def __init__(self, address: tuple[str, int], demo: Demo) -> None:
        self.demo = demo
        super().__init__(address, _Handler)


class _Refused(Exception):
    """A request gets this answer and nothing else."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Handler(LoopbackHandler):
    server: _Server

    def do_GET(self) -> None:
        if not self.is_for_here():
            return
        address = urlsplit(self.path)
        if address.path == "/":
            self.answer(HTTPStatus.OK, self.server.demo.page, "text/html; charset=utf-8", "frame-ancestors 'none'")
        elif found := _PLACE.fullmatch(address.path):
            self._tell(found[1], parse_qs(address.query).get("known", [""])[0])
        elif found := _FILE.fullmatch(address.path):
            self._hand_over(found[1])
        else:
            self._say(HTTPStatus.NOT_FOUND, "there is nothing here; the demo is at /")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        if not self.is_for_here() or not self.is_from_here():
            return
        address = urlsplit(self.path)
        try:
            if address.path == "/jobs":
                self._take(address.query)
            elif found := _LEAVE.fullmatch(address.path):
                self.server.demo.line.leave(found[1])
                self.answer(HTTPStatus.NO_CONTENT)
            else:
                raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here; the demo is at /")
        except _Refused as refusal:
            self._say(refusal.status, str(refusal))
            self._throw_away()

    def _take(self, query: str) -> None:
        """A wish joins the line, with the file that comes with it."""
        demo = self.server.demo
        try:
            wish = read_wish(query, demo.workshop.offer)
            demo.line.refuse_if_full()
            length = self._length(wish)
            folder = Path(mkdtemp(dir=demo.folder))
        except UsageError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        except Full as error:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        except OSError as error:
            raise _Refused(HTTPStatus.INSUFFICIENT_STORAGE, f"the demo has no room: {error.strerror}") from None
        try:
            if wish.way == "send":
                self._receive(folder / f"source{wish.ending}", length)
            place = demo.line.join(partial(_carry_out, demo.workshop, wish), folder)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, Full):
                raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
            raise
        self.answer(HTTPStatus.ACCEPTED, place.token.encode("ascii"))

    def _length(self, wish: Wish) -> int:
        """Bytes that come; refused before they do where they are none, or too many."""
        most = self.server.demo.most_bytes
        text = self.headers.get("Content-Length")
        if text is None or not re.fullmatch(r"[0-9]{1,18}", text):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "say how long the file is")
        if int(text) > most:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the file has {size_in_words(int(text))}, and this demo takes up to {most / 1e6:g} MB; send a smaller "
                "one",
            )
        if wish.way == "send" and not int(text):
            raise _Refused(HTTPStatus.BAD_REQUEST, f"{wish.name or 'the file'} is empty; send another one")
        return int(text)

    def _receive(self, path: Path, length: int) -> None:
        latest = time.monotonic() + self.server.demo.most_seconds
        try:
            with path.open("xb") as file:
                while length:
                    piece = self.rfile.read1(min(length, _PIECE))
                    if not piece:
                        raise _Refused(HTTPStatus.BAD_REQUEST, "the file ended before its end; send it again")
                    file.write(piece)
                    length -= len(piece)
                    if length and time.monotonic() > latest:
                        raise _Refused(HTTPStatus.REQUEST_TIMEOUT, "the file took too long to come; send a smaller one")
        except TimeoutError:
            raise _Refused(HTTPStatus.REQUEST_TIMEOUT, "nothing came for a while; send the file again") from None
        except OSError as error:
            raise _Refused(HTTPStatus.INSUFFICIENT_STORAGE, f"the demo has no room: {error.strerror}") from None

    def _tell(self, token: str, known: str) -> None:
        line = self.server.demo.line
        place = line.find(token)
        view = None if place is None else line.view(place, _parsed(known), HELD)
        if place is None or view is None:
            self._say(HTTPStatus.NOT_FOUND, "this place in the line is gone; ask again")
            return
        told: dict[str, object] = {
            "known": _written(view), "state": view.state, "before": view.before, "percent": view.percent,
        }  # fmt: skip
        if view.state == "done" and place.outcome is not None:
            told["html"] = place.outcome.html
        if view.state == "failed":
            told["message"] = place.message
        self.answer(HTTPStatus.OK, json.dumps(told).encode("utf-8"), "application/json")

    def _hand_over(self, token: str) -> None:
        place = self.server.demo.line.find(token)
        try:
            if place is None or place.outcome is None:
                raise FileNotFoundError
            content = place.outcome.download.read_bytes()
        except OSError:
            self._say(HTTPStatus.NOT_FOUND, "this is gone; ask again")
            return
        name = quote(place.outcome.name, safe="")
        more = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        self.answer(HTTPStatus.OK, content, "application/octet-stream", more=more)

    def _say(self, status: HTTPStatus, text: str) -> None:
        # Whoever hangs up in the midst of it does not hear it.
        with suppress(OSError):
            self.answer(status, text.encode("utf-8"))

    def _throw_away(self) -> None:
        """Read on what was refused: a browser that still sends when the connection ends shows an error of its own."""
        latest, left = time.monotonic() + _LINGERS_FOR, _LINGERS
        with suppress(OSError, ValueError):
            self.wfile.flush()
            left = min(left, int(self.headers.get("Content-Length") or 0))
            self.connection.settimeout(1.0)
            while left > 0 and time.monotonic() < latest and (piece := self.rfile.read1(min(left, _PIECE))):
                left -= len(piece)


def _carry_out(workshop: Workshop, wish: Wish, place: Place[Shown]) -> Shown:
    made = workshop.make(wish, place.folder, place)
    html = draw_made(made, place.token, time.monotonic() - place.since)
    if made.sent is not None:
        made.sent[0].unlink(missing_ok=True)  # it was shown, and is of no more use
    return Shown(html, made.download, made.name)


def _written(view: View) -> str:
    return f"{view.state}.{view.before}.{'' if view.percent is None else view.percent}"


def _parsed(known: str) -> View | None:
    found = re.fullmatch(r"(waiting|working|done|failed)\.(\d{1,4})\.(\d{0,3})", known)
    if found is None:
        return None
    return View(found[1], int(found[2]), int(found[3]) if found[3] else None)  # type: ignore[arg-type]
