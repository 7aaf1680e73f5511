"""Several constraints on one critic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wganx.wasserstein.constraints.base import Constraint, Penalty
from wganx.wasserstein.gradients import Critic


@dataclass(frozen=True, init=False)
class Combined(Constraint):
    """All of its parts at once, e.g. ``Combined(SpectralNorm(), R1(1.0))``.

    Each penalty keeps its own weight and its own `every`, and is logged as ``penalty/NAME``. The reading is one of W1
    if a part makes it one, but the bias of several penalties together is not known, so it is not corrected.

    Raises:
        ValueError: fewer than two parts, the same one twice, two that change the critic's weights, or one that
            changes its scores.
    """

    parts: tuple[Constraint, ...] = ()

    def __init__(self, *parts: Constraint) -> None:
        object.__setattr__(self, "parts", parts)
        # One drift term: the parts' own factors add up.
        object.__setattr__(self, "drift", sum(part.drift for part in parts))
        names = [part.name for part in parts]
        if len(parts) < 2:
            raise ValueError(f"a combination needs at least two constraints, got {len(parts)}")
        if any(isinstance(part, Combined) for part in parts):
            raise ValueError("a combination holds single constraints; list all parts in one combination")
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ValueError(f"constraint {twice[0]!r} is combined with itself; give it once, with the weight you want")
        if idle := [name for name in names if name in ("none", "by-construction")]:
            raise ValueError(f"constraint {idle[0]!r} adds nothing to a combination; leave it out")
        if alone := [part.name for part in parts if part.owns == "scores"]:
            raise ValueError(f"constraint {alone[0]!r} changes the critic's scores and stands alone")
        if len(owners := [part.name for part in parts if part.owns == "weights"]) > 1:
            raise ValueError(f"constraints {' and '.join(owners)} both change the critic's weights; choose one")

    @property
    def name(self) -> str:  # type: ignore[override]
        return "+".join(part.name for part in self.parts)

    @property
    def reads_w1(self) -> bool:  # type: ignore[override]
        return any(part.reads_w1 for part in self.parts)

    @property
    def penalises(self) -> bool:  # type: ignore[override]
        return any(part.penalises for part in self.parts)

    @property
    def owns(self) -> str | None:  # type: ignore[override]
        return next((part.owns for part in self.parts if part.owns), None)

    def prepare(self, critic: nn.Module) -> None:
        for part in self.parts:
            part.prepare(critic)

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, **condition: Tensor) -> Tensor:
        """The sum of its parts' weighted penalties, a scalar, as `Penalty.penalty` gives each."""
        penalties = [part.penalty(critic, real, fake, **condition) for part in self.parts if isinstance(part, Penalty)]
        return torch.stack(penalties).sum() if penalties else real.new_zeros(())

    def due(self, update: int) -> Sequence[tuple[float, Penalty]]:
        return [term for part in self.parts for term in part.due(update)]

    def after_update(self, critic: nn.Module) -> None:
        for part in self.parts:
            part.after_update(critic)
