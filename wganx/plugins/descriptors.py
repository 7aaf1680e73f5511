"""What a plugin hands over: frozen descriptors, one class a kind.

Nothing here imports torch when it runs, so a plugin can be listed without it. Factories are named rather than called
for the same reason: ``build="wganx_image.networks.dcgan:Generator"`` is imported when a run needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from wganx.health import HealthCheck
from wganx.parts import KINDS, Factory, Part


class Config(BaseModel):
    """Base of every configuration section: unknown keys are refused, values never change after validation."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=False, allow_inf_nan=False
    )

    @classmethod
    def migrate(cls, values: dict[str, Any], written_by: str) -> dict[str, Any]:
        """Values of a stored run in today's names, for options that were renamed since.

        Args:
            values: the part's own values, as version `written_by` of its plugin stored them.
        """
        return values


class NoOptions(Config):
    """The configuration of a part that has no options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCard:
    """Where a dataset, or the weights of an extractor or a generator, come from and what may be done with them.

    Attributes:
        source: who made it, or where it is published.
        licence: its licence, by its usual name.
        offline: it needs neither files nor a network, so that it may be tried at once; ``wganx plugins check`` does.
        size: how much is to be read or fetched, in words.
    """

    source: str
    licence: str
    offline: bool
    size: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality(Part):
    """A kind of sample, and how people look at it and listen to it.

    Attributes:
        axes: names of a sample's axes.
        write: ``(batch, format, folder, stem) -> list[Path]`` writes every sample of a `Batch` (lengths and labels are
            in its context) to a file of its own, ``folder/stem-0000.*``.
        preview: ``(samples, reference, format, folder, stem) -> Preview``: one picture of all `samples`
            ``(N, *format.shape)``, and the sounds or clips ``folder/stem-*.*`` it writes beside it. `reference` is the
            held-out batch whose context made the samples, row by row.
        open: ``(path) -> Source``: a file of this kind as a stream; None where files are no streams.
        create: ``(path, like) -> Sink``: a file to be written as a stream, with what is copied from the source `like`
            (sound track, rate).
        sheet: ``(samples, format, rows, columns) -> picture``: samples line by line in a table, uint8 ``(C, H, W)``
            with 1 or 3 channels, whose lines and columns are headed by these words, some of them empty; for sliders.
            None where samples are not looked at so.
        notice: what has to be said wherever such samples or a network that makes them are handed on, such as whose
            consent it takes: stands on the listening page and in the run's model card.
        turned_back: how a sample becomes what a person sees or hears, in words for who has the network and nothing of
            this plugin: stands in the card of an exported generator. Names of the format's ``signal`` may be used.
        folder_is_one: ``(folder) -> bool``: whether a folder is one file of this kind in pieces, as a folder of
            pictures is a film; where it is None, a folder holds files.
    """

    hook = "wganx_modalities"
    word = "modality"
    plural = "modalities"
    factories = ("write", "preview", "open", "create", "sheet", "folder_is_one")

    axes: tuple[str, ...]
    write: Factory
    preview: Factory
    open: Factory | None = None
    create: Factory | None = None
    sheet: Factory | None = None
    notice: str = ""
    turned_back: str = ""
    folder_is_one: Factory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Part):
    """A named source of items.

    Attributes:
        modality: the kind of sample its items hold.
        open: ``(config, split, context) -> Items``; the splits never share an item.
        card: where it comes from, and its licence.
        config: its options, ``dataset.*``.
        fit: ``(config, context) -> {name: JSON or tensor}``, run once when a run starts: moments of a spectrogram,
            column statistics, a vocabulary. Stored in the run; reaches `open`, tasks, networks and metrics as `fitted`.
        folder: takes ``--data`` when the configuration names no dataset of its own. A dataset whose `config` has a
            field ``root`` takes ``--data`` when it is named.
        scenario: of a folder dataset, the scenario by which files given by ``--data`` are learnt where none is named;
            empty for the plugin's first.
        suggest: ``(config, context) -> {"section.option": (value, why)}``: what suits the user's files and the device
            better than what `scenario` says, each with its reason in a few words, which are said before training. Asked
            where nobody names a dataset or another scenario; whatever the user sets goes before.
        suffixes: endings of the files a folder dataset reads (for ``wganx data scan``), lower case with their dots.
        mends: what would make files of other endings readable, by the ending: ``{".heic": "pip install pillow-heif"}``.
        probe: ``(file, path) -> {name: text}`` decodes one file, open and seekable, whole and tells what it is, e.g.
            ``{"size": "64x48", "mode": "RGB"}``, or raises `DataError` naming the path. What it says under ``look`` (a
            silent sound) may be amiss, and ``wganx data scan`` names the file with it; by what it says under ``alike``,
            bytes in hex such as those of a thumbnail, files are found that are nearly the same.
        listing: ``(path) -> wganx.data.Listing`` of a data set that says itself which of the files below a path are for
            training and what their labels are, for ``wganx data scan --dataset NAME``; None where folders say it.
        resize: how items are brought to one size, in words, which stand beside every number; empty where they are not.
        layout: how its files lie below ``--data`` or ``dataset.root``: a path of each kind, ``"cats/1.jpg"``, and in a
            few words, which may be none, what the path does not say. Empty where no files are read.
    """

    hook = "wganx_datasets"
    word = "dataset"
    factories = ("open", "fit", "suggest", "probe", "listing")

    modality: str
    open: Factory
    card: DataCard
    config: type[Config] = NoOptions
    fit: Factory | None = None
    folder: bool = False
    scenario: str = ""
    suggest: Factory | None = None
    suffixes: tuple[str, ...] = ()
    mends: Mapping[str, str] = field(default_factory=dict)
    probe: Factory | None = None
    listing: Factory | None = None
    resize: str = ""
    layout: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Part):
    """A game played on a dataset's items: ``build(config, formats) -> Game`` sees the formats of every item key.

    Attributes:
        modality: the kind of sample it is played with.
        build: the game's class, or a function: ``(config, formats) -> Game``.
        config: its options, ``task.*``.
        fit: ``(config, formats, items) -> {name: JSON or tensor}``, run once when a run starts, on the training items:
            what depends on the task's own options, such as the moments of its spectrograms. Stored in the run beside
            what `Dataset.fit` found, under names of its own; `formats.fitted` has both from then on.
        applied: fields of `config` that `Game.apply` alone reads, such as by how much a film is slowed down. Each is a
            flag of ``wganx sample RUN --source FILE``, ``--factor 4``, and a keyword of `Run.apply`: for that call the
            game is built with it in place of the run's own. They have other names than the flags that are there.

    Raises:
        ValueError: `config` has no such field.
    """

    hook = "wganx_tasks"
    word = "task"
    in_modality = True
    factories = ("build", "fit")

    modality: str
    build: Factory
    config: type[Config] = NoOptions
    fit: Factory | None = None
    applied: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if strange := [name for name in self.applied if name not in self.config.model_fields]:
            options = ", ".join(self.config.model_fields) or "none"
            raise ValueError(f"{self}: applied names {strange[0]!r}, which is no option of it; options: {options}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture(Part):
    """A generator or critic: ``build(config, context) -> nn.Module``; the engine seeds it, moves it, trains it.

    Generator: ``(noise (N, *context.noise), **inputs) -> (N, *sample.shape)`` within `sample.value_range`; without
    noise the first argument is left out. Critic: ``(x (N, *sample.shape), **inputs) -> (N,)``, unbounded, twice
    differentiable. Either may have a method ``at(step) -> Hashable``, called before each step: a network that grows
    allocates the whole of itself at once and chooses here what it uses.

    Attributes:
        modality: the kind of sample it makes or scores.
        role: which of the two players it is.
        build: the module's class, or a function: ``(config, context) -> nn.Module``.
        config: its options, ``generator.*`` or ``critic.*``.
        lipschitz: a critic that is 1-Lipschitz by construction.
        couples_rows: rows that a critic judges together: it is then given packs ``(N/k, k, *sample.shape)`` and
            returns one score a pack (Lin et al., "PacGAN", 2018).
    """

    hook = "wganx_architectures"
    word = "architecture"
    in_modality = True
    factories = ("build",)

    modality: str
    role: Literal["generator", "critic"]
    build: Factory
    config: type[Config] = NoOptions
    lipschitz: bool = False
    couples_rows: int = 1

    @property
    def kind(self) -> str:
        return self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(Part):
    """A named, complete run. `config` is a mapping, or the path of a YAML file the plugin ships.

    Attributes:
        extensions: plugins it needs beside its own.
    """

    hook = "wganx_scenarios"
    word = "scenario"

    modality: str
    config: Path | Mapping[str, Any]
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Part):
    """A number, or several, about samples.

    ``compute(sides, context) -> {name: number}``, or an empty mapping where it does not apply. The same function is
    called with generated samples, with other real samples (the floor) and with each of the task's baselines. In place
    of a number may stand one for every class, ``{class name: number}``; of these, only the generator's are kept.

    Attributes:
        modality: empty for one that applies to all.
        better: for every value whether lower or higher is better; values it does not name only inform.
        tasks: names of the tasks it is for; empty for all of the modality.
        decisive: a generator that does no better in what `better` names than one of the task's trivial solutions is of
            no use, and every evaluation says so loudly. For numbers that compare each sample with its own truth; not
            where a trivial solution is good at it for nothing, as a copy is at being sharp.
        looks_at: ``features``: at labels and ``context.features`` alone. It is then shown sides whose ``real`` has a
            shape and no values, so that any number of samples is never in memory at once.
        most_rows: it is given no more rows, because its time grows faster than they do.
        when: ``training``: in the evaluations of a training, and those of a finished run; ``evaluation``: only in
            these, because it takes its time; ``request``: only where it is named.
    """

    hook = "wganx_metrics"
    word = "metric"
    in_modality = True
    factories = ("compute",)

    modality: str
    compute: Factory
    config: type[Config] = NoOptions
    better: Mapping[str, Literal["lower", "higher"]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    decisive: bool = False
    looks_at: Literal["samples", "features"] = "samples"
    most_rows: int | None = None
    when: Literal["training", "evaluation", "request"] = "training"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor(Part):
    """A network whose features metrics compare: ``load(config, context) -> nn.Module``, ``(N, ...) -> (N, d)``.

    It is given samples in the task's format, on the device, in chunks, in evaluation mode and without gradients. Other
    outputs are methods of the module: metrics ask for ``"name#method"``. Its attribute ``resize``, if it has one, says
    in words how it brings samples to another size, and is recorded beside the numbers.

    Attributes:
        modality: empty for one that applies to all.
        finds_labels: its features are logits for the classes of the dataset's labels, label after label in the order of
            the items' formats; sliders lead to what it finds.
    """

    hook = "wganx_extractors"
    word = "extractor"
    in_modality = True
    factories = ("load",)

    modality: str
    load: Factory
    card: DataCard
    config: type[Config] = NoOptions
    finds_labels: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout(Part):
    """How another project writes down the weights of a trained generator, so that these can be gone on from.

    Files are read by wganx itself, as plain data and tensors; nothing in them is executed, and nothing is fetched.

    Attributes:
        read: ``(content, path) -> Pretrained | None``: what the file held, a mapping, as one of the plugin's own
            generators; None where it is in another layout. A `DataError` says what a file of this layout lacks.
        classes: names of pickled classes that its files hold, ``package.module.Name``; in place of each comes a
            `types.SimpleNamespace` with its attributes.
        card: who publishes such files, and under which licence the weights are, where that is said.
    """

    hook = "wganx_layouts"
    word = "layout"
    in_modality = True
    factories = ("read",)

    modality: str
    read: Factory
    card: DataCard
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintPart(Part):
    """A constraint, chosen by ``constraint.name``: `build` is a subclass of `wganx.wasserstein.Constraint`.

    Its fields, made by `wganx.option`, become options of ``constraint.*``.
    """

    hook = "wganx_constraints"
    word = "constraint"
    factories = ("build",)

    build: Factory


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivePart(Part):
    """An objective, chosen by ``objective.name``: `build` is a subclass of `wganx.wasserstein.Objective`."""

    hook = "wganx_objectives"
    word = "objective"
    factories = ("build",)

    build: Factory


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerPart(Part):
    """An update rule, chosen by ``optimizer.name``: `build` is a subclass of `wganx.Optimizer`."""

    hook = "wganx_optimizers"
    word = "optimizer"
    factories = ("build",)

    build: Factory


# Health checks are declared a floor below, since the engine looks for them; listed they come last.
KINDS[HealthCheck.hook] = KINDS.pop(HealthCheck.hook)
