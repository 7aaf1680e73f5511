"""What ``wganx plugins`` shows: every installed plugin, each tried in its own guard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from wganx.errors import PluginError
from wganx.plugins.contracts import Descriptor
from wganx.plugins.descriptors import kind
from wganx.plugins.discovery import FoundPlugin, discover, find
from wganx.plugins.loading import declared_api, load_plugin

_PLURAL = {"modality": "modalities"}


@dataclass(frozen=True, slots=True)
class Description:
    """One plugin as it was found and, where it could be loaded, what it offers.

    Attributes:
        api: the plugin API it declares, None where it cannot be imported or declares none.
        cause: why it is broken; None for a plugin that works.
        offers: its descriptors; empty for a broken plugin.
    """

    name: str
    distribution: str
    version: str
    target: str
    api: int | None
    cause: str | None
    offers: tuple[Descriptor, ...]

    @property
    def status(self) -> str:
        """``ok`` or ``broken``."""
        return "ok" if self.cause is None else "broken"

    @property
    def provides(self) -> str:
        """A count of everything offered, ``2 datasets, 1 task``, or the cause of a broken plugin."""
        if self.cause is not None:
            return self.cause
        counts = Counter(kind(offer) for offer in self.offers)
        return (
            ", ".join(
                f"{count} {word if count == 1 else _PLURAL.get(word, word + 's')}" for word, count in counts.items()
            )
            or "nothing"
        )


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
    cause: str | None = None
    offers: tuple[Descriptor, ...] = ()
    try:
        offers = load_plugin(found).offers
    except PluginError as error:
        cause = str(error).removeprefix(str(found)).removeprefix(":").strip()
    return Description(found.name, found.distribution, found.version, found.target, declared_api(found), cause, offers)
