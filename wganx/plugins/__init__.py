"""Plugins: what they hand over, the hooks they implement, how they are found and loaded.

Nothing here imports torch, and only plugins that are named are imported. Names are loaded on first use, so that a
shell that completes the name of a plugin waits for none of what loading one takes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wganx.errors import PluginError as PluginError
    from wganx.plugins.catalog import Catalog as Catalog
    from wganx.plugins.catalog import load as load
    from wganx.plugins.contracts import WGANX_API as WGANX_API
    from wganx.plugins.discovery import FoundPlugin as FoundPlugin
    from wganx.plugins.discovery import discover as discover
    from wganx.plugins.hookspecs import hookimpl as hookimpl
    from wganx.plugins.listing import Description as Description
    from wganx.plugins.listing import describe as describe
    from wganx.plugins.listing import describe_all as describe_all
    from wganx.plugins.loading import LoadedPlugin as LoadedPlugin
    from wganx.plugins.loading import plugin_commands as plugin_commands
    from wganx.plugins.observers import Observers as Observers

_MODULE_OF = {
    "Catalog": "wganx.plugins.catalog",
    "Description": "wganx.plugins.listing",
    "FoundPlugin": "wganx.plugins.discovery",
    "LoadedPlugin": "wganx.plugins.loading",
    "Observers": "wganx.plugins.observers",
    "PluginError": "wganx.errors",
    "WGANX_API": "wganx.plugins.contracts",
    "describe": "wganx.plugins.listing",
    "describe_all": "wganx.plugins.listing",
    "discover": "wganx.plugins.discovery",
    "hookimpl": "wganx.plugins.hookspecs",
    "load": "wganx.plugins.catalog",
    "plugin_commands": "wganx.plugins.loading",
}

__all__ = [
    "WGANX_API",
    "Catalog",
    "Description",
    "FoundPlugin",
    "LoadedPlugin",
    "Observers",
    "PluginError",
    "describe",
    "describe_all",
    "discover",
    "hookimpl",
    "load",
    "plugin_commands",
]


def __getattr__(name: str) -> Any:
    try:
        module = _MODULE_OF[name]
    except KeyError:
        raise AttributeError(f"module 'wganx.plugins' has no attribute {name!r}") from None
    return getattr(import_module(module), name)
