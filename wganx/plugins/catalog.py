"""What the loaded plugins offer, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from wganx.errors import PluginError, did_you_mean
from wganx.health import HealthCheck
from wganx.parts import Part
from wganx.plugins.descriptors import Architecture, Dataset, Extractor, Metric, Modality, Scenario, Task
from wganx.plugins.discovery import find
from wganx.plugins.loading import LoadedPlugin, load_plugins

D = TypeVar("D", bound=Part)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything offered by one primary plugin and its extensions, which come after it in `plugins`.

    Every lookup takes a bare name, or ``plugin:name`` where two plugins offer it, and raises `PluginError` listing
    what is offered. Tasks, architectures and metrics belong to a modality and are looked up within it, so that
    "generate" for images and "generate" for sound do not clash. Scenarios are those of the primary plugin alone.
    """

    plugins: tuple[LoadedPlugin, ...]

    def extended(self, names: Sequence[str]) -> Catalog:
        """This catalog with further plugins, where they are not in it already.

        Raises:
            PluginError: as `load`.
        """
        have = {plugin.name for plugin in self.plugins}
        wanted = [name for name in names if find(name).name not in have]
        return Catalog((*self.plugins, *load_plugins(wanted, beside=self.plugins))) if wanted else self

    @property
    def primary(self) -> str:
        """Name of the primary plugin."""
        return self.plugins[0].name

    @property
    def default_scenario(self) -> Scenario:
        """The first scenario the primary plugin names."""
        scenarios = [offer for offer in self.plugins[0].offers if isinstance(offer, Scenario)]
        if not scenarios:
            raise PluginError(f"{self.plugins[0].found} offers no scenario; say what to train with --config FILE")
        return scenarios[0]

    def scenario(self, name: str) -> Scenario:
        return self._one(Scenario, name, "scenario", self.plugins[:1])

    def modality(self, name: str) -> Modality:
        return self._one(Modality, name, "modality")

    def dataset(self, name: str) -> Dataset:
        return self._one(Dataset, name, "dataset")

    def task(self, name: str, modality: str) -> Task:
        return self._one(Task, name, "task", modality=modality)

    def architecture(self, role: Literal["generator", "critic"], name: str, modality: str) -> Architecture:
        return self._one(Architecture, name, role, modality=modality)

    def metric(self, name: str, modality: str) -> Metric:
        return self._one(Metric, name, "metric", modality=modality)

    def extractor(self, name: str, modality: str) -> Extractor:
        return self._one(Extractor, name, "extractor", modality=modality)

    def rule(self, sort: type[D], name: str) -> D:
        """A constraint, an objective or an optimizer."""
        return self._one(sort, name, sort.word)

    def owner(self, part: Part) -> LoadedPlugin:
        """The plugin that offers a part of this catalog."""
        return next(plugin for plugin in self.plugins if any(offer is part for offer in plugin.offers))

    def offers(self, sort: type[D]) -> list[D]:
        """All descriptors of one class, the primary plugin's first."""
        return [offer for plugin in self.plugins for offer in plugin.offers if isinstance(offer, sort)]

    def metrics(self, modality: str, task: str, names: Sequence[str] | None = None) -> dict[str, Metric]:
        """The metrics that apply to a task, by name; by ``plugin:name`` where two plugins share one.

        Args:
            names: keep these only, in this order; None keeps all.

        Raises:
            PluginError: one of `names` is no metric of the modality, or does not apply to the task.
        """
        if names is not None:
            chosen = {name: self.metric(name, modality) for name in names}
            for name, metric in chosen.items():
                if metric.tasks and task not in metric.tasks:
                    raise PluginError(f"metric {name!r} is for task {' or '.join(metric.tasks)}, not {task!r}")
            return chosen
        applying = [
            (plugin.name, offer)
            for plugin, offer in self._candidates(Metric, self.plugins, "metric")
            if offer.modality == modality and (not offer.tasks or task in offer.tasks)
        ]
        bare = [metric.name for _, metric in applying]
        return {
            metric.name if bare.count(metric.name) == 1 else f"{plugin}:{metric.name}": metric
            for plugin, metric in applying
        }

    def health_checks(self, modality: str) -> list[HealthCheck]:
        """The health checks that apply to a modality, of every plugin."""
        return [check for check in self.offers(HealthCheck) if check.modality in ("", modality)]

    def _one(
        self,
        sort: type[D],
        name: str,
        word: str,
        plugins: tuple[LoadedPlugin, ...] | None = None,
        modality: str | None = None,
    ) -> D:
        plugins = self.plugins if plugins is None else plugins
        everywhere = self._candidates(sort, plugins, word)
        fitting = [pair for pair in everywhere if modality in (None, getattr(pair[1], "modality", None))]
        owner, _, bare = name.rpartition(":")

        def named(pairs: list[tuple[LoadedPlugin, D]]) -> list[tuple[LoadedPlugin, D]]:
            return [pair for pair in pairs if pair[1].name == bare and owner in ("", pair[0].name)]

        matches = named(fitting)
        if len(matches) == 1:
            return matches[0][1]
        if matches:
            owners = " and ".join(str(plugin.found) for plugin, _ in matches)
            raise PluginError(f"{word} {bare!r} is offered by {owners}; say which, e.g. {matches[0][0].name}:{bare}")
        where = " and ".join(repr(plugin.name) for plugin in plugins)
        problem = f"no {word} named {name!r} in plugin {where}"
        if modality is not None:
            problem += f" for modality {modality!r}"
            strangers = " and ".join(repr(getattr(offer, "modality", "")) for _, offer in named(everywhere))
            if strangers:
                problem = f"{word} {name!r} is for modality {strangers}, not {modality!r}"
        names = list(dict.fromkeys(offer.name for _, offer in fitting))
        listed = f"offered: {', '.join(names)}" if names else "none is offered"
        raise PluginError(f"{problem}; {listed}{did_you_mean(bare, names)}")

    @staticmethod
    def _candidates(sort: type[D], plugins: tuple[LoadedPlugin, ...], word: str) -> list[tuple[LoadedPlugin, D]]:
        return [
            (plugin, offer)
            for plugin in plugins
            for offer in plugin.offers
            if isinstance(offer, sort) and offer.kind == word
        ]


def load(names: Sequence[str | object]) -> Catalog:
    """Load the named plugins, and no other; the first is the primary one, the rest are its extensions.

    Args:
        names: each an installed plugin's name, ``distribution:name``, a path ending in ``.py``, or a module object.

    Raises:
        PluginError: in one line, the plugin, its distribution and version, its module, and the cause.
    """
    if not names:
        raise PluginError("no plugin is named")
    return Catalog(load_plugins(names))
