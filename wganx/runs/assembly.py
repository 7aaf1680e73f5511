"""From a resolved configuration to data, game and trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.config import Resolved
from wganx.data import BatchStream, choose_feed
from wganx.engine import Trainer, choose_device
from wganx.engine.steps.updates import Losses
from wganx.evaluation import heldout_batch
from wganx.networks import Networks
from wganx.plugins.contracts import BuildContext, DataContext, Game, Items, Split

_MOST_HELDOUT = 512


@dataclass(frozen=True)
class Assembly:
    """Everything a run needs at work; each part is made when it is first asked for."""

    resolved: Resolved

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return choose_device(self.resolved.run.device)

    @cached_property
    def train_items(self) -> Items:
        """What the networks learn from."""
        return self._open("train")

    @cached_property
    def heldout_items(self) -> Items:
        """What training never sees."""
        return self._open("heldout")

    @cached_property
    def heldout_sample(self) -> Batch | None:
        """Held-out samples on which the critic is read while it trains; None where there are too few."""
        count = min(len(self.heldout_items), _MOST_HELDOUT)
        if count < 2:
            return None
        return heldout_batch(self.game, self.heldout_items, count, seed=self.resolved.run.seed, device=self.device)

    def items(self, split: Split) -> Items:
        """The opened split of the dataset."""
        return self.train_items if split == "train" else self.heldout_items

    @cached_property
    def game(self) -> Game:
        """The task, as it is played on the dataset."""
        return self.resolved.parts.task.build(self.resolved.run.task, self.train_items.format)

    @cached_property
    def trainer(self) -> Trainer:
        """The networks, initialised from the seed, and the rules between them."""
        run, parts, game = self.resolved.run, self.resolved.parts, self.game
        noise = run.generator.noise
        with torch.random.fork_rng():
            torch.manual_seed(run.seed)
            generator = parts.generator.build(
                run.generator, BuildContext(sample=game.sample, noise=noise, inputs=game.context)
            )
            critic = parts.critic.build(run.critic, BuildContext(sample=game.sample, inputs=game.condition))
            return Trainer(
                generator,
                critic,
                noise=(noise,) if noise else None,
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
                # The engine is told only where there are any.
                generator_losses=_generator_losses(game) if type(game).extra_losses is not Game.extra_losses else None,
                format=game.sample,
            )

    @cached_property
    def stream(self) -> BatchStream:
        """Endless training batches; augmentation draws from the trainer's random stream."""
        run = self.resolved.run
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
        return BatchStream(feed, lambda items: self.game.batch(items, draws, training=True))

    def _open(self, split: Split) -> Items:
        run = self.resolved.run
        return self.resolved.parts.dataset.open(run.dataset, split, DataContext(seed=run.seed))


def _generator_losses(game: Game) -> Losses:
    def losses(networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        return game.extra_losses(networks.generator, fake, batch, step)

    return losses
