"""Who is told what happens during training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wganx.health import Finding


class Observer:
    """Base of the observers: override what you want to hear about. Nothing is called between logging points."""

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        """A logging point after `step` generator updates."""

    def found(self, finding: Finding) -> None:
        """A health check begins to find something, or no longer does; told after `logged` of the same step."""

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        """Shares of the time since the last logging point: ``data``, ``critic``, ``generator`` and ``other``."""

    def saved(self, step: int, path: Path) -> None:
        """A checkpoint is on disk under its final name."""

    def rolled_back(self, step: int, reason: str) -> None:
        """Training returned to the checkpoint of `step`; whatever was recorded after it is void."""
