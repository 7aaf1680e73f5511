"""The sections of a run's configuration: what the core knows of each, and how a chosen part's own fields join them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_type_hints

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, create_model, field_validator

from wganx.errors import PluginError
from wganx.plugins.descriptors import Config

OFF_IS_A_WORD = BeforeValidator(lambda value: "off" if value is False else value)
"""For settings with the choice ``off``, which YAML takes for false."""


def _length_or_shape(noise: Any) -> Any:
    """One text for what is neither; a union would give one for each of its members."""
    sizes = noise if isinstance(noise, list | tuple) else [noise]
    try:
        numbers = [int(size) for size in sizes]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if not numbers or any(isinstance(size, bool) or number != float(size) for size, number in zip(sizes, numbers)):
        raise ValueError("Input should be a length such as 64, or a shape such as [64, 8]")
    if min(numbers) < 0:
        raise ValueError("Input should be greater than or equal to 0")
    if isinstance(noise, list | tuple):
        if min(numbers) < 1:
            raise ValueError("Input should have sizes of 1 or more")
        return tuple(numbers)
    return numbers[0]


class Section(Config):
    """Base of the core's sections: beside what `Config` refuses, numbers must be finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class NamedSection(Section):
    """A part among several of its kind, chosen by name."""

    name: str = Field(description="the part")


class DatasetSection(Section):
    """Where items come from, whether they stay on the device or stream, and what is kept of them in the cache."""

    name: str = Field(description="the dataset, as the plugin names it")
    feed: Literal["auto", "resident", "stream"] = Field("auto", description="keep all items on the device, or stream")
    workers: int = Field(0, ge=0, description="processes that decode ahead when streaming what is not packed")
    pack: Annotated[Literal["auto", "always", "off"], OFF_IS_A_WORD] = Field(
        "auto", description="keep files decoded in the cache folder; auto: where decoding them takes over 10 s"
    )
    not_finite: Literal["refuse", "skip"] = Field(
        "refuse", description="items with NaN or infinity; skip: name them, and go on without"
    )

    @field_validator("workers")
    @classmethod
    def _only_streams_have_workers(cls, workers: int, info: ValidationInfo) -> int:
        if workers and info.data.get("feed") == "resident":
            raise ValueError("has no effect with dataset.feed=resident; set feed to stream, or workers to 0")
        return workers


class TaskSection(Section):
    """The game played on the items."""

    name: str = Field(description="the task, as the plugin names it")


class GeneratorSection(Section):
    """The network that makes samples."""

    name: str = Field(description="the architecture, as the plugin names it")
    noise: Annotated[int | tuple[int, ...], BeforeValidator(_length_or_shape)] = Field(
        128, description="length of the noise vector, or a shape such as [64, 8]; 0 for a generator without noise"
    )

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Shape of one noise sample; empty without noise."""
        if isinstance(self.noise, tuple):
            return self.noise
        return (self.noise,) if self.noise else ()


class CriticSection(Section):
    """The network that scores samples."""

    name: str = Field(
        description="the architecture, as the plugin names it; none for an objective that trains no critic"
    )


class ObjectiveSection(Section):
    """What the two players optimise."""

    name: str = Field("wasserstein", description="the objective")


class ConstraintSection(Section):
    """What keeps the critic Lipschitz."""

    name: str = Field("gradient-penalty", description="the constraint")
    also: tuple[dict[str, Any], ...] = Field((), description="further constraints beside it, each {name: ..., ...}")


class OptimizerSection(Section):
    """How both networks' weights are updated; its fields are those of `wganx.Optimizer`."""


class TrainSection(Section):
    """The loop; one step is one generator update."""

    steps: int = Field(ge=1, description="generator updates")
    batch_size: int = Field(64, ge=1, description="samples in a batch")
    critic_steps: int = Field(
        5, ge=0, description="critic updates before each generator update; 0 where no critic is trained"
    )
    accumulate: int = Field(1, ge=1, description="batches whose gradients are summed into one update")
    ema: float = Field(0.999, ge=0, lt=1, description="decay of the generator's weight average; 0 for none")
    precision: Literal["auto", "fp32", "tf32", "bf16"] = Field("auto", description="arithmetic of the forward passes")
    capture: Annotated[Literal["auto", "graph", "compile", "off"], OFF_IS_A_WORD] = Field(
        "auto", description="graph: record the steps and replay them on a GPU; compile: the critic's loss; off: neither"
    )
    micro_batch: Annotated[Annotated[int, Field(ge=1)] | Literal["auto", "off"], OFF_IS_A_WORD] = Field(
        "auto", description="samples of a batch computed at once; auto: as many as fit into memory"
    )
    constant_mask: bool = Field(
        True, description="differentiate rectifiers in penalties as piecewise linear: exact, and faster"
    )
    init: Path | None = Field(
        None, description="a file of weights, a run folder or a checkpoint to begin with; wganx train --init PATH"
    )
    init_sha256: str | None = Field(None, description="SHA-256 of what train.init names; filled in when the run starts")


class EvaluateSection(Section):
    """Metrics on held-out data during training."""

    every: int = Field(0, ge=0, description="steps between evaluations; 0 for none")
    n: int = Field(1000, ge=2, description="samples on each side of a metric")
    repeats: int = Field(1, ge=1, description="blocks of n samples; from 2 on every number has an interval")
    candidates: Annotated[int, Field(ge=2)] | None = Field(
        None, description="generated samples, where these are to be more than n; null for n"
    )
    metrics: Annotated[tuple[str | dict[str, Any], ...], Field(min_length=1)] | None = Field(
        None,
        description="the metrics to compute, each a name or {name: ..., option: ...}; null: in training those of the "
        "plugins that apply, in wganx evaluate also those of any modality",
    )
    extractors: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="options of extractors by their name, {classes: {...}}"
    )


class CheckpointSection(Section):
    """States that a run can resume from."""

    every: int = Field(500, ge=1, description="steps between checkpoints")
    keep: int = Field(3, ge=1, description="how many of the newest stay on disk")
    best: str | None = Field(None, description="metric value whose best checkpoint stays as well")


class PreviewSection(Section):
    """Pictures of samples from the same noise throughout."""

    every: int = Field(500, ge=1, description="steps between previews")
    count: int = Field(64, ge=1, description="samples in a preview")
    walk: int = Field(
        9, ge=0, le=99, description="stops of the walk through the noise that the report shows; 0 for none"
    )
    sliders: int = Field(
        4,
        ge=0,
        le=16,
        description="directions of the noise, those that change most, that it shows as sliders; 0 for none",
    )


class LogSection(Section):
    """Logging points: the only moments at which numbers leave the device."""

    every: int = Field(50, ge=1, description="steps between logging points")


class RunConfig(Section):
    """The configuration of one run. The sections of its parts are composed by `compose` for the parts chosen."""

    plugin: str = Field(description="name of the plugin, distribution:name, or path of a .py file")
    scenario: str = Field(description="the scenario the run starts from")
    extensions: tuple[str, ...] = Field(
        (), description="further plugins: observers, metrics, networks, constraints, datasets"
    )
    seed: int = Field(0, ge=0, description="fixes every random stream of the run")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps, ...")
    dataset: DatasetSection
    task: TaskSection
    generator: GeneratorSection
    critic: CriticSection
    objective: ObjectiveSection
    constraint: ConstraintSection
    optimizer: OptimizerSection
    train: TrainSection
    evaluate: EvaluateSection
    checkpoint: CheckpointSection
    preview: PreviewSection
    log: LogSection


def join(core: type[Section], part: type[Config], owner: str) -> type[Section]:
    """The core's section with the fields and validators of a part's own configuration; an instance is both.

    Raises:
        PluginError: the part declares a field that the core owns; `owner` names the part.
    """
    taken = sorted(set(core.model_fields) & set(part.model_fields))
    if taken:
        raise PluginError(f"{owner} has a configuration field {taken[0]!r}, which the core owns; rename it")
    bases: Any = (part, core)  # the core's fields come first and its strictness wins
    return cast("type[Section]", create_model(core.__name__, __base__=bases, __doc__=core.__doc__))


def from_options(core: type[Section], settings: type[Any]) -> type[Section]:
    """The core's section with the fields of a dataclass whose field metadata holds bounds and descriptions.

    Bounds are pydantic's (``ge``, ``gt``, ``le``, ``lt``). A new constraint or objective needs nothing here.
    """
    hints = get_type_hints(settings)
    declared: dict[str, Any] = {}
    for setting in fields(settings):
        if setting.default_factory is not MISSING:
            field = Field(default_factory=setting.default_factory, **setting.metadata)
        elif setting.default is not MISSING:
            field = Field(setting.default, **setting.metadata)
        else:
            field = Field(**setting.metadata)
        declared[setting.name] = (hints[setting.name], field)
    return create_model(core.__name__, __base__=core, __doc__=core.__doc__, **declared)


def compose(sections: Mapping[str, type[Section]]) -> type[RunConfig]:
    """The model of a whole run, with the given models in place of the core's."""
    chosen: dict[str, Any] = {name: (model, Field(description=None)) for name, model in sections.items()}
    return create_model("RunConfig", __base__=RunConfig, __doc__=RunConfig.__doc__, **chosen)
