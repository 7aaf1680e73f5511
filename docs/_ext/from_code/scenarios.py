"""What every scenario of the built-in plugins sets; all other keys have their defaults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from from_code.markdown import code, fenced, prose
from from_code.parts import built_in
from wganx.plugins.descriptors import Scenario


def scenarios() -> str:
    """Plugin by plugin, each scenario with the YAML that it is."""
    text = []
    for plugin in built_in():
        offers = [offer for offer in plugin.offers if isinstance(offer, Scenario)]
        if offers:
            text.append(f"## {plugin.name}")
            text += [block for offer in offers for block in _scenario(plugin.name, offer)]
    return "\n\n".join(text)


def _scenario(plugin: str, offer: Scenario) -> Iterator[str]:
    yield f"### {plugin}: {offer.name}"
    yield f"{prose(offer.summary[0].upper() + offer.summary[1:])}."
    if offer.extensions:
        yield f"Needs beside its plugin: {', '.join(map(code, offer.extensions))}."
    yield fenced(written(offer), "yaml")


def written(offer: Scenario) -> str:
    """A scenario as a file of ``--config`` would say it, with its own comments where it is one."""
    if isinstance(offer.config, Path):
        return offer.config.read_text(encoding="utf-8")
    return str(yaml.safe_dump(dict(offer.config), sort_keys=False, default_flow_style=None, width=110))
