"""Orthonormal layers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn.utils import parametrize

from wganx.errors import PreflightError
from wganx.nn import GroupSort, ProjectionHead
from wganx.nn._orthogonal import ITERATIONS, orthonormalise
from wganx.options import option
from wganx.wasserstein.constraints.base import Constraint
from wganx.wasserstein.constraints.layers import NORMS

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_STEEP = (nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.SELU, nn.PReLU)
_RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.RReLU, nn.ELU, nn.CELU, nn.Softplus, *_STEEP)


@dataclass(frozen=True)
class Orthogonal(Constraint):
    """Every linear and convolution layer is replaced by the nearest one that lengthens nothing, ReLUs by a sort.

    ``W -> W (Wᵀ W)^(-1/2)`` by Björck's iteration (`wganx.nn.BjorckOrthogonal`), a convolution by the bound on its
    operator, and (leaky) ReLU, ELU, SiLU, GELU and their like by `wganx.nn.GroupSort`, which keeps the length of a
    gradient. A chain of such layers is 1-Lipschitz whatever its weights, so the reading is a lower bound of W1 and has
    no bias to correct. What a critic's ``forward`` adds or multiplies by itself (residual branches, a sum over
    positions, an activation called as a function with slopes above 1) is not seen here: `lipschitz_estimate` shows
    it. Embeddings stay, as they depend on the condition and not on the sample. Anil, Lucas, Grosse, "Sorting out
    Lipschitz function approximation", 2019; convolutions by the bound of Tsuzuku, Sato, Sugiyama, "Lipschitz-margin
    training", 2018. Costs about three critic steps with a penalty for small networks, less beside large batches.

    Raises:
        PreflightError: the critic has no linear or convolution layer, or one that voids the bound.
    """

    name = "orthogonal"
    reads_w1 = True
    owns = "weights"

    iterations: int = option(ITERATIONS, "steps of the orthonormalisation in each forward pass", ge=1)
    group_sort: bool = option(True, "replace ReLU and its like by GroupSort, which needs even numbers of channels")

    def prepare(self, critic: nn.Module) -> None:
        layers = [(name, layer) for name, layer in critic.named_modules() if isinstance(layer, _LAYERS)]
        if not layers:
            raise PreflightError(
                "constraint 'orthogonal' finds no linear or convolution layer in the critic; "
                "choose another constraint, e.g. gradient-penalty"
            )
        for name, layer in critic.named_modules():
            if fault := self._fault(layer):
                raise PreflightError(
                    f"constraint 'orthogonal' cannot bound the critic's layer {name!r}: {fault}, "
                    "or choose another constraint, e.g. gradient-penalty"
                )
        for name, layer in layers:
            try:
                orthonormalise(layer, self.iterations)
            except ValueError as error:
                raise PreflightError(f"constraint 'orthogonal', layer {name!r} of the critic: {error}") from error
        if self.group_sort:
            # One module may stand in several places.
            for name, layer in list(critic.named_modules(remove_duplicate=False)):
                if isinstance(layer, _RECTIFIERS):
                    critic.set_submodule(name, GroupSort())

    def _fault(self, layer: nn.Module) -> str | None:
        """Why `layer` may lengthen what passes through it, and the mend; None where it does not."""
        kind = type(layer).__name__
        if isinstance(layer, NORMS):
            return f"{kind} divides by the spread of its input, without a bound; remove it"
        if isinstance(layer, ProjectionHead) and layer.embed is not None:
            return "its slope grows with the class vector; train without labels"
        if isinstance(layer, _RECTIFIERS):
            steep = isinstance(layer, _STEEP) and not self.group_sort
            return f"{kind} has slopes above 1; set constraint.group_sort=true" if steep else None
        if isinstance(layer, nn.modules.pooling._MaxPoolNd) and layer.kernel_size != layer.stride:
            return f"{kind} counts a value in several windows; make its stride its kernel size"
        if isinstance(layer, (nn.Upsample, nn.modules.pooling._LPPoolNd)):
            return f"{kind} repeats values; remove it"
        weightless = not any(True for _ in layer.parameters(recurse=False))
        if isinstance(layer, (*_LAYERS, nn.Embedding, parametrize.ParametrizationList)) or weightless:
            return None
        return f"{kind} has weights that are neither linear nor convolution; replace it"
