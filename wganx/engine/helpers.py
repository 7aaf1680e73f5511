"""Helper networks, brought into place beside the players."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

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


def _weights(network: nn.Module) -> set[int]:
    return {id(parameter) for parameter in network.parameters()}
