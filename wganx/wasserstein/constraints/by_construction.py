"""A critic that needs no constraint."""

from __future__ import annotations

from dataclasses import dataclass

from wganx.wasserstein.constraints.base import Constraint


@dataclass(frozen=True)
class ByConstruction(Constraint):
    """The critic's own layers keep it 1-Lipschitz, so nothing is added.

    For architectures that declare ``lipschitz=True``, such as `wganx.nn.LipschitzMLP`; the reading is then a lower
    bound of W1 without a bias to correct. Costs nothing beside the layers.
    """

    name = "by-construction"
    reads_w1 = True
