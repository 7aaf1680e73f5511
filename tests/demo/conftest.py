"""Tiny runs that are tried out, their demos as they are served, and a visitor."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import wganx
from wganx.demo.running import demo_of
from wganx.demo.serving import Demo, serving
from wganx.runs import Run

RIBBONS = Path(__file__).parents[1] / "runs" / "ribbons.py"
QUICK = {"train.steps": 1, "checkpoint.every": 1, "preview.every": 1, "preview.walk": 0, "preview.sliders": 0}


@dataclass
class Visitor:
    """Asks as the page does."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[Any, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {**self.headers, **headers})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def wish(self, body: bytes = b"", **said: object) -> tuple[int, str]:
        """Status and text of a wish: the token where it is let in."""
        query = urlencode({name.replace("__", "."): value for name, value in said.items()})
        answer, text = self.ask(f"/jobs?{query}", "POST", body)
        return answer.status, text.decode()

    def wait(self, token: str, seconds: float = 60.0) -> dict[str, Any]:
        """How it ended."""
        known, until = "", time.monotonic() + seconds
        while time.monotonic() < until:
            answer, text = self.ask(f"/jobs/{token}?known={known}")
            assert answer.status == 200, text
            told: dict[str, Any] = json.loads(text)
            if told["state"] in ("done", "failed"):
                return told
            known = told["known"]
        raise AssertionError("it takes too long")

    def made(self, body: bytes = b"", **said: object) -> tuple[str, bytes]:
        """The piece of the page, and the file that is taken away."""
        status, token = self.wish(body, **said)
        assert status == 202, token
        told = self.wait(token)
        assert told["state"] == "done", told
        answer, content = self.ask(f"/jobs/{token}/file")
        assert answer.status == 200
        return told["html"], content

    def refused(self, body: bytes = b"", **said: object) -> str:
        """What is said to who asked for what fails."""
        status, token = self.wish(body, **said)
        assert status == 202, token
        told = self.wait(token)
        assert told["state"] == "failed"
        message: str = told["message"]
        return message


@contextmanager
def served(run: Run, **limits: Any) -> Iterator[tuple[Demo, Visitor]]:
    with demo_of(run, **limits) as demo, serving(demo) as address:
        yield demo, Visitor(int(address.rstrip("/").rpartition(":")[2]))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """A run of next to no training, once for all tests that want the same."""
    known: dict[str, Run] = {}

    def train(plugin: str, scenario: str | None = None, **changes: Any) -> Run:
        key = repr((plugin, scenario, changes))
        if key not in known:
            folder = tmp_path_factory.mktemp("demo") / f"{scenario or 'run'}"
            overrides = {**QUICK, **{name.replace("__", "."): value for name, value in changes.items()}}
            wganx.train(plugin, scenario, overrides=overrides, out=folder, device="cpu", progress=False)
            known[key] = wganx.load_run(folder)
        return known[key]

    return train


@pytest.fixture(scope="session")
def ring(trained: Callable[..., Run]) -> Run:
    """Points of eight labels, made of noise."""
    small = {"dataset__count": 100, "generator__width": 8, "critic__width": 8, "preview__count": 4}
    return trained("points", "ring-labels", **small)


@pytest.fixture(scope="session")
def ribbons(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Files are sent through it."""
    folder = tmp_path_factory.mktemp("demo") / "ribbons"
    wganx.train(str(RIBBONS), out=folder, overrides=QUICK, device="cpu", progress=False)
    return wganx.load_run(folder)


@pytest.fixture(scope="session", name="served")
def server() -> Callable[..., Any]:
    """`served`, for tests with limits of their own."""
    return served
