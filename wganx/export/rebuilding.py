"""A network from weights in a file, built by its plugin; nothing in the files is executed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils import parametrize

from wganx.engine import load_tensors
from wganx.engine.facts import AboutFacts
from wganx.engine.state import last_step
from wganx.errors import DataError
from wganx.plugins.guard import calling
from wganx.runs import RunFolder
from wganx.runs.drawing import build_network
from wganx.stored import Count, Record, checked, read_json
from wganx.wasserstein import CONSTRAINTS, Constraint

WEIGHTS = "weights.safetensors"
BUILD = "build.json"
FITTED = "fitted.safetensors"


class _ConstraintFacts(Record):
    name: str
    options: dict[str, Any]


class _Build(Record):
    """``build.json``."""

    role: Literal["generator", "critic"]
    step: Count
    about: AboutFacts
    constraints: list[_ConstraintFacts]


_BUILD = TypeAdapter(_Build)


def rebuild(folder: str | Path) -> nn.Module:
    """The network of an export in the format ``safetensors``, in evaluation mode on the CPU.

    Its plugin has to be installed; nothing of the run it came from is needed.

    Args:
        folder: that `wganx.export.export` wrote.

    Raises:
        DataError: it is no such folder, or a file of it is damaged.
        CheckpointError: the weights do not fit the network.
        PluginError, PluginFailed: the plugin is not there, or does not build it.
    """
    home = Path(folder)
    try:
        build = _checked(read_json(home / BUILD))
        weights = load_file(home / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise DataError(f"{home} is no export of weights that can be read: {error}") from error
    network, architecture = build_network(build["about"], RunFolder(home), build["role"])
    prepare(network, [CONSTRAINTS[each["name"]](**each["options"]) for each in build["constraints"]])
    fold(network)
    load_tensors(build["role"], network, weights)
    with calling(architecture, "at"):
        if callable(turn := getattr(network, "at", None)):
            turn(last_step(build["step"]))
    return network.requires_grad_(False).eval()


def _checked(build: Any) -> dict[str, Any]:
    """
    Raises:
        ValueError: it does not say how to build a network.
    """
    checked(_BUILD, build)
    found: dict[str, Any] = build
    about = found["about"]
    needed = ("modality", "sample", "context" if found["role"] == "generator" else "condition", "noise", found["role"])
    if missing := [name for name in needed if about.get(name) is None]:
        raise ValueError(f"{BUILD} says no {', '.join(missing)}")
    if unknown := [each["name"] for each in found["constraints"] if each["name"] not in CONSTRAINTS]:
        raise ValueError(f"{BUILD} names a constraint that is not wganx's own: {unknown[0]!r}")
    return found


def prepare(network: nn.Module, constraints: Iterable[Constraint]) -> None:
    """Change a critic as constraints changed it before its training."""
    for constraint in constraints:
        constraint.prepare(network)


def fold(network: nn.Module) -> None:
    """Put in the place of every weight that is computed (a spectral norm, an orthonormal layer) what comes out.

    The weights of a network in evaluation mode stay, so that nothing is lost but the way to train it on.
    """
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer):
            for name in list(layer.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(layer, str(name), leave_parametrized=True)
