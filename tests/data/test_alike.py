"""Files that are nearly the same, by descriptions of a few bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.data import alike, scan
from wganx.data.alike import NEAR, groups_alike


def described(rows):
    return {str(number): np.asarray(row, np.uint8).tobytes().hex() for number, row in enumerate(rows)}


def test_what_is_nearer_than_the_bound_is_alike_and_what_is_as_far_is_not():
    base = np.full(12, 100)
    assert groups_alike(described([base, base + 2])) == [["0", "1"]]
    assert groups_alike(described([base, base + int(NEAR)])) == []


def test_a_group_holds_together_by_its_neighbours():
    base = np.full(12, 100)
    rows = [base, base + 50, base + 2, base + 4, base + 6]
    assert groups_alike(described(rows)) == [["0", "2", "3", "4"]]


def test_nothing_is_said_of_files_without_a_description_or_too_many(monkeypatch):
    assert groups_alike({}) == []
    assert groups_alike(described([[1, 2, 3]])) == []
    monkeypatch.setattr(alike, "MOST", 1)
    assert groups_alike(described([[1, 2, 3], [1, 2, 3]])) == []


def test_descriptions_of_another_length_are_left_out():
    found = {**described([[9, 9, 9], [9, 9, 9]]), "short": "0909"}
    assert groups_alike(found) == [["0", "1"]]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=1, max_size=12), st.integers(1, 12))
def test_it_is_what_comparing_each_with_each_finds(rows, at_once):
    near = [[float(np.mean((np.subtract(a, b)) ** 2)) < NEAR**2 for b in rows] for a in rows]
    reach = [{n for n, hit in enumerate(row) if hit} for row in near]
    for _ in rows:
        reach = [set().union(*(reach[n] for n in each)) for each in reach]
    expected = {tuple(sorted(str(n) for n in each)) for each in reach if len(each) > 1}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alike, "_ROWS", at_once)
        assert {tuple(sorted(group)) for group in groups_alike(described(rows))} == expected


def test_a_scan_names_them_and_those_in_both_splits_and_the_same_file_once(tmp_path):
    for split, names in {"train": "abc", "test": "xy"}.items():
        (tmp_path / split).mkdir()
        for name in names:
            (tmp_path / split / f"{name}.bin").write_bytes(name.encode())
    (tmp_path / "train" / "copy.bin").write_bytes(b"a")
    light = {"a": 10, "b": 100, "c": 200, "x": 11, "y": 150}

    def probe(file, path):
        return {"alike": bytes([light[file.read().decode()]] * 4).hex()}

    report = scan(tmp_path, (".bin",), probe)
    assert report.duplicates == [["train/a.bin", "train/copy.bin"]]
    assert report.alike == report.leaked == [["test/x.bin", "train/a.bin"]]
    assert "alike" not in report.properties
