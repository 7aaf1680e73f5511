"""Checks of a plugin as a whole, and of any part whatever its kind."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from wganx.config.sections import CriticSection, DatasetSection, GeneratorSection, Section, TaskSection
from wganx.errors import PluginError
from wganx.parts import Part
from wganx.plugins.descriptors import Config, Dataset, Extractor, Layout, Modality, Scenario
from wganx.plugins.discovery import find
from wganx.plugins.loading import LoadedPlugin
from wganx.testing.bench import Bench
from wganx.testing.check import NotChecked, check, fail

ARGUMENTS = {
    ("wganx_modalities", "write"): ("batch", "format", "folder", "stem"),
    ("wganx_modalities", "preview"): ("samples", "reference", "format", "folder", "stem"),
    ("wganx_modalities", "open"): ("path",),
    ("wganx_modalities", "create"): ("path", "like"),
    ("wganx_modalities", "sheet"): ("samples", "format", "rows", "columns"),
    ("wganx_datasets", "open"): ("config", "split", "context"),
    ("wganx_datasets", "fit"): ("config", "context"),
    ("wganx_datasets", "suggest"): ("config", "context"),
    ("wganx_tasks", "fit"): ("config", "formats", "items"),
    ("wganx_datasets", "probe"): ("file", "path"),
    ("wganx_tasks", "build"): ("config", "formats"),
    ("wganx_architectures", "build"): ("config", "context"),
    ("wganx_metrics", "compute"): ("sides", "context"),
    ("wganx_extractors", "load"): ("config", "context"),
    ("wganx_layouts", "read"): ("content", "path"),
    ("wganx_health_checks", "inspect"): ("vitals",),
}
"""What the core calls each factory with, by hook and field; all by position."""

_CORE: dict[str, type[Section]] = {
    "dataset": DatasetSection,
    "task": TaskSection,
    "generator": GeneratorSection,
    "critic": CriticSection,
}

_LIGHT = """
import sys
from wganx.plugins.discovery import find
from wganx.plugins.loading import load_plugin
kind, target = sys.argv[1:]
if kind == "module":
    from importlib import import_module
    module, _, attribute = target.partition(":")
    target = import_module(module)
    for step in filter(None, attribute.split(".")):
        target = getattr(target, step)
load_plugin(find(target))
print("heavy:", *sorted({"torch", "torchvision", "torchaudio", "tensorflow", "jax"} & set(sys.modules)))
"""


@check("plugin", name="light", mend="see that it imports by itself: python -c 'import ...'")
def is_light(plugin: LoadedPlugin, bench: Bench) -> None:
    """Declaring what there is imports no torch, so that listing plugins stays quick."""
    found = plugin.found
    if isinstance(found.source, Path):
        arguments = ("file", str(found.source))
    elif isinstance(found.source, ModuleType) and not found.source.__spec__:
        raise NotChecked("a module made in memory cannot be imported elsewhere")
    elif isinstance(found.source, ModuleType):
        arguments = ("module", found.source.__name__)
    elif found.distribution:
        arguments = ("module", found.target.partition("[")[0].strip())
    else:
        raise NotChecked("an object in memory cannot be imported elsewhere")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "ignore", "-c", _LIGHT, *arguments]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, encoding="utf-8", timeout=120)
    heavy = next((line for line in reversed(done.stdout.splitlines()) if line.startswith("heavy:")), None)
    if heavy is None:
        fail(
            f"it does not load in a fresh interpreter: {(done.stderr.strip().splitlines() or ['it says nothing'])[-1]}",
            "let it need nothing that was imported before it",
        )
    if names := heavy.split()[1:]:
        fail(
            f"importing it imports {' and '.join(names)}",
            "name factories as 'package.module:name', or import inside the functions that build",
        )


@check("plugin", name="extends", mend="install what it builds on")
def extends(plugin: LoadedPlugin, bench: Bench) -> None:
    """The plugins it builds on, its WGANX_EXTENDS, are there."""
    for base in plugin.extends:
        try:
            find(base)
        except PluginError as error:
            fail(str(error), "name an installed plugin in WGANX_EXTENDS, and its package among your dependencies")


@check("plugin", name="runnable", mend="")
def is_runnable(plugin: LoadedPlugin, bench: Bench) -> None:
    """A plugin that brings a modality ships a scenario, so that `wganx train --plugin` does something."""
    if not plugin.offers and not plugin.observes and not bench.commands():
        fail("it offers nothing at all", "mark its hooks with @wganx.hookimpl")
    if bench.own(Modality) and not bench.own(Scenario):
        fail("it brings a modality and no scenario", "add wganx_scenarios with one small, complete run")


@check("plugin", name="offline", mend="")
def is_offline(plugin: LoadedPlugin, bench: Bench) -> str | None:
    """At least one of its datasets needs no network and no files, so that everything can be tried."""
    datasets = bench.own(Dataset)
    if not datasets:
        return "it has no dataset"
    if not bench.own(Scenario):
        return "it only adds datasets"
    if not any(dataset.card.offline for dataset in datasets):
        fail("none of its datasets is offline", "add a small synthetic one with DataCard(..., offline=True)")
    return None


@check("part", name="summary", mend="")
def says_what_it_is(part: Part, bench: Bench) -> None:
    """A part says in one line what it is."""
    if not isinstance(part.summary, str) or not part.summary.strip() or "\n" in part.summary.strip():
        fail(f"its summary is {part.summary!r}", "say in a few words of one line what it is")


@check("part", name="factories", mend="let the name lead to a function or class: 'package.module:name'")
def factories_resolve(part: Part, bench: Bench) -> None:
    """What its factories name can be imported and called."""
    for name in type(part).factories:
        if getattr(part, name) is not None:
            part.factory(name)


@check("part", name="signature", mend="")
def takes_the_arguments(part: Part, bench: Bench) -> None:
    """Its factories take the arguments that the core calls them with."""
    for name in type(part).factories:
        arguments = ARGUMENTS.get((type(part).hook, name))
        if arguments is None or getattr(part, name) is None:
            continue
        try:
            signature = inspect.signature(part.factory(name))
        except Exception:  # the factory is missing, which is another check's, or is built in and tells nothing
            continue
        try:
            signature.bind(*arguments)
        except TypeError as error:
            fail(f"{name}{signature} does not fit: {error}", f"let it take ({', '.join(arguments)})")


@check("part", name="options", mend="give every option a default that its own checks accept")
def options_are_sound(part: Part, bench: Bench) -> str | None:
    """Its options have names of their own, and survive being stored in a run's configuration."""
    model: Any = getattr(part, "config", None)
    if not (isinstance(model, type) and issubclass(model, Config)):
        return "it has no options"
    core: type[Section] | None = _CORE.get(part.kind)
    taken = sorted(set(core.model_fields) & set(model.model_fields)) if core else []
    if taken:
        fail(f"its option {taken[0]!r} is the core's", "give the option another name")
    if any(option.is_required() for option in model.model_fields.values()):
        return None
    options = model()
    try:
        again = model.model_validate(options.model_dump(mode="json"))
    except (ValidationError, ValueError, TypeError) as error:
        fail(f"its stored options are not read back: {error}", "use types that JSON can hold: numbers, text, tuples")
    if again != options:
        fail("its options change when they are stored and read", "let every validator leave a valid value alone")
    return None


@check("dataset", "extractor", "layout", name="card", mend="")
def card_is_complete(part: Dataset | Extractor | Layout, bench: Bench) -> None:
    """Its card says where it comes from and under which licence."""
    card = part.card
    for name in ("source", "licence"):
        if not str(getattr(card, name, "") or "").strip():
            fail(f"its card has no {name}", f"write DataCard({name}=...), 'unknown' where it is")
