"""Formats of what can be chosen: numbers and texts; what is known of a batch."""

import pickle

import pytest
import torch

from wganx import Batch, DataError, SampleFormat

LETTERS = SampleFormat.text(tuple("abc "), 4)
WORDS = SampleFormat.text(("one", "two"), 3)


def test_a_text_is_read_by_character_or_by_word():
    assert LETTERS.tokens("ab c") == [1, 2, 4, 3]
    assert LETTERS.tokens("b") == [2, 0, 0, 0]
    assert LETTERS.said(LETTERS.tokens("ab c")) == "ab c"
    assert LETTERS.said([2, 0, 0, 0]) == "b"
    words = SampleFormat.text(("good", "day"), 3)
    assert words.said(words.tokens("day good")) == "day good"
    assert WORDS.tokens("two  one") == [2, 1, 0]
    assert (LETTERS.sizes, LETTERS.value_range, LETTERS.is_text, WORDS.is_text) == ((4,), (0.0, 4.0), True, True)


@pytest.mark.parametrize(
    ("format", "text", "said"),
    [
        (LETTERS, "axb", r"'x' of 'axb' is not in the alphabet: abc $"),
        (WORDS, "one three", r"'three' of 'one three' is not in the alphabet: one, two"),
        (LETTERS, "abcab", r"a text has 1 to 4 symbols here, and 'abcab' has 5"),
        (WORDS, "", r"a text has 1 to 3 symbols here, and '' has 0"),
    ],
)
def test_a_text_that_cannot_be_said_is_named(format, text, said):
    with pytest.raises(ValueError, match=said):
        format.tokens(text)


def test_an_alphabet_has_symbols_that_differ():
    with pytest.raises(ValueError, match="symbols that differ"):
        SampleFormat.text((), 3)
    with pytest.raises(ValueError, match="symbols that differ"):
        SampleFormat.text(("a", "a"), 3)


def test_a_number_has_a_range_and_what_it_usually_is():
    intensity = SampleFormat.number(0.0, 1.5, usual=1.0)
    assert intensity.is_number
    assert not intensity.is_label
    assert intensity.fits(())
    with pytest.raises(ValueError, match=r"must lie in 0 \.\. 1.5, got 2"):
        SampleFormat.number(0.0, 1.5, usual=2.0)


@pytest.mark.parametrize("format", [LETTERS, SampleFormat.number(0.0, 2.0, usual=1.0), SampleFormat.label(("a", "b"))])
def test_a_format_is_one_sort_and_survives_storage(format):
    assert SampleFormat.from_json(format.to_json()) == format == pickle.loads(pickle.dumps(format))
    assert [format.is_label, format.is_number, format.is_text].count(True) == 1
    plain = SampleFormat(axes=(), shape=(), value_range=(0.0, 1.0))
    assert (plain.is_number, plain.is_label, plain.is_text) == (False, False, False)


def test_what_is_known_goes_along_with_the_rows():
    batch = Batch(torch.zeros(4, 2), known={"speaker": torch.arange(4)})
    assert batch[1:3].known["speaker"].tolist() == [1, 2]
    assert batch.with_real(torch.ones(4, 2)).known["speaker"].tolist() == [0, 1, 2, 3]
    assert batch.to("cpu").known.keys() == {"speaker"}
    with pytest.raises(DataError, match="known 'speaker' of a batch is list"):
        Batch(torch.zeros(1, 2), known={"speaker": [1]})
