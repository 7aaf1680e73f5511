"""Which plugins are installed, read from package metadata alone: nothing is imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from wganx.errors import PluginError, did_you_mean
from wganx.names import at_home

GROUP = "wganx"


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """A plugin that is not imported yet.

    Attributes:
        name: what ``--plugin`` takes.
        distribution: the package that ships it; empty for a file or a module object.
        version: that package's version; empty likewise.
        target: the module (or ``module:object``) the entry point names, or the path of a file.
        source: what loading starts from.
    """

    name: str
    distribution: str
    version: str
    target: str
    source: EntryPoint | Path | object = field(compare=False, repr=False)

    @property
    def package(self) -> str:
        """Distribution and version, or nothing."""
        return f"{self.distribution} {self.version}".strip()

    def __str__(self) -> str:
        return f"plugin {self.name!r} ({', '.join(part for part in (self.package, self.target) if part)})"


def discover() -> list[FoundPlugin]:
    """Every installed plugin by name, from the entry points of group ``wganx``; imports none of them."""
    found = {
        # The package importlib_metadata, once imported by anybody, makes entry points of a class of its own.
        FoundPlugin(
            point.name, point.dist.name, point.dist.version, point.value, EntryPoint(point.name, point.value, GROUP)
        )
        for point in entry_points(group=GROUP)
        if point.dist is not None
    }
    return sorted(found, key=lambda plugin: (plugin.name, plugin.distribution))


def find(name: str | object) -> FoundPlugin:
    """The plugin that `name` stands for.

    Args:
        name: an entry point's name, ``distribution:name`` when two distributions offer it, a path ending in
            ``.py``, or a module object.

    Raises:
        PluginError: no such plugin or file, or two distributions claim the name.
    """
    if not isinstance(name, str):
        title = name.__name__ if isinstance(name, ModuleType) else type(name).__name__
        return FoundPlugin(title.rpartition(".")[2], "", "", title, name)
    if name.endswith(".py"):
        path = at_home(name)
        if not path.is_file():
            raise PluginError(f"no plugin file {name}")
        return FoundPlugin(path.stem, "", "", name, path.resolve())

    installed = discover()
    distribution, _, bare = name.rpartition(":")
    matches = [plugin for plugin in installed if plugin.name == bare and distribution in ("", plugin.distribution)]
    if not matches:
        names = sorted({plugin.name for plugin in installed})
        if distribution and bare in names:
            names = [f"{plugin.distribution}:{bare}" for plugin in installed if plugin.name == bare]
        listed = f"; installed: {', '.join(names)}" if names else "; none is installed"
        raise PluginError(f"no plugin named {name!r}{listed}{did_you_mean(name, names)}")
    if len(matches) > 1:
        owners = " and ".join(plugin.package for plugin in matches)
        raise PluginError(f"{bare!r} is offered by {owners}; say which, e.g. --plugin {matches[0].distribution}:{bare}")
    return matches[0]
