"""From names and layers to one validated run: `resolve`, `from_yaml`, `schema`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wganx.config.composition import compose_run, part_sections
from wganx.config.consent import ask_for_code
from wganx.config.layers import merge, sets
from wganx.config.own_files import folder_dataset, point_at, suggested
from wganx.config.resolved import Resolved
from wganx.config.rules import RuleBook
from wganx.config.sources import Layer, add_settings, read_environment, read_file
from wganx.config.without_critic import drop_critic
from wganx.errors import ConfigError
from wganx.names import at_home
from wganx.plugins import Catalog, discover, load
from wganx.plugins.descriptors import Dataset, Layout, Scenario


def schema(resolved: Resolved) -> dict[str, Any]:
    """JSON schema of the configuration for the parts a run has chosen."""
    described = type(resolved.run).model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def from_yaml(path: Path, written_by: Mapping[str, str] | None = None) -> Resolved:
    """The run a stored ``config.yaml`` describes, whatever the environment says now.

    Raises:
        ConfigError, PluginError: as `resolve`.
    """
    return resolve(config=path, environ={}, written_by=written_by or {})


def resolve(
    *,
    plugin: str | None = None,
    scenario: str | None = None,
    config: Path | None = None,
    settings: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    data: str | Path | None = None,
    init: str | Path | None = None,
    seed: int | None = None,
    device: str | None = None,
    extensions: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    written_by: Mapping[str, str] | None = None,
) -> Resolved:
    """Load the named plugins, lay all sources over each other, and check everything.

    Precedence, lowest first: defaults, scenario, what suits the user's files, `config` file, environment
    (``WGANX__TRAIN__STEPS``), and on top what the call says: `settings` (``section.key=value``), `overrides` (the same
    from Python) and the flags.

    Args:
        data: becomes ``dataset.root``. When nothing but the scenario names a dataset, it also selects the plugin's
            folder dataset, if it has one, and what that finds suitable for these files (`Dataset.suggest`).
        init: becomes ``train.init``. What is trained already says which generator it is and how large its samples are;
            that lies over the scenario, and under everything the user says.
        extensions: plugins beside those that the other sources name; a scenario may name some too.
        environ: read instead of ``os.environ``.
        written_by: of a stored configuration, the version of each plugin by which it was written: options that were
            renamed since are migrated (`wganx.Config.migrate`).

    Raises:
        UsageError: the configuration file names a file of code, and the user has not agreed to it (`wganx.trust`).
        PluginError: a plugin or extension cannot be loaded.
        ConfigError: lists every problem, each with the source of its value.
    """
    call = Layer()
    flags = {("plugin",): plugin, ("scenario",): scenario, ("seed",): seed, ("device",): device}
    for key, value in flags.items():
        if value is not None:
            call.put(key, value, f"--{key[0]} {value}")
    add_settings(call, settings)
    for name, value in (overrides or {}).items():
        call.put(tuple(name.split(".")), value, f"override {name}")
    user = [
        read_file(config) if config else Layer(),
        read_environment(os.environ if environ is None else environ),
        call,
    ]

    ask_for_code(config, user[0], user[1:], extensions)
    if extensions:
        _extend(user, extensions)
    catalog = _load(user)
    folder = None if data is None else folder_dataset(user, catalog, _scenario(user, catalog).modality)
    chosen = _scenario(user, catalog, folder)
    catalog = catalog.extended(chosen.extensions)
    base, suits = _read_scenario(chosen, catalog), Layer()
    if data is not None:
        point_at(Path(data), user, folder, base, named=_named(user, "scenario") is not None)
    if folder is not None and chosen.name == folder.scenario:
        suits = suggested(user, folder, _device(user), _seed(user))
    if init is not None:
        call.put(("train", "init"), str(at_home(init).absolute()), f"--init {init}")
    follows = _begin_with(user, catalog, base)
    layers, notes = drop_critic([base, suits, follows, *user], RuleBook(catalog))
    merged = merge(layers, part_sections())
    merged = replace(merged, notes=(*notes, *merged.notes))
    merged.values.setdefault("scenario", chosen.name)
    return compose_run(catalog, chosen, merged, written_by)


def _named(user: Sequence[Layer], name: str) -> Any:
    """A run-level value, from the highest layer that has it."""
    return next((layer.values[name] for layer in reversed(user) if name in layer.values), None)


def _device(user: Sequence[Layer]) -> str:
    """Where the run is to compute, as far as that can be said before everything is checked."""
    device = _named(user, "device")
    return device if isinstance(device, str) else "auto"


def _seed(user: Sequence[Layer]) -> int:
    seed = _named(user, "seed")
    return seed if isinstance(seed, int) and 0 <= seed < 2**63 else 0


def _extend(user: Sequence[Layer], extensions: Sequence[str]) -> None:
    """Put the extensions of the call behind those that are named already."""
    named = _named(user, "extensions") or []
    given = [*named, *(name for name in extensions if name not in named)] if isinstance(named, list | tuple) else named
    user[-1].values.pop("extensions", None)
    user[-1].put(("extensions",), given, f"--extension {' --extension '.join(extensions)}")


def _load(user: Sequence[Layer]) -> Catalog:
    plugin, extensions = _named(user, "plugin"), _named(user, "extensions")
    if plugin is None:
        names = ", ".join(sorted({found.name for found in discover()})) or "none"
        raise ConfigError(f"no plugin is chosen: say which with --plugin NAME (installed: {names})")
    extensions = _checked(plugin, extensions)
    for layer in user:  # also what a later one overrides
        _checked(plugin, layer.values.get("extensions"))
    catalog = load([plugin, *extensions])
    # A stored configuration must find a plugin file from any working folder.
    for layer in user:
        if isinstance(layer.values.get("plugin"), str):
            layer.values["plugin"] = _absolute(layer.values["plugin"])
        if "extensions" in layer.values:
            layer.values["extensions"] = [_absolute(name) for name in layer.values["extensions"] or ()]  # null is none
    return catalog


def _checked(plugin: Any, extensions: Any) -> Sequence[str]:
    extensions = [] if extensions is None else extensions
    if not isinstance(extensions, list | tuple) or not all(isinstance(name, str) for name in [plugin, *extensions]):
        raise ConfigError(f"plugin must be a name and extensions a list of names, got {plugin!r} and {extensions!r}")
    return extensions


def _absolute(name: str) -> str:
    return str(at_home(name).resolve()) if name.endswith(".py") else name


def _scenario(user: Sequence[Layer], catalog: Catalog, folder: Dataset | None = None) -> Scenario:
    """The one that is named; else that of the user's own files; else the first."""
    name = _named(user, "scenario") or (folder.scenario if folder else None)
    return catalog.scenario(str(name)) if name else catalog.default_scenario


def _read_scenario(scenario: Scenario, catalog: Catalog) -> Layer:
    label = f"scenario {scenario.name!r} of plugin {catalog.primary!r}"
    if isinstance(scenario.config, Path):
        file = scenario.config
        layer = read_file(file, lambda line: f"{label} ({file.name}:{line})")
    else:
        layer = Layer()
        for name, value in scenario.config.items():
            layer.put((name,), value, label)
    for name in ("plugin", "scenario", "extensions"):
        if name in layer.values:
            raise ConfigError(f"{layer.origins[(name,)]} sets {name!r}, which only the user chooses; remove it")
    return layer


def _begin_with(user: Sequence[Layer], catalog: Catalog, base: Layer) -> Layer:
    """What follows from ``train.init``, whose hash is added to the call; nothing for a stored run, which has it."""
    begun = [section for layer in user if isinstance(section := layer.values.get("train"), dict)]
    path = next((section["init"] for section in reversed(begun) if section.get("init")), None)
    if not isinstance(path, str) or any(section.get("init_sha256") for section in begun):
        return Layer()
    from wganx.pretrained import open_pretrained, starting_values

    opened, follows, call = open_pretrained(path, catalog.offers(Layout)), Layer(), user[-1]
    named = [section for layer in [base, *user] if isinstance(section := layer.values.get("dataset"), dict)]
    dataset = next((section["name"] for section in reversed(named) if "name" in section), None)
    options = catalog.dataset(dataset).config.model_fields if isinstance(dataset, str) else ()
    values, origin = starting_values(opened, list(options)), f"train.init {path}"
    if "generator" in values:
        follows.put(("generator",), values["generator"], origin)
    for option, size in values.get("dataset", {}).items():
        # Beside the flag that chose the dataset, or it would be taken for an option of another one.
        if not sets(user, "dataset", option):
            call.put(("dataset", option), size, origin)
    call.put(("train", "init_sha256"), opened.sha256, origin)
    return follows
