"""What is trained and read: a pair of potentials ``u(x)``, ``v(y)`` whose means add up to a reading of W1."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from wganx.wasserstein.constraints import Constraint, Penalty
from wganx.wasserstein.estimation.critics import OrthonormalCritic
from wganx.wasserstein.estimation.split import Pair


class Dual:
    """The gap between a critic's mean scores under a constraint: ``u = f``, ``v = -f``."""

    def __init__(self, critic: nn.Module, constraint: Constraint) -> None:
        self.critic = critic
        self.constraint = constraint
        constraint.prepare(critic)

    def scores(self, samples: Tensor) -> Tensor:
        """The scores ``(N,)`` that the reading is made of."""
        return self.constraint.scores(self.critic, samples, {})

    def potentials(self, pair: Pair) -> tuple[Tensor, Tensor]:
        """``u (n,)`` and ``v (m,)``."""
        scores = self.scores(torch.cat([pair.x, pair.y]))
        return scores[: len(pair.x)], -scores[len(pair.x) :]

    def gain(self, pair: Pair, due: Iterable[tuple[float, Penalty]], rng: torch.Generator) -> Tensor:
        """What training makes large, for as many samples of one side as of the other, with the penalties given."""
        u, v = self.potentials(pair)
        gain = u.mean() + v.mean()
        for factor, penalty in due:
            gain = gain - factor * penalty.terms(self.critic, pair.x, pair.y, {}, rng).loss
        if self.constraint.drift:
            gain = gain - self.constraint.drift * u.square().mean()
        return gain

    def before_step(self) -> None:
        """After the gradients, before the optimizer."""

    def after_step(self) -> None:
        """After the optimizer."""
        self.constraint.after_update(self.critic)


class OrthonormalDual(Dual):
    """The same of a critic whose weights stay orthonormal."""

    critic: OrthonormalCritic

    def before_step(self) -> None:
        self.critic.project_gradients()

    def after_step(self) -> None:
        self.critic.retract()


class CTransformDual(Dual):
    """``u = f`` and ``v(y) = min_x ‖x - y‖ - f(x)`` over the samples x at hand: no constraint, but their distances.

    ``u(x) + v(y) <= ‖x - y‖`` holds by construction, so that no reading exceeds the exact W1 of the samples it is
    taken on. Mallasto, Montúfar, Gerolin, "How Well Do WGANs Estimate the Wasserstein Metric?", 2019.
    """

    _ROWS = 512

    def potentials(self, pair: Pair) -> tuple[Tensor, Tensor]:
        u = self.scores(pair.x)
        return u, torch.cat([(torch.cdist(rows, pair.x) - u).amin(1) for rows in torch.split(pair.y, self._ROWS)])
