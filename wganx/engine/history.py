"""What a call of `Trainer.fit` remembers of its logging points, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Mapping

from wganx.health import Finding

MOST = 10_000
"""Logging points, and findings, that are kept; ``metrics.jsonl`` of a run has all."""


class History:
    """The scalars of logging points: all of up to `MOST`; of more every 2nd, every 4th and so on, and the last.

    Attributes:
        points: in the order in which they came.
        findings: of the health checks; of more than `MOST` the latest.
    """

    def __init__(self) -> None:
        self.points: list[Mapping[str, float]] = []
        self.findings: list[Finding] = []
        self._seen, self._every = 0, 1

    def add(self, point: Mapping[str, float]) -> None:
        """One more logging point."""
        if self.points and (self._seen - 1) % self._every:
            self.points.pop()  # it was kept as the last one, which it no longer is
        self.points.append(point)
        self._seen += 1
        if len(self.points) > MOST:
            del self.points[1::2]
            self._every *= 2

    def found(self, findings: list[Finding]) -> None:
        """What the health checks made of it."""
        self.findings += findings
        if len(self.findings) > MOST:
            del self.findings[: -MOST // 2]
