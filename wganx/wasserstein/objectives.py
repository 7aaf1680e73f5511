"""Objectives: what the two players optimise, as functions of the critic's scores.

Every objective takes scores ``(N,)`` and returns scalars to be minimised. Only `Wasserstein` makes the gap between
mean scores a reading of W1; the others are here to be compared with it. Those that compare whole batches are in
`batch_objectives`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from wganx.wasserstein.registry import enter

OBJECTIVES: dict[str, type[Objective]] = {}
"""Every objective by the name that ``objective.name`` takes; subclasses enter by being defined."""


@dataclass(frozen=True)
class Objective(ABC):
    """Base of the objectives.

    Attributes:
        name: what ``objective.name`` calls it.
        reads_w1: whether mean real score minus mean fake score estimates W1 when the critic is 1-Lipschitz.
        generator_needs_real: whether the generator's loss asks for the scores of real samples; the others are spared
            the pass through the critic.

    Raises:
        ValueError: a subclass takes the name of another one.
    """

    name: ClassVar[str]
    reads_w1: ClassVar[bool] = False
    generator_needs_real: ClassVar[bool] = False

    @property
    def trains_critic(self) -> bool:
        """Whether there is a critic; where there is none, the generator's loss is given the samples, flattened."""
        return True

    def __init_subclass__(cls) -> None:
        enter(OBJECTIVES, cls, "objective")

    @abstractmethod
    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """What the critic minimises, without the constraint's penalty."""

    @abstractmethod
    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        """What the generator minimises; `real_scores` have no graph and are given where `generator_needs_real`."""


@dataclass(frozen=True)
class Wasserstein(Objective):
    """Kantorovich-Rubinstein dual: the critic maximises ``E f(real) - E f(fake)``, the generator ``E f(fake)``.

    For 1-Lipschitz ``f`` the maximum is W1(real, fake). Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017.
    """

    name = "wasserstein"
    reads_w1 = True

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return fake_scores.mean() - real_scores.mean()

    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        return -fake_scores.mean()


@dataclass(frozen=True)
class NonSaturating(Objective):
    """Logistic loss on both sides: ``E softplus(-f(real)) + E softplus(f(fake))``; generator ``E softplus(-f(fake))``.

    Scores are logits. Goodfellow et al., "Generative Adversarial Nets", 2014, with the non-saturating generator loss.
    """

    name = "non-saturating"

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()

    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        return F.softplus(-fake_scores).mean()


@dataclass(frozen=True)
class LeastSquares(Objective):
    """Regression to 1 (real) and 0 (fake): ``½E (f(real) - 1)² + ½E f(fake)²``; generator ``½E (f(fake) - 1)²``.

    Mao et al., "Least Squares Generative Adversarial Networks", 2017.
    """

    name = "least-squares"

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return 0.5 * ((real_scores - 1).square().mean() + fake_scores.square().mean())

    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        return 0.5 * (fake_scores - 1).square().mean()


@dataclass(frozen=True)
class Hinge(Objective):
    """Margins of 1: ``E relu(1 - f(real)) + E relu(1 + f(fake))``; generator ``-E f(fake)``.

    Lim, Ye, "Geometric GAN", 2017.
    """

    name = "hinge"

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()

    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        return -fake_scores.mean()


@dataclass(frozen=True)
class Relativistic(Objective):
    """Real and fake samples in pairs, of which the real one should score higher: ``E softplus(-(f(real) - f(fake)))``.

    The generator wants it the other way round, ``E softplus(-(f(fake) - f(real)))``. Row i of one side is paired with
    row i of the other. A critic that scores a cluster of real samples high gains nothing there while the fakes beside
    them score as high, which leaves no local minimum where modes are missing. Use it with `R1R2`, without which
    training need not converge. Jolicoeur-Martineau, "The relativistic discriminator", 2018; Huang et al., "The GAN is
    dead; long live the GAN! A Modern GAN Baseline" (R3GAN), 2024.

    Raises:
        ValueError: the generator's loss is asked for without real scores.
    """

    name = "relativistic"
    generator_needs_real = True

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return F.softplus(fake_scores - real_scores).mean()

    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        if real_scores is None:
            raise ValueError("the relativistic loss of the generator needs the scores of real samples too")
        return F.softplus(real_scores - fake_scores).mean()
