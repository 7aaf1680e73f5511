"""A long record is read once; what came since is read on, and what is another file by now from its beginning."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from wganx.records import ReadAlong, remembered, thinning
from wganx.records.remembered import read_log

PARTS = ("numbers", "steps", "values")


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(thinning, "MOST", 16)
    monkeypatch.setattr(thinning, "BUFFER", 40)
    monkeypatch.setattr(remembered, "MOST", 16)
    monkeypatch.setattr(remembered, "LEAST", 100)
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))


def lines(first, last, scale=1.0):
    for step in range(first, last):
        yield json.dumps({"step": step, "a": scale * (step % 37), "b": None if step % 50 == 7 else -step})
        if step % 40 == 0:
            yield json.dumps({"step": step, "health": {"code": f"WX{step:03}", "text": "told"}})


def write(path, *given, mode="w"):
    with path.open(mode, encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in given)


def anew(path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(remembered, "LEAST", 1 << 40)
        return read(path)


def read(path):
    problems, findings = [], []
    curves = read_log(path, problems, findings)
    told = {
        name: (c.steps.tolist(), np.nan_to_num(c.values, nan=1e9).tolist(), c.missing) for name, c in curves.items()
    }
    return told, findings, problems


@pytest.fixture
def opened(monkeypatch):
    """Bytes from which on a record was read."""
    starts = []
    original = remembered.blocks_of

    def blocks_of(path, problems, start=0):
        starts.append(start)
        return original(path, problems, start)

    monkeypatch.setattr(remembered, "blocks_of", blocks_of)
    return starts


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, *lines(0, 500))
    return path


def test_it_is_read_once_and_then_read_on(log, opened, monkeypatch):
    first = read(log)
    assert first == anew(log, monkeypatch)
    assert read(log) == first
    assert opened == [0, 0]
    size = log.stat().st_size
    write(log, *lines(500, 900), mode="a")
    grown = read(log)
    assert opened[-1] == size
    assert len(grown[1]) == len(first[1]) + 10
    steps, values, missing = grown[0]["b"]
    assert (steps[-1], values[-1], missing) == (899, -899, 18)
    assert min(values) == -899
    assert set(grown[0]["a"][1]) <= set(range(37))
    assert max(grown[0]["a"][1]) == 36
    assert read(log) == grown


@pytest.mark.parametrize("how", ["shorter", "of the same length", "grown behind another beginning"])
def test_another_file_is_read_from_its_beginning(log, opened, monkeypatch, how):
    read(log)
    if how == "shorter":
        write(log, *lines(0, 300))
    elif how == "of the same length":
        text = log.read_text(encoding="utf-8")
        log.write_text(text.replace('"a": 36', '"a": 99'), encoding="utf-8")
        os.utime(log, ns=(0, 12345))
    else:
        write(log, *lines(0, 700, scale=2.0))
    assert read(log) == anew(log, monkeypatch)
    assert opened[1] == 0


@pytest.mark.parametrize("end", ['{"step": 501, "a"', "no line\n"])
def test_what_is_damaged_is_told_every_time(log, opened, end):
    with log.open("a", encoding="utf-8") as file:
        file.write(end)
    assert read(log) == read(log)
    assert read(log)[2]
    assert set(opened) == {0}


def changed(counts):
    """With other counts of the quantity that comes first."""
    return lambda facts, arrays: facts["readings"].update(a={**facts["readings"]["a"], **counts})


def as_array(name, array):
    return lambda facts, arrays: arrays.update({name: np.array(array)})


@pytest.mark.parametrize(
    "harm",
    [
        lambda facts, arrays: facts.clear(),
        lambda facts, arrays: facts.update(format=1),
        lambda facts, arrays: facts.update(readings=1),
        lambda facts, arrays: facts.update(readings={"a": 1}),
        lambda facts, arrays: facts.update(findings=[1]),
        lambda facts, arrays: facts.update(bytes=10**30),
        changed({"every": 0}),
        changed({"seen": True}),
        changed({"first": -1}),
        lambda facts, arrays: arrays.pop("0/steps"),
        as_array("0/steps", np.zeros(3, dtype=np.int64)),
        as_array("0/steps", np.zeros(1)),
        as_array("1/values", np.zeros((2, 2))),
        as_array("1/numbers", np.int64(5)),
        lambda facts, arrays: arrays.update({f"0/{part}": arrays[f"0/{part}"].repeat(90) for part in PARTS}),
        lambda facts, arrays: arrays.update({"0/steps": -1 - arrays["0/steps"]}),
    ],
)
def test_what_is_remembered_wrongly_is_as_none(log, opened, harm):
    expected = read(log)
    place = remembered._place(log)
    with safe_open(place, framework="numpy") as kept:
        facts = json.loads(kept.metadata()["facts"])
        arrays = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118 - it is no mapping
    harm(facts, arrays)
    place.write_bytes(save(arrays, {"facts": json.dumps(facts)}))
    assert read(log) == expected
    assert opened == [0, 0]


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"\xff" * 100, save({}, {"facts": "["}), save({"a": np.zeros(1)})]
)
def test_what_is_none_of_it_is_as_none(log, opened, content):
    expected = read(log)
    remembered._place(log).write_bytes(content)
    assert read(log) == expected
    assert opened == [0, 0]


def test_without_a_place_to_remember_it_is_read_anew(log, opened, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "file" / "cache"))
    assert read(log) == read(log)
    assert opened == [0, 0]


def test_short_records_leave_nothing_in_the_cache(log, monkeypatch, tmp_path):
    monkeypatch.setattr(remembered, "LEAST", 1 << 40)
    read(log)
    assert not (tmp_path / "cache").exists()
    assert read(tmp_path / "none.jsonl") == ({}, [], [])


def test_a_record_is_read_along_while_it_is_written(log, opened, monkeypatch):
    monkeypatch.setattr(remembered, "LEAST", log.stat().st_size)
    reader = ReadAlong(log)
    reader.look()
    assert opened == [0]
    read_until = log.stat().st_size
    write(log, *lines(500, 600), mode="a")
    reader.look()
    assert opened == [0]  # too little that is new
    write(log, *lines(600, 1100), mode="a")
    reader.look()
    assert opened == [0, read_until]
    whole = log.stat().st_size
    told = read(log)
    assert opened == [0, read_until]  # nothing is left to read
    assert told == anew(log, monkeypatch)
    log.write_bytes(log.read_bytes()[: read_until + 1])
    reader.look()
    write(log, *lines(1100, 2000), mode="w")
    assert log.stat().st_size < whole + read_until
    reader.look()
    assert opened[-1] == 0


def test_a_record_that_is_missing_is_not_read_along(tmp_path, opened):
    ReadAlong(tmp_path / "metrics.jsonl").look()
    assert opened == []
