"""From a plugin's name to its descriptors: import it, check it, ask its hooks; every failure is one `PluginError`.

Each plugin gets a `pluggy.PluginManager` of its own, so nothing a plugin does at loading or in a hook can reach
another one, and a plugin that fails leaves nothing registered.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from wganx.errors import PluginError, did_you_mean
from wganx.parts import KINDS, Part
from wganx.plugins.contracts import WGANX_API
from wganx.plugins.discovery import FoundPlugin, find
from wganx.plugins.faults import fault_in
from wganx.plugins.from_source import FromSource, add_folder
from wganx.plugins.guard import one_line
from wganx.plugins.hookspecs import PROJECT, Observation, Registration

if TYPE_CHECKING:
    import click

T = TypeVar("T")

_PACKAGE_OF = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Modules whose package goes by another name."""


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that passed every check: what it offers, and its hooks for those who observe a run.

    Attributes:
        extends: names of the plugins it builds on, its ``WGANX_EXTENDS``, which are loaded beside it.
    """

    found: FoundPlugin
    offers: tuple[Part, ...]
    extends: tuple[str, ...]
    hooks: Any = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.found.name

    @property
    def observes(self) -> tuple[str, ...]:
        """The observation hooks it implements."""
        hooks = [name for name in vars(Observation) if name.startswith(f"{PROJECT}_")]
        return tuple(name for name in hooks if getattr(self.hooks, name).get_hookimpls())


def load_plugin(found: FoundPlugin) -> LoadedPlugin:
    """Import `found`, check it and collect its descriptors.

    Raises:
        PluginError: it does not import, speaks another plugin API, does not fit the hooks, or one of its
            registration hooks fails or returns what it must not; the cause is kept as ``__cause__``.
    """
    module = _import(found)
    hooks = _register(found, module)
    offers = [offer for hook, kind in KINDS.items() for offer in _ask(found, hooks, hook, kind)]
    fault = fault_in(offers)
    if fault:
        raise PluginError(f"{found} {fault}")
    extends = getattr(module, "WGANX_EXTENDS", ())
    if not isinstance(extends, tuple | list) or not all(isinstance(name, str) for name in extends):
        raise PluginError(
            f"{found} has WGANX_EXTENDS = {extends!r}: a tuple of plugin names is wanted, like ('image',)"
        )
    return LoadedPlugin(found, tuple(replace(offer, origin=str(found)) for offer in offers), tuple(extends), hooks)


def load_plugins(names: Sequence[str | object], beside: Sequence[LoadedPlugin] = ()) -> tuple[LoadedPlugin, ...]:
    """Load the named plugins in their order, then those they build on, and nothing else.

    Args:
        beside: plugins that are loaded already, and are not again.

    Raises:
        PluginError: as `find` and `load_plugin`, or two of them go by the same name.
    """
    loaded: list[LoadedPlugin] = [*beside]
    for name in names:
        _add(find(name), loaded, named=True)
    for plugin in loaded:  # grows while it is gone through
        for base in plugin.extends:
            try:
                found = find(base)
            except PluginError as error:
                raise PluginError(f"{plugin.found} builds on {base!r}: {error}") from error
            _add(found, loaded, named=False)
    return tuple(loaded[len(beside) :])


def _add(found: FoundPlugin, loaded: list[LoadedPlugin], *, named: bool) -> None:
    for other in loaded:
        if other.name == found.name:
            if not named and other.found == found:
                return
            raise PluginError(f"{found} and {other.found} cannot be loaded together: both go by one name")
    loaded.append(load_plugin(found))


def plugin_commands(name: str | object) -> list[click.Command]:
    """The click commands of one plugin, mounted as ``wganx <plugin> <command>``; loads only that plugin.

    Raises:
        PluginError: as `find` and `load_plugin`.
    """
    import click

    found = name if isinstance(name, FoundPlugin) else find(name)
    hooks = _register(found, _import(found))
    return _ask(found, hooks, "wganx_commands", click.Command)


def declared_api(found: FoundPlugin) -> int | None:
    """The plugin API `found` declares, or None where it cannot be read."""
    try:
        api = getattr(_import(found), "WGANX_API", None)
    except PluginError:
        return None
    return api if isinstance(api, int) else None


def _import(found: FoundPlugin) -> object:
    try:
        if isinstance(found.source, EntryPoint):
            return found.source.load()
        if isinstance(found.source, Path):
            return _import_file(found.source)
    except PluginError as error:
        raise PluginError(f"{found} {error}") from error
    except (Exception, SystemExit) as error:  # an import may end the interpreter on purpose; it may not end ours
        raise PluginError(f"{found} does not import: {one_line(error)}{_mend(found, error)}") from error
    return found.source


def _import_file(path: Path) -> object:
    """Import a file under its bare name, its folder at the end of ``sys.path``.

    The name and the path are what a spawned data worker needs to import the file again.
    """
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    other = importlib.util.find_spec(path.stem)
    if other is not None and other.origin != str(path):
        raise PluginError(f"has the name of another module ({other.origin or path.stem}); rename the file")
    spec = importlib.util.spec_from_file_location(path.stem, path, loader=FromSource(path.stem, str(path)))
    if spec is None or spec.loader is None:
        raise PluginError("is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    add_folder(path.parent)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module


def _mend(found: FoundPlugin, error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    missing = error.name.partition(".")[0]
    if missing == found.target.partition(":")[0].partition(".")[0]:
        return f" (reinstall {found.distribution})" if found.distribution else ""
    return "" if missing == "wganx" else f" (pip install {_PACKAGE_OF.get(missing, missing)})"


def _register(found: FoundPlugin, plugin: object) -> Any:
    """The plugin's hooks, after its API number and the names and arguments of its hooks were checked."""
    api = getattr(plugin, "WGANX_API", None)
    if not isinstance(api, int):
        raise PluginError(f"{found} declares no plugin API: it needs a line WGANX_API = {WGANX_API}")
    if api != WGANX_API:
        behind = (found.distribution or "the plugin") if api < WGANX_API else "wganx"
        raise PluginError(f"{found} is written for plugin API {api}, this wganx speaks {WGANX_API}; update {behind}")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Registration)
    manager.add_hookspecs(Observation)
    for hook in _arguments():
        if inspect.isroutine(getattr(plugin, hook, None)) and manager.parse_hookimpl_opts(plugin, hook) is None:
            raise PluginError(f"{found} does not fit the hooks: {hook} is not marked; write @wganx.hookimpl above it")
    try:
        manager.register(plugin, name=found.name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        misfit = _misfit(manager, plugin) or one_line(error)
        raise PluginError(f"{found} does not fit the hooks: {misfit}") from error
    return manager.hook


def _arguments() -> dict[str, list[str]]:
    """Every hook, and the arguments it takes."""
    return {
        name: list(inspect.signature(spec).parameters)[1:]
        for family in (Registration, Observation)
        for name, spec in vars(family).items()
        if name.startswith(f"{PROJECT}_")
    }


def _misfit(manager: pluggy.PluginManager, plugin: object) -> str | None:
    """Which hook does not fit and why, in one line; pluggy's own message spans several and names no mend."""
    specs = _arguments()
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is None:
            continue
        hook = options.get("specname") or attribute
        if hook not in specs:
            return f"unknown hook {hook!r}{did_you_mean(hook, specs)}"
        for argument in inspect.signature(getattr(plugin, attribute)).parameters:
            if argument not in specs[hook]:
                known = f"only {', '.join(specs[hook])}" if specs[hook] else "it takes none"
                hint = did_you_mean(argument, specs[hook])
                return f"hook {hook!r} has no argument {argument!r}, {known}{hint}"
    return None


def _ask(found: FoundPlugin, hooks: Any, hook: str, kind: type[T]) -> list[T]:
    """Everything one registration hook of one plugin returns; a generator runs here, inside the guard."""
    try:
        results = getattr(hooks, hook)()
        for result in results:
            if not isinstance(result, Iterable) or isinstance(result, str):
                raise PluginError(f"{found}: {hook} must return a list of {kind.__name__}, not {result!r}")
        offered = [item for result in results for item in result]
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"{found} failed in {hook}: {one_line(error)}") from error
    for item in offered:
        if not isinstance(item, kind):
            raise PluginError(f"{found}: {hook} returned {item!r} where a {kind.__name__} belongs")
    return offered
