"""What checks share: a plugin's parts opened, built and kept, so that each is made once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, TypeVar

import click
import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.config import Resolved, resolve
from wganx.errors import ConfigError, DataError, PluginFailed, PreflightError, WganxError
from wganx.parts import Part
from wganx.plugins import Catalog, FoundPlugin, LoadedPlugin, plugin_commands
from wganx.plugins.contracts import BuildContext, DataContext, Fitted, Formats, Game, Items, Split
from wganx.plugins.descriptors import Architecture, Config, Dataset, Scenario, Task
from wganx.plugins.guard import call, calling
from wganx.testing.check import NotChecked, fail

P = TypeVar("P", bound=Part)
ROWS = 6
"""Rows of a batch on which games and networks are looked at."""
SEED = 20
NOISE = (128,)
"""The core's default shape of noise."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A task as it is played on a dataset, which is where networks and metrics are at work.

    Attributes:
        name: ``task on dataset``.
    """

    name: str
    task: Task
    game: Game
    bench: Bench
    dataset: Dataset
    config: Config

    def items(self, split: Split) -> Items:
        """The opened split."""
        return self.bench.items(self.dataset, split, self.config)

    def rows(self, count: int = ROWS, split: Split = "heldout") -> dict[str, Tensor]:
        """The first items of a split, stacked; repeated where there are fewer."""
        items = self.items(split)
        rows = [items[index % len(items)] for index in range(count)]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def batch(self, count: int = ROWS, split: Split = "heldout", *, training: bool = False, seed: int = SEED) -> Batch:
        """A batch of the game."""
        rng = torch.Generator().manual_seed(seed)
        with calling(self.task, "batch"):
            return self.game.batch(self.rows(count, split), rng, training=training)

    @property
    def formats(self) -> tuple[object, ...]:
        """What tells one setting from another, for whoever plays in it."""
        game = self.game
        return (
            self.task.name, game.sample, tuple(sorted(game.context.items())), tuple(sorted(game.condition.items())),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Network:
    """An architecture as it is built for one setting."""

    architecture: Architecture
    config: Config
    setting: Setting
    noise: tuple[int, ...]
    fitted: Fitted = field(default_factory=dict)

    def build(self, seed: int = SEED) -> nn.Module:
        """A fresh network, its weights fixed by `seed`."""
        game = self.setting.game
        generator = self.architecture.role == "generator"
        context = BuildContext(
            sample=game.sample,
            noise=self.noise if generator else (),
            inputs=game.context if generator else game.condition,
            fitted=self.fitted,
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network: nn.Module = call(self.architecture, "build", self.config, context, returns=nn.Module)
        self.enter(network, 0)
        return network

    def enter(self, network: nn.Module, step: int) -> bool:
        """Tell a network that has stages of a step, as the engine does; whether it has any."""
        at = getattr(network, "at", None)
        if not callable(at):
            return False
        with calling(self.architecture, "at"):
            at(step)
        return True

    def arguments(self, count: int = ROWS, seed: int = SEED) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """What the network is called with: noise or samples in packs, and what is given beside them."""
        batch = self.setting.batch(count * self.pack)
        rng = torch.Generator().manual_seed(seed)
        if self.architecture.role == "generator":
            noise = (torch.randn(len(batch), *self.noise, generator=rng),) if self.noise else ()
            return noise, dict(batch.context)
        return (self.packed(batch.real),), {name: self.packed(rows) for name, rows in batch.condition.items()}

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other networks of its architecture."""
        game = self.setting.game
        inputs = game.context if self.architecture.role == "generator" else game.condition
        # Options by their values: a scenario's section has the core's fields beside the part's own.
        options = str({name: getattr(self.config, name) for name in self.architecture.config.model_fields})
        return options, game.sample, tuple(sorted(inputs.items())), self.noise

    @property
    def pack(self) -> int:
        """Rows that are judged together."""
        return self.architecture.couples_rows

    def packed(self, rows: Tensor) -> Tensor:
        """Rows as the critic is given them."""
        return rows if self.pack == 1 else rows.reshape(-1, self.pack, *rows.shape[1:])

    def __str__(self) -> str:
        return f"for {self.setting.name}"


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
        def build() -> Game:
            formats = Formats(self.items(dataset, "train", data).formats, self.fitted(dataset, data))
            game: Game = call(task, "build", config, formats, returns=Game)
            return game

        game = self.once(("game", task.origin, task.name, task.modality, config, dataset.name, data), build)
        return Setting(f"{task.name} on {dataset.name}", task, game, self, dataset, data)

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
                fitted = self.fitted(setting.dataset, setting.config)
                wanted.append(Network(own, section, setting, resolved.run.generator.noise_shape, fitted))
        refusals, chosen = [], len(wanted)
        settings = self.settings(architecture.modality)
        try:
            config = self.config(architecture)
            wanted += [
                Network(architecture, config, setting, NOISE, self.fitted(setting.dataset, setting.config))
                for setting in settings
            ]
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
            fault = None if place < chosen else _fault(network, module)
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
                        if alike and _fault(network, network.build()) is None:
                            return network
                except (NotChecked, WganxError):
                    continue
        return None


def _fault(network: Network, module: nn.Module) -> str | None:
    """How a network fails on what a setting gives it, or None."""
    inputs, given = network.arguments(3)
    try:
        with torch.no_grad(), calling(network.architecture, "forward"):
            module(*inputs, **given)
    except PluginFailed as error:
        return str(error.__cause__)
    return None


def inside(samples: Tensor, format: SampleFormat) -> str | None:
    """How values fail to be finite and within their format's range; None where they do not."""
    if not bool(torch.isfinite(samples).all()):
        return "holds NaN or infinite values"
    if format.value_range is None:
        return None
    low, high = format.value_range
    slack = 1e-3 * (high - low)
    seen_low, seen_high = float(samples.min()), float(samples.max())
    if seen_low < low - slack or seen_high > high + slack:
        return f"reaches from {seen_low:.4g} to {seen_high:.4g}, and its format says {low:g} to {high:g}"
    return None
