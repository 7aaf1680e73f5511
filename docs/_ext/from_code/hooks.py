"""Every hook a plugin may implement, and every class of what it hands over or is given."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from from_code.markdown import attributes, code, docstring, fenced, summary, table
from wganx.health import Finding, Vitals
from wganx.parts import KINDS
from wganx.plugins import contracts, hookspecs
from wganx.plugins.descriptors import DataCard

PREFIX = "wganx_"


def hooks() -> str:
    """The hooks in groups, as their classes gather them, then the descriptors."""
    parts = []
    for group in groups():
        parts += [f"## {group.__name__}", docstring(group)]
        for name in names(group):
            hook = getattr(group, name)
            parts += [f"### {name}", fenced(signature(name, hook), "python"), docstring(hook)]
    parts += ["## Descriptors and contexts", "Frozen dataclasses; every field is given by name."]
    for kind in descriptors():
        head: tuple[str, ...] = ("Field", "Type", "Default", "Meaning")
        rows = list(_rows(kind))
        if not any(meaning for *_, meaning in rows):  # its docstring says it in sentences
            head, rows = head[:3], [row[:3] for row in rows]
        parts += [f"### {kind.__name__}", summary(kind), table(head, rows)]
    return "\n\n".join(parts)


def groups() -> list[type[Any]]:
    """The classes of the specification that declare hooks, in its order."""
    return [kind for kind in vars(hookspecs).values() if inspect.isclass(kind) and names(kind)]


def names(group: type[Any]) -> list[str]:
    """The hooks of one class."""
    return [name for name in vars(group) if name.startswith(PREFIX)]


def arguments(hook: Any) -> list[inspect.Parameter]:
    """What a hook is given."""
    return [parameter for name, parameter in inspect.signature(hook).parameters.items() if name != "self"]


def signature(name: str, hook: Any) -> str:
    """The hook as a plugin writes it, a function of its module."""
    given = [f"{parameter.name}: {parameter.annotation}" for parameter in arguments(hook)]
    answer = str(inspect.signature(hook).return_annotation)
    if name in KINDS:  # the specification makes these hooks from the kinds
        answer = answer.replace("[Part]", f"[{KINDS[name].__name__}]")
    line = f"def {name}({', '.join(given)}) -> {answer}: ..."
    if len(line) > 100:
        line = f"def {name}(\n    " + ",\n    ".join(given) + f",\n) -> {answer}: ..."
    return f"@wganx.hookimpl\n{line}"


def descriptors() -> Iterator[type[Any]]:
    """What hooks return, then what factories and observers are given."""
    yield from KINDS.values()
    for kind in vars(contracts).values():
        if inspect.isclass(kind) and is_dataclass(kind) and kind not in KINDS.values():
            yield kind
    yield from (DataCard, Vitals, Finding)


def _rows(kind: type[Any]) -> Iterator[tuple[str, ...]]:
    said = attributes(kind)
    for field in fields(kind):
        yield code(field.name), code(str(field.type)), _default(field), said.get(field.name, "")


def _default(field: Field[Any]) -> str:
    if field.default_factory is not MISSING:
        return code(repr(field.default_factory()))
    if isinstance(field.default, type):
        return code(field.default.__name__)
    return "required" if field.default is MISSING else code(repr(field.default))
