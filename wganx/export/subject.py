"""What is exported: a network of a checkpoint, as it is called by who has nothing of wganx."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from wganx.batch import SampleFormat
from wganx.engine import load_tensors, read_networks
from wganx.engine.state import last_step, part
from wganx.errors import CheckpointError, UsageError
from wganx.export.ports import Port, draw_inputs
from wganx.export.rebuilding import fold, prepare
from wganx.plugins.guard import calling
from wganx.runs import Run, RunFolder
from wganx.runs.drawing import average_of, build_network, check_told, read_newest
from wganx.wasserstein import Constraint

Role = Literal["generator", "critic", "whole"]
ROLES: tuple[Role, ...] = ("generator", "critic", "whole")

_UNKNOWN_SIZES = [2**power for power in range(5, 17)]
"""Tried one after the other where no training fixed a size."""
_TIMES = (1, 2, 3, 4, 8)
"""How many times larger what a critic judges may be."""
_LARGEST = 2**20
"""Places that a sample has at most while sizes are tried."""


class Positional(nn.Module):
    """A network called with one tensor an input, in their order; what has a name is given by it."""

    def __init__(self, network: nn.Module, inputs: Sequence[Port], unnamed: int) -> None:
        super().__init__()
        self.network, self.unnamed = network, unnamed
        self.names = [port.name for port in inputs[unnamed:]]

    def forward(self, *tensors: Tensor) -> Tensor:
        made: Tensor = self.network(*tensors[: self.unnamed], **dict(zip(self.names, tensors[self.unnamed :])))
        return made


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network of a run, and all that is known of it.

    Attributes:
        network: on the CPU in evaluation mode, its weights plain tensors.
        inputs: in the order in which `positional` takes them.
        output: its sizes are those of the training.
        build: by what the network is built anew, as plain data.
        step: updates behind its weights.
        scores: by which constraint both players saw other scores than the network's own; empty where they saw these.
    """

    role: Role
    network: nn.Module
    positional: Positional
    inputs: tuple[Port, ...]
    output: Port
    build: Mapping[str, Any]
    folder: RunFolder
    step: int
    scores: str = ""


def open_subject(run: Path, role: Role, checkpoint: str | int, warn: Callable[[str], None] | None = None) -> Subject:
    """The network of a run that plays `role`: the averaged generator, or the critic as it was trained.

    Raises:
        UsageError: there is no run.
        CheckpointError: there is no such checkpoint, it is damaged, or holds no such network.
        PluginError, PluginFailed: the plugin is not there, or does not build it.
    """
    if role not in ROLES:
        raise UsageError(f"a run has a generator and a critic, and no {role!r}")
    folder = RunFolder(run)
    return _critic(folder, checkpoint, warn) if role == "critic" else _generator(folder, role, checkpoint, warn)


def _generator(folder: RunFolder, role: Role, checkpoint: str | int, warn: Callable[[str], None] | None) -> Subject:
    network, weights = average_of(folder, checkpoint, warn)
    about = dict(weights.facts["about"])
    noise = tuple(about["noise"])
    ports = [Port(name="noise", kind="noise", axes=("noise",) * len(noise), sizes=noise)] if noise else []
    context, sample = _formats(about["context"]), SampleFormat.from_json(about["sample"])
    fold(network)
    if role == "whole":
        network, sample = _whole(folder, network)
        context["source"] = sample
    inputs = _settled(network, ports, context, len(ports))
    return Subject(
        role=role, network=network, positional=Positional(network, inputs, len(ports)).eval(), inputs=inputs,
        output=Port.of("sample" if "sample" not in context else "made", sample),
        build=_build("generator", about, (), weights.facts["step"]), folder=folder, step=weights.facts["step"],
    )  # fmt: skip


def _whole(folder: RunFolder, generator: nn.Module) -> tuple[nn.Module, SampleFormat]:
    """The generator with what lies between files and it, as the run's task has it."""
    run = Run.load(folder.path, only_looked_at=True)
    task = run.resolved.parts.task
    with calling(task, "whole"):
        found = run.assembly.game.whole(generator)
    if found is None:
        raise UsageError(
            f"the {task} of {folder.path} has nothing that goes between files and its generator as tensors; leave "
            "--what out for the generator, whose samples CARD.md explains"
        )
    return found[0].eval(), found[1]


def _settled(
    network: nn.Module, first: Sequence[Port], formats: Mapping[str, SampleFormat], unnamed: int
) -> tuple[Port, ...]:
    """The inputs, with a size that the network takes wherever no training fixed one.

    What a critic judges may be larger than what it was made from, by a whole number.
    """
    inputs = (*first, *(Port.of(name, format) for name, format in formats.items()))
    free = max((format.shape.count(None) for format in formats.values()), default=0)
    for size in _UNKNOWN_SIZES:
        for times in _TIMES:
            if not free or (size * times) ** free > _LARGEST:
                continue
            tried = [Port.of(name, each, size * (times if name == "sample" else 1)) for name, each in formats.items()]
            with suppress(Exception), torch.no_grad():  # whatever a network raises at a size that is none of its own
                Positional(network, (*first, *tried), unnamed)(*draw_inputs((*first, *tried), 2, {}))
                return *first, *tried
    return inputs


def _critic(folder: RunFolder, checkpoint: str | int, warn: Callable[[str], None] | None) -> Subject:
    found = read_newest(folder, checkpoint, read_networks, warn)
    check_told(found.facts, folder)
    resolved = Run.load(folder.path, only_looked_at=True).resolved
    if not resolved.objective.trains_critic:
        raise UsageError(
            f"{folder.path} was trained by objective {resolved.objective.name!r}, without a critic; leave --what out "
            "for the generator"
        )
    tensors = part(found.weights, "critic")
    if not tensors:
        raise CheckpointError(
            f"step {found.facts['step']} of {folder.path} holds no critic: its weights were taken out; "
            "leave --what out for the generator"
        )
    about = {**found.facts["about"], "critic": resolved.run.critic.model_dump(mode="json")}
    network, architecture = build_network(about, folder, "critic")
    constraints = getattr(resolved.constraint, "parts", (resolved.constraint,))
    own = [each for each in constraints if each.owns == "weights"]
    prepare(network, own)
    load_tensors("critic", network, tensors)
    with calling(architecture, "at"):
        if callable(turn := getattr(network, "at", None)):
            turn(last_step(found.facts["step"]))
    fold(network.requires_grad_(False).eval())
    pack = architecture.couples_rows
    sample, condition = SampleFormat.from_json(about["sample"]), _formats(about["condition"])
    inputs = _settled(network, (), {"sample": sample, **condition}, 1)
    inputs = tuple(port.in_packs(pack) if pack > 1 else port for port in inputs)
    return Subject(
        role="critic", network=network, positional=Positional(network, inputs, 1).eval(), inputs=inputs,
        output=Port(name="score", kind="score"), build=_build("critic", about, own, found.facts["step"]), folder=folder,
        step=found.facts["step"], scores=resolved.constraint.name if resolved.constraint.owns == "scores" else "",
    )  # fmt: skip


def _formats(described: Mapping[str, Any]) -> dict[str, SampleFormat]:
    return {name: SampleFormat.from_json(format) for name, format in described.items()}


def _build(
    role: Literal["generator", "critic"], about: Mapping[str, Any], constraints: Sequence[Constraint], step: int
) -> dict[str, Any]:
    """All that `rebuild` needs beside the weights and what was fitted; of paths on this machine only the names."""
    kept = ("modality", "sample", "context", "condition", "fitted", "noise", role)
    plugins = [
        {**plugin, "file": plugin.get("file") and Path(plugin["file"]).name} for plugin in about.get("plugins", ())
    ]
    return {
        "role": role,
        "step": step,
        "about": {"plugins": plugins, **{name: about[name] for name in kept}},
        "constraints": [{"name": each.name, "options": asdict(each)} for each in constraints],
    }


@torch.no_grad()
def call_positional(subject: Subject, inputs: Sequence[Tensor]) -> Tensor:
    """What the network itself makes of `inputs`."""
    made: Tensor = subject.positional(*inputs)
    return made
