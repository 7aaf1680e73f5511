"""How labels, numbers and texts reach the networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from wganx import BuildContext, ConfigError, SampleFormat
from wganx.nn import ByName
from wganx_audio.networks.content import ContentEncoder


def refuse_other_inputs(context: BuildContext, network: str) -> None:
    """Complain of inputs that are neither labels nor numbers nor texts.

    Raises:
        ConfigError: there is such an input.
    """
    known = [name for name, format in context.inputs.items() if format.is_label or format.is_number or format.is_text]
    if others := sorted(set(context.inputs) - set(known)):
        raise ConfigError(
            f"the {network} takes labels, numbers and texts, and this task gives it {', '.join(others)}; "
            "it is made for task.name=generate"
        )


def noise_length(context: BuildContext, network: str) -> int:
    """Length of the noise vector.

    Raises:
        ConfigError: there is no noise, or it is no vector.
    """
    if len(context.noise) != 1:
        given = f"not noise of the shape {context.noise}" if context.noise else "and has none here"
        raise ConfigError(f"the {network} makes samples of a vector of noise, {given}: set generator.noise to a number")
    return context.noise[0]


class Conditions(nn.Module):
    """Everything that is chosen of a sample as one vector: the sum of what each label, number and text becomes.

    A sum, so that a pair of labels that was never seen together is made of two that were. A text is read at
    `PLACES` places, each with its own share of the sum, so that its order counts.

    Attributes:
        width: length of the vector; 0 where nothing is chosen.

    Shapes:
        inputs by name, labels and numbers ``(N,)``, texts ``(N, length)`` -> ``(N, width)``.
    """

    PLACES = 8

    def __init__(self, inputs: Mapping[str, SampleFormat], width: int, embedding: int) -> None:
        super().__init__()
        self.width = width if inputs else 0
        self.labels = ByName(
            {name: nn.Embedding(len(format.classes), width) for name, format in inputs.items() if format.is_label}
        )
        self.numbers = ByName({name: nn.Linear(1, width) for name in inputs if inputs[name].is_number})
        self.texts = ByName(
            {name: ContentEncoder(format, embedding) for name, format in inputs.items() if format.is_text}
        )
        self.pools = ByName({name: nn.Linear(embedding * self.PLACES, width) for name in self.texts})

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        parts = [embed(inputs[name]) for name, embed in self.labels.items()]
        for name, scale in self.numbers.items():
            parts.append(scale(inputs[name][:, None].to(scale.weight)))
        for name, encode in self.texts.items():
            parts.append(self.pools[name](encode(inputs[name], self.PLACES).flatten(1)))
        return torch.stack(parts).sum(0)

    def over_time(self, inputs: Mapping[str, Tensor], places: int) -> Tensor | None:
        """The texts along time, ``(N, embedding, places)``; None without one."""
        parts = [encode(inputs[name], places) for name, encode in self.texts.items()]
        return torch.stack(parts).sum(0) if parts else None


class Film(nn.Module):
    """``y = normalise(x) * (1 + scale(c)) + shift(c)``, channel by channel, both linear in the conditions c.

    Perez et al. 2018, "FiLM: visual reasoning with a general conditioning layer". Both start at zero, so a new layer
    is `normalise` alone.

    Args:
        normalise: a norm without an affine part of its own, or the identity.

    Shapes:
        ``x (N, channels, *)``, ``conditions (N, width)`` -> as x.
    """

    def __init__(self, normalise: nn.Module, channels: int, width: int) -> None:
        super().__init__()
        self.normalise = normalise
        self.to_film = nn.Linear(width, 2 * channels)

    def reset(self) -> None:
        """Back to `normalise` alone."""
        nn.init.zeros_(self.to_film.weight)
        nn.init.zeros_(self.to_film.bias)

    def forward(self, x: Tensor, conditions: Tensor) -> Tensor:
        scale, shift = self.to_film(conditions).unflatten(1, (2, -1, *[1] * (x.ndim - 2))).unbind(1)
        return torch.addcmul(shift, 1 + scale, self.normalise(x))


class ConditionedNorm(nn.Module):
    """A norm that looks at conditions where there are some, and has its own scale and shift where there are none."""

    def __init__(self, kind: type[nn.BatchNorm1d] | type[nn.BatchNorm2d] | None, channels: int, width: int) -> None:
        super().__init__()
        plain = nn.Identity() if kind is None else kind(channels, affine=not width)
        self.norm = Film(plain, channels, width) if width else plain
        self.conditioned = bool(width)

    def forward(self, x: Tensor, conditions: Tensor | None) -> Tensor:
        return cast(Tensor, self.norm(x, conditions) if self.conditioned else self.norm(x))


class ConditionedHead(nn.Module):
    """From features to one score a row: ``score = w.h + b + <e(conditions), h>``.

    The inner product is how a critic takes account of what was chosen (Miyato & Koyama 2018, "cGANs with projection
    discriminator"); several labels add up. Each starts with about the length that w has, so that neither drowns the
    other.

    Shapes:
        ``h (N, features)``, inputs by name -> ``(N,)``, unbounded.
    """

    def __init__(self, features: int, inputs: Mapping[str, SampleFormat], embedding: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 1)
        self.conditions = Conditions(inputs, features, embedding)
        self.features = features

    def reset(self) -> None:
        """Draw the vectors of the labels anew."""
        for layer in (
            *self.conditions.labels.values(),
            *self.conditions.numbers.values(),
            *self.conditions.pools.values(),
        ):
            inputs = layer.in_features if isinstance(layer, nn.Linear) else 1
            nn.init.normal_(cast(Tensor, layer.weight), std=(3 * self.features * inputs) ** -0.5)

    def forward(self, h: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        score = cast(Tensor, self.linear(h)).squeeze(1)
        if not self.conditions.width:
            return score
        return cast(Tensor, score + (self.conditions(inputs) * h).sum(dim=1))


def start_over(network: nn.Module) -> None:
    """Give conditions the start they need, after the weights of all layers were drawn."""
    for module in network.modules():
        if isinstance(module, Film | ConditionedHead):
            module.reset()
