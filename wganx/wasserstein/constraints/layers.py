"""What constraints that own the critic's layers have to know about layers."""

from __future__ import annotations

from torch import nn
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.spectral_norm import SpectralNorm as OldSpectralNorm

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

_OF_NORM_ONE = (parametrizations._SpectralNorm, parametrizations._Orthogonal, BjorckOrthogonal)


def is_normalised(layer: nn.Module) -> bool:
    """Whether a weight of `layer` is divided by its spectral norm, or orthonormal, already."""
    if any(isinstance(hook, OldSpectralNorm) for hook in layer._forward_pre_hooks.values()):
        return True
    if not parametrize.is_parametrized(layer):
        return False
    made = layer.get_submodule("parametrizations").modules()
    return any(isinstance(step, _OF_NORM_ONE) for step in made)
