"""The datasets of the built-in plugins: what each holds, whose it is, how its files lie, and what reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from from_code.markdown import code, fenced, prose, table
from from_code.parts import built_in
from wganx.parts import Part
from wganx.plugins import LoadedPlugin
from wganx.plugins.descriptors import Dataset, Scenario

REPOSITORY = Path(__file__).parents[3]


def datasets() -> str:
    """A table of each plugin's, then each with its files and commands."""
    text = []
    for plugin in built_in():
        offers = [offer for offer in plugin.offers if isinstance(offer, Dataset)]
        if offers:
            text += [f"## {plugin.name}", _table(plugin, offers)]
            text += [block for offer in offers for block in _dataset(plugin, offer)]
    return "\n\n".join(text)


def tree(layout: Mapping[str, str]) -> str:
    """Paths as a tree, each file with its words behind it."""
    root: dict[str, Any] = {}
    for path, words in layout.items():
        *folders, name = path.split("/")
        place = root
        for folder in folders:
            place = place.setdefault(f"{folder}/", {})
        place[name] = words
    lines = list(_lines(root, ""))
    width = max(len(drawn) for drawn, _ in lines)
    return "\n".join(f"{drawn:<{width}}  {words}".rstrip() for drawn, words in lines)


def _lines(place: Mapping[str, Any], indent: str) -> Iterator[tuple[str, str]]:
    for name, inner in place.items():
        if isinstance(inner, str):
            yield indent + name, inner
        else:
            yield indent + name, ""
            yield from _lines(inner, f"{indent}  ")


def _table(plugin: LoadedPlugin, offers: list[Dataset]) -> str:
    head = ("Name", "What it holds", "Size", "Licence", "Files")
    return table(
        head,
        (
            (
                f"[{code(offer.name)}](#{plugin.name}-{offer.name})",
                prose(offer.summary),
                prose(offer.card.size) or "—",
                prose(offer.card.licence),
                _files(offer),
            )
            for offer in offers
        ),
    )


def _files(offer: Dataset) -> str:
    if not offer.layout:
        return "none needed"
    return "your own" if offer.card.offline else "needed"


def _dataset(plugin: LoadedPlugin, offer: Dataset) -> Iterator[str]:
    yield f"### {plugin.name}: {offer.name}"
    yield f"{prose(offer.summary[0].upper() + offer.summary[1:])}. {_about(offer)}"
    if offer.layout:
        yield fenced(tree(offer.layout))
    if commands := list(_commands(plugin, offer)):
        yield fenced("\n".join(commands))


def _about(offer: Dataset) -> str:
    card = offer.card
    facts = {"Source": card.source, "Licence": card.licence, "Size": card.size, "Brought to one size": offer.resize}
    return " ".join(f"{name}: {prose(said)}." for name, said in facts.items() if said)


def _commands(plugin: LoadedPlugin, offer: Dataset) -> Iterator[str]:
    """What looks at it, the scenarios that learn from it as it is, except those for tests, and the recipes."""
    if offer.folder:
        yield f"wganx data scan FOLDER --plugin {plugin.name}"
        yield f"wganx train --plugin {plugin.name} --data FOLDER"
    elif offer.probe:
        yield f"wganx data scan DATA --plugin {plugin.name} --dataset {offer.name}"
    root = " --data DATA" if offer.layout else ""
    for scenario in () if offer.folder else plugin.offers:
        if (
            isinstance(scenario, Scenario)
            and not scenario.name.endswith("-tiny")
            and learns_from(scenario) == offer.name
        ):
            yield f"wganx train --plugin {plugin.name} --scenario {scenario.name}{root}"
    for recipe in _recipes()[plugin.name, offer.name]:
        yield f"wganx train --config {recipe} --data {'FOLDER' if offer.folder else 'DATA'}"


@cache
def learns_from(scenario: Scenario) -> str:
    """The dataset that a scenario names."""
    config = scenario.config
    said = yaml.safe_load(config.read_text(encoding="utf-8")) if isinstance(config, Path) else config
    return str(said["dataset"]["name"])


@cache
def _recipes() -> Mapping[tuple[str, str], list[str]]:
    """Paths of the recipes by plugin and dataset."""
    plugins = {plugin.name: plugin for plugin in built_in()}
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted((REPOSITORY / "configs").rglob("*.yaml")):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        base = next(offer for offer in plugins[said["plugin"]].offers if _is(offer, said["scenario"]))
        name = said.get("dataset", {}).get("name") or learns_from(base)
        found[said["plugin"], name].append(path.relative_to(REPOSITORY).as_posix())
    return found


def _is(offer: Part, scenario: str) -> bool:
    return isinstance(offer, Scenario) and offer.name == scenario
