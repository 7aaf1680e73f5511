"""One name in two spellings: a Mac may keep an accent beside its letter, and people type it on it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import torch
from torch import nn

from wganx import SampleFormat, Sampler, names
from wganx.config import resolve
from wganx.data import Entry, FileTree, Listing
from wganx.errors import DataError, UsageError
from wganx.evaluation import samples
from wganx.names import as_typed, composed

TYPED = "café"
KEPT = unicodedata.normalize("NFD", TYPED)


@pytest.fixture
def tree(tmp_path):
    for folder in (KEPT, "thé"):
        (tmp_path / folder).mkdir()
        for number in range(3):
            (tmp_path / folder / f"{number}.txt").write_text("x", encoding="ascii")
    return FileTree(tmp_path, [".txt"])


def test_classes_are_called_as_they_are_typed(tree):
    assert KEPT != TYPED
    assert tree.layout.classes == (TYPED, "thé")
    assert {tree.layout.class_of(path) for path in tree.paths} == {TYPED, "thé"}
    assert sum(count for of_class in tree.layout.counts().values() for count in of_class.values()) == 6
    assert all(tree.read(path) == b"x" for path in tree.paths), "files are found by the name they have"


def test_a_list_that_spells_otherwise_finds_its_files(tree):
    said = {composed(path): Entry(labels={"kind": path[:1]}) for path in tree.paths}
    assert said.keys() != set(tree.paths)
    listing = Listing(tree, said)
    assert set(listing.entries) == set(tree.paths)
    with pytest.raises(DataError, match="1 of 7 listed files are not in"):
        Listing(tree, {**said, "gone.txt": Entry(labels={"kind": "x"})})


@pytest.mark.parametrize(("known", "asked"), [(TYPED, KEPT), (KEPT, TYPED), (TYPED, TYPED)])
def test_a_class_is_found_in_either_spelling(known, asked):
    label = SampleFormat(axes=(), shape=(), value_range=None, classes=("thé", known))
    sampler = Sampler(nn.Identity(), noise=(1,), device="cpu", context={"drink": label})
    assert sampler.context_rows(2, given={"drink": asked})["drink"].tolist() == [1, 1]
    with pytest.raises(UsageError, match="no class 'cafe'"):
        sampler.context_rows(2, given={"drink": "cafe"})
    assert torch.is_tensor(sampler.context_rows(1, given={"drink": 0})["drink"])


@pytest.mark.parametrize(
    ("source", "file", "array"),
    [
        (r"C:\data\z.npz", r"C:\data\z.npz", None), (r"C:\data\z.npz:b", r"C:\data\z.npz", "b"),
        (r"D:\photos", r"D:\photos", None), ("z.npz:b", "z.npz", "b"),
    ],
)  # fmt: skip
def test_a_drive_is_no_name_of_an_array(source, file, array):
    assert samples._split(source) == (Path(file), array)


@pytest.mark.parametrize("root", [r"C:\new data\tést", r"\\server\share\x", r"C:\n#1"])
def test_a_path_of_windows_is_stored_and_read_as_it_is(tmp_path, root):
    resolved = resolve(plugin="image", scenario="photos", settings=[f"dataset.root={root}"], environ={})
    (tmp_path / "config.yaml").write_text(resolved.to_yaml(), encoding="utf-8")
    again = resolve(config=tmp_path / "config.yaml", environ={})
    assert [str(each.run.dataset.root) for each in (resolved, again)] == [root, root]


@pytest.mark.parametrize(("windows", "typed"), [(True, '--out "my runs"'), (False, "--out 'my runs'")])
def test_a_command_is_shown_as_it_is_typed(monkeypatch, windows, typed):
    monkeypatch.setattr(names, "_WINDOWS", windows)
    assert as_typed(["wganx", "train", "--out", "my runs"]) == f"wganx train {typed}"
