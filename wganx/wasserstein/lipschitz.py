"""How steep a critic is: what was seen at samples, and what its layers allow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wganx.devices import wide
from wganx.nn import GroupSort
from wganx.nn._orthogonal import convolution_factor
from wganx.wasserstein.gradients import Critic, gradient_norms, interpolate
from wganx.wasserstein.samples import Samples, as_tensor, refuse_gradient

_CHUNK = 1024
"""Rows that are differentiated at once, and points among which all pairs are looked at."""

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_GENTLE = (
    nn.Identity, nn.Flatten, nn.Unflatten, GroupSort, nn.ReLU, nn.ReLU6, nn.Softplus, nn.Softsign, nn.Tanh,
    nn.Sigmoid, nn.Hardtanh, nn.LogSigmoid, nn.CELU,
)  # fmt: skip


@dataclass(frozen=True)
class LipschitzEstimate:
    """Bounds of a critic's Lipschitz constant for the Euclidean norm.

    Attributes:
        gradients: the largest gradient norm at samples and points between them; a lower bound.
        pairs: the largest ``|f(a) - f(b)| / ‖a - b‖`` over pairs of samples; a lower bound.
        layers: the product of the layers' operator norms, an upper bound; None where the layers are not known.
    """

    gradients: float
    pairs: float
    layers: float | None

    @property
    def value(self) -> float:
        """The larger of the lower bounds: the constant is at least this."""
        return max(self.gradients, self.pairs)

    def __float__(self) -> float:
        return self.value


def lipschitz_estimate(
    critic: Critic,
    x: Samples,
    y: Samples | None = None,
    *,
    condition: Mapping[str, Tensor] | None = None,
    seed: int = 0,
) -> LipschitzEstimate:
    """How steep `critic` is around the samples `x` and `y`, seen from below and from above.

    The constant itself cannot be computed (Virmaux & Scaman, "Lipschitz regularity of deep neural networks", 2018).
    From below it is sampled; from above `layers` multiplies the layers' norms, where the critic is an
    ``nn.Sequential`` of linear and convolution layers, flattening, `wganx.nn.GroupSort` and activations of slope at
    most 1. A module is evaluated in eval mode and left as it was; float32 scores limit the bounds from below to about
    four digits.

    Args:
        critic: a module or a function, ``critic(x (N, ...), **condition) -> (N,)``.
        x, y: samples ``(N, ...)`` and ``(M, ...)``. Arrays, lists and integers, which nothing can be differentiated
            for, are handed to the critic in its own type. Without `y` points between the samples of `x` are looked at.
        condition: what the critic sees beside each row, ``(N, ...)`` each; row i of `y` then shares that of row i of
            `x`, and pairs are formed within a row only.
        seed: of the points between, and of the up to 1024 samples among which all pairs are compared.

    Raises:
        ValueError: samples that are no real numbers, of different shapes, or fewer than two; a condition with another
            number of rows.
    """
    condition = dict(condition or {})
    refuse_gradient("lipschitz_estimate", x, y, instead="gradient_norms")
    x, y = _differentiable(critic, x), None if y is None else _differentiable(critic, y)
    _check(x, y, condition)
    rng = torch.Generator(x.device).manual_seed(seed)
    with _evaluating(critic):
        if condition:
            partner = x.roll(1, 0) if y is None else y
            pairs = _slopes_of_rows(critic, x, partner, condition)
        else:
            partner = (x if y is None else y)[_draw(len(x), len(x) if y is None else len(y), rng)]
            pairs = _slopes_of_pairs(critic, x if y is None else torch.cat((x, y)), rng)
        places = [x, interpolate(x, partner, rng), *([] if y is None else [y])]
        gradients = max(_steepest(critic, points, condition) for points in places)
        layers = _operator_norm(critic) if isinstance(critic, nn.Module) else None
    return LipschitzEstimate(gradients, pairs, layers)


def _differentiable(critic: Critic, given: Samples) -> Tensor:
    samples = as_tensor(given)
    if isinstance(given, Tensor) and samples.is_floating_point():
        return given.detach()
    weights = critic.parameters() if isinstance(critic, nn.Module) else iter(())
    own = next((weight for weight in weights if weight.is_floating_point()), torch.empty(0))
    return samples.to(own.device, own.dtype)


def _check(x: Tensor, y: Tensor | None, condition: Mapping[str, Tensor]) -> None:
    if y is not None and x.shape[1:] != y.shape[1:]:
        raise ValueError(f"x and y hold samples of different shapes, {tuple(x.shape[1:])} and {tuple(y.shape[1:])}")
    if len(x) + (0 if y is None else len(y)) < 2 or len(x) == 0:
        raise ValueError("a slope needs at least two samples")
    rows = {"y": y, **condition} if condition else {}
    for name, tensor in rows.items():
        if tensor is not None and len(tensor) != len(x):
            raise ValueError(f"{name} has {len(tensor)} rows for {len(x)} samples; give one a sample")


def _draw(count: int, among: int, rng: torch.Generator) -> Tensor:
    return torch.randint(among, (count,), generator=rng, device=rng.device)


def _steepest(critic: Critic, points: Tensor, condition: Mapping[str, Tensor]) -> float:
    steepest = 0.0
    with torch.enable_grad():
        for start in range(0, len(points), _CHUNK):
            rows = slice(start, start + _CHUNK)
            part = {name: tensor[rows] for name, tensor in condition.items()}
            steepest = max(steepest, gradient_norms(critic, points[rows], part).max().item())
    return steepest


@torch.no_grad()
def _slopes_of_pairs(critic: Critic, points: Tensor, rng: torch.Generator) -> float:
    points = points[torch.randperm(len(points), generator=rng, device=rng.device)[:_CHUNK]]
    scores = wide(critic(points))
    flat = wide(points.flatten(1))
    distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    return _steepest_slope((scores[:, None] - scores).abs(), distances, points.dtype)


@torch.no_grad()
def _slopes_of_rows(critic: Critic, a: Tensor, b: Tensor, condition: Mapping[str, Tensor]) -> float:
    rises = (wide(critic(a, **condition)) - wide(critic(b, **condition))).abs()
    return _steepest_slope(rises, torch.linalg.vector_norm(wide((a - b).flatten(1)), dim=1), a.dtype)


def _steepest_slope(rises: Tensor, distances: Tensor, dtype: torch.dtype) -> float:
    # Between points that nearly coincide the scores differ by rounding, not by slope.
    apart = distances > math.sqrt(torch.finfo(dtype).eps) * distances.max()
    return (rises[apart] / distances[apart]).max().item() if apart.any() else 0.0


@contextmanager
def _evaluating(critic: Critic) -> Iterator[None]:
    """Every part of a module in eval mode, so that dropout is off and a spectral norm's estimate stays as it is."""
    modes = {part: part.training for part in critic.modules()} if isinstance(critic, nn.Module) else {}
    for part in modes:
        part.training = False
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


@torch.no_grad()
def _operator_norm(layer: nn.Module) -> float | None:
    """An upper bound of the Lipschitz constant of a layer or a chain of layers; None where none is known."""
    if isinstance(layer, nn.Sequential):
        if type(layer).forward is not nn.Sequential.forward:
            return None
        norms = [_operator_norm(part) for part in layer]
        return None if None in norms else math.prod(norm for norm in norms if norm is not None)
    if isinstance(layer, nn.Linear):
        return _largest_singular_value(layer.weight)
    if isinstance(layer, _CONVOLUTIONS):
        if layer.padding_mode != "zeros":
            return None
        kernels = layer.weight.reshape(layer.groups, layer.out_channels // layer.groups, -1)
        return _largest_singular_value(kernels) * convolution_factor(layer)
    if isinstance(layer, (nn.LeakyReLU, nn.ELU)):
        return max(1.0, abs(layer.negative_slope if isinstance(layer, nn.LeakyReLU) else layer.alpha))
    return 1.0 if isinstance(layer, _GENTLE) or (isinstance(layer, nn.Dropout) and not layer.training) else None


def _largest_singular_value(matrices: Tensor) -> float:
    return float(torch.linalg.matrix_norm(wide(matrices), 2).max())
