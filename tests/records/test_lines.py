"""Records are read line by line, and at their end alone; what is damaged is left out, and what is whole stays."""

from __future__ import annotations

import io
import json
import math
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wganx import storage
from wganx.records import cut_after, last_line, lines, read_lines
from wganx.records.lines import blocks_of_lines, parsed
from wganx.storage import append_line, lines_from_the_end

CONTENTS = st.lists(st.sampled_from([b"", b"a", b"\n", b"\n\n", b"long" * 5, b"\r"])).map(b"".join)


def write(path: Path, *texts: str) -> Path:
    path.write_text("".join(texts), encoding="utf-8")
    return path


def line(step: int, **readings: object) -> str:
    return json.dumps({"step": step, **readings}) + "\n"


@given(CONTENTS, st.integers(1, 9))
def test_lines_are_the_same_from_either_end(content: bytes, block: int) -> None:
    expected = content.split(b"\n")
    expected = expected if expected[-1] else expected[:-1]
    file = io.BytesIO(content)
    assert [text for texts in blocks_of_lines(file, block) for text in texts] == expected
    storage._BLOCK, kept = block, storage._BLOCK
    try:
        found = list(lines_from_the_end(file))
    finally:
        storage._BLOCK = kept
    assert [text for _, text in reversed(found)] == expected
    assert all(content[start : start + len(text)] == text for start, text in found)


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1 << 20)
    path = write(tmp_path / "metrics.jsonl", line(1))
    with path.open("ab") as file:
        file.truncate(200 << 20)
    tracemalloc.start()
    found, last = list(read_lines(path)), last_line(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [last] == [{"step": 1}]
    assert peak < 16 << 20


def test_what_is_damaged_is_left_out(tmp_path: Path) -> None:
    path = write(
        tmp_path / "metrics.jsonl", line(1, a=0.5), "torn\n", "\n", "[1]\n", line(2, a=None), '{"step": 3, "a": NaN}\n',
        line(4, a="text", b=1), '{"step": 5, "a": 1',
    )  # fmt: skip
    found = list(read_lines(path))
    assert [entry["step"] for entry in found] == [1, 2, 3, 4]
    assert math.isnan(found[1]["a"])
    assert math.isnan(found[2]["a"])
    assert found[3] == {"step": 4, "b": 1}
    assert last_line(path) == found[3]
    assert last_line(path, having=("a",)) == pytest.approx(found[2], nan_ok=True)
    assert last_line(path, having=("c",)) is None


def test_only_lines_that_say_something_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "metrics.jsonl", line(1, a=1.0), line(2, b=1.0), line(3, a=2.0))
    assert [entry["step"] for entry in read_lines(path, saying='"a"')] == [1, 3]


def test_nothing_is_read_of_what_is_missing(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "none")) == []
    assert last_line(tmp_path / "none") is None
    cut_after(tmp_path / "none", 3)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1e400}', '{"a": "\\ud800"}', '{"a": 123456789012345678901234}'])
def test_all_that_json_reads_is_read(text: str) -> None:
    assert repr(parsed(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000, b"{} {}"])
def test_what_is_no_json_is_none(text: bytes) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
@pytest.mark.parametrize("step", [0, 1, 4, 5, 9])
@pytest.mark.parametrize("rest", ["", "torn", line(9).rstrip("\n"), "\n\n", "\0\0\0"])
def test_later_steps_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, step: int, rest: str) -> None:
    monkeypatch.setattr(storage, "_BLOCK", block)
    texts = [line(1, a=1.0), "damaged long ago\n", line(4, a=2.0), line(4, b=3.0), line(5, a=4.0)]
    path = write(tmp_path / "metrics.jsonl", *texts, rest)
    entries = [entry for entry in read_lines(path) if entry["step"] <= step]
    cut_after(path, step)
    assert list(read_lines(path)) == entries
    content = path.read_text(encoding="utf-8")
    assert content.endswith("\n") or not content
    append_line(path, {"step": 10})
    assert list(read_lines(path)) == [*entries, {"step": 10}]


def test_of_a_long_record_the_end_alone_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "metrics.jsonl", *(line(step, a=step / 7) for step in range(20_000)))
    read: list[int] = []
    monkeypatch.setattr(lines, "parsed", lambda text: (read.append(len(text)), parsed(text))[1])
    cut_after(path, 19_990)
    last = last_line(path)
    assert last is not None
    assert last["step"] == 19_990
    assert len(read) < 20


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are told from files by O_NOFOLLOW")
def test_nothing_is_cut_through_a_link(tmp_path: Path) -> None:
    victim = write(tmp_path / "victim", line(1), line(2))
    (tmp_path / "metrics.jsonl").symlink_to(victim)
    with pytest.raises(OSError, match="it is a link"):
        cut_after(tmp_path / "metrics.jsonl", 1)
    assert len(list(read_lines(victim))) == 2
