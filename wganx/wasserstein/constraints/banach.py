"""Gradient penalty for distances other than the Euclidean one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from wganx.options import option
from wganx.wasserstein.constraints.base import Penalty, PenaltyTerms
from wganx.wasserstein.constraints.gradient_penalty import without_penalty_bias
from wganx.wasserstein.gradients import Critic, input_gradients, interpolate

# How much a Sobolev norm weighs the highest frequency of an axis beside the mean; fixed in the released code.
_FREQUENCY_WEIGHT = 5.0


@dataclass(frozen=True)
class Banach(Penalty):
    """Gradient penalty in the dual of a chosen norm: ``weight * gamma * E (‖∇f(x̂)‖* / gamma - 1)²``.

    The distance between samples is ``‖x - y‖ = ‖Λˢ(x - y)‖ₚ`` with p the `exponent` and s the `smoothness`; the
    gradient is measured in the dual norm ``‖g‖* = ‖Λ⁻ˢ g‖_q``, ``1/p + 1/q = 1``. Λ multiplies the Fourier transform
    by ``(1 + 5 |ξ|²)^½`` with ξ from 0 to 1 on every axis behind the channel, which is the first axis of a sample
    (the second of a video ``(T, C, H, W)``). p = 1, 2, ∞ weigh the sum, the energy and the largest value of a
    difference; s > 0 stresses edges, s < 0 the coarse shape. ``x̂`` as in `GradientPenalty`, which this is for the
    defaults.

    The reading is W1 for that distance, not for the Euclidean one, and `gamma` times as large; `correct` removes both
    gamma and the bias of the penalty. `gradient_norm` is reported in units of gamma.

    Adler, Lunz, "Banach Wasserstein GAN", 2018. Their loss is this one divided by gamma, which an Adam step does not
    notice. Their heuristics set gamma to the mean dual norm of the data and weight to its mean norm: `for_data`.
    Costs as `GradientPenalty`, and a Fourier transform there and back with smoothness.

    Raises:
        ValueError: smoothness is not 0 and samples have no axis behind the channel.
    """

    name = "banach"
    reads_w1 = True

    exponent: float = option(2.0, "p of the norm that measures distances between samples", ge=1)
    smoothness: float = option(0.0, "s of the Sobolev norm; above 0 stresses edges, below 0 coarse shape")
    gamma: float = option(1.0, "dual gradient norm that is asked for", gt=0)

    @classmethod
    def for_data(cls, real: Tensor, *, exponent: float = 2.0, smoothness: float = 0.0, **settings: Any) -> Self:
        """With `weight` and `gamma` from samples ``(N, ...)``: their mean norm and their mean dual norm."""
        norm = cls(exponent=exponent, smoothness=smoothness)
        weight, gamma = norm.norms(real).mean().item(), norm.dual_norms(real).mean().item()
        return cls(weight=weight, gamma=gamma, exponent=exponent, smoothness=smoothness, **settings)

    def norms(self, samples: Tensor) -> Tensor:
        """The norm of each sample, ``(N,)``: the distance to zero."""
        return _lp_norms(_sobolev(samples, self.smoothness), self.exponent)

    def dual_norms(self, gradients: Tensor) -> Tensor:
        """The dual norm of each gradient, ``(N,)``: the largest slope of a linear function along a step of norm 1."""
        p = self.exponent
        dual = math.inf if p == 1 else 1.0 if math.isinf(p) else p / (p - 1)
        return _lp_norms(_sobolev(gradients, -self.smoothness), dual)

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        gradients = input_gradients(critic, interpolate(real, fake, rng), condition)
        norms = self.dual_norms(gradients) / self.gamma
        return PenaltyTerms(self.weight * self.gamma * (norms - 1).square().mean(), norms.detach().mean())

    def correct(self, raw: float) -> float:
        """The reading divided by gamma, without the penalty's bias: `without_penalty_bias`."""
        return without_penalty_bias(raw / self.gamma, self.weight)


def _lp_norms(samples: Tensor, exponent: float) -> Tensor:
    values = samples.flatten(1)
    # Powers of small values vanish in fp32, so each row is scaled by its largest value first. A norm is homogeneous:
    # with the scale held fixed its gradient is the same.
    scale = values.detach().abs().amax(1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
    norms: Tensor = scale.squeeze(1) * torch.linalg.vector_norm(values / scale, exponent, dim=1)
    return norms


def _sobolev(samples: Tensor, smoothness: float) -> Tensor:
    """``Λ^smoothness`` of samples ``(N, channel, ...)``, real-valued and self-adjoint."""
    if smoothness == 0:
        return samples
    axes = list(range(2, samples.ndim)) if samples.ndim < 5 else [1, *range(3, samples.ndim)]
    if not axes:
        raise ValueError(
            "banach: smoothness needs samples with an axis behind the channel, "
            f"got shape {tuple(samples.shape[1:])}; set it to 0"
        )
    squares = samples.new_zeros([1] * samples.ndim)
    for axis in axes:
        frequencies = torch.fft.rfftfreq if axis == axes[-1] else torch.fft.fftfreq
        steps = 2 * frequencies(samples.shape[axis], dtype=samples.dtype, device=samples.device)
        squares = squares + steps.square().view([-1 if other == axis else 1 for other in range(samples.ndim)])
    factor = (1 + _FREQUENCY_WEIGHT * squares) ** (smoothness / 2)
    sizes = [samples.shape[axis] for axis in axes]
    filtered: Tensor = torch.fft.irfftn(torch.fft.rfftn(samples, dim=axes) * factor, s=sizes, dim=axes)
    return filtered
