"""Outputs on the pages: numbers hold to the digits shown, everything else exactly."""

import doctest
import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "docs" / "_ext" / "tolerance.py"
specification = importlib.util.spec_from_file_location("tolerance", FILE)
assert specification is not None
assert specification.loader is not None
tolerance = importlib.util.module_from_spec(specification)
specification.loader.exec_module(tolerance)


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("W1 0.27\n", "W1 0.2651\n"),
        ("W1 0.27\n", "W1 0.28\n"),
        ("gap 1.0e-13\n", "gap 1.1e-13\n"),
        ("-0.0\n", "0.0\n"),
        ("no number\n", "no number\n"),
        ("3 of 0.5\n", "3 of 0.5\n"),
    ],
)
def test_agrees_within_the_last_digit(want: str, got: str) -> None:
    assert tolerance.TolerantChecker().check_output(want, got, 0)


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("W1 0.27\n", "W1 0.29\n"),
        ("gap 1.0e-13\n", "gap 1.0e-12\n"),
        ("3 of 0.5\n", "4 of 0.5\n"),
        ("0.5\n", "0.5 0.5\n"),
        ("0.5\n", "inf\n"),
        ("raw 0.5\n", "corrected 0.5\n"),
    ],
)
def test_refuses_what_differs_in_a_shown_digit_or_a_word(want: str, got: str) -> None:
    assert not tolerance.TolerantChecker().check_output(want, got, 0)


def test_the_flags_of_doctest_still_hold() -> None:
    check = tolerance.TolerantChecker().check_output
    assert check("step   1.0\n", "step 1.0\n", doctest.NORMALIZE_WHITESPACE)
    assert check("step ... done\n", "step 3.25 done\n", doctest.ELLIPSIS)
