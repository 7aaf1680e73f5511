"""Which of many files are nearly the same, by a short description of each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

NEAR = 3.0
"""Root mean square of the differences of two descriptions, of 255, below which the files are taken to be alike."""

MOST = 20_000
"""Files that are compared each with each, in a few seconds; of more, nothing is said."""

_ROWS = 1_000


def groups_alike(descriptions: Mapping[str, str]) -> list[list[str]]:
    """Names in groups: those nearer to each other than `NEAR`, and to any of the group; none of a file that is alone.

    Args:
        descriptions: bytes of one length in hexadecimal digits, by name, such as a thumbnail; others of another
            length are left out.
    """
    lengths = [len(text) for text in descriptions.values()]
    if not lengths or len(lengths) > MOST:
        return []
    length = max(set(lengths), key=lengths.count)
    names = [name for name, text in descriptions.items() if len(text) == length]
    rows = np.frombuffer(bytes.fromhex("".join(descriptions[name] for name in names)), np.uint8)
    # float32 holds the sums of these squares exactly as long as there are fewer than 258 bytes.
    points = rows.reshape(len(names), -1).astype(np.float32)
    squares, leader = (points**2).sum(axis=1), list(range(len(names)))

    def leading(place: int) -> int:
        while leader[place] != place:
            leader[place] = place = leader[leader[place]]
        return place

    for start in range(0, len(names), _ROWS):
        block = points[start : start + _ROWS]
        distances = squares[start : start + _ROWS, None] + squares[None] - 2 * (block @ points.T)
        for one, other in np.argwhere(distances < NEAR**2 * points.shape[1]):
            if start + one < other:
                leader[leading(int(other))] = leading(int(start + one))
    groups: dict[int, list[str]] = {}
    for place, name in enumerate(names):
        groups.setdefault(leading(place), []).append(name)
    return [group for group in groups.values() if len(group) > 1]
