"""The interface of a constraint."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from wganx.options import check_options, option
from wganx.wasserstein.gradients import Critic
from wganx.wasserstein.registry import enter

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
        reads_w1: whether mean real score minus mean fake score reads W1 (raw, see `correct`) under it.
        penalises: whether it adds a penalty, which differentiates the critic twice.
        owns: what of the critic it changes: its ``weights``, its ``scores``, or nothing. Two constraints that own
            the same cannot be combined, and whoever owns the scores stands alone.

    Raises:
        ValueError: a subclass takes the name of another one.
    """

    name: ClassVar[str]
    reads_w1: ClassVar[bool] = False
    penalises: ClassVar[bool] = False
    owns: ClassVar[str | None] = None

    @property
    def needs_gradients(self) -> bool:
        """Whether it takes the critic's gradient for each sample, which no other sample may have a part in."""
        return self.penalises or self.owns == "scores"

    drift: float = option(
        0.0, "factor of the mean squared real score in the critic's loss, which keeps scores near 0", ge=0, kw_only=True
    )

    def __init_subclass__(cls) -> None:
        enter(CONSTRAINTS, cls, "constraint")

    def __post_init__(self) -> None:
        check_options(self)

    def prepare(self, critic: nn.Module) -> None:
        """Change the critic's parametrisation once, before its optimizer is made; safe to repeat."""

    def scores(self, critic: Critic, samples: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
        """What both players see as the critic's scores ``(N,)`` of samples ``(N, ...)``."""
        return critic(samples, **condition)

    def due(self, update: int) -> Sequence[tuple[float, Penalty]]:
        """The penalties of critic update number `update`, each with the factor that makes up for those left out."""
        return ()

    def after_update(self, critic: nn.Module) -> None:
        """Change the critic's weights after each of its updates."""

    def correct(self, raw: float) -> float | None:
        """The W1 reading with this constraint's known bias removed; None where no correction is known."""
        return None


@dataclass(frozen=True)
class Penalty(Constraint):
    """Base of the constraints that add a term to the critic's loss."""

    penalises = True

    weight: float = option(10.0, "factor of the penalty in the critic's loss", ge=0)
    every: int = option(1, "apply in every k-th critic update only, with k times the weight", ge=1)

    @abstractmethod
    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        """The weighted penalty and its diagnostics, for samples ``(N, ...)``; draws come from `rng`."""

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, **condition: Tensor) -> Tensor:
        """The weighted penalty, a scalar, for samples ``(N, ...)`` of any rank; `condition` is held per row."""
        return self.terms(critic, real, fake, condition).loss

    def due(self, update: int) -> Sequence[tuple[float, Penalty]]:
        return ((float(self.every), self),) if update % self.every == 0 else ()
