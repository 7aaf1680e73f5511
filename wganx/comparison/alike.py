"""Which numbers may stand side by side: those of one protocol, on the same held-out data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wganx.errors import UsageError

_PROTOCOL = {
    "n": "samples a side (n)",
    "repeats": "repeats",
    "candidates": "generated samples (candidates)",
    "extractors": "extractor weights",
    "resize": "resize filter",
    "value_range": "value range",
}
_SAME_DATA = {"fingerprint": "held-out data (fingerprint)", "heldout": "size of the held-out split"}
_SHORT = 12


def refuse_unlike(records: Mapping[str, Mapping[str, Any]], seeds: Mapping[str, int]) -> None:
    """Refuse evaluations that were not taken alike.

    The protocol is the same throughout; the held-out data is the same within a seed, because a dataset may be drawn,
    or split, by the seed of its run.

    Args:
        records: ``evaluation.json`` of every run by its name.
        seeds: of the runs.

    Raises:
        UsageError: names what differs, and between which runs.
    """
    names = list(records)
    faults = [*_differences(_PROTOCOL, names, records)]
    for seed in dict.fromkeys(seeds.values()):
        faults += _differences(_SAME_DATA, [name for name in names if seeds[name] == seed], records)
    if faults:
        raise UsageError(
            "\n".join(
                [
                    "these evaluations cannot stand side by side:",
                    *dict.fromkeys(faults),
                    "  measure the runs alike: wganx evaluate RUN -n ... --repeats ...",
                ]
            )
        )


def _differences(keys: Mapping[str, str], names: Sequence[str], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    for key, words in keys.items():
        for name in names[1:]:
            one, other = records[names[0]].get(key), records[name].get(key)
            if one != other:
                found.append(f"  {words}: {_shown(one)} in {names[0]}, {_shown(other)} in {name}")
                break
    return found


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items()) or "none"
    return str(value)[:_SHORT] if isinstance(value, str) else "none" if value is None else str(value)
