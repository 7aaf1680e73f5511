"""The perceptrons: a generator and a critic that take any further inputs by concatenation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx import BuildContext, PreflightError, SampleFormat
from wganx_points.configs import MlpConfig, MlpCriticConfig, MlpGeneratorConfig


class MlpGenerator(nn.Module):
    """``(noise (N, Z), **inputs) -> (N, *sample.shape)``; the last layer is linear, as points are unbounded.

    With `residual` the output is that input plus a displacement, which starts at zero: the identity map.

    Raises:
        PreflightError: nothing to generate from, or `residual` names no input of the sample's shape.
    """

    def __init__(self, config: MlpGeneratorConfig, context: BuildContext) -> None:
        super().__init__()
        self.formats = context.inputs
        self.sample_shape = context.sample.sizes
        self.residual = config.residual
        features = math.prod(context.noise) * bool(context.noise) + _width(self.formats)
        if features == 0:
            raise PreflightError("the generator has no noise and no input: set generator.noise to at least 1")
        self.layers = _perceptron(features, config, context.sample.size, nn.ReLU())
        if self.residual is not None:
            source = self.formats.get(self.residual)
            if source is None or source.shape != self.sample_shape:
                fitting = [name for name, format in self.formats.items() if format.shape == self.sample_shape]
                raise PreflightError(
                    f"generator.residual={self.residual!r} names no input of shape {self.sample_shape}; "
                    f"inputs of that shape: {', '.join(fitting) or 'none, so leave residual out'}"
                )
            last = self.layers[-1]
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, noise_NZ: Tensor | None = None, **inputs: Tensor) -> Tensor:
        parts = _encode(self.formats, inputs)
        made: Tensor = self.layers(torch.cat(parts if noise_NZ is None else [noise_NZ.flatten(1), *parts], dim=1))
        made = made.reshape(-1, *self.sample_shape)
        return made if self.residual is None else inputs[self.residual] + made


class MlpCritic(nn.Module):
    """``(x (N, *sample.shape), **inputs) -> (N,)``."""

    def __init__(self, config: MlpCriticConfig, context: BuildContext) -> None:
        super().__init__()
        self.formats = context.inputs
        features = context.sample.size + _width(self.formats)
        self.layers = _perceptron(features, config, 1, nn.LeakyReLU(0.2), config.dropout)

    def forward(self, x: Tensor, **inputs: Tensor) -> Tensor:
        scores: Tensor = self.layers(torch.cat([x.flatten(1), *_encode(self.formats, inputs)], dim=1))
        return scores.squeeze(1)


def _perceptron(
    features: int, config: MlpConfig, outputs: int, activation: nn.Module, dropout: float = 0.0
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in [config.width] * config.depth:
        layers += [nn.Linear(features, width), activation, *([nn.Dropout(dropout)] if dropout else [])]
        features = width
    return nn.Sequential(*layers, nn.Linear(features, outputs))


def _width(formats: Mapping[str, SampleFormat]) -> int:
    return sum(len(format.classes) if format.is_label else format.size for format in formats.values())


def _encode(formats: Mapping[str, SampleFormat], inputs: Mapping[str, Tensor]) -> list[Tensor]:
    """Every input as ``(N, features)``: class indices one-hot, everything else flattened."""
    return [
        # Not one_hot: on a CPU it looks at the labels, and a step must not wait for values.
        (inputs[name][:, None] == torch.arange(len(format.classes), device=inputs[name].device)).to(
            torch.get_default_dtype()
        )
        if format.is_label
        else inputs[name].flatten(1)
        for name, format in formats.items()
    ]
