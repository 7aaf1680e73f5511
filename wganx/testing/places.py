"""Where parts are at work: a task as it is played on a dataset, a network as it is built for that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.errors import PluginFailed
from wganx.plugins.contracts import BuildContext, Fitted, Game, Items, Split
from wganx.plugins.descriptors import Architecture, Config, Dataset, Task
from wganx.plugins.guard import call, calling

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
        fitted: what was fitted to the data.
    """

    name: str
    task: Task
    game: Game
    dataset: Dataset
    config: Config
    opened: Callable[[Split], Items]
    fitted: Fitted = field(default_factory=dict)

    def items(self, split: Split) -> Items:
        """The opened split."""
        return self.opened(split)

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

    def build(self, seed: int = SEED) -> nn.Module:
        """A fresh network, its weights fixed by `seed`."""
        game = self.setting.game
        generator = self.architecture.role == "generator"
        context = BuildContext(
            sample=game.sample,
            noise=self.noise if generator else (),
            inputs=game.context if generator else game.condition,
            fitted=self.setting.fitted,
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


def fault_of(network: Network, module: nn.Module) -> str | None:
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
