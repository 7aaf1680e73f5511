"""Networks as tensors, to a checkpoint and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from wganx.engine.checkpoint import Weights
from wganx.errors import CheckpointError


def tensors_of(what: str, network: nn.Module) -> dict[str, Tensor]:
    """The parameters and buffers of `network`.

    Raises:
        CheckpointError: it keeps state that is no tensor.
    """
    state = network.state_dict()
    if strange := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise CheckpointError(
            f"the {what} keeps {', '.join(strange)} outside of tensors, and checkpoints hold tensors only; "
            "register it as a buffer, or leave it out of get_extra_state"
        )
    return state


def load_tensors(what: str, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `tensors_of` gave.

    Raises:
        CheckpointError: the network differs in its parts or shapes.
    """
    own = network.state_dict()
    missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    differing = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own.keys() & tensors.keys()
        if own[name].shape != tensors[name].shape
    ]
    if missing or unknown or differing:
        words = [
            *(f"{name} is missing" for name in missing),
            *(f"{name} is not part of the network" for name in unknown),
            *sorted(differing),
        ]
        more = f", and {len(words) - 4} more" if len(words) > 4 else ""
        raise CheckpointError(f"the checkpoint does not fit the {what}: {', '.join(words[:4])}{more}")
    network.load_state_dict(dict(tensors))


def load_average(generator: nn.Module, weights: Weights) -> nn.Module:
    """`generator`, built as the one under training was, becomes the averaged one of a checkpoint, ready to draw from.

    Raises:
        CheckpointError: it is not the one that the checkpoint was made from.
    """
    load_tensors("generator", generator, weights.average)
    if callable(turn := getattr(generator, "at", None)):
        turn(last_step(weights.facts.get("step", 0)))
    return generator.requires_grad_(False).eval()


def last_step(done: int) -> int:
    """Number of the step that made the networks what they are after `done` steps."""
    return max(done - 1, 0)


def join(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors by ``part/name``."""
    return {f"{part}/{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors that `join` was given as part `name`."""
    return {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}


def check_helpers(weights: Mapping[str, Any], known: Mapping[str, nn.Module]) -> None:
    """
    Raises:
        CheckpointError: `weights` hold a helper that is not among the `known`.
    """
    held = {key.split("/")[1] for key in weights if key.startswith("helper/")}
    if lost := sorted(held - known.keys()):
        raise CheckpointError(f"the checkpoint holds the helper {lost[0]!r}, which this training lacks; give helpers")
