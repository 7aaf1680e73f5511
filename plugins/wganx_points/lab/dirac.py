"""The Dirac-GAN: one real point, one fake point, a linear critic, and the question of who converges.

Mescheder, Geiger, Nowozin, "Which Training Methods for GANs do actually Converge?", 2018: the real distribution is a
point mass at 0, the generator a point mass at θ, the critic ``f(x) = ψ x``. The only equilibrium is ``θ = ψ = 0``.
Without a constraint, with clipping and with penalties around slope 1 the players circle it; a penalty around slope 0
on the real or the fake samples turns the circle into a spiral that ends there. The non-saturating objective alone
circles to first order and closes in more slowly than any exponential; so does a penalty on ``|ψ|⁶``, which fades with
the fifth power of the radius: ``r ~ t^(-1/4)``. Constraints that normalise the critic (spectral-norm, orthogonal,
gradient-normalization) leave nothing of its one weight but the sign, and are no game here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wganx import (
    R1,
    R1R2,
    R2,
    Dragan,
    GradientPenalty,
    LipschitzPenalty,
    MaxGradientPenalty,
    NoConstraint,
    NonSaturating,
    Wasserstein,
    WeightClipping,
    WganDiv,
)
from wganx.wasserstein import Constraint, Objective
from wganx_points.lab.figure import BLUE, GREEN, GREY, ORANGE, PURPLE, styled
from wganx_points.lab.findings import Finding, Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

RATE = 0.1  # learning rate of both players
START = (1.0, 1.0)  # theta, psi
STEPS = 500
SWING = 0.3  # a generator that still moves by this much over the last 100 steps has not settled


Fate = Literal["circles", "closes in slowly", "converges"]
RADII: dict[Fate, tuple[float, float]] = {"circles": (0.5, 1.5), "closes in slowly": (0.1, 0.5), "converges": (0, 0.1)}
COLOURS: dict[Fate, str] = {"circles": BLUE, "closes in slowly": PURPLE, "converges": GREEN}


@dataclass(frozen=True)
class Rules:
    """An objective under a constraint, and what the theory says of it."""

    title: str
    objective: Objective
    constraint: Constraint
    fate: Fate = "circles"


RULES = (
    Rules("WGAN, no constraint", Wasserstein(), NoConstraint()),
    Rules("WGAN, clip 1", Wasserstein(), WeightClipping(limit=1.0)),
    Rules("WGAN, gradient-penalty 0.5", Wasserstein(), GradientPenalty(weight=0.5)),
    Rules("WGAN, lipschitz-penalty 0.5", Wasserstein(), LipschitzPenalty(weight=0.5)),
    Rules("WGAN, max-gradient-penalty 0.5", Wasserstein(), MaxGradientPenalty(weight=0.5)),
    Rules("WGAN, dragan 0.5", Wasserstein(), Dragan(weight=0.5)),
    Rules("WGAN, wgan-div 2", Wasserstein(), WganDiv(weight=2.0), "closes in slowly"),
    Rules("non-saturating, no constraint", NonSaturating(), NoConstraint(), "closes in slowly"),
    Rules("WGAN, r1 1", Wasserstein(), R1(weight=1.0), "converges"),
    Rules("WGAN, r2 1", Wasserstein(), R2(weight=1.0), "converges"),
    Rules("WGAN, r1+r2 1", Wasserstein(), R1R2(weight=1.0), "converges"),
    Rules("non-saturating, r1 1", NonSaturating(), R1(weight=1.0), "converges"),
)


class LineCritic(nn.Module):
    """``f(x) = ψ x`` for points ``(N, 1)``."""

    def __init__(self, psi: float) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(psi, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.psi * x.squeeze(1)


def demonstrate(seed: int, *, steps: int = STEPS) -> Shown:
    """All rules from one start, each player one plain gradient step in turn. The seed is of the penalties' draws."""
    paths = {rules.title: play(rules.objective, rules.constraint, steps=steps, seed=seed) for rules in RULES}
    together = play(Wasserstein(), NoConstraint(), steps=steps, seed=seed, simultaneous=True)

    findings = []
    for rules in RULES:
        path = paths[rules.title]
        share = radius(path)[-1] / radius(path)[0]
        swing = float(np.ptp(path[-100:, 0]))
        low, high = RADII[rules.fate]
        holds = low <= share < high and (swing > SWING) == (rules.fate != "converges")
        words = f"{low:g} to {high:g}, {'at rest' if rules.fate == 'converges' else 'still moving'}: {rules.fate}"
        findings.append(Finding(f"{rules.title}: radius at step {steps} / start", words, share, holds))
    findings += [_orbit(paths[RULES[0].title]), _spiral(together, steps)]
    setting = (
        f"start (theta, psi) = {START}, gradient descent with rate {RATE}, one critic step, then one generator step; "
        f"{steps} steps; limits and weights as named"
    )
    return Shown(setting, findings, lambda: _draw(paths, together))


def play(
    objective: Objective, constraint: Constraint, *, steps: int, seed: int = 0, simultaneous: bool = False
) -> Array:
    """The path ``(steps + 1, 2)`` of (theta, psi); `simultaneous` lets the generator answer the critic's last move."""
    rng = torch.Generator().manual_seed(seed)
    real = torch.zeros(1, 1, dtype=torch.float64)
    theta = torch.tensor(START[0], dtype=torch.float64, requires_grad=True)
    critic = LineCritic(START[1])
    nothing: Mapping[str, Tensor] = {}
    path = [START]
    for step in range(steps):
        fake = theta.reshape(1, 1)
        (push,) = torch.autograd.grad(objective.generator_loss(constraint.scores(critic, fake, nothing)), theta)
        held = fake.detach()
        loss = objective.critic_loss(constraint.scores(critic, real, nothing), constraint.scores(critic, held, nothing))
        for factor, penalty in constraint.due(step):
            loss = loss + factor * penalty.terms(critic, real, held, nothing, rng).loss
        (slope,) = torch.autograd.grad(loss, critic.psi)
        with torch.no_grad():
            critic.psi.sub_(RATE * slope)
        constraint.after_update(critic)
        if not simultaneous:
            scores = constraint.scores(critic, theta.reshape(1, 1), nothing)
            (push,) = torch.autograd.grad(objective.generator_loss(scores), theta)
        with torch.no_grad():
            theta.sub_(RATE * push)
        path.append((theta.item(), critic.psi.item()))
    return np.array(path)


def radius(path: Array) -> Array:
    """Distance from the equilibrium, ``(N,)`` for a path ``(N, 2)``."""
    return np.hypot(path[:, 0], path[:, 1])


def _orbit(path: Array) -> Finding:
    """Steps in turn are a symplectic scheme: it keeps a quadratic form, so the path is an ellipse for ever."""
    theta, psi = path.T
    form = theta**2 + psi**2 - RATE * theta * psi
    drift = float(np.abs(form / form[0] - 1).max())
    return Finding("WGAN in turn: drift of theta² + psi² - h theta psi", "0: an ellipse for ever", drift, drift < 1e-9)


def _spiral(path: Array, steps: int) -> Finding:
    growth = float(radius(path)[-1] / radius(path)[0])
    expected = (1 + RATE**2) ** (steps / 2)
    holds = abs(growth / expected - 1) < 1e-9
    return Finding(
        "WGAN at the same time: radius / start", f"(1 + h²)^(steps/2) = {expected:.4g}: outwards", growth, holds
    )


def _draw(paths: Mapping[str, Array], together: Array) -> Figure:
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(9.0, 9.8))
        grid = figure.add_gridspec(4, 4, height_ratios=[1, 1, 1, 0.95])
        for place, rules in enumerate(RULES):
            _plane(figure.add_subplot(grid[divmod(place, 4)]), rules, paths[rules.title])
        radii = figure.add_subplot(grid[3, :])
        for number, rules in enumerate(RULES):
            colour, style = COLOURS[rules.fate], ("-", "--", ":", "-.")[number % 4]
            _distance(radii, paths[rules.title], rules.title, colour, style)
        _distance(radii, together, "WGAN, both at the same time", ORANGE, "-")
        radii.set(xlabel="step", title="distance from the equilibrium", ylim=(1e-4, 60), xlim=(0, len(together) - 1))
        radii.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=3, fontsize=8)
    return figure


def _plane(axes: Axes, rules: Rules, path: Array) -> None:
    colour = COLOURS[rules.fate]
    axes.plot(*path.T, color=colour, linewidth=1)
    axes.plot(*path[0], "o", color=GREY, markersize=5)
    axes.plot(*path[-1], "o", color=ORANGE, markersize=5)
    axes.plot(0, 0, "+", color="black", markersize=9)
    reach = 1.15 * max(1.5, float(np.abs(path).max()))
    axes.set(
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        aspect="equal",
        title=rules.title.replace(", ", "\n"),
        xlabel="theta",
        ylabel="psi",
    )
    axes.title.set_fontsize(8.5)


def _distance(axes: Axes, path: Array, title: str, colour: str, style: str) -> None:
    steps = np.arange(0, len(path), 3)
    axes.semilogy(steps, np.maximum(radius(path[steps]), 1e-5), style, color=colour, linewidth=1.2, label=title)
