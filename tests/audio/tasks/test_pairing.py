"""Which rows of a batch a conversion puts together."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wganx_audio.tasks.pairing import other_of_the_same, sources_for


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@st.composite
def labels(draw: st.DrawFn) -> dict[str, Tensor]:
    rows = draw(st.integers(1, 40))
    sizes = {"speaker": draw(st.integers(1, 5)), "word": draw(st.integers(1, 6)), "language": 2}
    seed = draw(st.integers(0, 10_000))
    drawn = rng(seed)
    return {name: torch.randint(size, (rows,), generator=drawn) for name, size in sizes.items()}


@settings(deadline=None)
@given(labels())
def test_a_source_has_another_class_wherever_there_is_one(rows: dict[str, Tensor]) -> None:
    chosen = sources_for(rows, ["speaker"], ["word"], rng())
    there_is_one = (rows["speaker"][:, None] != rows["speaker"][None]).any(1)
    assert ((rows["speaker"][chosen] != rows["speaker"]) == there_is_one).all()


@settings(deadline=None)
@given(labels())
def test_of_these_it_keeps_the_first_label_and_then_the_further_wherever_it_can(rows: dict[str, Tensor]) -> None:
    chosen = sources_for(rows, ["speaker"], ["word", "language"], rng())
    other = rows["speaker"][:, None] != rows["speaker"][None]
    word = rows["word"][:, None] == rows["word"][None]
    both = word & (rows["language"][:, None] == rows["language"][None])
    some = other.any(1)
    assert (rows["word"][chosen] == rows["word"])[some & (other & word).any(1)].all()
    assert (rows["language"][chosen] == rows["language"])[some & (other & both).any(1)].all()


def test_several_labels_that_are_converted_count_as_one_class() -> None:
    rows = {"speaker": torch.tensor([0, 0]), "emotion": torch.tensor([0, 1])}
    assert sources_for(rows, ["speaker", "emotion"], [], rng()).tolist() == [1, 0]


def test_among_equals_chance_decides() -> None:
    rows = {"speaker": torch.tensor([0] + [1] * 30)}
    drawn = {int(sources_for(rows, ["speaker"], [], rng(seed))[0]) for seed in range(40)}
    assert len(drawn) > 10
    assert 0 not in drawn


def test_what_is_most_like_the_wanted_is_another_row_and_its_first_label_counts_most() -> None:
    wanted = {"speaker": torch.tensor([1, 0, 1]), "word": torch.tensor([5, 6, 7])}
    there = {"speaker": torch.tensor([1, 1, 0]), "word": torch.tensor([5, 4, 6])}
    # Row 0 is itself what is wanted and may not be taken; row 1 has the speaker; row 2 has neither but for row 1.
    assert other_of_the_same(wanted, there, rng())[:2].tolist() == [1, 2]
