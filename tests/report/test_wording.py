from __future__ import annotations

import pytest

from wganx.report.wording import figure, size_in_words, time_in_words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (20_000.0, "20,000"), (1.03412, "1.034"), (1e-4, "0.0001"), (1.234e-5, "1.234e-5"),
        (12_345.678, "12,346"), (3.2e12, "3.2e12"), (-0.5, "-0.5"),
        (float("nan"), "\N{EN DASH}"), (None, "\N{EN DASH}"),
    ],
)  # fmt: skip
def test_figures_read_as_people_read(value: float | None, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.25, "0.25 s"), (59.0, "59 s"), (75.0, "1 min 15 s"), (4321.5, "1 h 12 min")]
)
def test_durations_read_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


@pytest.mark.parametrize(("size", "words"), [(9, "9 bytes"), (1_500, "1.5 kB"), (12_345_678, "12.3 MB")])
def test_sizes_read_as_people_read(size: int, words: str) -> None:
    assert size_in_words(size) == words
