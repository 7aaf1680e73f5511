"""Plugin packages to begin from: ``wganx plugins new`` renders them.

A kind is a folder below ``plugin/`` whose files are rendered with `string.Template` after those of ``plugin/common``.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from wganx.errors import UsageError, did_you_mean
from wganx.plugins import describe_all, discover

KINDS = {
    "modality": "a kind of sample of its own: dataset, task, both networks, metric, files, pictures, scenario",
    "dataset": "items for a modality that is there",
    "architecture": "a generator and a critic for a modality that is there",
    "metric": "a number about the samples of a modality that is there",
    "constraint": "what keeps the critic Lipschitz",
    "observer": "what is told about a run",
}
"""What can be begun, and what it is."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_BASES = ("image", "points")
"""Modalities for which parts can be rendered, and the built-in plugins that have them."""


def render(name: str, kind: str = "modality", modality: str | None = None, out: Path | None = None) -> Path:
    """Write a plugin package, and return its folder.

    Args:
        name: of the plugin, which ``--plugin`` will take.
        kind: one of `KINDS`.
        modality: the kind of sample; for ``modality`` a new one, the plugin's name by default.
        out: the folder to write; ``wganx-NAME`` by default.

    Raises:
        UsageError: a name that cannot be one, or is taken; an unknown kind or modality; a folder that is there.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name.replace("-", "_")):
        raise UsageError(f"{name!r} is no name for a plugin: lower-case words joined by '-', like 'spectro'")
    if taken := [found for found in discover() if found.name == name]:
        raise UsageError(f"{name!r} is the name of {taken[0]}; choose another")
    if kind not in KINDS:
        raise UsageError(f"no kind {kind!r}; kinds: {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
    modality = _modality(name, kind, modality)
    folder = Path(f"wganx-{name}") if out is None else out
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; give another --out, or remove it")
    values = _values(name, kind, modality)
    source = files("wganx.templates") / "plugin"
    for layer in ("common", kind, f"{kind}-{modality}"):
        for template, path in _templates(source / layer):
            target = folder / path.replace("PACKAGE", values["module"])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
    return folder


def _modality(name: str, kind: str, given: str | None) -> str:
    if kind == "modality":
        own = name if given is None else given
        if not _NAME.fullmatch(own):
            raise UsageError(f"{own!r} is no name for a modality: lower-case words joined by '-'")
        offered = [offer.name for row in describe_all() for offer in row.offers if offer.kind == "modality"]
        if own in offered:
            raise UsageError(
                f"modality {own!r} is there already; add to it with --kind dataset, architecture or metric, "
                "or leave --modality out"
            )
        return own
    if kind in ("constraint", "observer"):
        if given is not None and given not in _BASES:
            raise UsageError(f"{kind}s belong to no modality; leave --modality out")
        return given or "points"
    if given is None:
        raise UsageError(f"a {kind} is for one modality: say --modality {' or '.join(_BASES)}")
    if given not in _BASES:
        raise UsageError(
            f"no modality {given!r} to begin a {kind} for; modalities: {', '.join(_BASES)}{did_you_mean(given, _BASES)}"
        )
    return given


_TRAINS = {
    "modality": "--plugin {name}",
    "dataset": "--plugin {modality} --extension {name} --set dataset.name={name}",
    "architecture": (
        "--plugin {modality} --extension {name} {labels}--set generator.name={name} --set critic.name={name}"
    ),
    "metric": "--plugin {modality} --extension {name}",
    "constraint": "--plugin points --extension {name} --set constraint.name={name}",
    "observer": "--plugin points --extension {name}",
}


def _values(name: str, kind: str, modality: str) -> dict[str, str]:
    labels = "--set task.labels=false " if modality == "image" else ""
    return {
        "name": name,
        "module": f"wganx_{name.replace('-', '_')}",
        "modality": modality,
        "summary": f"{name}: {KINDS[kind]}",
        "train": f"wganx train {_TRAINS[kind].format(name=name, modality=modality, labels=labels)}",
    }


def _templates(folder: Traversable, below: str = "") -> Iterator[tuple[Traversable, str]]:
    """Every template in a folder, and the path of what it becomes; none where there is no such folder."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{below}{entry.name}/")
        elif entry.name.endswith(".template"):
            yield entry, f"{below}{entry.name.removesuffix('.template')}"


__all__ = ["KINDS", "render"]
