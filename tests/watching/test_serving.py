"""One page is served, to this machine alone, and nothing else of the folder."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass

import pytest

from wganx.errors import UsageError
from wganx.watching.serving import serving

CONTENT = "<!doctype html><title>é</title>".encode()


@dataclass
class Page:
    name: str = "a <b> & 'run'"
    content: bytes = CONTENT
    version: str = "one"


@pytest.fixture(scope="module")
def port():
    with serving(Page()) as address:
        assert address.startswith("http://127.0.0.1:")
        yield int(address.rstrip("/").rpartition(":")[2])


def ask(port, path="/", method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_the_page_is_served_as_it_is(port):
    answer, body = ask(port, "/report.html")
    assert (answer.status, body) == (200, CONTENT)
    assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
    assert answer.getheader("Content-Security-Policy") == "frame-ancestors 'self'", "beside the page's own"
    assert answer.getheader("Cache-Control") == "no-store"
    assert ask(port, "/version")[1] == b"one"
    answer, body = ask(port, "/report.html", "HEAD")
    assert (answer.status, body, answer.getheader("Content-Length")) == (200, b"", str(len(CONTENT)))


def test_the_frame_names_the_run_without_trusting_its_name(port):
    answer, body = ask(port)
    text = body.decode()
    assert "<title>a &lt;b&gt; &amp; &#x27;run&#x27;, followed</title>" in text
    assert 'data-version="one"' in text
    assert "'unsafe" not in answer.getheader("Content-Security-Policy")


@pytest.mark.parametrize(
    "path", ["/run.json", "/config.yaml", "/../run.json", "/samples/", "/report.html/..", "/%2e%2e/run.json"]
)
def test_nothing_else_is(port, path):
    assert ask(port, path)[0].status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_can_only_be_looked_at(port, method):
    assert ask(port, method=method)[0].status == 501


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.0.0.1"])
def test_names_of_this_machine_are_answered_also_through_a_tunnel(port, host):
    assert ask(port, Host=host)[0].status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "", "127.0.0.1:", "[::1]"]
)
def test_another_name_that_leads_here_is_refused(port, host):
    answer, body = ask(port, "/report.html", Host=host)
    assert answer.status == 421
    assert CONTENT not in body


def test_it_is_bound_to_the_loopback_address_alone(port):
    others = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        if not address.startswith("127."):
            with pytest.raises(OSError), socket.create_connection((address, port), timeout=1):
                pass


def test_a_port_that_is_taken_or_none_is_refused(port):
    with (
        pytest.raises(UsageError, match=f"cannot serve on port {port}: .*; give another --port"),
        serving(Page(), port),
    ):
        pass
    with pytest.raises(UsageError, match="there is no such port"), serving(Page(), 70_000):
        pass


def test_it_is_closed_behind_the_block():
    with serving(Page()) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        ask(port)
