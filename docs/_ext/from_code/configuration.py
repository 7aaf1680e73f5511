"""Every section and key of a run's configuration, with type, bounds, default and meaning."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from from_code.markdown import code, prose, summary, table, type_words, value_words
from wganx.config import RunConfig
from wganx.config.sections import NamedSection, OptimizerSection, from_options
from wganx.engine import Optimizer
from wganx.wasserstein import CONSTRAINTS
from wganx.wasserstein.objectives import OBJECTIVES

HEAD = ("Key", "Type", "Default", "Meaning")
CHOICES: Mapping[str, Mapping[str, type[Any]]] = {"objective": OBJECTIVES, "constraint": CONSTRAINTS}
"""Sections that take on the options of what their ``name`` names, where the core itself offers it."""

FROM_PLUGINS = ("dataset", "task", "generator", "critic")
"""Sections that take on the options of what a plugin offers."""


def configuration() -> str:
    """The keys of the run itself, then section by section."""
    models = sections()
    own = [name for name in RunConfig.model_fields if name not in models]
    parts = ["## The run itself", table(HEAD, options(RunConfig, "", only=own))]
    for name, model in models.items():
        parts += [f"## {name}", summary(model), table(HEAD, options(model, f"{name}."))]
        if name in FROM_PLUGINS:
            parts.append(f"Beside these come the options of the {name} chosen; see [the parts](parts.md).")
        parts += [_choice(name, choice, kind) for choice, kind in CHOICES.get(name, {}).items()]
    return "\n\n".join(parts)


def sections() -> dict[str, type[BaseModel]]:
    """The sections of a run by name, with the options that they have whatever is chosen."""
    return {
        # The optimizer's fields are those of a dataclass, joined when a run is resolved.
        name: from_options(OptimizerSection, Optimizer) if kind is OptimizerSection else kind
        for name, field in RunConfig.model_fields.items()
        if isinstance(kind := field.annotation, type) and issubclass(kind, BaseModel)
    }


def options(model: type[BaseModel], prefix: str, only: list[str] | None = None) -> Iterator[tuple[str, str, str, str]]:
    """A row of the table for every key of a model, those of models within it by their dotted names."""
    for name, field in model.model_fields.items():
        if only is not None and name not in only:
            continue
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield from options(field.annotation, f"{prefix}{name}.")
            continue
        default = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
        yield (
            code(prefix + name),
            type_words(field.annotation, field.metadata),
            "required" if default is PydanticUndefined else value_words(default),
            prose(field.description or ""),
        )


def _choice(section: str, name: str, kind: type[Any]) -> str:
    """One that the section's ``name`` can name, with its options."""
    model = from_options(NamedSection, kind)
    own = [option for option in model.model_fields if option not in NamedSection.model_fields]
    parts = [f"### {section}.name={name}", summary(kind)]
    if own:
        parts.append(table(HEAD, options(model, f"{section}.", only=own)))
    return "\n\n".join(parts)
