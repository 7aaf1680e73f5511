"""Helper networks, brought into place beside the players."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from wganx.engine.device import place
from wganx.engine.steps.player import Role
from wganx.errors import PreflightError, UsageError
from wganx.networks import Helper


def arrange_helpers(
    helpers: Mapping[str, Helper], generator: nn.Module, critic: nn.Module, device: torch.device
) -> dict[Role, dict[str, nn.Module]]:
    """Move every helper to the device and freeze those that do not learn; returns by role those that do.

    Raises:
        UsageError: a name that cannot stand in a checkpoint, or a helper that learns with nobody known.
        PreflightError: a helper shares weights with a player it does not learn with, so that both would move them.
    """
    learning: dict[Role, dict[str, nn.Module]] = {"generator": {}, "critic": {}}
    weights: dict[str | None, set[int]] = {None: set()}
    weights |= {"generator": _weights(generator), "critic": _weights(critic)}
    for name, helper in helpers.items():
        if "/" in name or not name:
            raise UsageError(f"a helper's name must be a word without '/', got {name!r}")
        player = helper.learns_with
        if player not in weights:
            raise UsageError(f"helper {name!r} learns with {player!r}; it must be 'generator', 'critic' or None")
        place(helper.module, device)
        own = _weights(helper.module)
        for other, others in weights.items():
            if other != player and own & others:
                whose = f"what learns with the {other}" if other else "a frozen helper"
                raise PreflightError(
                    f"helper {name!r} shares weights with {whose}; let it learn with that one, or give it its own"
                )
        weights[player] |= own
        if player is None:
            helper.module.requires_grad_(False).eval()
        else:
            learning[player][name] = helper.module
    return learning


def check_players(generator: nn.Module, critic: nn.Module) -> None:
    """
    Raises:
        PreflightError: a layer has no size yet, or both players would train the same weight.
    """
    for role, network in (("generator", generator), ("critic", critic)):
        for name, layer in network.named_modules():
            if any(isinstance(weight, UninitializedParameter) for weight in layer.parameters(recurse=False)):
                raise PreflightError(
                    f"the {role}'s layer {name!r} ({type(layer).__name__}) has no size yet; "
                    f"call the {role} once on inputs of the right shape before it is trained"
                )
    own = {id(weight): name for name, weight in generator.named_parameters() if weight.requires_grad}
    for name, weight in critic.named_parameters():
        if id(weight) in own:
            raise PreflightError(
                f"the critic's {name!r} is the generator's {own[id(weight)]!r}: the players pull a shared weight in "
                "opposite directions; give each its own (copy.deepcopy), or freeze it (requires_grad_(False))"
            )


def _weights(network: nn.Module) -> set[int]:
    return {id(parameter) for parameter in network.parameters()}
