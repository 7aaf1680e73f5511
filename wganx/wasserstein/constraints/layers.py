"""What constraints that own the critic's layers have to know about layers."""

from __future__ import annotations

from torch import nn
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.spectral_norm import SpectralNorm as OldSpectralNorm
from torch.nn.utils.weight_norm import WeightNorm as OldWeightNorm

from wganx.nn import BjorckOrthogonal

NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.LocalResponseNorm,
    nn.CrossMapLRN2d,
)
"""Layers that divide by the spread of their input, which has no bound."""

WITH_A_MATRIX = (
    nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
    nn.Embedding,
)  # fmt: skip
"""Layers whose weight is a matrix, or a kernel that can be taken for one."""

_OF_NORM_ONE = (parametrizations._SpectralNorm, parametrizations._Orthogonal, BjorckOrthogonal)


def is_normalised(layer: nn.Module) -> bool:
    """Whether a weight of `layer` is divided by its spectral norm, or orthonormal, already."""
    if any(isinstance(hook, OldSpectralNorm) for hook in layer._forward_pre_hooks.values()):
        return True
    if not parametrize.is_parametrized(layer):
        return False
    made = layer.get_submodule("parametrizations").modules()
    return any(isinstance(step, _OF_NORM_ONE) for step in made)


def has_old_weight_norm(layer: nn.Module) -> bool:
    """Whether ``torch.nn.utils.weight_norm`` makes the weight of `layer`."""
    return any(isinstance(hook, OldWeightNorm) for hook in layer._forward_pre_hooks.values())


def is_made_elsewhere(layer: nn.Module) -> bool:
    """Whether the weight of a layer that has one is computed from others by means that torch does not know of."""
    return (
        isinstance(layer, WITH_A_MATRIX)
        and not isinstance(layer._parameters.get("weight"), nn.Parameter)
        and not parametrize.is_parametrized(layer, "weight")
        and not is_normalised(layer)
        and not has_old_weight_norm(layer)
    )


def of_what(layer: nn.Module) -> str:
    """Names of what a layer's weight that `is_made_elsewhere` is computed from, as far as they lie in it."""
    return ", ".join(name for name, _ in layer.named_parameters(recurse=False) if name != "bias") or "others"
