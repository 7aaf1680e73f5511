"""Which numbers may stand side by side: those of one protocol, on the same held-out data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wganx.evaluation import check_comparable

Record = Mapping[str, Any]


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
    for seed in dict.fromkeys(seeds.values()):
        check_comparable({name: record for name, record in records.items() if seeds[name] == seed})
    check_comparable(records, same_data=not own_data(records.values()))


def own_data(records: Iterable[Record]) -> bool:
    """Whether the runs were measured on more than one set of held-out data."""
    return len({str(record.get("fingerprint")) for record in records}) > 1
