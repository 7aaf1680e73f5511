"""The networks that take part in a training beside each other: both players, and those that help them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Helper:
    """A network that helps: a domain classifier, a content encoder, a perceptual network.

    The engine places it, seeds its layers' draws, and saves and resumes it with the players.

    Attributes:
        module: the network.
        learns_with: the player in whose updates it learns, from that player's losses, under its optimizer; None for a
            frozen one, which is in evaluation mode and gets no gradient.
    """

    module: nn.Module
    learns_with: Literal["generator", "critic"] | None = None


@dataclass(frozen=True, slots=True)
class Networks:
    """What the losses of a game may call.

    Attributes:
        generator: ``generator(noise, **context)``, as the engine calls it.
        critic: ``critic(x, **condition)``; in a generator's update only gradients pass through it. Where the objective
            trains none, it returns samples as rows ``(N, d)``.
        helpers: the game's helpers by name, on the training's device.
    """

    generator: nn.Module
    critic: nn.Module
    helpers: Mapping[str, nn.Module] = field(default_factory=dict)
