"""A look at some recordings before they are learnt from: their rates and lengths, and what form fits them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wganx import DataError
from wganx.data import FileTree
from wganx_audio.configs.datasets import SoundsConfig
from wganx_audio.sound.reading import Header, header

LOOKED_AT = 256
FASTEST = 16_000
"""Recordings are brought to at most so many samples a second, unless more are asked for."""
_HELD = 0.95
_SHORTEST = 1024
_STEP = 1024
_WINDOWS = {"all": "several windows are taken", "first": "the begin is taken"}


@dataclass(frozen=True)
class Look:
    """What some recordings are like.

    Attributes:
        rate: samples a second that items should have.
        length: samples of an item that fit.
        longest: samples of the longest recording at that rate.
        details: facts, a sentence each.
        remarks: what may not be meant, a sentence each.
    """

    rate: int
    length: int
    longest: int
    details: Sequence[str]
    remarks: Sequence[str]


def look(tree: FileTree, paths: Sequence[str], config: SoundsConfig, *, whole: bool = False) -> Look:
    """Reads the headers of up to 256 evenly spaced recordings; what cannot be read is left to whoever reads it all.

    Args:
        tree: where they lie.
        paths: of all that are used.
        config: what is asked for.
        whole: recordings are to fit as a whole, however long they are.

    Raises:
        DataError: none of them can be read.
    """
    seen: list[Header] = []
    why = ""
    for path in _spaced(paths, LOOKED_AT):
        try:
            with tree.open(path) as source:
                seen.append(header(source, path))
        except Exception as error:  # it is named when it is decoded
            why = why or str(error)
    if not seen:
        raise DataError(f"none of the {len(paths):,} recordings in {tree.root} can be read; the first: {why}")
    rates = Counter(known.rate for known in seen)
    usual = rates.most_common(1)[0][0]
    rate = min(usual, FASTEST) if config.rate == "auto" else config.rate
    lengths = sorted(math.ceil(known.seconds * rate) for known in seen)
    length = _fitting(lengths, rate, whole) if config.length == "auto" else config.length
    return Look(
        rate,
        length,
        lengths[-1],
        [_found(seen, rates), _windows(lengths, length, rate, _WINDOWS[config.windows])],
        _remarks(seen, rates, rate, config),
    )


def _fitting(lengths: Sequence[int], rate: int, whole: bool) -> int:
    """Samples of a window for recordings of so many `lengths`, sorted."""
    held = lengths[math.ceil(_HELD * len(lengths)) - 1]
    if whole:
        # One that was not looked at may be longer, and with it its text would be lost.
        return max(_SHORTEST, math.ceil(1.25 * lengths[-1] / _STEP) * _STEP)
    second = 1 << (rate - 1).bit_length()
    return min(max(_SHORTEST, 1 << (held - 1).bit_length()), max(_SHORTEST, second))


def _found(seen: Sequence[Header], rates: Counter[int]) -> str:
    shortest, longest = (pick(known.seconds for known in seen) for pick in (min, max))
    span = _seconds(shortest) if longest < 1.01 * shortest else f"{_seconds(shortest)} to {_seconds(longest)}"
    named = " and ".join(f"{rate:,} Hz" for rate, _ in rates.most_common(3)) + (" and others" if len(rates) > 3 else "")
    return f"{len(seen):,} recording{'s' * (len(seen) != 1)} looked at: {span}, at {named}"


def _windows(lengths: Sequence[int], length: int, rate: int, which: str) -> str:
    share = sum(known <= length for known in lengths) / len(lengths)
    many = "" if share == 1 else f"; of longer ones {which}"
    return (
        f"an item is {length:,} samples at {rate:,} Hz, {_seconds(length / rate)}, which hold {share:.0%} whole{many}"
    )


def _remarks(seen: Sequence[Header], rates: Counter[int], rate: int, config: SoundsConfig) -> list[str]:
    told = []
    if config.rate == "auto" and rate < max(rates):
        told.append(
            f"recordings have up to {max(rates):,} samples a second and are brought to {rate:,}; "
            f"set dataset.rate={max(rates)} to keep what lies above {rate / 2000:g} kHz"
        )
    if low := sum(count for found, count in rates.items() if found < rate):
        told.append(
            f"{low:,} of {len(seen):,} recordings looked at have fewer than {rate:,} samples a second, so that their "
            f"upper frequencies are empty, which can be heard; set dataset.rate={min(rates)}, or leave them out"
        )
    if config.channels == 1 and (stereo := sum(known.channels > 1 for known in seen)):
        told.append(
            f"{stereo:,} of {len(seen):,} recordings looked at have several channels, which are averaged; "
            "set dataset.channels=2 to keep two"
        )
    return told


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 60:,.0f} min"


def _spaced(paths: Sequence[str], most: int) -> list[str]:
    """At most so many of them, evenly spaced, with both ends."""
    if len(paths) <= most:
        return list(paths)
    return [paths[place * (len(paths) - 1) // (most - 1)] for place in range(most)]
