"""No constraint."""

from __future__ import annotations

from dataclasses import dataclass

from wganx.wasserstein.constraints.base import Constraint


@dataclass(frozen=True)
class NoConstraint(Constraint):
    """Nothing keeps the critic Lipschitz: for comparisons."""

    name = "none"
