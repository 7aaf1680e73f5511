"""Which numbers may stand side by side: those of one protocol, on the same held-out data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wganx.errors import UsageError

Record = Mapping[str, Any]

_PROTOCOL: Mapping[str, Callable[[Record], Any]] = {
    "samples a side (n)": lambda record: record.get("n"),
    "repeats": lambda record: record.get("repeats"),
    "generated samples (candidates)": lambda record: record.get("candidates"),
    "value range": lambda record: _of_protocol(record, "range"),
    "resize filter": lambda record: _of_protocol(record, "resize"),
}
_DATA: Mapping[str, Callable[[Record], Any]] = {
    "held-out data (fingerprint)": lambda record: record.get("fingerprint"),
    "size of the held-out split": lambda record: record.get("heldout"),
    "extractor weights": lambda record: record.get("extractors") or None,
}
_SHORT = 12


def refuse_unlike(records: Mapping[str, Record], seeds: Mapping[str, int]) -> None:
    """Refuse evaluations that were not taken alike.

    The protocol is the same throughout. The data, and the extractor that may have been learnt on it, are the same
    within a seed; where the data is another one for every seed (drawn, or split, by it), between seeds they need not.

    Args:
        records: ``evaluation.json`` of every run by its name.
        seeds: of the runs.

    Raises:
        UsageError: names what differs, and between which runs.
    """
    names = list(records)
    faults = _differences(_PROTOCOL, names, records)
    for seed in dict.fromkeys(seeds.values()):
        faults += _differences(_DATA, [name for name in names if seeds[name] == seed], records)
    if not own_data(records.values()):
        faults += _differences(_DATA, names, records)
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


def own_data(records: Iterable[Record]) -> bool:
    """Whether the runs were measured on more than one set of held-out data."""
    return len({str(record.get("fingerprint")) for record in records}) > 1


def _differences(
    readers: Mapping[str, Callable[[Record], Any]], names: Sequence[str], records: Mapping[str, Record]
) -> list[str]:
    found = []
    for words, read in readers.items():
        for name in names[1:]:
            one, other = read(records[names[0]]), read(records[name])
            if one != other:
                found.append(f"  {words}: {_shown(one)} in {names[0]}, {_shown(other)} in {name}")
                break
    return found


def _of_protocol(record: Record, name: str) -> Any:
    protocol = record.get("protocol")
    return protocol.get(name) if isinstance(protocol, Mapping) else None


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items()) or "none"
    return str(value)[:_SHORT] if isinstance(value, str) else "none" if value is None else str(value)
