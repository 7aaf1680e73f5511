"""Gradient penalty with a consistency term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from wganx.errors import PreflightError
from wganx.options import option
from wganx.wasserstein.constraints.base import PenaltyTerms
from wganx.wasserstein.constraints.gradient_penalty import GradientPenalty
from wganx.wasserstein.critic_features import last_inputs
from wganx.wasserstein.gradients import Critic

# The share of the features in the distance of the two passes; fixed in the paper.
_FEATURES = 0.1


@dataclass(frozen=True)
class Consistency(GradientPenalty):
    """`GradientPenalty` and a consistency term on the real samples:

    ``consistency * E max(0, (f' - f'')² + 0.1 mean (h' - h'')² - margin)``

    f' and f'' are scores of the same sample under two draws of the critic's dropout, h' and h'' what enters the
    critic's last layer in these passes. It bounds the slope around the real samples, which the points between real
    and fake samples seldom reach.

    Wei et al., "Improving the Improved Training of Wasserstein GANs: A Consistency Term and Its Dual Effect", 2018.
    Their released code for MNIST and CIFAR-10 has weight 10, consistency (λ₂) 2, margin (M') 0, squared distances
    (the mean over features) and dropout at rate 0.5 after every hidden layer (0.2, 0.5, 0.5 in the residual critic).

    The critic is a module with dropout layers; in `eval` mode the term is zero. Its last layer is the one with weights
    of its own that is called last on a tensor of numbers. Dropout draws from torch's global stream, not from `rng`.
    Costs a pass over twice the batch and the dropout more than `GradientPenalty`, about twice as much in all.

    Raises:
        PreflightError: the critic has no dropout layer.
    """

    name = "consistency"

    consistency: float = option(2.0, "factor of the consistency term", ge=0)
    margin: float = option(0.0, "distance of the two passes that costs nothing", ge=0)

    def prepare(self, critic: nn.Module) -> None:
        if not any(isinstance(module, _DropoutNd) and module.p > 0 for module in critic.modules()):
            raise PreflightError(
                f"constraint {self.name!r} finds no dropout layer in the critic, so its two passes would be one; "
                "put nn.Dropout(0.5) after the hidden layers (critic.dropout=0.5), or choose another constraint, "
                "e.g. gradient-penalty"
            )

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        penalty, gradient_norm = super().terms(critic, real, fake, condition, rng)
        return PenaltyTerms(penalty + self.consistency * self.inconsistency(critic, real, condition), gradient_norm)

    def inconsistency(self, critic: Critic, real: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
        """The unweighted consistency term, a scalar.

        Raises:
            ValueError: the critic is not a module, or none of its layers has weights.
        """
        if not isinstance(critic, nn.Module):
            raise ValueError(f"{self.name} needs a critic that is a module, got {type(critic).__name__}")
        # Dropout treats rows alone, so one pass over the batch twice is two passes over it.
        repeated = {name: torch.cat([rows] * 2) for name, rows in condition.items()}
        with last_inputs(critic) as inputs:
            scores = critic(torch.cat([real.detach()] * 2), **repeated)
        if not inputs:
            raise ValueError(f"{self.name} finds no layer with weights in the critic")
        scores, features = (_at_least_fp32(tensor) for tensor in (scores, inputs[-1].flatten(1)))
        apart = _squared_difference(scores) + _FEATURES * _squared_difference(features).mean(1)
        return (apart - self.margin).clamp_min(0).mean()


def _squared_difference(twice: Tensor) -> Tensor:
    first, second = twice.chunk(2)
    return (first - second).square()


def _at_least_fp32(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
