"""YAML of strangers: limits, and every scalar typed or refused with its place."""

from __future__ import annotations

import time
from typing import Any

import pytest

from wganx.config.sources import read_file, read_value
from wganx.errors import ConfigError
from wganx.yaml_text import DEEPEST, LONGEST_KEY, LONGEST_NUMBER, MOST_BYTES, MOST_VALUES


def said(text: str) -> Any:
    return read_value(text, "here")


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as failure:
        said(text)
    return str(failure.value)


@pytest.mark.parametrize(
    "text", ["2001-12-14", "2001-12-14t21:59:43.10-05:00", "2001-99-99", "0000-00-00", "=", "!!timestamp x"]
)
def test_a_date_is_the_text_it_is_written_as(text: str) -> None:
    """And what looks like one and is none, which PyYAML breaks on: yaml/pyyaml#382."""
    assert said(text) == text.removeprefix("!!timestamp ")


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("0x1f", 31), ("1.5", 1.5), ("yes", True), ("~", None), ("'2001'", "2001"), ("!!str 5", "5"),
     ("1" + "0" * 30, 10**30), ("-.inf", float("-inf")), ("190:20:30", 685230), ("1e4", "1e4")],
)  # fmt: skip
def test_plain_scalars(text: str, value: object) -> None:
    assert said(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!int abc", "here: 'abc' is no whole number; quote text"),
        ('!!int ""', "here: '' is no whole number; quote text"),
        ("!!int 0x", "here: '0x' is no whole number; quote text"),
        ("!!float x", "here: 'x' is no number; quote text"),
        ("!!bool maybe", "here: 'maybe' is no truth value; quote text"),
        ("!!binary eA==", "here: the YAML tag 'tag:yaml.org,2002:binary' is not allowed"),
        ("!!set {a, b}", "here: the YAML tag 'tag:yaml.org,2002:set' is not allowed"),
        ("!!map x", "here: the YAML tag 'tag:yaml.org,2002:map' is not allowed"),
        ("!!int [1]", "here: the YAML tag 'tag:yaml.org,2002:int' is not allowed"),
        ("9" * 5000, "here: a number of 5,000 characters; quote text"),
        ("0b" + "1" * 20_000, "here: a number of 20,002 characters; quote text"),
        ('"a\\0b"', "here: 'a\\x00b' holds the character U+0000, which no setting takes"),
        ('{"\\0": 1}', "here: '\\x00' holds the character U+0000, which no setting takes"),
        ("&a [*a]", "here: the YAML contains itself"),
        ("{" + "k" * 300 + ": 1}", "here: a key of 300 characters: 'kkkkkkkkkkkkkkkkkkkk'..."),
    ],
)
def test_what_is_no_value_is_refused_with_its_place(text: str, message: str) -> None:
    assert refusal(text) == message


def test_as_much_as_is_allowed_is_read() -> None:
    depth = said("[" * DEEPEST + "]" * DEEPEST)
    for _ in range(DEEPEST - 1):
        (depth,) = depth
    assert depth == []
    assert len(said("[" + "1," * (MOST_VALUES - 1) + "]")) == MOST_VALUES - 1
    assert said("9" * LONGEST_NUMBER) == int("9" * LONGEST_NUMBER)
    assert said("{" + "k" * LONGEST_KEY + ": 1}") == {"k" * LONGEST_KEY: 1}


TOO_DEEP = f"here: lists and mappings lie more than {DEEPEST} deep in each other"
TOO_MANY = "here: more than 5,000 values, those that aliases repeat among them"


def aliases(levels: int) -> str:
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{level + 1} [{', '.join([f'*a{level}'] * 10)}]" for level in range(levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (aliases(30), TOO_MANY),
        ("[" + "1," * 200_000 + "]", TOO_MANY),
        ("[" * 100_000 + "]" * 100_000, TOO_DEEP),
        ("{a: " * 30_000 + "1" + "}" * 30_000, TOO_DEEP),
        ("? " * 3000, TOO_DEEP),
        ("x" * (MOST_BYTES + 1), "here: 1,000,001 characters; a configuration has at most 1,000,000"),
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_goes_off(text: str, message: str) -> None:
    begun = time.process_time()
    assert refusal(text) == message
    assert time.process_time() - begun < 10  # thirty seconds, or for ever, without the limits


def test_a_file_is_not_read_beyond_its_limit(tmp_path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(ConfigError, match=r"run\.yaml holds more than 1,000,000 bytes, which no configuration does$"):
        read_file(path)
