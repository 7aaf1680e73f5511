"""Markdown from what code says about itself: docstrings, types, bounds and defaults."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

_CODE = re.compile(r"(``.+?``|`[^`\n]+`)", re.DOTALL)
_SPECIAL = re.compile(r"([\\*_<>\[\]$|#])")
_FLAG = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]*(?:[ =][A-Z]{2,}\b)?)")
_SECTION = re.compile(r"(Args|Arguments|Attributes|Raises|Returns|Yields|Example|Examples|Note):")
_ENTRY = re.compile(r"(?P<name>[\w.*, ]+?)(?: \((?P<type>[^)]*)\))?:(?:\s+(?P<text>.*))?")

_BOUNDS = {
    "ge": "≥ {}",
    "gt": "> {}",
    "le": "≤ {}",
    "lt": "< {}",
    "min_length": "at least {}",
    "max_length": "at most {}",
}


def code(text: str) -> str:
    """`text` as it is typed, whatever it contains."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def prose(text: str) -> str:
    """A sentence of a docstring or a help text: code between backticks stays, nothing else is taken for markup.

    Flags become code as well; Sphinx would make a dash of their two hyphens.
    """
    pieces = _CODE.split(text)
    for place in range(0, len(pieces), 2):
        inner = _FLAG.split(pieces[place])
        inner[::2] = [_SPECIAL.sub(r"\\\1", piece) for piece in inner[::2]]
        inner[1::2] = [code(flag) for flag in inner[1::2]]
        pieces[place] = "".join(inner)
    return "".join(pieces)


def fenced(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.strip(chr(10))}\n```"


def definitions(entries: Iterable[tuple[str, str]]) -> str:
    """A list of terms and what they mean, both Markdown already."""
    return "\n\n".join(f"{term}\n: {' '.join(meaning.split()) or '—'}" for term, meaning in entries)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of the width of the page; cells are Markdown already, except that a bar does not end one."""
    lines = [head, ["---"] * len(head), *rows]
    drawn = ["| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line) + " |" for line in lines]
    return "\n".join(["```{table}", ":class: from-code", "", *drawn, "```"])


def docstring(documented: Any) -> str:
    """What an object's own docstring says; its lists of arguments and attributes as definitions."""
    blocks, listed = _parts(documented)
    for title, entries in listed.items():
        blocks += [f"**{title}**", definitions((code(name), prose(text)) for name, text in entries.items())]
    return "\n\n".join(blocks)


def attributes(documented: Any) -> dict[str, str]:
    """What a class says of each of its attributes, by name; its bases' words where it has none of its own."""
    said: dict[str, str] = {}
    for base in reversed(inspect.getmro(documented)):
        said |= _parts(base)[1].get("Attributes", {})
    return {name: prose(text) for name, text in said.items()}


def summary(documented: Any) -> str:
    """The docstring without its lists."""
    return "\n\n".join(_parts(documented)[0])


def _parts(documented: Any) -> tuple[list[str], dict[str, dict[str, str]]]:
    """The paragraphs of a docstring, and its sections as ``{title: {name: text}}``."""
    own = vars(documented).get("__doc__") if isinstance(documented, type) else documented.__doc__
    blocks: list[str] = []
    listed: dict[str, dict[str, str]] = {}
    if not own or own.startswith(f"{getattr(documented, '__name__', '')}("):  # the one that a dataclass writes
        return blocks, listed
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(own)):
        first, _, rest = paragraph.partition("\n")
        section = _SECTION.fullmatch(first.strip())
        if section and section[1] in ("Args", "Arguments", "Attributes", "Raises"):
            listed[section[1].replace("Args", "Arguments")] = _entries(rest)
        elif section:
            blocks.append(f"**{section[1]}**\n\n{prose(inspect.cleandoc(rest))}")
        elif paragraph.startswith((" ", ">>>")):
            blocks.append(fenced(inspect.cleandoc(paragraph), "python"))
        else:
            blocks.append(prose(re.sub(r"::$", ":", paragraph)))
    return blocks, listed


def _entries(text: str) -> dict[str, str]:
    """``name: what it is`` by name; lines that are indented further continue the one before."""
    entries: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(text).splitlines():
        entry = None if line.startswith(" ") else _ENTRY.fullmatch(line)
        if entry:
            name = entry["name"]
            entries[name] = entry["text"] or ""
        elif name:
            entries[name] += " " + line.strip()
    return entries


def type_words(annotation: Any, bounds: Sequence[Any] = ()) -> str:
    """A type in the words of whoever writes YAML: choices by their names, bounds beside the number, ``null``."""
    limits = [_BOUNDS[key].format(value) for bound in bounds for key, value in _declared(bound)]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_words(inner[0], [*inner[1:], *bounds])
    if origin is Literal:
        words = ", ".join(code(str(choice)) for choice in inner)
    elif origin in (typing.Union, types.UnionType):
        # The bound of an optional number is the number's.
        words = " or ".join(type_words(each, () if each is type(None) else bounds) for each in inner)
        limits = []
    elif origin in (tuple, list, set, frozenset) or annotation in (tuple, list):
        kinds = [type_words(each) for each in inner if each is not Ellipsis]
        words = f"list of {kinds[0] if kinds else 'anything'}" if len(kinds) < 2 else f"[{', '.join(kinds)}]"
    elif origin is not None and issubclass(origin, typing.get_origin(typing.Mapping[str, int]) or dict):
        words = f"mapping of {type_words(inner[1])}" if inner[1] is not Any else "mapping"
    else:
        words = _WORDS.get(annotation) or str(getattr(annotation, "__name__", annotation))
    return f"{words} {' and '.join(limits)}".strip() if limits else words


_WORDS = {
    type(None): "`null`",
    str: "text",
    bool: "`true`, `false`",
    int: "whole number",
    float: "number",
    Path: "path",
    Any: "anything",
}


def _declared(bound: Any) -> list[tuple[str, Any]]:
    """What a piece of pydantic's metadata bounds."""
    return [(key, getattr(bound, key)) for key in _BOUNDS if getattr(bound, key, None) is not None]


def value_words(value: Any) -> str:
    """A default as YAML has it."""
    if value is None or isinstance(value, bool):
        return code({None: "null", True: "true", False: "false"}[value])
    if isinstance(value, tuple | list):
        return code(f"[{', '.join(map(str, value))}]")
    return code(str(value)) if str(value) else '`""`'
