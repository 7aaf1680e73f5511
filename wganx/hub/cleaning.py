"""Records of a run as strangers may have them: no path of a machine, no name of a home, no note of a training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from wganx.plain import mapping, printable

_FACTS = (
    "schema", "wganx", "commit", "plugin", "scenario", "modality", "task", "status", "step", "steps", "seed", "device",
    "precision", "seconds", "versions", "plugins", "parameters", "notice",
)  # fmt: skip
_OF_DATA = ("fingerprint", "train", "heldout", "source", "licence", "offline")
_OF_EVALUATION = (
    "step", "n", "seed", "heldout", "rows", "repeats", "candidates", "extractors", "fingerprint", "per_class",
    "protocol", "defeats",
)  # fmt: skip
_LOGIN = re.compile(r"(?<=//)[^/@\s]+@")
_OWN = re.compile(r"(?:[/\\~]|[A-Za-z]:[/\\]|\.{1,2}[/\\]|file:)")
"""How a path begins that tells of a machine, or of where someone stood."""


def is_file(plugin: object) -> bool:
    """Whether a plugin is named by its file: code that is not installed."""
    return isinstance(plugin, str) and plugin.endswith(".py")


def file_plugins(config: Mapping[str, Any]) -> list[str]:
    """The plugins of a configuration that are files, as they stand there."""
    extensions = config.get("extensions")
    named = [config.get("plugin"), *(extensions if isinstance(extensions, list) else ())]
    return [name for name in named if isinstance(name, str) and is_file(name)]


def with_files_in(config: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """A configuration whose plugins that are files lie in `folder`, by the names they have."""

    def moved(plugin: Any) -> Any:
        return f"{folder}/{_last(plugin)}" if is_file(plugin) else plugin

    found = dict(config)
    if "plugin" in config:
        found["plugin"] = moved(config["plugin"])
    if isinstance(config.get("extensions"), list):
        found["extensions"] = [moved(plugin) for plugin in config["extensions"]]
    return found


def clean_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the paths of a machine: of each its last part, and no files of weights."""
    cleaned: dict[str, Any] = with_files_in(without_paths(config), ".")
    if isinstance(cleaned.get("train"), dict):
        cleaned["train"] = {**cleaned["train"], "init": None, "init_sha256": None}
    if isinstance(cleaned.get("evaluate"), dict):
        cleaned["evaluate"] = {**cleaned["evaluate"], "extractors": {}}
    return cleaned


def clean_facts(facts: Mapping[str, Any], step: int) -> dict[str, Any]:
    """Of ``run.json`` what tells of the generator of a step."""
    found = {name: facts[name] for name in _FACTS if name in facts}
    data = mapping(facts.get("data"))
    found |= {"step": step, "data": {name: data[name] for name in _OF_DATA if name in data}}
    cleaned: dict[str, Any] = without_paths(found)
    return with_files_in(cleaned, ".")


def clean_state(state: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Of ``state.json`` what builds the generator, beside the digest of its weights; classes keep their names."""
    about = dict(mapping(state.get("about")))
    about |= {name: without_paths(about[name]) for name in ("generator", "task", "plugins") if name in about}
    return {
        "format": state["format"],
        "digests": {"weights.safetensors": digest},
        "wganx": state.get("wganx"),
        "step": state["step"],
        "about": about,
    }


def clean_evaluation(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of an evaluation and their protocol."""
    found: dict[str, Any] = without_paths({name: evaluation[name] for name in _OF_EVALUATION if name in evaluation})
    return found


def without_paths(value: Any) -> Any:
    """Plain values in which a path is its last part, and an address has no name or password."""
    if isinstance(value, Mapping):
        return {name: without_paths(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(each) for each in value]
    if not isinstance(value, str):
        return value
    return _last(value) if _OWN.match(value) else _LOGIN.sub("", value)


def _last(path: str) -> str:
    """The last part of a path of whatever system; a word for it where there is none."""
    return printable(PureWindowsPath(PurePosixPath(path).name).name) or "data"
