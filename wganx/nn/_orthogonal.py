"""Linear and convolution layers that lengthen nothing, and a perceptron made of them."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from wganx.nn._group_sort import GroupSort

ITERATIONS = 15
"""Enough for square random matrices of 64 rows; a well spread one needs fewer."""

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TINY = 1e-12
_Layer = TypeVar("_Layer", bound=nn.Module)


class BjorckOrthogonal(nn.Module):
    """Parametrisation: the matrix with orthonormal rows (columns, if it is tall) nearest to the weight.

    The iteration ``W <- 1.5 W - 0.5 W Wᵀ W`` drives every singular value to 1 (Björck & Bowie, "An iterative algorithm
    for computing the best estimate of an orthogonal matrix", 1971). It starts from ``W / ‖(W Wᵀ)²‖_F^(1/4)``, whose
    singular values are at most 1, and scales W by ``α = √(3 / (1 + l + l²))`` before each step, where l is what the
    least singular value of interest has grown to (Chen & Chow, "A stable scaling of Newton-Schulz for improving the
    sign function computation of a Hermitian matrix", 2014): small values grow 2.6-fold a step instead of 1.5-fold.
    A step maps ``[0, √3]`` into ``[0, 1]``, so after any number of steps no singular value exceeds 1 beyond rounding.

    With k steps singular values above ``32 / 2.6^k`` of the largest (2e-5 for 15) reach 1 to 1e-5; smaller ones stay
    below 1. No state is kept, autocast is held off, and the derivative is that of the steps themselves. Costs two
    products of the matrix with its own Gram matrix a step; a single row is divided by its length instead.

    Args:
        iterations: steps.
        groups: equal parts of axis 0 that are matrices of their own, as in a grouped convolution.
        divisor: what the result is divided by, see `convolution_factor`.

    Shapes:
        ``weight (out, *)`` -> the same; all axes but the first make a row.
    """

    def __init__(self, iterations: int = ITERATIONS, *, groups: int = 1, divisor: float = 1.0) -> None:
        super().__init__()
        self.groups, self.divisor = groups, divisor
        self.scales: list[float] = []
        least = min(1.0, 32 * 1.5**-iterations * math.sqrt(3) ** -iterations)
        for _ in range(iterations):
            scale = math.sqrt(3 / (1 + least + least**2))
            least = 1.5 * scale * least - 0.5 * (scale * least) ** 3
            self.scales.append(scale)

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            if self.groups > 1:
                matrix = matrix.reshape(self.groups, -1, matrix.shape[1])
            tall = matrix.shape[-2] > matrix.shape[-1]
            matrix = self._orthonormal(matrix.mT if tall else matrix)
            return (matrix.mT if tall else matrix).reshape(weight.shape) / self.divisor

    def _orthonormal(self, matrix: Tensor) -> Tensor:
        # Squares of squares below would underflow for small weights; the length of a row is all there is to one row.
        matrix = matrix / torch.linalg.matrix_norm(matrix, keepdim=True).clamp_min(_TINY)
        if matrix.shape[-2] == 1:
            return matrix
        add_product = torch.addmm if matrix.ndim == 2 else torch.baddbmm
        gram = matrix @ matrix.mT
        bound = torch.linalg.matrix_norm(gram @ gram, keepdim=True).sqrt().sqrt()
        matrix = matrix / bound.clamp_min(_TINY)
        for scale in self.scales:
            gram = matrix @ matrix.mT
            matrix = add_product(matrix, gram, matrix, beta=1.5 * scale, alpha=-0.5 * scale**3)
        return matrix

    def extra_repr(self) -> str:
        return f"iterations={len(self.scales)}, groups={self.groups}, divisor={self.divisor:g}"


def convolution_factor(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> float:
    """How much longer a zero-padded convolution can make its input than its reshaped kernel ``(out, in * k)`` can.

    Each output is the kernel times a patch, and an input element lies in at most ``∏ ceil(k * gcd(s, d) / s)`` patches
    (kernel k, stride s, dilation d along each axis), so the factor is the root of that number.

    Raises:
        ValueError: another padding than zeros, which repeats elements.
    """
    if layer.padding_mode != "zeros":
        raise ValueError(
            f"no bound is known for a convolution with padding_mode={layer.padding_mode!r}; use padding_mode='zeros'"
        )
    patches = (
        math.ceil(kernel * math.gcd(stride, dilation) / stride)
        for kernel, stride, dilation in zip(layer.kernel_size, layer.stride, layer.dilation)
    )
    return math.sqrt(math.prod(patches))


def orthonormalise(layer: _Layer, iterations: int = ITERATIONS) -> _Layer:
    """Put `BjorckOrthogonal` on the weight of a linear or convolution layer, which becomes 1-Lipschitz; returns it.

    A kernel is divided by its `convolution_factor`, so that the norm of the operator, not of the reshaped kernel, is
    at most 1. A layer that is orthonormal already is left as it is.

    Raises:
        ValueError: another kind of layer, or a convolution without a known bound.
    """
    if is_orthonormal(layer):
        return layer
    if isinstance(layer, nn.Linear):
        orthogonal = BjorckOrthogonal(iterations)
    elif isinstance(layer, _CONVOLUTIONS):
        orthogonal = BjorckOrthogonal(iterations, groups=layer.groups, divisor=convolution_factor(layer))
    else:
        raise ValueError(f"only linear and convolution layers can be orthonormal, got {type(layer).__name__}")
    parametrize.register_parametrization(layer, "weight", orthogonal)
    return layer


def is_orthonormal(layer: nn.Module) -> bool:
    """Whether `orthonormalise` was called on the layer."""
    return parametrize.is_parametrized(layer, "weight") and any(
        isinstance(part, BjorckOrthogonal) for part in layer.get_submodule("parametrizations.weight").children()
    )


class LipschitzMLP(nn.Sequential):
    """A critic ``(N, ...) -> (N,)`` with ``|f(a) - f(b)| <= ‖a - b‖`` for all a and b, whatever its weights.

    `depth` hidden layers of `width` units: orthonormal linear layers (`BjorckOrthogonal`) with `GroupSort` between
    them. From the first hidden layer on gradients keep their length, so the slope is 1 almost everywhere where the
    sample has at least `width` numbers, and can be learnt to be 1 where it has fewer. Universal among 1-Lipschitz
    functions (Anil, Lucas, Grosse, "Sorting out Lipschitz function approximation", 2019).

    Weights start orthonormal and stay well spread, so 10 steps bring singular values above 0.002 of the largest to 1.
    Every call takes them again, about 1 ms a square layer of 64 with its backward pass on one CPU core, whatever the
    batch: score real and fake samples in one batch, or inside ``torch.nn.utils.parametrize.cached()``.

    Args:
        dim: numbers in a sample, the product of all axes but the first.
        width: units of a hidden layer, a multiple of `group`.
        depth: hidden layers.
        group: channels that are sorted together.

    Raises:
        ValueError: a size below 1, or a width that is no multiple of `group`.
    """

    def __init__(self, dim: int, width: int = 64, depth: int = 3, group: int = 2) -> None:
        if min(dim, width, depth) < 1:
            raise ValueError(f"dim, width and depth must be at least 1, got {dim}, {width} and {depth}")
        if width % group:
            raise ValueError(f"width must be a multiple of group={group}, got {width}")
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs in (dim, *[width] * (depth - 1)):
            layers += [_orthonormal_linear(inputs, width), GroupSort(group)]
        super().__init__(*layers, _orthonormal_linear(width, 1), nn.Flatten(0))


def _orthonormal_linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight)
    return orthonormalise(layer, iterations=10)
