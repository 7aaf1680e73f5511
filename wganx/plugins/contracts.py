"""What a plugin hands over: frozen descriptors, and the protocols of what their factories return.

Nothing here imports torch when it runs, so a plugin can be listed without it. Factories import their networks and
datasets inside the function body for the same reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from wganx.batch import Batch, SampleFormat
from wganx.health import HealthCheck

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

WGANX_API = 1
"""The plugin interface this wganx speaks; a plugin module declares the one it was written for."""

Split = Literal["train", "heldout"]


class Config(BaseModel):
    """Base of every configuration section: unknown keys are refused, values never change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=False)


class Items(Protocol):
    """An opened split of a dataset: item ``i`` is a dict of tensors in storage types (uint8 pixels, int16 sound).

    Every item has the same keys, shapes and types. ``sample`` holds the sample itself, ``label`` (int64 scalar) its
    class when `format.classes` names some.
    """

    format: SampleFormat

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Mapping[str, Tensor]: ...


class Game(ABC):
    """A task as it is played on one dataset: turns items into batches; built by `Task.build`.

    Attributes:
        sample: format of what the critic scores (and the generator makes).
        context: format of each thing the generator is given beside noise.
        condition: format of each thing the critic sees beside the sample.
    """

    sample: SampleFormat
    context: Mapping[str, SampleFormat] = {}
    condition: Mapping[str, SampleFormat] = {}

    @abstractmethod
    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        """Items ``(N, ...)`` in storage types, already on the device, to a batch; augments only when `training`."""

    def extra_losses(self, generator: nn.Module, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """Named, already weighted scalars added to the generator's loss; none by default."""
        return {}

    @abstractmethod
    def baselines(self) -> Mapping[str, Baseline]:
        """The task's trivial solutions by name; every evaluation prints them beside the generator."""


Baseline = Callable[[Batch, "torch.Generator"], "Tensor"]
"""A trivial solution: from a held-out batch to samples of the same shape as ``batch.real``."""


class WriteSamples(Protocol):
    """Writes every sample ``(N, *format.shape)`` to a file of its own, ``folder/stem-0000.*``; returns the paths."""

    def __call__(self, samples: Tensor, format: SampleFormat, folder: Path, stem: str) -> list[Path]: ...


class WritePreview(Protocol):
    """Writes one picture of all samples, ``folder/stem.png``, and returns its path.

    `reference` is the held-out batch whose context made the samples; its ``real`` has the same number of rows.
    """

    def __call__(self, samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Path: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
    """A kind of sample and how people look at it."""

    name: str
    summary: str
    axes: tuple[str, ...]
    write: WriteSamples
    preview: WritePreview


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCard:
    """Where a dataset comes from and what may be done with it."""

    source: str
    licence: str
    offline: bool
    size: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataContext:
    """What `Dataset.open` is told beside its configuration: `seed` fixes splits and synthetic samples."""

    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named source of items. `open(config, split, context)` returns `Items`; the splits never share an item.

    `suffixes` names the file endings a folder dataset reads (for ``wganx data scan``), each lower case with its dot;
    empty otherwise. `probe(data, path)` decodes the bytes of one file whole and tells what it is, e.g. ``{"size":
    "64x48", "mode": "RGB"}``, or raises `DataError` naming the path. A dataset whose `config` has a field ``root``
    takes ``--data``; `folder` marks the one that takes ``--data`` when the configuration names no dataset of its own.
    """

    name: str
    modality: str
    summary: str
    config: type[Config]
    open: Callable[[Any, Split, DataContext], Items]
    card: DataCard
    folder: bool = False
    suffixes: tuple[str, ...] = ()
    probe: Callable[[bytes, str], Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A game played on a dataset's items. `build(config, sample_format_of_the_items)` returns a `Game`."""

    name: str
    modality: str
    summary: str
    config: type[Config]
    build: Callable[[Any, SampleFormat], Game]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """What a network is built for.

    Attributes:
        sample: what the critic scores and the generator makes.
        noise: length of the noise vector, 0 for none.
        inputs: formats of the further inputs, by the keyword they arrive under: the game's `context` for a
            generator, its `condition` for a critic.
    """

    sample: SampleFormat
    noise: int = 0
    inputs: Mapping[str, SampleFormat] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A generator or critic. `build(config, context)` returns the module; the engine seeds it, moves it, trains it.

    Generator: ``(noise (N, context.noise), **inputs) -> (N, *sample.shape)`` within `sample.value_range`; without
    noise the first argument is left out. Critic: ``(x (N, *sample.shape), **inputs) -> (N,)``, unbounded, no
    coupling between the rows of a batch, twice differentiable. `lipschitz` declares a critic that is 1-Lipschitz by
    construction.
    """

    name: str
    modality: str
    role: Literal["generator", "critic"]
    summary: str
    config: type[Config]
    build: Callable[[Any, BuildContext], nn.Module]
    lipschitz: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricContext:
    """What a metric may look at beside the samples: `items(split)` opens the dataset, `seed` fixes its draws."""

    game: Game
    items: Callable[[Split], Items]
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number, or several, about samples against held-out real ones.

    `compute(candidate, reference, context)` gets two batches of equally many rows in sample format (``real`` holds
    the samples) and returns the values by name, or an empty mapping where it does not apply. The same function is
    called with generated samples, with other real samples (the floor) and with each of the task's baselines.
    `better` says for every value whether lower or higher is better; values it does not name only inform.
    `tasks` limits it to tasks of these names; empty means all of the modality.
    """

    name: str
    modality: str
    summary: str
    compute: Callable[[Batch, Batch, MetricContext], Mapping[str, float]]
    better: Mapping[str, Literal["lower", "higher"]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named, complete run. `config` is a mapping, or the path of a YAML file the plugin ships."""

    name: str
    modality: str
    summary: str
    config: Path | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What observers are told about a run: its folder, plugin, device and seed."""

    folder: Path
    plugin: str
    scenario: str
    device: str
    seed: int
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended; `error` is the message of a failed one."""

    status: Literal["finished", "interrupted", "failed"]
    step: int
    error: str | None = None


Descriptor = Modality | Dataset | Task | Architecture | Metric | HealthCheck | Scenario
Paths = Sequence[Path]
