"""The optimizer of both players, and the schedule of its learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch.nn import Parameter

from wganx.options import check_options, option

Schedule = Literal["constant", "linear", "cosine"]

_FACTOR: dict[Schedule, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "linear": lambda progress: 1.0 - progress,
    "cosine": lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
}


@dataclass(frozen=True)
class Optimizer:
    """Adam or RMSprop with one learning-rate schedule for both players; a subclass builds another rule.

    The defaults are those of Gulrajani et al., 2017: Adam(1e-4, betas (0.0, 0.9)). `schedule` multiplies the rate by
    a factor of the share of training done, ``t`` in ``[0, 1)``: ``constant`` 1, ``linear`` ``1 - t``, ``cosine``
    ``(1 + cos πt) / 2``.

    Raises:
        ValueError: a name is unknown or a number out of its range.
    """

    name: Literal["adam", "rmsprop"] = option("adam", "the update rule")
    lr: float = option(1e-4, "learning rate", gt=0)
    critic_lr: float | None = option(None, "learning rate of the critic, where it differs", gt=0)
    betas: tuple[float, float] = option((0.0, 0.9), "memory of the gradient (RMSprop: momentum) and of its square")
    schedule: Schedule = option("constant", "how the learning rate falls over training")

    def __post_init__(self) -> None:
        check_options(self)
        # What a subclass goes by is the business of its own `build`.
        if type(self).build is Optimizer.build and self.name not in ("adam", "rmsprop"):
            raise ValueError(f"Optimizer: name must be 'adam' or 'rmsprop', got {self.name!r}")
        if self.schedule not in get_args(Schedule):
            raise ValueError(
                f"Optimizer: schedule must be one of {', '.join(get_args(Schedule))}, got {self.schedule!r}"
            )
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"Optimizer: betas must lie in [0, 1), got {self.betas}")

    def rate(self, role: Literal["generator", "critic"]) -> float:
        """Learning rate of a player before the schedule."""
        return self.critic_lr if role == "critic" and self.critic_lr is not None else self.lr

    def build(self, parameters: Iterable[Parameter], lr: float, capturable: bool = False) -> torch.optim.Optimizer:
        """The optimizer over `parameters`, fused where torch has a fused kernel.

        `capturable`: its step may be recorded, so the rate and the step count are tensors on the device.
        """
        parameters = list(parameters)
        rate = torch.tensor(lr, device=parameters[0].device) if capturable else lr
        if self.name == "rmsprop":
            return torch.optim.RMSprop(
                parameters, lr=rate, momentum=self.betas[0], alpha=self.betas[1], capturable=capturable
            )
        # Floats on purpose: torch refuses a mixed pair such as (0, 0.9).
        betas = (float(self.betas[0]), float(self.betas[1]))
        return torch.optim.Adam(parameters, lr=rate, betas=betas, fused=True, capturable=capturable)

    def factor(self, step: int, steps: int) -> float:
        """What the schedule multiplies the rate by in step number `step` of `steps`."""
        return _FACTOR[self.schedule](step / steps)
