"""What a visitor asks for: read from a query, held against what is offered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from wganx.config import read_value
from wganx.demo.offers import MOST_DRAWN, MOST_STOPPED, Offer, Way
from wganx.errors import UsageError
from wganx.plain import printable

MOST_FIELDS = 100
_ENDING = re.compile(r"\.[a-z0-9]{1,8}")
_SEEDS = 2**31
_LONGEST = 500
USUAL = 16
"""Samples where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be made.

    Attributes:
        way: how: drawn, walked to, slid along, or made of a file.
        count: samples, at every stop of a way.
        seed: of the noise, and of the items where these come from data.
        to: seed of the noise at the other end of a walk.
        along: direction that is slid along.
        given: labels, numbers and texts by name.
        options: of the task, for a file.
        name: of the file, in words; no path is made of it.
        ending: of the file that came.
        made_as: ending of the file that is made.
    """

    way: Way
    count: int = USUAL
    seed: int = 0
    to: int = 1
    along: str = ""
    truncation: float = 1.0
    given: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    ending: str = ""
    made_as: str = ""


def read_wish(query: str, offer: Offer) -> Wish:
    """The wish that a form says.

    Raises:
        UsageError: it asks for what is not offered, or a number is none or too large.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise UsageError("this is no wish that the page sends; load it anew") from None
    if long := [name for name, value in pairs if len(name) + len(value) > _LONGEST]:
        raise UsageError(f"{printable(long[0])[:40]} is longer than {_LONGEST} characters; say less")
    said = {name: value.strip() for name, value in pairs}
    way = said.pop("do", "")
    if way not in offer.ways:
        raise UsageError(f"this demo does not {printable(way) or 'do that'}; it can: {', '.join(offer.ways)}")
    given, options, plain = _parted(said, offer)
    name = plain.pop("name", "")
    wish = Wish(
        way=way,
        count=_whole(plain, "count", 1, MOST_DRAWN if way == "draw" else MOST_STOPPED, USUAL),
        seed=_whole(plain, "seed", 0, _SEEDS - 1, 0),
        to=_whole(plain, "to", 0, _SEEDS - 1, 1),
        along=plain.pop("along", ""),
        truncation=_number(plain, "truncation", 1.0),
        given=given,
        options=options,
        name=printable(name.replace("\\", "/").rpartition("/")[2]),
        ending=_ending(name[name.rfind(".") :] if "." in name else ""),
        made_as=_ending(plain.pop("ending", ""), strictly=True),
    )
    if plain:
        raise UsageError(f"this demo knows no {printable(next(iter(plain)))!r}; load the page anew")
    if way == "slide" and wish.along not in offer.slides:
        raise UsageError(f"there is no slider {printable(wish.along)!r}; there are: {', '.join(offer.slides)}")
    return wish


def _parted(said: Mapping[str, str], offer: Offer) -> tuple[dict[str, str], dict[str, Any], dict[str, str]]:
    """What is said of the sample, of the task, and all else; left blank is not said."""
    given: dict[str, str] = {}
    options: dict[str, Any] = {}
    plain: dict[str, str] = {}
    for name, value in said.items():
        kind, dot, own = name.partition(".")
        if not value:
            continue
        if kind == "given" and dot:
            given[own] = value
        elif kind == "option" and dot:
            if own not in {option.name for option in offer.options}:
                raise UsageError(f"files have no option {printable(own)!r} here; load the page anew")
            options[own] = read_value(value, f"{own} {printable(value)}")
        else:
            plain[name] = value
    return given, options, plain


def _whole(plain: dict[str, str], name: str, low: int, high: int, usual: int) -> int:
    text = plain.pop(name, "")
    if not text:
        return usual
    if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
        raise UsageError(f"{name} is a whole number from {low} to {high}, not {printable(text)}")
    return int(text)


def _number(plain: dict[str, str], name: str, usual: float) -> float:
    text = plain.pop(name, "")
    try:
        return float(text or usual)
    except ValueError:
        raise UsageError(f"{name} is a number, not {printable(text)}") from None


def _ending(text: str, *, strictly: bool = False) -> str:
    """``.png``; nothing for what is no ending, unless somebody wants one."""
    text = text.lower()
    if strictly and text and not text.startswith("."):
        text = f".{text}"
    if _ENDING.fullmatch(text):
        return text
    if strictly and text:
        raise UsageError(f"an ending is a dot and up to eight letters or digits, such as .png, not {printable(text)}")
    return ""
