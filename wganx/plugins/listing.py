"""What ``wganx plugins`` shows: every installed plugin, each tried in its own guard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from wganx.errors import PluginError
from wganx.parts import KINDS, Part, plural
from wganx.plugins.discovery import FoundPlugin, discover, find
from wganx.plugins.loading import declared_api, load_plugin, plugin_commands


@dataclass(frozen=True, slots=True)
class Description:
    """One plugin as it was found and, where it could be loaded, what it offers.

    Attributes:
        api: the plugin API it declares, None where it cannot be imported or declares none.
        cause: why it is broken; None for a plugin that works.
        offers: its descriptors; empty for a broken plugin, as are the rest.
        commands: names of the commands mounted below it.
        observes: the observation hooks it implements.
        extends: the plugins it builds on.
    """

    name: str
    distribution: str
    version: str
    target: str
    api: int | None
    cause: str | None
    offers: tuple[Part, ...] = ()
    commands: tuple[str, ...] = ()
    observes: tuple[str, ...] = ()
    extends: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """``ok`` or ``broken``."""
        return "ok" if self.cause is None else "broken"

    @property
    def provides(self) -> str:
        """A count of everything offered, ``2 datasets, 1 task``, or the cause of a broken plugin."""
        if self.cause is not None:
            return self.cause
        counts = Counter(offer.kind for offer in self.offers)
        plurals = {kind.word: plural(kind) for kind in KINDS.values()}
        counts.update({"command": len(self.commands), "observer": int(bool(self.observes))})
        words = [
            f"{count} {word if count == 1 else plurals.get(word, word + 's')}"
            for word, count in counts.items()
            if count
        ]
        return ", ".join(words) or "nothing"


def describe_all() -> list[Description]:
    """Every installed plugin; a broken one is a row, not a failure."""
    return [_describe(found) for found in discover()]


def describe(name: str) -> Description:
    """One plugin, which `find` must know.

    Raises:
        PluginError: no plugin of this name, or two.
    """
    return _describe(find(name))


def _describe(found: FoundPlugin) -> Description:
    facts = (found.name, found.distribution, found.version, found.target, declared_api(found))
    try:
        plugin = load_plugin(found)
        commands = tuple(str(command.name) for command in plugin_commands(found))
    except PluginError as error:
        return Description(*facts, str(error).removeprefix(str(found)).removeprefix(":").strip())
    return Description(*facts, None, plugin.offers, commands, plugin.observes, plugin.extends)
