"""Spectral normalisation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn.utils import parametrizations, parametrize

from wganx.errors import PreflightError
from wganx.options import option
from wganx.wasserstein.constraints.base import Constraint
from wganx.wasserstein.constraints.layers import (
    NORMS,
    WITH_A_MATRIX,
    has_old_weight_norm,
    is_made_elsewhere,
    is_normalised,
    of_what,
)


@dataclass(frozen=True)
class SpectralNorm(Constraint):
    """Every weight matrix is divided by an estimate of its largest singular value, ``W / σ(W)``.

    ``σ`` comes from power iteration and, for a convolution, belongs to the reshaped kernel, not to the operator.
    With (leaky) ReLU the critic loses gradient norm, so the reading falls short of W1. Layer and batch norms are taken
    as they are, and have no bound: with them the reading is none of W1. Miyato et al., "Spectral Normalization for
    Generative Adversarial Networks", 2018. Costs about half of a critic step with a penalty.

    Raises:
        PreflightError: the critic has no linear, convolution or embedding layer to normalise, or another one with
            weights, which would stay as they are.
    """

    name = "spectral-norm"
    reads_w1 = True
    owns = "weights"

    iterations: int = option(1, "power iterations in each forward pass", ge=1)

    def prepare(self, critic: nn.Module) -> None:
        layers = [(name, layer) for name, layer in critic.named_modules() if isinstance(layer, WITH_A_MATRIX)]
        if not layers:
            raise PreflightError(
                "constraint 'spectral-norm' finds no linear, convolution or embedding layer in the critic; "
                "choose another constraint, e.g. gradient-penalty"
            )
        for name, layer in critic.named_modules():
            if fault := _fault(layer):
                where = name or type(critic).__name__
                raise PreflightError(
                    f"constraint 'spectral-norm' cannot normalise the critic's layer {where!r}: {fault}, "
                    "or choose another constraint, e.g. gradient-penalty"
                )
        for _, layer in layers:
            if not is_normalised(layer):
                parametrizations.spectral_norm(layer, n_power_iterations=self.iterations)


def _fault(layer: nn.Module) -> str | None:
    """Why something of `layer` would go unnormalised, and the mend; None where nothing does."""
    kind = type(layer).__name__
    if isinstance(layer, (parametrize.ParametrizationList, *NORMS)):
        return None
    if has_old_weight_norm(layer):
        return "its weight is made by an old weight_norm; use torch.nn.utils.parametrizations.weight_norm, or remove it"
    if is_made_elsewhere(layer):
        return f"its weight is made of {of_what(layer)} by other means; take these off"
    if isinstance(layer, WITH_A_MATRIX):
        return None  # the norm is taken of what another parametrisation makes
    if own := [own for own, _ in layer.named_parameters(recurse=False)]:
        return f"{kind} has weights of its own ({', '.join(own[:4])}); build it of linear and convolution layers"
    return None
