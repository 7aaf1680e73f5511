"""What of a dataset's items is another than when a run was started."""

from __future__ import annotations

from collections.abc import Mapping

from wganx.batch import SampleFormat


def changed_formats(before: Mapping[str, SampleFormat], now: Mapping[str, SampleFormat]) -> list[str]:
    """Each format that is another, in words: other classes, another size."""
    return [
        f"{name} was {_in_words(before.get(name))} and is {_in_words(now.get(name))}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def _in_words(format: SampleFormat | None) -> str:
    if format is None:
        return "not there"
    return f"one of {', '.join(format.classes)}" if format.is_label else str(format)
