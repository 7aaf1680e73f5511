"""What a trainer is, as data: to a checkpoint and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

import wganx
from wganx.engine.checkpoint import Checkpoint
from wganx.engine.optimizer import Optimizer
from wganx.errors import CheckpointError
from wganx.wasserstein import CONSTRAINTS, OBJECTIVES, Combined

if TYPE_CHECKING:
    from wganx.engine.trainer import Trainer


def capture(trainer: Trainer) -> Checkpoint:
    """Everything that a continuation of `trainer` needs."""
    steps = trainer.steps
    networks = {"generator": trainer.generator, "critic": trainer.critic, "average": trainer.average.module}
    training = {
        "generator_optimizer": steps.generator.optimizer_tensors(),
        "critic_optimizer": steps.critic.optimizer_tensors(),
        "random": trainer.random.tensors(),
        "readings": steps.readings.sums,
    }
    facts = {
        "wganx": wganx.__version__,
        "step": trainer.step,
        "critic_updates": steps.critic_updates,
        "rollbacks": trainer.rollbacks,
        "readings": steps.readings.counts,
        "position": trainer.position,
        "health": trainer.health.memory,
        "device": trainer.device.type,
        "micro_batch": steps.micro_batch,
        "settings": _settings(trainer),
    }
    return Checkpoint(
        _join({part: _tensors(part, network) for part, network in networks.items()}), _join(training), facts
    )


def restore(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Make `trainer` what it was when `checkpoint` was taken.

    Random streams belong to a kind of device; on another one the training takes up a new course from its seed.
    """
    steps = trainer.steps
    for part, network in (
        ("generator", trainer.generator),
        ("critic", trainer.critic),
        ("average", trainer.average.module),
    ):
        _load_weights(part, network, _part(checkpoint.weights, part))
    steps.generator.load_optimizer_tensors(_part(checkpoint.training, "generator_optimizer"))
    steps.critic.load_optimizer_tensors(_part(checkpoint.training, "critic_optimizer"))
    facts = checkpoint.facts
    trainer.step, trainer.rollbacks = facts["step"], facts["rollbacks"]
    steps.critic_updates = facts["critic_updates"]
    if facts["device"] == trainer.device.type:
        trainer.random.load_tensors(_part(checkpoint.training, "random"))
    else:
        trainer.random.reseed(trainer.step)
    sums = {name: tensor.to(trainer.device) for name, tensor in _part(checkpoint.training, "readings").items()}
    steps.readings.load(sums, facts["readings"])
    if not trainer.ranks.first:  # an unfinished window is the first rank's
        steps.readings.clear()
    trainer.position = facts["position"]
    if trainer.micro_batch == "auto":  # on the course it took, whatever is free now
        steps.micro_batch = facts.get("micro_batch")
    trainer.health.memory = copy.deepcopy(facts.get("health", {}))  # absent from checkpoints without health checks


def constructor_arguments(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Trainer` that `capture` stored."""
    arguments = dict(settings)
    arguments["noise"] = None if settings["noise"] is None else tuple(settings["noise"])
    arguments["objective"] = OBJECTIVES[settings["objective"]]()
    parts = [CONSTRAINTS[name](**own) for name, own in settings["constraint"]]
    arguments["constraint"] = parts[0] if len(parts) == 1 else Combined(*parts)
    optimizer = dict(settings["optimizer"])
    arguments["optimizer"] = Optimizer(**{**optimizer, "betas": tuple(optimizer["betas"])})
    return arguments


def _settings(trainer: Trainer) -> dict[str, Any]:
    constraint = trainer.constraint
    parts = constraint.parts if isinstance(constraint, Combined) else (constraint,)
    return {
        "noise": trainer.noise,
        "objective": trainer.objective.name,
        "constraint": [(part.name, asdict(part)) for part in parts],
        "critic_steps": trainer.critic_steps,
        "ema": trainer.average.decay,
        "precision": trainer.precision.name,
        "capture": trainer.capture,
        "seed": trainer.seed,
        "optimizer": asdict(trainer.optimizer),
        "accumulate": trainer.accumulate,
        "micro_batch": trainer.micro_batch,
        "constant_mask": trainer.constant_mask,
    }


def _tensors(part: str, network: nn.Module) -> dict[str, Tensor]:
    state = network.state_dict()
    if strange := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise CheckpointError(
            f"the {part} keeps {', '.join(strange)} outside of tensors, and checkpoints hold tensors only; "
            "register it as a buffer, or leave it out of get_extra_state"
        )
    return state


def _load_weights(part: str, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
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
        raise CheckpointError(f"the checkpoint does not fit the {part}: {', '.join(words[:4])}{more}")
    network.load_state_dict(dict(tensors))


def _join(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{part}/{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{part}/")}
