"""Objectives: what the two players optimise, as functions of the critic's scores.

Every objective takes scores ``(N,)`` and returns scalars to be minimised. Only `Wasserstein` makes the gap between
mean scores a reading of W1; the others are here to be compared with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

OBJECTIVES: dict[str, type[Objective]] = {}
"""Every objective by the name that ``objective.name`` takes; subclasses enter by being defined."""


@dataclass(frozen=True)
class Objective(ABC):
    """Base of the objectives.

    Attributes:
        name: what ``objective.name`` calls it.
        reads_w1: whether mean real score minus mean fake score estimates W1 when the critic is 1-Lipschitz.
    """

    name: ClassVar[str]
    reads_w1: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        OBJECTIVES[cls.name] = cls

    @abstractmethod
    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """What the critic minimises, without the constraint's penalty."""

    @abstractmethod
    def generator_loss(self, fake_scores: Tensor) -> Tensor:
        """What the generator minimises."""


@dataclass(frozen=True)
class Wasserstein(Objective):
    """Kantorovich-Rubinstein dual: the critic maximises ``E f(real) - E f(fake)``, the generator ``E f(fake)``.

    For 1-Lipschitz ``f`` the maximum is W1(real, fake). Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017.
    """

    name = "wasserstein"
    reads_w1 = True

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return fake_scores.mean() - real_scores.mean()

    def generator_loss(self, fake_scores: Tensor) -> Tensor:
        return -fake_scores.mean()


@dataclass(frozen=True)
class NonSaturating(Objective):
    """Logistic loss on both sides: ``E softplus(-f(real)) + E softplus(f(fake))``; generator ``E softplus(-f(fake))``.

    Scores are logits. Goodfellow et al., "Generative Adversarial Nets", 2014, with the non-saturating generator loss.
    """

    name = "non-saturating"

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()

    def generator_loss(self, fake_scores: Tensor) -> Tensor:
        return F.softplus(-fake_scores).mean()


@dataclass(frozen=True)
class LeastSquares(Objective):
    """Regression to 1 (real) and 0 (fake): ``½E (f(real) - 1)² + ½E f(fake)²``; generator ``½E (f(fake) - 1)²``.

    Mao et al., "Least Squares Generative Adversarial Networks", 2017.
    """

    name = "least-squares"

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return 0.5 * ((real_scores - 1).square().mean() + fake_scores.square().mean())

    def generator_loss(self, fake_scores: Tensor) -> Tensor:
        return 0.5 * (fake_scores - 1).square().mean()


@dataclass(frozen=True)
class Hinge(Objective):
    """Margins of 1: ``E relu(1 - f(real)) + E relu(1 + f(fake))``; generator ``-E f(fake)``.

    Lim, Ye, "Geometric GAN", 2017.
    """

    name = "hinge"

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()

    def generator_loss(self, fake_scores: Tensor) -> Tensor:
        return -fake_scores.mean()
