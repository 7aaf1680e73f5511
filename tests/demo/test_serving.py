"""The demo over HTTP: every path, every limit, and who is let in."""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
import zipfile
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
import torch

import wganx
from wganx.demo import serving as serving_module
from wganx.demo.running import demonstrate
from wganx.errors import UsageError
from wganx.runs import Sliding


@pytest.fixture(scope="module")
def points(ring, served):
    with served(ring) as (demo, visitor):
        yield demo, visitor


@pytest.fixture
def visitor(points):
    return points[1]


@pytest.fixture(scope="module")
def sent(ribbons, served):
    """A demo that takes files, up to 10 kB."""
    with served(ribbons, max_upload=0.01) as (demo, visitor):
        yield demo, visitor


def ribbon(rows=25):
    content = io.BytesIO()
    np.save(content, np.arange(rows * 4, dtype=np.float32).reshape(rows, 4) / 1000)
    return content.getvalue()


@pytest.fixture
def held(points, monkeypatch):
    """The worker stands still until it is let go."""
    demo, _ = points
    begun, go = Event(), Event()
    make = type(demo.workshop).make

    def wait(self, wish, folder, watcher):
        begun.set()
        while not go.wait(0.01):
            watcher.check()
        return make(self, wish, folder, watcher)

    monkeypatch.setattr(type(demo.workshop), "make", wait)
    yield begun, go
    go.set()


def names(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name.rpartition("/")[2]: opened.read(name) for name in opened.namelist()}


def points_in(archive):
    return np.load(io.BytesIO(names(archive)["sample.npy"]))


def test_the_page_is_sealed_and_asks_for_what_the_run_can_do(visitor):
    answer, body = visitor.ask("/")
    page = body.decode()
    assert answer.status == 200
    assert answer.getheader("Content-Security-Policy") == "frame-ancestors 'none'", "beside the page's own"
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; ")
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.count("<script") == 1
    assert re.findall(r"<option>(.*?)</option>", page)[:2] == ["mode 0", "mode 1"]
    assert 'value="send"' not in page
    answer, body = visitor.ask("/", "HEAD")
    assert (answer.status, body) == (200, b"")


def test_what_is_drawn_is_what_the_command_draws(visitor, ring, tmp_path):
    html, archive = visitor.made(do="draw", count=5, seed=7, given__label="mode 3")
    samples, batch = ring.draw(5, seed=7, given={"label": "mode 3"})
    *files, _ = ring.write_samples(samples, batch, tmp_path / "own")
    assert names(archive) == {path.name: path.read_bytes() for path in files}
    assert "5 samples, seed 7" in html
    assert f"wganx sample {ring.folder.path} -n 5 --seed 7 --given &#39;label=mode 3&#39;" in html
    assert html.count("data:image/webp") == 1


def test_truncation_is_heeded(visitor, ring):
    plain = visitor.made(do="draw", count=4, seed=7)[1]
    near = visitor.made(do="draw", count=4, seed=7, truncation=0.5)[1]
    assert visitor.made(do="draw", count=4, seed=7, truncation=1)[1] == plain != near
    expected = ring.draw(4, seed=7, truncation=0.5)[0]
    assert np.array_equal(points_in(near), expected.numpy())


@pytest.fixture
def drawn(points, monkeypatch):
    """Where each stop of a way is, and its samples, as they are drawn."""
    kept, workshop = [], type(points[0].workshop)
    stop = workshop._stop

    def keep(self, label, samples, *rest):
        kept.append((label, samples))
        return stop(self, label, samples, *rest)

    monkeypatch.setattr(workshop, "_stop", keep)
    return kept


def test_a_walk_begins_and_ends_at_its_seeds(points, drawn):
    demo, visitor = points
    workshop = demo.workshop
    html, archive = visitor.made(do="walk", count=3, seed=4, to=9)
    assert [label for label, _ in drawn][::4] == ["seed 4", "50 % of the way", "seed 9"]
    for (_, samples), seed in ((drawn[0], 4), (drawn[-1], 9)):
        assert torch.equal(samples, workshop.sampler.draw(3, seed=seed).cpu())
    assert html.count('class="slide"') == 9
    assert len([name for name in names(archive) if name.endswith(".png")]) == 9


def test_a_slide_is_that_of_the_command(points, drawn):
    demo, visitor = points
    workshop = demo.workshop
    html, _ = visitor.made(do="slide", along="2", count=2, seed=4)
    assert [label for label, _ in drawn] == ["-3", "-2", "-1", "0", "+1", "+2", "+3"]
    sliding = Sliding(workshop.run, workshop.sampler, seed=4)
    expected = sliding.samples(sliding.slider("2"), 2).unflatten(0, (2, 7))
    assert all(torch.equal(samples, expected[:, at]) for at, (_, samples) in enumerate(drawn))
    assert "--slide 2" in html
    assert 'value="3" aria-valuetext="0"' in html, "it begins half-way"


def test_what_leads_to_a_class_is_found_once_and_the_visitor_does_not_pay_for_it(ring, served, monkeypatch):
    found = []

    def slider(self, wanted):
        found.append(self)
        monkeypatch.setattr(line, "_seconds", -1.0)  # by now it would have been too long
        self.sampler.draw(1)
        monkeypatch.setattr(line, "_seconds", 60.0)
        return find(self, wanted)

    find = Sliding.slider
    monkeypatch.setattr(Sliding, "slider", slider)
    with served(ring) as (demo, visitor):
        line = demo.line
        for seed in (1, 2):
            assert "Along way 1" in visitor.made(do="slide", along="1", count=1, seed=seed)[0]
        assert "label mode 3" in visitor.made(do="slide", along="2", count=1, given__label="mode 3")[0]
    assert found[0] is found[1] is not found[2], "one for all labels that are chosen alike"


def test_a_file_is_sent_with_its_options_and_goes_when_it_was_shown(sent, ribbons, tmp_path):
    demo, visitor = sent
    source = tmp_path / "my <ribbon>.npy"
    source.write_bytes(ribbon())
    ribbons.apply(source, tmp_path / "out.npy", seed=3, repeat=2)
    html, made = visitor.made(ribbon(), do="send", name=source.name, seed=3, option__repeat=2)
    assert made == (tmp_path / "out.npy").read_bytes()
    assert "my &lt;ribbon&gt;.npy" in html
    assert "It cannot be shown here." in html
    assert "--repeat 2" in html
    assert [path for path in demo.folder.rglob("*") if path.name.startswith("source")] == []


def test_what_is_no_such_file_is_refused_by_its_reader_in_one_line(sent):
    _, visitor = sent
    message = visitor.refused(b"not a ribbon", do="send", name="letter.npy")
    assert "letter.npy: no ribbon" in message or "letter.npy" in message
    assert "\n" not in message
    assert "/tmp" not in message
    message = visitor.refused(ribbon(), do="send", name="a.npy", option__repeat="often")
    assert "--repeat often: Input should be a valid integer" in message


def test_a_file_that_is_too_large_or_empty_is_refused_before_it_comes(sent):
    demo, visitor = sent
    before = set(demo.folder.iterdir())
    assert visitor.wish(b"x" * 10_001, do="send", name="a.npy") == (
        413, "the file has 10.0 kB, and this demo takes up to 0.01 MB; send a smaller one"
    )  # fmt: skip
    assert visitor.wish(b"x" * 9_000_000, do="send", name="a.npy")[0] == 413, "it is told though it still sends"
    assert visitor.wish(b"", do="send", name="a.npy") == (400, "a.npy is empty; send another one")
    assert set(demo.folder.iterdir()) == before


def raw(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read().decode()


def test_a_file_of_no_length_or_that_breaks_off_is_refused(sent):
    demo, visitor = sent
    head = "POST /jobs?do=send&name=a.npy HTTP/1.0\r\nHost: localhost\r\n"
    assert raw(visitor.port, f"{head}\r\n".encode()) == (411, "say how long the file is")
    assert raw(visitor.port, f"{head}Content-Length: -5\r\n\r\n".encode())[0] == 411
    with socket.create_connection(("127.0.0.1", visitor.port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: 50\r\n\r\nabc".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.read()) == (400, b"the file ended before its end; send it again")
    assert all(path.is_dir() for path in demo.folder.iterdir())


def test_a_file_that_comes_too_slowly_is_refused(sent, monkeypatch):
    demo, visitor = sent
    monkeypatch.setattr(serving_module._Handler, "timeout", 0.2)
    head = b"POST /jobs?do=send&name=a.npy HTTP/1.0\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nabc"
    assert raw(visitor.port, head) == (408, "nothing came for a while; send the file again")
    monkeypatch.setattr(demo, "most_seconds", 0.0)
    assert raw(visitor.port, head) == (408, "the file took too long to come; send a smaller one")


def test_a_full_disk_is_said(sent, monkeypatch):
    _, visitor = sent

    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(serving_module, "mkdtemp", full)
    assert visitor.wish(ribbon(), do="send", name="a.npy") == (507, "the demo has no room: No space left on device")


def test_work_that_takes_too_long_is_broken_off_and_said(ring, served):
    with served(ring, max_seconds=1e-9) as (_, visitor):
        assert visitor.refused(do="draw").startswith(
            "this takes longer than 1e-09 seconds, which is all that a visitor"
        )


def test_a_computation_that_fails_shows_its_line_and_the_server_goes_on(points, monkeypatch):
    demo, visitor = points

    def fail(*_, **__):
        raise torch.cuda.OutOfMemoryError("no memory\nfor this")

    with monkeypatch.context() as patched:
        patched.setattr(demo.workshop.sampler, "draw", fail)
        assert visitor.refused(do="draw") == "OutOfMemoryError: no memory for this"
    assert visitor.refused(do="draw", given__label="9").startswith("no class '9'; classes: mode 0, mode 1")
    assert visitor.refused(do="draw", given__speaker="anna").startswith("this generator takes no label 'speaker'")
    assert visitor.refused(do="draw", truncation=-1).startswith("truncation is a number above 0")
    assert visitor.made(do="draw", count=1)[1]


def test_ten_visitors_at_once_are_all_answered_in_order_with_what_their_seeds_give(points, held, ring, monkeypatch):
    demo, visitor = points
    begun, go = held
    served_to = []
    draw = type(demo.workshop)._draw
    monkeypatch.setattr(
        type(demo.workshop), "_draw", lambda self, wish, folder: served_to.append(wish.seed) or draw(self, wish, folder)
    )
    tokens = []
    for seed in range(10):
        status, token = visitor.wish(do="draw", count=3, seed=seed)
        assert status == 202
        tokens.append(token)
    assert begun.wait(10)
    views = [json.loads(visitor.ask(f"/jobs/{token}")[1]) for token in tokens]
    assert [(view["state"], view["before"]) for view in views] == [
        ("working", 0), *(("waiting", before) for before in range(1, 10)),
    ]  # fmt: skip
    with ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(visitor.wait, token) for token in tokens]
        go.set()
        assert [each.result()["state"] for each in waiting] == ["done"] * 10
    assert served_to == list(range(10))
    for seed, token in enumerate(tokens):
        made = points_in(visitor.ask(f"/jobs/{token}/file")[1])
        assert np.array_equal(made, ring.draw(3, seed=seed)[0].numpy())


def test_a_full_line_is_said_and_who_leaves_makes_room(points, held):
    _, visitor = points
    tokens = [visitor.wish(do="draw", count=1)[1] for _ in range(32)]
    assert visitor.wish(do="draw") == (503, "32 visitors wait already; come back in a while")
    answer, _ = visitor.ask(f"/jobs/{tokens[5]}/leave", "POST")
    assert answer.status == 204
    assert visitor.ask(f"/jobs/{tokens[5]}")[0].status == 404
    assert json.loads(visitor.ask(f"/jobs/{tokens[6]}")[1])["before"] == 5
    status, late = visitor.wish(do="draw", count=1)
    assert status == 202
    for token in (*tokens, late):
        visitor.ask(f"/jobs/{token}/leave", "POST")


def test_who_leaves_takes_everything_along(points):
    demo, visitor = points
    _, token = visitor.wish(do="draw", count=1)
    visitor.wait(token)
    assert visitor.ask(f"/jobs/{token}/file")[0].status == 200
    before = len(list(demo.folder.iterdir()))
    visitor.ask(f"/jobs/{token}/leave", "POST")
    assert visitor.ask(f"/jobs/{token}/file")[0].status == 404
    assert len(list(demo.folder.iterdir())) == before - 1


def test_what_is_taken_away_is_a_file_by_its_own_name_and_no_page(visitor, ring):
    _, token = visitor.wish(do="draw", count=1, seed=3)
    visitor.wait(token)
    answer, _ = visitor.ask(f"/jobs/{token}/file")
    assert answer.getheader("Content-Type") == "application/octet-stream"
    assert answer.getheader("Content-Disposition") == (
        f"attachment; filename*=UTF-8''{ring.folder.path.name}-seed-3.zip"
    )
    assert answer.getheader("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/jobs", "/jobs/", "/jobs/x", "/jobs/../config.yaml", "/file=/etc/passwd", "/jobs/%2e%2e/file", "/index.html",
        "/jobs/AAAAAAAAAAAAAAAAAAAAAA", "/jobs/AAAAAAAAAAAAAAAAAAAAAA/file", "//etc/passwd", "/favicon.ico",
    ],
)  # fmt: skip
def test_nothing_else_is_there(visitor, path):
    assert visitor.ask(path)[0].status == 404


def test_a_wish_that_is_none_is_refused(visitor):
    assert visitor.wish(do="send", name="a.png") == (400, "this demo does not send; it can: draw, walk, slide")
    assert visitor.wish(do="draw", count=1000)[0] == 400
    assert visitor.ask("/nowhere", "POST")[0].status == 404
    assert visitor.ask("/jobs", "PUT")[0].status == 501


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", ""])
def test_another_name_that_leads_here_is_refused(visitor, host):
    for path, method in (("/", "GET"), ("/jobs?do=draw", "POST")):
        answer, body = visitor.ask(path, method, Host=host)
        assert answer.status == 421
        assert b"<" not in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://localhost", "Host": "localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_page_elsewhere_can_ask_for_work(visitor, headers):
    answer, body = visitor.ask("/jobs?do=draw", "POST", b"", **headers)
    assert (answer.status, body) == (403, b"only the page that is served here may ask for this\n")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:9", "Origin": "http://LOCALHOST:9", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_its_own_page_can_also_through_a_tunnel(visitor, headers):
    assert visitor.ask("/jobs?do=draw&count=1", "POST", b"", **headers)[0].status == 202


def test_a_port_that_is_taken_is_said_in_one_line_with_its_mend(ring, points):
    _, visitor = points
    with pytest.raises(UsageError, match=f"cannot serve on port {visitor.port}: .*; give another --port, or none"):
        demonstrate(ring, port=visitor.port, tell=print)


def test_a_checkpoint_that_is_not_there_is_said(ring):
    with pytest.raises(wganx.CheckpointError, match="no checkpoint '7'; there are last, best and the steps 0, 1"):
        demonstrate(ring, checkpoint="7", tell=print)


def test_everything_is_gone_behind_it(ring, served):
    with served(ring) as (demo, visitor):
        visitor.made(do="draw", count=1)
        folder = demo.folder
        assert list(folder.iterdir())
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        visitor.ask("/")


def test_a_browser_that_hangs_up_in_the_line_holds_nobody_up(points, held):
    _, visitor = points
    _, token = visitor.wish(do="draw", count=1)
    with socket.create_connection(("127.0.0.1", visitor.port), timeout=5) as connection:
        connection.sendall(f"GET /jobs/{token}?known=working.0. HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    held[1].set()
    assert visitor.made(do="draw", count=1)[1]


def test_what_is_made_in_pieces_is_taken_away_in_an_archive(sent, monkeypatch):
    demo, visitor = sent

    class InPieces:
        def to(self, source, made):
            made.mkdir()
            (made / "b.npy").write_bytes(b"second")
            (made / "a.npy").write_bytes(b"first")

    monkeypatch.setattr(demo.workshop.run, "applying", lambda *_, **__: InPieces())
    html, archive = visitor.made(ribbon(), do="send", name="film")
    assert names(archive) == {"a.npy": b"first", "b.npy": b"second"}
    assert "film-made.zip" in html
