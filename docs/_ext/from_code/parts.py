"""Everything the built-in plugins offer, part by part, with every option."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from from_code.configuration import HEAD, options
from from_code.markdown import code, prose, table
from wganx.config import RunConfig
from wganx.parts import KINDS, Part, plural
from wganx.plugins import LoadedPlugin, discover, load
from wganx.plugins.descriptors import Dataset, Metric, Scenario


def parts() -> str:
    """Plugin by plugin, and kind by kind within it."""
    plurals = {kind.word: plural(kind) for kind in KINDS.values()}
    text = []
    for plugin in built_in():
        text.append(f"## {plugin.name}")
        if not plugin.offers:
            about = (import_module(plugin.found.target).__doc__ or "").splitlines()[0]
            text.append(f"Offers no parts; it looks on, with `--extension {plugin.name}`. {about}")
        for word in dict.fromkeys(offer.kind for offer in plugin.offers):
            offers = [offer for offer in plugin.offers if offer.kind == word]
            text.append(f"### {plugin.name}: {plurals.get(word, word + 's')}")
            text += _offers(plugin, word, offers)
    return "\n\n".join(text)


def built_in() -> Iterator[LoadedPlugin]:
    """The plugins of this distribution."""
    for found in discover():
        if found.distribution == "wganx":
            yield load([found.name]).plugins[0]


def _offers(plugin: LoadedPlugin, word: str, offers: list[Part]) -> Iterator[str]:
    """One table of all, then the options of each that has some."""
    yield table(("Name", "What it is", *_more(offers[0])), (_row(plugin, offer) for offer in offers))
    for offer in offers:
        config: Any = getattr(offer, "config", None)
        if isinstance(config, type) and issubclass(config, BaseModel) and config.model_fields:
            yield f"**{word} {code(offer.name)}**"
            # Others are told their options elsewhere, as metrics are in a list.
            yield table(HEAD, options(config, f"{word}." if word in RunConfig.model_fields else ""))
        if flags := [code(f"--{name.replace('_', '-')}") for name in getattr(offer, "applied", ())]:
            yield f"Flags of `wganx sample RUN --source FILE` too, for that call alone: {', '.join(flags)}."


def _more(offer: Part) -> tuple[str, ...]:
    """Heads of the columns that a kind of part has beside its name and summary."""
    if isinstance(offer, Dataset):
        return ("Source", "Licence", "Offline")
    if isinstance(offer, Metric):
        return ("Better", "Tasks")
    return ("Try it",) if isinstance(offer, Scenario) else ()


def _row(plugin: LoadedPlugin, offer: Part) -> tuple[str, ...]:
    row = (code(offer.name), prose(offer.summary))
    if isinstance(offer, Dataset):
        card = offer.card
        source = prose(card.source) + (f" ({prose(card.size)})" if card.size else "")
        return (*row, source, prose(card.licence), "yes" if card.offline else "no")
    if isinstance(offer, Metric):
        better = ", ".join(f"{code(value)} {way}" for value, way in offer.better.items())
        return (*row, better or "—", ", ".join(map(code, offer.tasks)) or "all")
    if isinstance(offer, Scenario):
        return (*row, code(f"wganx train --plugin {plugin.name} --scenario {offer.name}"))
    return row
