"""Plugins: what they hand over, the hooks they implement, how they are found and loaded.

Nothing here imports torch, and only plugins that are named are imported.
"""

from wganx.errors import PluginError
from wganx.plugins.catalog import Catalog, load
from wganx.plugins.contracts import WGANX_API
from wganx.plugins.discovery import FoundPlugin, discover
from wganx.plugins.hookspecs import hookimpl
from wganx.plugins.listing import Description, describe, describe_all
from wganx.plugins.loading import LoadedPlugin, plugin_commands
from wganx.plugins.observers import Observers

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
