"""How many rows an evaluation takes where nobody says."""

from __future__ import annotations

import time
from collections.abc import Callable

from wganx.engine import Sampler

MOST_ROWS = 10_000
"""Generated rows of a whole evaluation."""
SECONDS = 120.0
"""What drawing them may take."""
FEWEST_ROWS = 100
_PROBE = 16


def plan_rows(heldout: int, n: int | None = None, repeats: int | None = None, most: int = MOST_ROWS) -> tuple[int, int]:
    """Rows of a block, and blocks, so that two disjoint sets of blocks fit into the held-out items.

    Together the blocks have as many rows as half of the held-out items, and no more than `most`. There are five of
    them, four where they would be small, and one where they would have fewer than 20 rows.
    """
    rows = min(heldout // 2, most)
    if repeats is None:
        repeats = 1 if n is not None else 5 if rows >= 1000 else 4 if rows >= 80 else 1
    return max(rows // repeats, 2) if n is None else n, repeats


def rows_in_time(
    sampler: Sampler, draw: Callable[[int], object], clock: Callable[[], float] = time.perf_counter
) -> int:
    """How many rows can be drawn in two minutes, 10,000 at most: 1, 2 or 5 times a power of ten, so that the speed of
    a machine changes it rarely.

    Args:
        draw: draws so many samples, which are timed.
    """
    probe = sampler.rows or _PROBE
    draw(probe)  # what a first call alone takes is left out
    started = clock()
    draw(probe)
    fit = SECONDS * probe / max(clock() - started, 1e-9)
    steps = (rows for power in (10_000, 1_000, 100) for rows in (power, power // 2, power // 5))
    return next((rows for rows in steps if rows <= fit and rows >= FEWEST_ROWS), FEWEST_ROWS)
