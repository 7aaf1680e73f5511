"""One name in two spellings: a Mac may keep an accent beside its letter, and people type it on it."""

from __future__ import annotations

import unicodedata

import pytest
import torch
from torch import nn

from wganx import SampleFormat, Sampler
from wganx.data import Entry, FileTree, Listing
from wganx.errors import DataError, UsageError
from wganx.names import composed

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
