"""The training of one critic for one reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.estimation.duals import Dual
from wganx.wasserstein.estimation.split import Pair, Split

_CONSTANT = 0.3
"""Share of the steps with the full learning rate; it then falls to zero in a straight line."""

_LOOKS = 20
_MOST_ROWS = 4000


@dataclass(frozen=True)
class Course:
    """How a critic learns: updates, samples of each side an update, the optimizer and its rate."""

    steps: int
    batch: int
    learning_rate: float
    rmsprop: bool = False

    def optimizer(self, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """RMSprop, or Adam with betas (0.5, 0.99)."""
        if self.rmsprop:
            return torch.optim.RMSprop(parameters, lr=self.learning_rate)
        return torch.optim.Adam(parameters, lr=self.learning_rate, betas=(0.5, 0.99))


def train(dual: Dual, samples: Split, course: Course, rng: torch.Generator) -> None:
    """Make `dual` read as much as it can on the training part; leaves the critic in eval mode.

    Twenty times on the way the critic is looked at on samples of its own for that; the one that did best there is
    kept. With many samples that is the last one. With few, later ones know the training samples by heart.
    """
    optimizer = course.optimizer([p for p in dual.critic.parameters() if p.requires_grad])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (1 - step / course.steps) / (1 - _CONSTANT))
    )
    size = min(course.batch, len(samples.train.x), len(samples.train.y))
    rows = min(len(samples.choose.x), len(samples.choose.y), _MOST_ROWS)
    judges = Pair(samples.choose.x[:rows], samples.choose.y[:rows])
    best, kept = -torch.inf, _state(dual)
    dual.critic.train()
    for step in range(course.steps):
        optimizer.zero_grad(set_to_none=True)
        loss = -dual.gain(samples.train.batch(size, rng), dual.constraint.due(step), rng)
        torch.autograd.backward(loss)
        dual.before_step()
        optimizer.step()
        dual.after_step()
        schedule.step()
        if (step + 1) * _LOOKS // course.steps > step * _LOOKS // course.steps:
            merit = _merit(dual, judges)
            if merit > best:
                best, kept = merit, _state(dual)
    dual.critic.load_state_dict(kept)
    dual.critic.eval()


def _merit(dual: Dual, judges: Pair) -> float:
    """The gain on samples that nothing was trained on, with every penalty, at the same points each time."""
    dual.critic.eval()
    rng = torch.Generator(judges.x.device).manual_seed(0)
    every = [(1.0, penalty) for _, penalty in dual.constraint.due(0)]
    merit = float(dual.gain(judges, every, rng).detach())
    dual.critic.train()
    return merit


def _state(dual: Dual) -> Mapping[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in dual.critic.state_dict().items()}
