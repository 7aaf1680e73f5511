"""Mode collapse: the ring of 8 Gaussians under the classic objective and under the Wasserstein objective.

Both trainings are the same but for objective and constraint, and both keep the critic close to its optimum: five
steps at ten times the generator's rate. Under the classic objective such a critic tells the samples apart for certain,
its gradient carries no more than the way to the nearest mode, and modes that were missed at first stay missed
(Arjovsky and Bottou, "Towards Principled Methods for Training Generative Adversarial Networks", 2017). Under the
Wasserstein objective a better critic only means a better gradient. The collapse depends on the rates, which
were chosen because it shows there: with both at 1e-3 the classic objective covers 7 or 8 modes, too, and with a critic
at 1e-4 under a generator at 1e-3 neither objective does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from wganx import GradientPenalty, NoConstraint, NonSaturating, Optimizer, Trainer, Wasserstein, WganxError, exact_w1
from wganx.wasserstein import Constraint, Objective
from wganx_points.configs import RingConfig
from wganx_points.datasets import draw
from wganx_points.lab.figure import BLUE, GREY, INK, ORANGE, plane, styled
from wganx_points.lab.findings import Finding, Shown
from wganx_points.metrics import COVERED_SHARE, NEAR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODES, SIGMA = 8, 0.1
WIDTH, NOISE, BATCH = 128, 2, 128
DRAWN, COMPARED = 1000, 300  # samples: for counting modes, for W1 and the figure
RATE, CRITIC_RATE, CRITIC_STEPS = 5e-4, 5e-3, 5
PICTURES = 5  # moments at which samples are drawn


@dataclass(frozen=True)
class Rules:
    """One way of training."""

    title: str
    objective: Objective
    constraint: Constraint


CLASSIC = Rules("non-saturating, no constraint", NonSaturating(), NoConstraint())
WGAN = Rules("wasserstein, gradient-penalty 1", Wasserstein(), GradientPenalty(weight=1.0))


@dataclass(frozen=True)
class _Moment:
    step: int
    samples: Tensor
    modes: int


def demonstrate(seed: int, *, steps: int = 400) -> Shown:
    """`steps` generator updates under either rules, less than a minute in all."""
    classic = train(CLASSIC, seed, steps)
    wgan = train(WGAN, seed, steps)
    heldout = _points(np.random.default_rng([seed, 1]), COMPARED)
    far, near = (exact_w1(moments[-1].samples[:COMPARED], heldout).value for moments in (classic, wgan))
    end, most, kept = classic[-1].modes, max(moment.modes for moment in classic), wgan[-1].modes
    findings = [
        Finding("classic: modes covered at the end, of 8", "4 at most", end, end <= MODES // 2),
        Finding("classic: most modes covered at any moment shown", "less than 8", most, most < MODES),
        Finding("wasserstein: modes covered at the end, of 8", "8", kept, kept == MODES),
        Finding("wasserstein: W1 to held-out points / classic's", "< 0.5", near / far, near / far < 0.5),
    ]
    setting = (
        f"ring of radius 2, sigma {SIGMA}; both players 2 hidden layers of {WIDTH}, noise {NOISE}, batch {BATCH}, "
        f"{CRITIC_STEPS} critic steps, "
        f"Adam(0.5, 0.999) with rates {RATE:g} (generator) and {CRITIC_RATE:g} (critic), average 0.95, {steps} steps"
    )
    return Shown(setting, findings, lambda: _draw({CLASSIC.title: classic, WGAN.title: wgan}, heldout))


def train(rules: Rules, seed: int, steps: int) -> list[_Moment]:
    """The samples at `PICTURES` evenly spaced moments of one training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator, critic = _perceptron(NOISE, 2, nn.ReLU()), _Critic()
    trainer = Trainer(
        generator,
        critic,
        noise=(NOISE,),
        objective=rules.objective,
        constraint=rules.constraint,
        critic_steps=CRITIC_STEPS,
        ema=0.95,
        device="cpu",
        seed=seed,
        optimizer=Optimizer(lr=RATE, critic_lr=CRITIC_RATE, betas=(0.5, 0.999)),
    )
    batches = _batches(np.random.default_rng([seed, 0]))
    moments = []
    for _ in range(PICTURES):
        if trainer.fit(batches, steps=max(1, steps // PICTURES), progress=False).status == "interrupted":
            raise WganxError("interrupted: the demonstration has no figure to show")
        samples = trainer.sample(DRAWN)
        moments.append(_Moment(trainer.step, samples, covered(samples)))
    return moments


def covered(samples: Tensor) -> int:
    """Modes of the ring that the samples cover, as the metric `modes` counts them."""
    angles = torch.arange(MODES) * (2 * torch.pi / MODES)
    centres = 2.0 * torch.stack([angles.cos(), angles.sin()], dim=1)
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    held = torch.bincount(nearest[distance <= NEAR * SIGMA], minlength=MODES)
    return int((held >= COVERED_SHARE * len(samples) / MODES).sum())


class _Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = _perceptron(2, 1, nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.layers(x)
        return scores.squeeze(1)


def _perceptron(inputs: int, outputs: int, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, WIDTH), activation, nn.Linear(WIDTH, WIDTH), activation, nn.Linear(WIDTH, outputs)
    )


def _points(rng: np.random.Generator, count: int) -> Tensor:
    return torch.from_numpy(draw(RingConfig(count=count, modes=MODES, sigma=SIGMA), rng).points).float()


def _batches(rng: np.random.Generator) -> Iterator[Tensor]:
    while True:
        yield _points(rng, BATCH)


def _draw(trainings: Mapping[str, Sequence[_Moment]], heldout: Tensor) -> Figure:
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(1.95 * PICTURES, 4.7))
        for row, (title, moments), colour in zip(
            figure.subplots(2, PICTURES), trainings.items(), (ORANGE, BLUE), strict=True
        ):
            for axes, moment in zip(row, moments):
                _cloud(axes, moment, heldout, colour)
            row[0].set_ylabel(title.replace(", ", "\n"), color=INK)
    return figure


def _cloud(axes: Axes, moment: _Moment, heldout: Tensor, colour: str) -> None:
    # Points as pixels within the SVG: thousands of circles would make a large file.
    axes.plot(*heldout.T.numpy(), ".", color=GREY, markersize=2, rasterized=True)
    axes.plot(*moment.samples[:COMPARED].T.numpy(), ".", color=colour, markersize=2, rasterized=True)
    plane(axes, 2.9)
    axes.set_title(f"step {moment.step}: {moment.modes} modes")
