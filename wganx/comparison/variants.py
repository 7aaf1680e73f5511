"""What is varied, as the command line has it: ``--vary key=a,b`` crossed, and named ``--variant NAME:key=value``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import yaml

from wganx.config import read_value
from wganx.errors import UsageError
from wganx.names import is_device

FIXED = {
    "dataset": "a comparison is on the same data",
    "plugin": "a comparison is of runs of one plugin",
    "scenario": "a comparison is of variants of one scenario; vary the settings in which they differ",
    "seed": "every variant gets the same seeds, by --seeds",
    "device": "a comparison is on one device",
    "evaluate": "all are measured alike",
    "train.steps": "all have the same budget, by --set train.steps=... or --seconds",
}
"""What cannot be varied, and why."""

_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_UNSAFE = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True)
class Variant:
    """One of what is compared: its name, and the settings by dotted key that make it."""

    name: str
    settings: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """Its name as part of a file's."""
        named = _UNSAFE.sub("-", self.name).strip("-.") or "variant"
        return f"variant-{named}" if is_device(named) else named


def parse_variants(vary: Sequence[str], variants: Sequence[str]) -> tuple[Variant, ...]:
    """Every named variant under every combination of what is varied.

    Raises:
        UsageError: one is not written as it should be, nothing is compared, a setting is given twice or may not be
            varied, or two variants have one name.
    """
    axes = [_parse_vary(text) for text in vary]
    named = [_parse_variant(text) for text in variants] or [Variant("", {})]
    keys = [key for key, _ in axes]
    for key in keys:
        if keys.count(key) > 1 or any(key in variant.settings for variant in named):
            raise UsageError(f"{key} is varied twice; give all its values in one --vary {key}=...")
    found = [_combine(one, dict(zip(keys, chosen))) for one in named for chosen in product(*(v for _, v in axes))]
    if len(found) < 2:
        raise UsageError(
            "a comparison needs at least two variants: --vary constraint.name=gradient-penalty,clip, or several "
            "--variant NAME:key=value,..."
        )
    for variant in found:
        for other in found:
            if variant is not other and variant.slug.lower() == other.slug.lower():
                raise UsageError(f"two variants are called {variant.name!r}; give each value, and each name, once")
    return tuple(found)


def _combine(named: Variant, chosen: Mapping[str, Any]) -> Variant:
    name = " ".join(filter(None, [named.name, *(label(key, value) for key, value in chosen.items())]))
    return Variant(name, {**named.settings, **chosen})


def label(key: str, value: Any) -> str:
    """How a varied value is called: parts by their names, numbers by what they are of."""
    section, _, option = key.rpartition(".")
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True).split("\n")[0]
    return str(text) if option == "name" else f"{section.rpartition('.')[2]}.{option}={text}"


def _parse_vary(text: str) -> tuple[str, list[Any]]:
    key, equals, values = text.partition("=")
    key = _checked_key(key, equals, f"--vary {text}", "--vary constraint.name=gradient-penalty,clip")
    found = _values(values, f"--vary {text}")
    if len(found) < 2:
        raise UsageError(f"--vary {text}: one value varies nothing; give several, or --set {text}")
    return key, found


def _parse_variant(text: str) -> Variant:
    example = "--variant hinge:objective.name=hinge,constraint.name=spectral-norm"
    name, _, settings = text.partition(":")
    if not name.strip() or "=" in name:
        raise UsageError(f"--variant {text}: expected NAME:key=value,key=value, like {example}")
    found: dict[str, Any] = {}
    for part in _split(settings):
        key, equals, value = part.partition("=")
        key = _checked_key(key, equals, f"--variant {text}", example)
        if key in found:
            raise UsageError(f"--variant {text}: {key} is given twice")
        values = _values(value, f"--variant {text}")
        if len(values) != 1:
            raise UsageError(f"--variant {text}: {key} needs one value; a list stands in brackets, null for none")
        found[key] = values[0]
    return Variant(name.strip(), found)


def _checked_key(key: str, equals: str, where: str, example: str) -> str:
    key = key.strip()
    if not equals or not _KEY.fullmatch(key):
        raise UsageError(f"{where}: expected section.key=value, like {example}")
    for fixed, why in FIXED.items():
        if key == fixed or key.startswith(f"{fixed}."):
            raise UsageError(f"{where}: {key} cannot be varied: {why}")
    return key


def _values(text: str, where: str) -> list[Any]:
    """Values between commas, each as YAML: a list in brackets is one of them."""
    return list(read_value(f"[{text}]", where))


def _split(text: str) -> list[str]:
    """Parts between the commas that stand in no bracket and no quotes, and are followed by another ``key=``."""
    parts = [""]
    depth, quote = 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "[{(":
            depth += 1
        elif letter in "]})":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += letter
    return [part for part in parts if part.strip()]
