"""Runs without a critic: what was said for one is dropped with a sentence, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wganx.config.layers import Merged
from wganx.config.problems import Problem
from wganx.config.rules import RuleBook
from wganx.config.sources import Key, Layer
from wganx.errors import PluginError, WganxError
from wganx.plugins.descriptors import Architecture

if TYPE_CHECKING:
    from wganx.wasserstein import Objective

NO_CRITIC = Architecture(
    name="none",
    summary="none is trained; samples are compared as they are",
    origin="wganx",
    modality="",
    role="critic",
    build="wganx.engine.sample_features:samples_themselves",
)

_NEUTRAL: Mapping[Key, tuple[Any, ...]] = {
    ("critic", "name"): ("none",),
    ("constraint", "name"): ("none",),
    ("constraint", "also"): ((), []),
    ("constraint", "drift"): (0,),
    ("train", "critic_steps"): (0,),
    ("optimizer", "critic_lr"): (None,),
}
"""What settings may be where there is no critic; those of critic and constraint that are not here may not be at all."""


def drop_critic(layers: Sequence[Layer], rules: RuleBook) -> tuple[list[Layer], tuple[str, ...]]:
    """`layers` as they are; but where the objective they choose trains no critic, those below its choice lose what they
    say of one, each with a sentence."""
    decides, objective = _chosen(layers, rules)
    if objective is None or objective.trains_critic:
        return list(layers), ()
    notes, kept = [], []
    known = any(_named(layer, "critic") == NO_CRITIC.name for layer in layers[decides:])  # as a stored run says itself
    for layer in layers[:decides]:
        kept.append(Layer(dict(layer.values), dict(layer.origins)))
        lost = _of_a_critic(layer.values)
        if lost and not known:
            origin = layer.origins.get(lost[0]) or layer.origins.get(lost[0][:1])
            names = dict.fromkeys(key[0] if key[0] in ("critic", "constraint") else ".".join(key) for key in lost)
            by = next(origin for key, origin in layers[decides].origins.items() if key[0] == "objective")
            was, is_ = ("was", "is") if len(names) == 1 else ("were", "are")
            notes.append(
                f"{', '.join(names)} (from {origin}) {was} meant for a critic and {is_} dropped: "
                f"{by} chooses objective {objective.name!r}, which trains none"
            )
        for section, option in lost:
            kept[-1].drop(section, option)
    chosen = Layer()
    for key in (("critic", "name"), ("constraint", "name"), ("train", "critic_steps")):
        chosen.put(key, _NEUTRAL[key][0], f"objective {objective.name}")
    return [*kept, chosen, *layers[decides:]], tuple(notes)


def critic_problems(merged: Merged, rules: RuleBook) -> list[Problem]:
    """What is said of a critic that the objective does not train, taken out of `merged`; or that it trains none."""
    _, objective = _chosen([Layer(merged.values, merged.origins)], rules)
    if objective is None:
        return []
    if objective.trains_critic:
        asked: dict[Key, str] = {}
        if _named(merged, "critic") == NO_CRITIC.name:
            asked["critic", "name"] = f"objective {objective.name!r} trains a critic; name one"
        train = merged.values.get("train")
        if isinstance(train, dict) and train.get("critic_steps") in (0, "0") and train["critic_steps"] is not False:
            asked["train", "critic_steps"] = "Input should be greater than or equal to 1 (got 0)"
        return [Problem(key, fault, merged.origin(key)) for key, fault in asked.items()]
    problems = []
    for key in _of_a_critic(merged.values):
        fault = (
            f"has no effect: objective {objective.name!r} compares samples and trains no critic; leave it out, or set "
            "objective.features=critic"
        )
        problems.append(Problem(key, fault, merged.origin(key)))
        del merged.values[key[0]][key[1]]
    return problems


def _chosen(layers: Sequence[Layer], rules: RuleBook) -> tuple[int, Objective | None]:
    """Which layer decides for a critic or against it, and the objective; None where the objective is refused anyway."""
    name, options, decides = "wasserstein", dict[str, Any](), -1
    for number, layer in enumerate(layers):
        section = layer.values.get("objective")
        if not isinstance(section, dict):
            continue
        if section.get("name", name) != name:
            name, options, decides = section["name"], {}, number
        if "features" in section:
            options, decides = {"features": section["features"]}, number
    try:
        return decides, rules.find("objective", name)(**options) if isinstance(name, str) else None
    except (PluginError, ValueError, TypeError, WganxError):
        return decides, None


def _named(layer: Layer | Merged, section: str) -> Any:
    given = layer.values.get(section)
    return given.get("name") if isinstance(given, dict) else None


def _of_a_critic(values: Mapping[str, Any]) -> list[Key]:
    """The settings among `values` that have no effect without a critic."""
    found: list[Key] = []
    for section in ("critic", "constraint", "train", "optimizer"):
        given = values.get(section)
        for option, value in given.items() if isinstance(given, dict) else ():
            key = (section, option)
            idle = section in ("critic", "constraint") or key in _NEUTRAL
            if idle and value not in _NEUTRAL.get(key, ()):
                found.append(key)
    return found
