"""The interface of a constraint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from wganx.settings import check_settings

Critic = Callable[..., Tensor]
"""Anything that scores samples: ``critic(x (N, ...), **condition) -> (N,)``; a module, or a plain function."""

CONSTRAINTS: dict[str, type[Constraint]] = {}
"""Every constraint by the name that ``constraint.name`` takes; subclasses enter by being defined."""


class PenaltyTerms(NamedTuple):
    """What a penalty gives the critic's loss, and the mean gradient norm it measured on the way."""

    loss: Tensor
    gradient_norm: Tensor


@dataclass(frozen=True)
class Constraint:
    """Keeps the critic Lipschitz; this base keeps nothing. A subclass overrides what it needs.

    Attributes:
        name: what ``constraint.name`` calls it.
        penalises: whether `terms` adds a penalty, which differentiates the critic twice.
    """

    name: ClassVar[str]
    penalises: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            CONSTRAINTS[cls.name] = cls

    def __post_init__(self) -> None:
        check_settings(self)

    def prepare(self, critic: nn.Module) -> None:
        """Change the critic's parametrisation once, before its optimizer is made; safe to repeat."""

    def due(self, update: int) -> float:
        """Factor of the penalty in critic update number `update`, 0 when it is left out."""
        return 1.0 if self.penalises else 0.0

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        """The weighted penalty and its diagnostics; only called when `penalises`."""
        raise TypeError(f"constraint {self.name!r} has no penalty")

    def after_update(self, critic: nn.Module) -> None:
        """Change the critic's weights after each of its updates."""

    def correct(self, raw: float) -> float | None:
        """The W1 reading with this constraint's known bias removed; None where no correction is known."""
        return None
