"""Spectral normalisation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn.utils import parametrizations, parametrize

from wganx.errors import PreflightError
from wganx.options import option
from wganx.wasserstein.constraints.base import Constraint

_NORMALISED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Embedding)


@dataclass(frozen=True)
class SpectralNorm(Constraint):
    """Every weight matrix is divided by an estimate of its largest singular value, ``W / σ(W)``.

    ``σ`` comes from power iteration and, for a convolution, belongs to the reshaped kernel, not to the operator.
    With (leaky) ReLU the critic loses gradient norm, so the reading falls short of W1. Miyato et al., "Spectral
    Normalization for Generative Adversarial Networks", 2018. Costs about half of a critic step with a penalty.

    Raises:
        PreflightError: the critic has no linear, convolution or embedding layer to normalise.
    """

    name = "spectral-norm"
    reads_w1 = True
    owns = "weights"

    iterations: int = option(1, "power iterations in each forward pass", ge=1)

    def prepare(self, critic: nn.Module) -> None:
        layers = [layer for layer in critic.modules() if isinstance(layer, _NORMALISED)]
        if not layers:
            raise PreflightError(
                "constraint 'spectral-norm' finds no linear, convolution or embedding layer in the critic; "
                "choose another constraint, e.g. gradient-penalty"
            )
        for layer in layers:
            if not parametrize.is_parametrized(layer, "weight"):
                parametrizations.spectral_norm(layer, n_power_iterations=self.iterations)
