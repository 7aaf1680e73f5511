"""Weight clipping beside the gradient penalty: one critic each, trained to the end between two fixed samples.

Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, section 3 and figure 1: clipping pushes most weights
to the two ends of their interval, gradients shrink (or grow) by a factor from layer to layer, and the critic it ends
with is too simple. The real samples are the ring, the fake ones a small Gaussian in its middle; both stay as they are.

What the penalised critic must read follows from its bias: slope about ``1 + W1 / (2 weight)``, and W1 once corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wganx import GradientPenalty, Optimizer, Wasserstein, WeightClipping, exact_w1
from wganx.wasserstein import Constraint, gradient_norms
from wganx_points.configs import RingConfig
from wganx_points.datasets import draw
from wganx_points.lab.figure import BLUE, GREY, INK, ORANGE, plane, styled
from wganx_points.lab.findings import Finding, Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

LIMIT, WEIGHT = 0.01, 10.0  # the values of the two papers
WIDTH, HIDDEN = 64, 4
POINTS, BATCH = 1024, 256
REACH = 4.0  # half the side of the square that is drawn


class Critic(nn.Module):
    """A perceptron with leaky rectifiers ``(N, 2) -> (N,)``, parameters uniform in ``[-bound, bound]``."""

    def __init__(self, rng: torch.Generator, bound: float | None = None) -> None:
        super().__init__()
        sizes = [2, *[WIDTH] * HIDDEN, 1]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))
        with torch.no_grad():
            for layer in self.layers:
                assert isinstance(layer, nn.Linear)
                around = layer.in_features**-0.5 if bound is None else bound
                for parameter in layer.parameters():
                    parameter.uniform_(-around, around, generator=rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.trace(x)[-1].squeeze(1)

    def trace(self, x: Tensor) -> list[Tensor]:
        """The output of every linear layer, the last one being the scores ``(N, 1)``."""
        outputs: list[Tensor] = []
        for layer in self.layers:
            x = layer(nn.functional.leaky_relu(x, 0.2) if outputs else x)
            outputs.append(x)
        return outputs


class _Readings(NamedTuple):
    """Readings as shares of W1; `certain` is the one divided by the critic's largest slope, a lower bound of W1."""

    raw: float
    corrected: float
    certain: float


@dataclass(frozen=True)
class _Trained:
    title: str
    critic: Critic
    weights: Array
    layers: Array  # norm of the loss's gradient for the output of every layer
    raw: float
    slope: float
    corrected: float

    @property
    def saturated(self) -> float:
        """Share of the weights at the ends of the clipping interval, to a hundredth of it."""
        return float(np.mean(np.abs(np.abs(self.weights) - LIMIT) <= 0.01 * LIMIT))

    def against(self, distance: float) -> _Readings:
        return _Readings(*(reading / distance for reading in (self.raw, self.corrected, self.raw / self.slope)))

    @property
    def decay(self) -> float:
        """Gradient norm at the first layer over that at the last hidden one."""
        return float(self.layers[0] / self.layers[-2])


def demonstrate(seed: int, *, updates: int = 1500) -> Shown:
    """`updates` of each critic on the same batches, half a minute in all."""
    real, fake = _samples(seed)
    distance = exact_w1(real, fake).value
    clipped, penalised = (
        _train(WeightClipping(LIMIT), Optimizer("rmsprop", 5e-5), LIMIT, real, fake, updates, seed),
        _train(
            GradientPenalty(WEIGHT),
            Optimizer(lr=1e-3, schedule="cosine"),
            None,
            real,
            fake,
            updates,
            seed,
        ),
    )
    clip, penalty = clipped.against(distance), penalised.against(distance)
    findings = [
        _between("clip: share of weights at +-c", "pushed to the ends", clipped.saturated, 0.8, 1),
        _between("gradient-penalty: share of weights at +-c", "spread", penalised.saturated, 0, 0.05),
        _between("clip: gradient norm, first layer / last hidden layer", "vanishes", clipped.decay, 0, 0.2),
        _between("gradient-penalty: gradient norm, likewise", "alive in every layer", penalised.decay, 0.3, 10),
        _between("clip: largest slope found", "not 1 by far", clipped.slope, 0, 0.01),
        _between("gradient-penalty: largest slope found", "about 1 + W1/20", penalised.slope, 1.0, 1.3),
        _between("clip: reading / W1", "no W1", clip.raw, 0, 0.01),
        _between("gradient-penalty: corrected reading / W1", "W1", penalty.corrected, 0.95, 1.05),
        _between("clip: reading / largest slope / W1", "too simple a critic", clip.certain, 0, 0.8),
        _between("gradient-penalty: reading / largest slope / W1", "above clip's", penalty.certain, clip.certain, 1.05),
    ]
    layers = "-".join([str(WIDTH)] * HIDDEN)
    setting = (
        f"{POINTS} points of the ring against a Gaussian of deviation 0.2 in its middle, exact W1 = {distance:.4g}; "
        f"critic 2-{layers}-1, {updates} updates of {BATCH}; "
        f"clip {LIMIT} with RMSprop 5e-5, from weights uniform in +-{LIMIT}; "
        f"gradient-penalty {WEIGHT:g} with Adam 1e-3, falling to 0 by a cosine"
    )
    return Shown(setting, findings, lambda: _draw((clipped, penalised), real, distance))


def _between(what: str, verdict: str, found: float, low: float, high: float) -> Finding:
    expected = f"< {high:.3g}" if low == 0 else f"{low:.3g} to {high:.3g}"
    return Finding(what, f"{expected}: {verdict}", found, low <= found <= high)


def _samples(seed: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    real = draw(RingConfig(count=POINTS), rng).points
    fake = 0.2 * rng.standard_normal(real.shape)
    return torch.from_numpy(real).float(), torch.from_numpy(fake).float()


def _train(
    constraint: Constraint,
    rule: Optimizer,
    bound: float | None,
    real: Tensor,
    fake: Tensor,
    updates: int,
    seed: int,
) -> _Trained:
    """The critic's side of a training alone: the generator never moves."""
    rng = torch.Generator().manual_seed(seed)
    critic = Critic(rng, bound)
    optimizer = rule.build(critic.parameters(), rule.lr)
    nothing: Mapping[str, Tensor] = {}
    for update in range(updates):
        for group in optimizer.param_groups:
            group["lr"] = rule.lr * rule.factor(update, updates)
        rows, others = torch.randint(POINTS, (2, BATCH), generator=rng)
        loss = Wasserstein().critic_loss(critic(real[rows]), critic(fake[others]))
        for factor, penalty in constraint.due(update):
            loss = loss + factor * penalty.terms(critic, real[rows], fake[others], nothing, rng).loss
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        constraint.after_update(critic)
    real_trace, fake_trace = critic.trace(real), critic.trace(fake)
    final = Wasserstein().critic_loss(real_trace[-1].squeeze(1), fake_trace[-1].squeeze(1))
    gradients = torch.autograd.grad(final, real_trace, retain_graph=True)
    raw = -final.item()
    everywhere = torch.cat([real, fake, _lattice(61)])
    weights = torch.cat([p.detach().flatten() for name, p in critic.named_parameters() if name.endswith("weight")])
    return _Trained(
        constraint.name,
        critic,
        weights.double().numpy(),
        np.array([gradient.norm().item() for gradient in gradients]),
        raw,
        gradient_norms(critic, everywhere, nothing).max().item(),
        constraint.correct(raw) or raw,
    )


def _lattice(side: int) -> Tensor:
    ticks = torch.linspace(-REACH, REACH, side)
    return torch.cartesian_prod(ticks, ticks)


def _draw(trained: Sequence[_Trained], real: Tensor, distance: float) -> Figure:
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(9.2, 5.8))
        axes = figure.subplots(2, 3, width_ratios=[1, 1.15, 1])
        for row, critic, colour in zip(axes, trained, (ORANGE, BLUE)):
            _levels(row[0], critic, real)
            reach = 1.25 * LIMIT if critic.title == "clip" else float(np.abs(critic.weights).max())
            row[1].hist(critic.weights, bins=np.linspace(-reach, reach, 60), color=colour)
            row[1].set(title=f"{critic.title}: weights, {critic.saturated:.0%} at +-c", yticks=[], xlabel="weight")
            row[2].semilogy(np.arange(1, len(critic.layers) + 1), critic.layers, "o-", color=colour)
            row[2].set(title="gradient norm at each layer", xlabel="layer", xticks=np.arange(1, len(critic.layers) + 1))
            low, high = critic.layers.min(), critic.layers.max()
            row[2].set_ylim(low / 10, high * 10)
        figure.suptitle(f"critics between the ring and a Gaussian in its middle; exact W1 = {distance:.3g}", color=INK)
    return figure


def _levels(axes: Axes, critic: _Trained, real: Tensor) -> None:
    side = 61
    with torch.no_grad():
        scores = critic.critic(_lattice(side)).reshape(side, side).T.double().numpy()
    ticks = np.linspace(-REACH, REACH, side)
    axes.contourf(ticks, ticks, scores, levels=14, cmap="Blues", alpha=0.8)
    axes.contour(ticks, ticks, scores, levels=14, colors=GREY, linewidths=0.5, linestyles="solid")
    axes.plot(*real[:200].T.numpy(), ".", color=ORANGE, markersize=2.5)
    plane(axes, REACH)
    axes.set_title(f"{critic.title}: level lines")
