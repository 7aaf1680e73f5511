"""Objectives that are a distance between the batch of real samples and the batch of made ones.

A generator learns from them without a critic: what is compared are the samples themselves. Or what is compared are
features that a critic learns, which is then trained to take the batches apart.

They are the quantities that `energy_distance`, `sliced_w1` and `sinkhorn_divergence` measure, taken of batches alone
and without a look at a value (a test of convergence, a scale of the samples), for which a step would wait, and which
no CUDA graph could hold.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from wganx.options import check_options, option
from wganx.wasserstein.gradients import whole_batch
from wganx.wasserstein.objectives import Objective
from wganx.wasserstein.quantiles import line_cost

Compared = Literal["samples", "critic"]

_DIGITS = 64
"""Roundings of the largest cost below which no temperature goes: a plan would be made of them."""

_FEW_AXES = 64
"""Up to so many axes, distances are taken axis by axis, to the last digit; beyond, by a product of matrices."""


@dataclass(frozen=True)
class BatchDistance(Objective):
    """Base of the objectives that compare two batches: the generator minimises a distance between them.

    With ``features="samples"`` there is no critic: a row is a sample, flattened, with its condition beside it. With
    ``features="critic"`` a row is what the critic makes of a sample, and the critic maximises the distance under the
    constraint of the run.

    The distance is that of the two batches and no mean over samples: with a larger batch it comes closer to the
    distance of the distributions, and parts of a batch are compared each by itself.

    Raises:
        ValueError: an option is out of its range.
    """

    generator_needs_real = True

    features: Compared = option(
        "samples", "what is compared: samples as they are, without a critic; or what the critic makes of them"
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.features not in get_args(Compared):
            raise ValueError(f"{type(self).__name__}: features must be 'samples' or 'critic', got {self.features!r}")

    @property
    def trains_critic(self) -> bool:
        return self.features == "critic"

    @abstractmethod
    def between(self, real: Tensor, fake: Tensor) -> Tensor:
        """The distance of two batches of rows ``(N, d)``, a scalar with its graph. Waits for no device."""

    def distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """The distance of two batches ``(N, ...)``, of all processes that share them."""
        return self.between(*(whole_batch(rows.reshape(len(rows), -1)) for rows in (real, fake)))

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return -self.distance(real_scores, fake_scores)

    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        if real_scores is None:
            raise ValueError(f"the {self.name} objective compares two batches and needs the real one too")
        return self.distance(real_scores, fake_scores)


@dataclass(frozen=True)
class Energy(BatchDistance):
    r"""Energy distance ``2 E‖X - Y‖ - E‖X - X'‖ - E‖Y - Y'‖`` of two batches, as a U-statistic.

    Without bias, and so is its gradient at any batch size: of a batch it may be negative, and the generator that
    minimises it on average is the right one. No options to tune. In many dimensions distances of unlike samples grow
    alike, and its gradient grows faint. Szekely and Rizzo, "Energy statistics", 2013; Bellemare et al., "The Cramer
    Distance as a Solution to Biased Wasserstein Gradients", 2017.
    """

    name = "energy"

    def between(self, real: Tensor, fake: Tensor) -> Tensor:
        # Each pair once: a row's distance to itself is 0 but for rounding, of which the gradient would be made.
        within = (2 * _lengths(rows, rows).triu(1).sum() / (len(rows) * (len(rows) - 1)) for rows in (real, fake))
        return 2 * _lengths(real, fake).mean() - sum(within)


@dataclass(frozen=True)
class Sliced(BatchDistance):
    """Sliced W1 or W2² of two batches: the mean over random directions of the transport cost on a line.

    ``E_θ Wp(θ·x, θ·y)^p``; new directions in every update. Sorting is all there is to solve. A direction of many
    dimensions sees little of a sample, so pictures take many directions, or features. With batches of n there is a
    bias of order ``n^-½``, the same for every generator near the data. Bonneel et al., 2015; Deshpande, Zhang, Schwing,
    "Generative Modeling using the Sliced Wasserstein Distance", 2018.
    """

    name = "sliced"

    projections: int = option(256, "directions of each update", ge=1)
    power: float = option(2.0, "p of Wp: 1 for W1, 2 for W2 squared", ge=1)

    def between(self, real: Tensor, fake: Tensor) -> Tensor:
        # From torch's own stream, which is the training's while it trains. With an axis of one before them, or several
        # processes would take the directions for rows of the batch, and each draw its own.
        drawn = torch.randn(1, self.projections, real.shape[1], device=real.device, dtype=real.dtype)[0]
        directions = drawn / torch.linalg.vector_norm(drawn, dim=1, keepdim=True)
        return line_cost(directions @ real.T, directions @ fake.T, self.power).mean()


@dataclass(frozen=True)
class Sinkhorn(BatchDistance):
    """Debiased Sinkhorn divergence of two batches with cost ``‖x - y‖^power``.

    ``OT_ε(X, Y) - ½ OT_ε(X, X) - ½ OT_ε(Y, Y)``: whole transport plans, so of the three the one that sees best which
    sample belongs where, and the dearest. Of order ``N² iterations``. The number of iterations is fixed, so that no
    step waits for a test of convergence, and the gradient is that of the costs under the plans reached, by the envelope
    theorem. The temperature is never below 64 roundings of the batch's largest cost. Genevay, Peyre, Cuturi, "Learning
    Generative Models with Sinkhorn Divergences", 2018.
    """

    name = "sinkhorn"

    power: float = option(2.0, "power of the distance that is the cost", ge=1)
    epsilon: float | None = option(
        None, "temperature, in units of the cost; null: 0.05 times the mean cost between the real samples", gt=0
    )
    iterations: int = option(30, "updates of the potentials, from a high temperature down to epsilon", ge=1)

    def between(self, real: Tensor, fake: Tensor) -> Tensor:
        across, of_real, of_fake = (
            _lengths(*sides).pow(self.power) for sides in ((real, fake), (real, real), (fake, fake))
        )
        own = 0.05 * of_real.detach().mean()  # of the data alone, so that it is the same throughout the training
        epsilon = own if self.epsilon is None else torch.full_like(own, self.epsilon)
        largest = torch.stack([cost.detach().amax() for cost in (across, of_real, of_fake)]).amax()
        limits = torch.finfo(own.dtype)
        epsilon = torch.maximum(epsilon, _DIGITS * limits.eps * largest + limits.tiny)
        within = (_transport(cost, epsilon, self.iterations, alike=True) for cost in (of_real, of_fake))
        return _transport(across, epsilon, self.iterations) - sum(within) / 2


def _lengths(x: Tensor, y: Tensor) -> Tensor:
    """Distances ``(n, m)`` between rows; where two coincide the gradient is zero."""
    if x.shape[1] <= _FEW_AXES:
        return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    # Around a point among them, or a product would round away what tells rows apart that lie far from the origin.
    middle = x.detach().mean(0)
    return torch.cdist(x - middle, y - middle, compute_mode="use_mm_for_euclid_dist")


def _transport(cost: Tensor, epsilon: Tensor, iterations: int, alike: bool = False) -> Tensor:
    """Entropic transport between rows of equal weights at costs ``(n, m)``, with the gradient of the plan reached.

    `alike`: the rows are the columns.
    """
    fixed = cost.detach()

    def of_rows(g: Tensor, warm: Tensor) -> Tensor:
        return warm * (math.log(fixed.shape[1]) - torch.logsumexp((g - fixed) / warm, 1))

    def of_columns(f: Tensor, warm: Tensor) -> Tensor:
        return warm * (math.log(fixed.shape[0]) - torch.logsumexp((f[:, None] - fixed) / warm, 0))

    with torch.no_grad():
        f, g, start = fixed.new_zeros(len(fixed)), fixed.new_zeros(fixed.shape[1]), fixed.amax()
        for number in range(iterations):
            warm = torch.maximum(start * 0.5**number, epsilon)
            f = of_rows(g, warm)
            if alike:  # both potentials are one then, and settle soonest where each update goes half of the way
                f = g = (f + g) / 2
            else:
                g = of_columns(f, warm)
        f = of_rows(g, epsilon)
        g = of_columns(f, epsilon)  # the plan then has a mass of 1
        plan = torch.exp((f[:, None] + g - fixed) / epsilon) / fixed.numel()
        value = f.mean() + g.mean()
    return value + (plan * (cost - fixed)).sum()
