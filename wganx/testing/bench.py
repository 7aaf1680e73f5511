"""What checks share: a plugin's parts opened, built and kept, so that each is made once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, TypeVar

import click

from wganx.config import Resolved, resolve
from wganx.errors import ConfigError, DataError, PluginFailed, PreflightError, WganxError
from wganx.parts import Part
from wganx.plugins import Catalog, FoundPlugin, LoadedPlugin, plugin_commands
from wganx.plugins.contracts import DataContext, Fitted, Formats, Game, Items, Split
from wganx.plugins.descriptors import Architecture, Config, Dataset, Scenario, Task
from wganx.plugins.guard import call
from wganx.testing.check import NotChecked, fail
from wganx.testing.places import NOISE, SEED, Network, Setting, fault_of

P = TypeVar("P", bound=Part)


class Bench:
    """One plugin's parts at work, beside those of the plugins it builds on.

    Args:
        plugin: whose parts are looked at.
        catalog: it and what it builds on.
        roots: a folder or file for datasets that have none of their own, by dataset.
    """

    def __init__(self, plugin: LoadedPlugin, catalog: Catalog, roots: Mapping[str, str | Path]) -> None:
        self.plugin, self.catalog, self.roots = plugin, catalog, dict(roots)
        self.found: FoundPlugin = plugin.found
        self._items: dict[tuple[str, Config, Split], Items] = {}
        self._fitted: dict[tuple[str, Config], Fitted] = {}
        self._kept: dict[object, Any] = {}
        self.unsaid: dict[tuple[str, str], str] = {}
        """What a network fails on and does not refuse, by role and name."""

    def once(self, key: object, make: Any) -> Any:
        """What `make()` returns, made once for all checks."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    @cached_property
    def spec(self) -> str:
        """What ``--plugin`` takes for it.

        Raises:
            NotChecked: it is an object in memory.
        """
        if isinstance(self.found.source, EntryPoint):
            return f"{self.found.distribution}:{self.found.name}"
        if isinstance(self.found.source, Path):
            return str(self.found.source)
        raise NotChecked("a plugin that is neither installed nor a file cannot be named in a configuration")

    def config(self, part: Dataset | Task | Architecture) -> Config:
        """The part's options, all at their defaults; a dataset's ``root`` is what the kit was handed.

        Raises:
            NotChecked: an option has no default.
        """
        required = [name for name, option in part.config.model_fields.items() if option.is_required()]
        given: dict[str, Any] = {}
        if isinstance(part, Dataset) and part.name in self.roots:
            given["root"] = self.roots[part.name]
        missing = [name for name in required if name not in given]
        if missing == ["root"]:
            raise NotChecked(
                f"it reads a folder, and the kit was given none: --root {part.name}=FOLDER, "
                f"or roots = {{{part.name!r}: FOLDER}} in the test class"
            )
        if missing:
            raise NotChecked(f"its option {missing[0]!r} has no default; give it one, so that it can be tried")
        return part.config(**given)

    def opened(self, dataset: Dataset) -> Config:
        """The configuration under which a dataset can be opened here.

        Raises:
            NotChecked: it needs files that are not here.
        """
        if not dataset.card.offline and dataset.name not in self.roots:
            raise NotChecked(f"its files are not part of it; where they are here, say --root {dataset.name}=FOLDER")
        return self.config(dataset)

    def items(self, dataset: Dataset, split: Split, config: Config | None = None) -> Items:
        """An opened split, opened once."""
        config = self.opened(dataset) if config is None else config
        key = (dataset.name, config, split)
        if key not in self._items:
            self._items[key] = self.open(dataset, split, config)
        return self._items[key]

    def open(self, dataset: Dataset, split: Split, config: Config | None = None, seed: int = SEED) -> Items:
        """A split, opened again."""
        config = self.opened(dataset) if config is None else config
        context = DataContext(seed=seed, fitted=self.fitted(dataset, config))
        items: Items = call(dataset, "open", config, split, context)
        if not isinstance(getattr(items, "formats", None), Mapping):
            fail("what it opens has no 'formats'", "give it formats: a SampleFormat for every key of an item")
        return items

    def fitted(self, dataset: Dataset, config: Config) -> Fitted:
        """What is fitted to a dataset, fitted once."""
        if dataset.fit is None:
            return {}
        key = (dataset.name, config)
        if key not in self._fitted:
            self._fitted[key] = call(dataset, "fit", config, DataContext(seed=SEED), returns=Mapping)
        return self._fitted[key]

    def commands(self) -> list[click.Command]:
        """The plugin's own commands."""
        found: list[click.Command] = self.once("commands", lambda: plugin_commands(self.found))
        return found

    def own(self, sort: type[P]) -> list[P]:
        """The plugin's own parts of one class."""
        return [part for part in self.plugin.offers if isinstance(part, sort)]

    def play(self, task: Task, dataset: Dataset, config: Config | None = None) -> Setting:
        """The task, as it is played on the dataset.

        Raises:
            ConfigError: the dataset lacks what the task needs.
            NotChecked: the dataset cannot be opened here.
        """
        data = self.opened(dataset)
        return self._play(task, dataset, data, self.config(task) if config is None else config)

    def _play(self, task: Task, dataset: Dataset, data: Config, config: Config) -> Setting:
        def build() -> tuple[Game, Fitted]:
            items, fitted = self.items(dataset, "train", data), self.fitted(dataset, data)
            if task.fit is not None:
                formats = Formats(items.formats, fitted)
                fitted = {**fitted, **call(task, "fit", config, formats, items, returns=Mapping)}
            game: Game = call(task, "build", config, Formats(items.formats, fitted), returns=Game)
            return game, fitted

        game, fitted = self.once(("game", task.origin, task.name, task.modality, config, dataset.name, data), build)
        return Setting(
            f"{task.name} on {dataset.name}",
            task,
            game,
            dataset,
            data,
            lambda split: self.items(dataset, split, data),
            fitted,
        )

    def datasets(self, modality: str) -> list[Dataset]:
        """Every dataset of a modality that can be opened here."""
        found = []
        for dataset in self.catalog.offers(Dataset):
            if dataset.modality == modality:
                try:
                    self.opened(dataset)
                except NotChecked:
                    continue
                found.append(dataset)
        return found

    def settings(self, modality: str, task: str | None = None) -> list[Setting]:
        """Every task of a modality on every dataset here that suits it, and in scenarios; alike ones once.

        Raises:
            NotChecked: there is none.
        """
        found: dict[object, Setting] = {}
        for played in self.plays(modality):
            if task in (None, played.task.name):
                found.setdefault(played.formats, played)
        if not found:
            raise NotChecked(
                f"no {task or 'task'} can be played here on a dataset of modality {modality!r}; where another plugin "
                "has them, name it in WGANX_EXTENDS"
            )
        return list(found.values())

    def plays(self, modality: str) -> Iterator[Setting]:
        """Every task of a modality on every dataset here that suits it, and as scenarios play them."""
        for task, dataset in itertools.product(self.catalog.offers(Task), self.datasets(modality)):
            if task.modality == modality:
                try:
                    yield self.play(task, dataset)
                except (NotChecked, WganxError):
                    continue  # the checks of task and dataset say why
        for resolved in self.scenarios().values():
            setting = self._setting_of(resolved)
            if setting is not None and setting.task.modality == modality:
                yield setting

    def _setting_of(self, resolved: Resolved) -> Setting | None:
        parts, run = resolved.parts, resolved.run
        if not parts.dataset.card.offline and parts.dataset.name not in self.roots:
            return None
        try:
            return self._play(parts.task, parts.dataset, run.dataset, run.task)
        except (NotChecked, WganxError):
            return None

    def scenarios(self) -> dict[str, Resolved]:
        """The plugin's own scenarios that resolve, by name."""
        found = {}
        for scenario in self.own(Scenario):
            try:
                found[scenario.name] = self.resolve(scenario)
            except (NotChecked, WganxError):
                continue  # the scenario's own check says why
        return found

    def resolve(self, scenario: Scenario) -> Resolved:
        """A scenario, checked as a run checks it; its dataset reads from the root that the kit was handed."""

        def resolved(root: str | None = None) -> Resolved:
            overrides = None if root is None else {"dataset.root": root}
            spec = self.spec
            return resolve(plugin=spec, scenario=scenario.name, device="cpu", environ={}, overrides=overrides)

        def rooted() -> Resolved:
            try:
                first = resolved()
            except ConfigError as error:
                if "dataset.root: has no value" not in str(error):
                    raise
                for name, root in self.roots.items():
                    if (first := resolved(str(root))).parts.dataset.name == name:
                        return first
                raise NotChecked(
                    "its dataset reads a folder, and the kit was given none: --root DATASET=FOLDER"
                ) from None
            given = self.roots.get(first.parts.dataset.name)
            return first if given is None else resolved(str(given))

        found: Resolved = self.once(("scenario", scenario.name), rooted)
        return found

    def networks(self, architecture: Architecture) -> list[Network]:
        """The architecture for every setting that it suits, with its default options and with those of scenarios.

        Raises:
            NotChecked: there is none; says what it refuses.
        """
        found: list[Network] = self.once(
            ("networks", architecture.role, architecture.modality, architecture.name),
            lambda: self._networks(architecture),
        )
        return found

    def _networks(self, architecture: Architecture) -> list[Network]:
        wanted: list[Network] = []
        for resolved in self.scenarios().values():
            own = resolved.parts.generator if architecture.role == "generator" else resolved.parts.critic
            setting = self._setting_of(resolved)
            if own == architecture and setting is not None:
                section = resolved.run.generator if architecture.role == "generator" else resolved.run.critic
                wanted.append(Network(own, section, setting, resolved.run.generator.noise_shape))
        refusals, chosen = [], len(wanted)
        settings = self.settings(architecture.modality)
        try:
            config = self.config(architecture)
            wanted += [Network(architecture, config, setting, NOISE) for setting in settings]
        except NotChecked as error:
            refusals.append(str(error))
        built: dict[object, Network] = {}
        failing: dict[object, Network] = {}
        broken: list[PluginFailed] = []
        for place, network in enumerate(wanted):
            try:
                module = network.build()
            except (ConfigError, PreflightError, DataError) as refusal:
                refusals.append(f"{refusal} ({network.setting.name})")
                continue
            except PluginFailed as error:
                if place < chosen:
                    raise
                broken.append(error)
                self.unsaid[architecture.kind, architecture.name] = f"{network.setting.name}: {error.__cause__!r}"
                continue
            fault = None if place < chosen else fault_of(network, module)
            (built if fault is None else failing).setdefault(network.key, network)
            if fault is not None:
                self.unsaid[architecture.kind, architecture.name] = f"{network.setting.name}: {fault}"
        # What suits some games may fail on others, if it is not chosen for them; what suits none is at fault.
        built = built or failing
        if not built and broken:
            raise broken[0]
        if not built:
            raise NotChecked(f"it suits nothing here: {'; '.join(refusals[:2])}")
        return list(built.values())

    def partner(self, setting: Setting, role: str) -> Network | None:
        """A network of the other player for a setting, any that is offered."""
        for architecture in self.catalog.offers(Architecture):
            if architecture.role == role and architecture.modality == setting.task.modality:
                try:
                    for network in self.networks(architecture):
                        alike = network.setting.formats == setting.formats and network.pack == 1
                        if alike and fault_of(network, network.build()) is None:
                            return network
                except (NotChecked, WganxError):
                    continue
        return None
