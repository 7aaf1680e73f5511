"""A critic for a reading: its form, its constraint, its training."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from wganx.devices import forked_streams
from wganx.wasserstein.constraints import ByConstruction, Constraint, WeightClipping
from wganx.wasserstein.estimation.critics import OrthonormalCritic, curved_perceptron, perceptron
from wganx.wasserstein.estimation.duals import CTransformDual, Dual, OrthonormalDual
from wganx.wasserstein.estimation.split import Split
from wganx.wasserstein.estimation.training import Course, train

_DEPTH = 3


@dataclass(frozen=True)
class Settings:
    """What to spend: updates, samples of each side an update, units of a layer; and the seed of all that is random."""

    steps: int
    batch_size: int
    width: int
    seed: int

    def __post_init__(self) -> None:
        for name, value, least in (
            ("steps", self.steps, 1),
            ("batch_size", self.batch_size, 1),
            ("width", self.width, 2),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if self.width % 2:
            raise ValueError(f"width must be even, as units are used in pairs; got {self.width}")


def learn(samples: Split, method: str, constraint: Constraint, settings: Settings) -> Dual:
    """Train the critic of `method` on `samples`."""
    place = samples.train.x.device
    with forked_streams(place):
        torch.manual_seed(settings.seed)
        dual, course = _prepare(samples, method, constraint, settings)
        train(dual, samples, course, torch.Generator(place).manual_seed(settings.seed))
    return dual


def learn_orthonormal(samples: Split, settings: Settings) -> OrthonormalDual:
    """Train the critic that is 1-Lipschitz by construction."""
    place = samples.train.x.device
    with forked_streams(place):
        torch.manual_seed(settings.seed)
        critic = OrthonormalCritic(samples.dim, settings.width, _DEPTH).to(place)
        dual = OrthonormalDual(critic, ByConstruction())
        course = Course(settings.steps, settings.batch_size, 1e-3)
        train(dual, samples, course, torch.Generator(place).manual_seed(settings.seed))
    return dual


def _prepare(samples: Split, method: str, constraint: Constraint, settings: Settings) -> tuple[Dual, Course]:
    examples = samples.train.x[:500]
    if constraint.owns == "weights":
        # Spectral norm with leaky ReLU, and clipping with RMSprop, are what their authors trained with.
        critic = perceptron(examples, settings.width, _DEPTH, slope=0.2)
        if isinstance(constraint, WeightClipping):
            return Dual(critic, constraint), Course(settings.steps, settings.batch_size, 5e-5, rmsprop=True)
        return Dual(critic, constraint), Course(settings.steps, settings.batch_size, 5e-3)
    critic = curved_perceptron(examples, settings.width, _DEPTH)
    dual = CTransformDual if method == "c-transform" else Dual
    return dual(critic, constraint), Course(settings.steps, settings.batch_size, 1e-3)
