"""The protocols of what a plugin's factories return, and what they are told.

Nothing here imports torch when it runs, so a plugin can be listed without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from wganx.augmentation import AdaptiveAugmentation
from wganx.batch import JSON, Batch, SampleFormat
from wganx.errors import ConfigError, UsageError
from wganx.networks import Helper, Networks

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from wganx.plugins.descriptors import Config

WGANX_API = 1
"""The plugin interface this wganx speaks; a plugin module declares the one it was written for."""

Split = Literal["train", "heldout"]
Fitted = Mapping[str, "JSON | Tensor"]
"""What `Dataset.fit` and `Task.fit` found, by name."""


class Items(Protocol):
    """An opened split of a dataset: item ``i`` is a dict of tensors in storage types (uint8 pixels, int16 sound).

    Every item has the same keys, shapes and types; `formats` has a format for each key, in the meaning it is stored
    in. ``sample`` is what the critic will be shown; a label (int64 scalar) is a `SampleFormat.label` under a name of
    its own: ``label``, ``speaker``, ``emotion``.
    """

    formats: Mapping[str, SampleFormat]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Mapping[str, Tensor]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DataContext:
    """What `Dataset.open` and `Dataset.fit` are told beside their configuration.

    Attributes:
        seed: fixes splits and synthetic samples.
        fitted: what `Dataset.fit` found when the run started; empty for `fit` itself.
        device: what kind of device `fit` chooses for: ``cpu``, ``cuda``, ``mps``. Elsewhere it says nothing, since a
            run may be opened on another.
    """

    seed: int = 0
    fitted: Fitted = field(default_factory=dict)
    device: str = "cpu"


class Formats(Mapping[str, SampleFormat]):
    """The formats of every item key, and what was `fitted` to the data; what a task is built for."""

    def __init__(self, formats: Mapping[str, SampleFormat], fitted: Fitted | None = None) -> None:
        self._formats = dict(formats)
        self.fitted: Fitted = dict(fitted or {})

    def __getitem__(self, key: str) -> SampleFormat:
        return self._formats[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._formats)

    def __len__(self) -> int:
        return len(self._formats)

    @property
    def labels(self) -> dict[str, SampleFormat]:
        """The formats of the class labels, by name."""
        return {name: format for name, format in self._formats.items() if format.is_label}

    def need(self, key: str, what_for: str) -> SampleFormat:
        """The format of an item key.

        Raises:
            ConfigError: the items have no such key; says `what_for` it is needed, and what they have.
        """
        if key not in self._formats:
            raise ConfigError(f"{what_for} needs items with {key!r}, and this dataset has only: {', '.join(self)}")
        return self._formats[key]


class Game(ABC):
    """A task as it is played on one dataset: turns items into batches; built by `Task.build`.

    It is the only place where storage becomes samples. It may also have ``at(step) -> Hashable``, called before each
    step with the same value on every rank: what its losses make of the step number must follow from what it returns.

    Attributes:
        sample: format of what the critic scores (and the generator makes).
        context: format of each thing the generator is given beside noise.
        condition: format of each thing the critic sees beside the sample.
        known: format of each thing that is known of a row and given to neither player.
        takes_any_rate: `apply` resamples by itself, so that files of another rate than the training's are right.
        helpers: networks its losses need beside both players.
        adapt: how the strength that `augment` is told follows the critic's overfitting; None for a strength of 1.
    """

    sample: SampleFormat
    context: Mapping[str, SampleFormat] = {}
    condition: Mapping[str, SampleFormat] = {}
    known: Mapping[str, SampleFormat] = {}
    takes_any_rate: bool = False
    helpers: Mapping[str, Helper] = {}
    adapt: AdaptiveAugmentation | None = None

    @abstractmethod
    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        """Items ``(N, ...)`` in storage types, already on the device, to a batch; augments only when `training`."""

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """Named, already weighted scalars added to the generator's loss; none by default."""
        return {}

    def critic_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """Named, already weighted scalars added to the critic's loss, `fake` without a graph; none by default."""
        return {}

    def augment(self, samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
        """What the critic is shown while it trains, in place of samples ``(N, *sample.shape)``; themselves by default.

        Real and made samples go through it alike, and points of a penalty lie between those it returns. Gradients pass
        through it to the generator. It draws from `rng` alone, one value or more a row, and waits for no device.
        `strength` is a tensor ``()`` in [0, 1] on that device, and its value changes where the game has `adapt`: the
        share of samples that are changed, say. At 0 samples come back as they are.
        """
        return samples

    @abstractmethod
    def baselines(self) -> Mapping[str, Baseline]:
        """The task's trivial solutions by name; every evaluation prints them beside the generator."""

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        """Send a whole file through the generator: windows with overlap, tiles without seams, in bounded memory.

        Args:
            source: what is read, in storage types.
            make: the generator; gives samples ``(N, *sample.shape)`` for a context of N rows.
            sink: takes what is made, in the storage type and meaning of ``source.format``.

        Raises:
            UsageError: the task makes nothing of files.
        """
        raise UsageError("this task makes nothing of a file; leave --source out")

    def whole(self, generator: nn.Module) -> tuple[nn.Module, SampleFormat] | None:
        """The generator with all that lies between a file and it, for who exports it, and the format of both ends.

        A module that takes ``source (N, *format.shape)`` and all other context as `generator` does, and gives what a
        file is to hold. None, as by default, where samples are that already, or cannot become it by tensors alone.
        """
        return None

    def preview_rows(self, batch: Batch) -> Batch:
        """Of as many held-out rows as previews show, those that they are drawn of: one source in every class, say.

        The batch itself by default. Its labels go through their classes in turn.
        """
        return batch

    def preview(self, samples: Tensor, reference: Batch, folder: Path, stem: str) -> Preview | None:
        """A preview of the game's own (past, truth and prediction in a row) as `Modality.preview`; None leaves it."""
        return None


Baseline = Callable[[Batch, "torch.Generator"], "Tensor"]
"""A trivial solution: from a held-out batch to samples of the same shape as ``batch.real``."""


class Make(Protocol):
    """The averaged generator, as `Game.apply` is given it."""

    def __call__(self, context: Mapping[str, Tensor], /, *, draw: int | None = None) -> Tensor:
        """Samples ``(N, *sample.shape)`` for context by name, each ``(N, ...)``, on the generator's device.

        Labels that are left out are those that were asked for; noise is drawn, and follows from the seed.

        Args:
            draw: number of a noise that all rows have, and those of every call that says the same: for tiles of one
                frame, and for windows that are faded into each other. Every row has its own where it is left out.
        """


@dataclass(frozen=True, slots=True)
class Preview:
    """What people look at and listen to.

    Attributes:
        picture: all samples at once, uint8 ``(C, H, W)`` with 1 or 3 channels.
        files: sounds and clips that were written beside it.
    """

    picture: Tensor
    files: tuple[Path, ...] = ()


class Source(Protocol):
    """A file of a modality as a stream, along its first axis that is time (frames, sound samples).

    Attributes:
        format: of what is read, in the meaning it is stored in; the size of the streamed axis is None.
        length: how much there is along that axis.
    """

    format: SampleFormat
    length: int

    def read(self, start: int, count: int) -> Tensor:
        """`count` frames or samples from `start` on, fewer at the end."""

    def close(self) -> None:
        """Let go of the file; a source that holds none may leave this out."""


class Sink(Protocol):
    """A file that is written as a stream, and is like the source in all that nobody says otherwise."""

    def expect(self, format: SampleFormat) -> None:
        """What comes has another format than the source: larger frames, another rate.

        A `Game.apply` says so before it writes anything. A plugin whose sinks can only be like their source leaves
        this out; a game that asks for it all the same is refused with its name.
        """

    def write(self, chunk: Tensor) -> None:
        """Append what has the axes of the source's format, and its sizes or those that are expected."""

    def close(self) -> None:
        """End the file, which is there whole from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """What a network is built for.

    Attributes:
        sample: what the critic scores and the generator makes.
        noise: shape of one noise sample, empty for none.
        inputs: formats of the further inputs, by the keyword they arrive under: the game's `context` for a
            generator, its `condition` for a critic.
        fitted: what was fitted to the data.
    """

    sample: SampleFormat
    noise: tuple[int, ...] = ()
    inputs: Mapping[str, SampleFormat] = field(default_factory=dict)
    fitted: Fitted = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pretrained:
    """A trained generator that `Layout.read` found in a file.

    Attributes:
        generator: the architecture it is one of.
        options: that architecture's options.
        weights: every tensor of its module by name; the average of a training, where the file has one.
        sample: what it makes.
        noise: shape of one noise sample, empty for none.
        context: format of each thing it is given beside noise.
    """

    generator: str
    options: Mapping[str, JSON]
    weights: Mapping[str, Tensor]
    sample: SampleFormat
    noise: tuple[int, ...]
    context: Mapping[str, SampleFormat] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sides:
    """What a metric compares; all in sample format, ``real`` holds the samples.

    Attributes:
        candidate: what is judged: generated samples, other real ones, a baseline's.
        truth: the held-out samples whose context made the candidate, row by row.
        reference: other held-out samples.
        again: ``again(k)``, k from 1 on: other samples ``(N, ...)`` for the same rows, drawn anew where the candidate
            is drawn, the same ones where it is not. None for a generator without noise, which has no others, and for
            metrics that look at features alone.
    """

    candidate: Batch
    truth: Batch
    reference: Batch
    again: Callable[[int], Tensor] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExtractorContext:
    """What `Extractor.load` may use.

    Attributes:
        game: the task as it is played on the dataset.
        items: opens a split of the dataset.
        keep: ``keep(learn)`` gives what ``learn()`` returns, tensors by name, from the disk where it was learnt before
            on the same data, with the same options, seed and versions.
        device: where the network computes.
        seed: fixes what is drawn.
        fitted: what was fitted to the data.
    """

    game: Game
    items: Callable[[Split], Items]
    keep: Callable[[Callable[[], Mapping[str, Tensor]]], Mapping[str, Tensor]]
    device: torch.device
    seed: int = 0
    fitted: Fitted = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricContext:
    """What a metric may look at beside the samples; one for each metric of an evaluation.

    Attributes:
        config: the metric's own options.
        game: the task as it is played on the dataset.
        items: opens a split of the dataset.
        features: ``features(extractor, side) -> (n, d)``: the named extractor's features of ``side.real``, in chunks
            on the device; kept for the whole evaluation. ``"name#method"`` asks for another output of the network.
        training: ``training(extractor) -> (t, d)``: the features of the training items, up to 20,000 of them.
        seed: fixes the metric's draws.
        fitted: what was fitted to the data.
    """

    config: Config
    game: Game
    items: Callable[[Split], Items]
    features: Callable[[str, Batch], Tensor]
    training: Callable[[str], Tensor] | None = None
    seed: int = 0
    fitted: Fitted = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What observers are told about a run: its folder, plugin, device, seed, and the step it starts from."""

    folder: Path
    plugin: str
    scenario: str
    device: str
    seed: int
    step: int
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended; `error` is the message of a failed one."""

    status: Literal["finished", "interrupted", "failed"]
    step: int
    error: str | None = None


Paths = Sequence[Path]
