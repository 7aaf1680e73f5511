"""From a resolved configuration to data, game and trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import wganx
from wganx.batch import Batch, SampleFormat
from wganx.config import Resolved, check_scripts, find_extractor
from wganx.data import BatchStream, DecodedItems, all_finite, choose_feed, describe_data, fingerprint
from wganx.data.decoded import TreeItems
from wganx.data.watchdog import Wait
from wganx.engine import Trainer, choose_device
from wganx.errors import DataError, PluginFailed, UsageError
from wganx.evaluation import Evaluator, Features, Kept, heldout_batch
from wganx.evaluation.extractors import is_file, network_of_file
from wganx.plugins.contracts import (
    BuildContext,
    DataContext,
    ExtractorContext,
    Fitted,
    Formats,
    Game,
    Items,
    Split,
)
from wganx.plugins.descriptors import Config, Layout
from wganx.plugins.guard import call, calling
from wganx.pretrained import Opened, begin_with
from wganx.runs.fitted import FittedParts, check_fitted
from wganx.runs.formats import changed_formats
from wganx.runs.sizes import build_network, check_batches, check_training, within_memory
from wganx.runs.task_options import with_options

_MOST_HELDOUT = 512
_HELPERS = 0x9E3779B9


@dataclass(frozen=True)
class Assembly:
    """Everything a run needs at work; each part is made when it is first asked for.

    Attributes:
        stored: what was fitted when the run started; None for a run that starts now.
        stored_formats: the formats of the items then; with them the game needs no data.
        began_with: what the networks were given before the first step, by ``train.init``.
    """

    resolved: Resolved
    stored: FittedParts | None = None
    stored_formats: Mapping[str, SampleFormat] | None = None
    began_with: list[Opened] = field(default_factory=list)

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return choose_device(self.resolved.run.device)

    @cached_property
    def fitted_parts(self) -> FittedParts:
        """What is fitted to the data, once, when a run starts: for the dataset, and for the task as it is set."""
        if self.stored is not None:
            return self.stored
        task, own = self.resolved.parts.task, self._fitted_to_dataset
        if task.fit is None:
            return FittedParts(own)
        items = self.train_items
        with within_memory(self.resolved, str(task), ("task", "dataset")), Wait(f"fitting {task}", opaque=True):
            found = call(task, "fit", self.resolved.run.task, Formats(items.formats, own), items)
        return FittedParts(own, check_fitted(found, task, own))

    @property
    def fitted(self) -> Fitted:
        """`fitted_parts` together: what tasks, networks and metrics are told."""
        return self.fitted_parts.both

    @cached_property
    def _fitted_to_dataset(self) -> Fitted:
        return self._fit_dataset() if self.stored is None else self.stored.dataset

    def _fit_dataset(self) -> Fitted:
        dataset, run = self.resolved.parts.dataset, self.resolved.run
        if dataset.fit is None:
            return {}
        context = DataContext(seed=run.seed, device=self.device.type)
        with within_memory(self.resolved, str(dataset), ("dataset",)), Wait(f"fitting {dataset}", opaque=True):
            found = call(dataset, "fit", run.dataset, context)
        return check_fitted(found, dataset)

    @cached_property
    def train_items(self) -> Items:
        """What the networks learn from."""
        return self._open("train")

    @cached_property
    def heldout_items(self) -> Items:
        """What training never sees; looked at again and again, so what was decoded is kept."""
        items = self._open("heldout")
        if isinstance(items, DecodedItems):
            items.remember()
        return items

    @cached_property
    def heldout_sample(self) -> Batch | None:
        """Held-out samples on which the critic is read while it trains; None where there are too few."""
        pack = self.resolved.parts.critic.couples_rows
        count = min(len(self.heldout_items), _MOST_HELDOUT) // pack * pack
        if count < 2:
            return None
        return heldout_batch(self.game, self.heldout_items, count, seed=self.resolved.run.seed, device=self.device)

    def items(self, split: Split) -> Items:
        """The opened split of the dataset."""
        return self.train_items if split == "train" else self.heldout_items

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """The training items described, with their ``fingerprint``."""
        return describe_data(self.train_items)

    @property
    def fingerprint_of_training(self) -> str:
        """Of the training items."""
        return str(self.data["fingerprint"])

    @property
    def learnt_on(self) -> tuple[Game, Callable[[Split], Items]]:
        """The game and the items that generators and extractors learn on."""
        return self.game, self.items

    @property
    def played_otherwise(self) -> Mapping[str, Any]:
        """The options of the task that are others than in training; none."""
        return {}

    @property
    def formats(self) -> Mapping[str, SampleFormat]:
        """The formats of the items, by which the game is built."""
        return self.train_items.formats if self.stored_formats is None else self.stored_formats

    @cached_property
    def game(self) -> Game:
        """The task, as it is played on the dataset."""
        return self._play(self.resolved.run.task)

    def game_for_files(self, options: Mapping[str, Any]) -> Game:
        """The task with other `options` among those that only its `apply` reads.

        Raises:
            UsageError: there is no such option, or its value is none of it.
        """
        if not options:
            return self.game
        task = self.resolved.parts.task
        game = self._play(with_options(task, self.resolved.run.task, options))
        if (game.sample, dict(game.context)) != (self.game.sample, dict(self.game.context)):
            raise PluginFailed(
                f"{task.origin}: {task}: {', '.join(options)} changed what the generator makes or is given; "
                "applied names options that apply alone reads"
            )
        return game

    def _play(self, options: Config) -> Game:
        run, task = self.resolved.run, self.resolved.parts.task
        with torch.random.fork_rng(), within_memory(self.resolved, str(task), ("task", "dataset")):
            # Its helpers are initialised from the seed too, on another course than the players.
            torch.manual_seed(run.seed + _HELPERS)
            game: Game = call(task, "build", options, Formats(self.formats, self.fitted), returns=Game)
        return game

    @cached_property
    def trainer(self) -> Trainer:
        """The networks, initialised from the seed, and the rules between them."""
        run, parts, game = self.resolved.run, self.resolved.parts, self.game
        with torch.random.fork_rng():
            torch.manual_seed(run.seed)
            generator = self._build("generator", inputs=game.context, noise=run.generator.noise_shape)
            critic = self._build("critic", inputs=game.condition)
            check_training(self.resolved, generator, critic, self.device)
            self._begin(generator, critic)
            trainer = Trainer(
                generator,
                critic,
                noise=run.generator.noise_shape or None,
                objective=self.resolved.objective,
                constraint=self.resolved.constraint,
                optimizer=self.resolved.optimizer,
                critic_steps=run.train.critic_steps,
                accumulate=run.train.accumulate,
                ema=run.train.ema,
                precision=run.train.precision,
                capture=run.train.capture,
                micro_batch=None if run.train.micro_batch == "off" else run.train.micro_batch,
                constant_mask=run.train.constant_mask,
                device=self.device,
                seed=run.seed,
                helpers=game.helpers,
                # The engine is told only where there are any.
                generator_losses=self._losses("generator_losses"),
                critic_losses=self._losses("critic_losses"),
                augment=self._augment(),
                adapt=game.adapt,
                at=getattr(game, "at", None),
                pack=parts.critic.couples_rows,
                format=game.sample,
            )
        trainer.training.about = self.about()
        return trainer

    def _begin(self, generator: nn.Module, critic: nn.Module) -> None:
        """Give a run that starts now the weights of ``train.init``; one that has checkpoints goes on from these."""
        rules = self.resolved.run.train
        if rules.init is not None and self.stored_formats is None:
            layouts = self.resolved.catalog.offers(Layout)
            game = self.game
            opened = begin_with(
                rules.init, rules.init_sha256, layouts, generator, critic, sample=game.sample, context=game.context
            )
            self.began_with.append(opened)

    def _build(self, role: str, *, inputs: Mapping[str, SampleFormat], noise: tuple[int, ...] = ()) -> nn.Module:
        """A player's network as it is before training."""
        part, options = getattr(self.resolved.parts, role), getattr(self.resolved.run, role)
        context = BuildContext(sample=self.game.sample, noise=noise, inputs=inputs, fitted=self.fitted)

        def build() -> nn.Module:
            network: nn.Module = call(part, "build", options, context, returns=nn.Module)
            return network

        return build_network(self.resolved, role, build, self.device)

    @cached_property
    def stream(self) -> BatchStream:
        """Endless training batches; augmentation draws from the trainer's random stream."""
        run, task = self.resolved.run, self.resolved.parts.task
        check_batches(self.resolved, self.train_items.formats, self.game.sample, self.device)
        feed = choose_feed(
            self.train_items,
            batch_size=run.train.batch_size,
            seed=run.seed,
            device=self.device,
            requested=run.dataset.feed,
            workers=run.dataset.workers,
            pack=run.dataset.pack,
        )
        draws = self.trainer.random.draws

        def batch(items: dict[str, Tensor]) -> Batch:
            with calling(task, "batch"):
                return self.game.batch(items, draws, training=True)

        return BatchStream(feed, batch)

    @cached_property
    def evaluator(self) -> Evaluator:
        """What measures generators on the held-out items."""
        run = self.resolved.run
        about = {"train": self.fingerprint_of_training, "heldout": fingerprint(self.heldout_items)}
        options = {
            "dataset": run.dataset.model_dump(mode="json", exclude={"root", "feed", "workers", "pack"}),
            "task": run.task.model_dump(mode="json"),
        }
        versions = {plugin.name: plugin.found.package for plugin in self.resolved.catalog.plugins}
        versions |= {"wganx": wganx.__version__, "torch": version("torch")}
        kept = Kept(
            {
                **about,
                **options,
                "versions": versions,
                "device": self.device.type,
            }
        )
        features = Features(lambda name: self.extractor(name, kept), self.device)
        return Evaluator(
            self.game, self.items, features, kept, self.device, self.fitted,
            fingerprint=about["heldout"], about=options["dataset"], resize=self.resolved.parts.dataset.resize,
            played_otherwise=self.played_otherwise, learnt_on=self.learnt_on[0],
        )  # fmt: skip

    def extractor(self, name: str, kept: Kept, config: Config | None = None) -> nn.Module:
        """The network of an extractor, by its name or file.

        Args:
            kept: where what it learns is kept.
            config: its options; those of the run by default.
        """
        if is_file(name):
            return network_of_file(check_scripts(name))
        extractor = find_extractor(self.resolved.catalog, self.resolved.parts.modality.name, name)
        config = config or self.resolved.extractors.get(name) or extractor.config()
        check_scripts(config.model_dump())
        what = {"extractor": name, "origin": extractor.origin, "config": config.model_dump(mode="json")}
        game, items = self.learnt_on
        context = ExtractorContext(
            game=game,
            items=items,
            keep=lambda learn: kept.tensors(what, [extractor.factory("load"), type(game)], learn),
            device=self.device,
            # The same for every run, so that all runs on the same data are measured by the same network.
            seed=0,
            fitted=self.fitted,
        )
        network: nn.Module = call(extractor, "load", config, context, returns=nn.Module)
        return network

    def close(self) -> None:
        """Ends the threads and processes that read the data, and closes its files; asked for again, they open again."""
        made = vars(self)
        if "stream" in made:
            self.stream.close()
        for items in (made.get("train_items"), made.get("heldout_items")):
            if isinstance(items, TreeItems):
                items.tree.close()

    def about(self) -> dict[str, Any]:
        """What is needed to draw from a checkpoint without the data: formats, noise, and how to build the generator."""
        run, parts, game = self.resolved.run, self.resolved.parts, self.game
        return {
            "plugins": [
                {
                    "name": plugin.name,
                    "distribution": plugin.found.distribution,
                    "version": plugin.found.version,
                    "file": str(plugin.found.source) if isinstance(plugin.found.source, Path) else None,
                }
                for plugin in self.resolved.catalog.plugins
            ],
            "modality": parts.modality.name,
            "items": {name: format.to_json() for name, format in self.formats.items()},
            "sample": game.sample.to_json(),
            "context": {name: format.to_json() for name, format in game.context.items()},
            "condition": {name: format.to_json() for name, format in game.condition.items()},
            "fitted": sorted(self.fitted),
            "noise": list(run.generator.noise_shape),
            "generator": run.generator.model_dump(mode="json"),
            "task": run.task.model_dump(mode="json"),
            "seed": run.seed,
        }

    def _open(self, split: Split) -> Items:
        run, dataset = self.resolved.run, self.resolved.parts.dataset
        context = DataContext(seed=run.seed, fitted=self._fitted_to_dataset)
        with within_memory(self.resolved, str(dataset), ("dataset",)), Wait(f"opening {dataset}", opaque=True):
            items: Items = call(dataset, "open", run.dataset, split, context)
        if not isinstance(getattr(items, "formats", None), Mapping):
            raise PluginFailed(f"{dataset.origin}: {dataset}: open must return items with 'formats', one for every key")
        if not len(items):
            raise DataError(
                f"{dataset}: its split {split!r} holds no items; give it more data, or split it in another way"
            )
        if self.stored_formats is not None and (changed := changed_formats(self.stored_formats, items.formats)):
            raise UsageError(
                f"the data changed since the run was started ({'; '.join(changed)}); restore it, or start a new run"
            )
        return all_finite(items, getattr(run.dataset, "not_finite", "refuse"))

    def _augment(self) -> Callable[[Tensor, torch.Generator, Tensor], Tensor] | None:
        """What the game shows the critic, guarded; None where it shows samples as they are."""
        if type(self.game).augment is Game.augment:
            return None
        augment, task = self.game.augment, self.resolved.parts.task

        def guarded(samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
            with calling(task, "augment"):
                return augment(samples, rng, strength)

        return guarded

    def _losses(self, name: str) -> Callable[..., Mapping[str, Tensor]] | None:
        """The game's losses of that name, guarded; None where it has none."""
        if getattr(type(self.game), name) is getattr(Game, name):
            return None
        losses, task = getattr(self.game, name), self.resolved.parts.task

        def guarded(*arguments: Any) -> Mapping[str, Tensor]:
            with calling(task, name):
                return losses(*arguments)  # type: ignore[no-any-return]

        return guarded
