"""The constraint of a run: the one its section names, and those it names beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from wganx.config.layers import Merged
from wganx.config.problems import Problem, validation_problems
from wganx.config.rules import RuleBook
from wganx.config.sections import ConstraintSection, NamedSection, Section, from_options
from wganx.errors import PluginError, did_you_mean
from wganx.plugins.descriptors import Architecture

if TYPE_CHECKING:
    from wganx.wasserstein import Constraint

Build = Callable[[type[Any], Section], Any]
"""Makes the object a section describes; what it refuses it keeps as a problem, and returns None."""


def build_constraint(
    kind: type[Constraint],
    section: ConstraintSection,
    critic: Architecture,
    merged: Merged,
    rules: RuleBook,
    build: Build,
) -> tuple[Constraint | None, list[Problem]]:
    """The constraint that `section` describes, and what is wrong with it."""
    from wganx.wasserstein import Combined

    parts, problems = [build(kind, section)], []
    if kind.name == "by-construction" and not critic.lipschitz:
        fault = (
            f"critic {critic.name!r} does not declare that it is 1-Lipschitz by construction; "
            "choose a constraint that makes it so, e.g. gradient-penalty"
        )
        problems.append(Problem(("constraint", "name"), fault, merged.origin(("constraint", "name"))))
    for place, given in enumerate(section.also):
        key, name = ("constraint", "also", str(place)), given.get("name")
        if not isinstance(name, str):
            fault = "names no constraint; write {name: ..., option: ...}"
            problems.append(Problem(key, fault, merged.origin(key)))
            continue
        try:
            other = rules.find("constraint", name)
        except PluginError as error:
            problems.append(Problem(key, str(error), merged.origin(key)))
            continue
        model = from_options(NamedSection, other)
        if unknown := [option for option in given if option not in model.model_fields]:
            listed = did_you_mean(unknown[0], model.model_fields) or f"; options: {', '.join(model.model_fields)}"
            problems.append(Problem((*key, unknown[0]), f"no such option{listed}", merged.origin(key)))
            continue
        try:
            parts.append(build(other, model.model_validate(given)))
        except ValidationError as error:
            problems += [
                Problem((*key, *problem.key), problem.fault, merged.origin(key))
                for problem in validation_problems(error, model, merged)
            ]
    if problems or len(parts) == 1 or None in parts:
        return parts[0], problems
    try:
        return Combined(*parts), []
    except ValueError as error:
        whole = ("constraint", "also")
        return None, [Problem(whole, str(error), merged.origin(whole))]
