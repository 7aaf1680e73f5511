"""What ``state.json`` of a checkpoint says, checked as it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, model_validator

from wganx.batch import SampleFormat
from wganx.errors import CheckpointError
from wganx.stored import Count, Number, Record, checked

Size = Annotated[int, Field(ge=1, le=2**40)]


class FormatFacts(Record):
    """A `SampleFormat` as `SampleFormat.to_json` describes it."""

    axes: list[str]
    shape: list[Size | None]
    value_range: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    rate_hz: Number | None
    classes: list[str]
    signal: dict[str, Any]

    @model_validator(mode="after")
    def _is_one(self) -> FormatFacts:
        SampleFormat.from_json(self.model_dump())
        checked(_SIGNAL, self.signal)
        return self


class _Signal(Record):
    """What wganx itself reads of a signal; the rest is between plugins."""

    usual: Number = 0.0
    alphabet: list[str] = Field(default_factory=list)


class PluginFacts(Record):
    """A plugin that a training was made with: of a distribution, or a file."""

    name: str
    distribution: str
    version: str
    file: str | None = None


class NetworkFacts(Record):
    """Name and options of a network."""

    name: str


class AboutFacts(Record):
    """How to build the generator of a checkpoint and to draw from it without the data; of a bare trainer, nothing."""

    plugins: list[PluginFacts] = Field(default_factory=list)
    modality: str = ""
    items: dict[str, FormatFacts] = Field(default_factory=dict)
    sample: FormatFacts | None = None
    context: dict[str, FormatFacts] = Field(default_factory=dict)
    condition: dict[str, FormatFacts] = Field(default_factory=dict)
    fitted: list[str] = Field(default_factory=list)
    noise: list[Size] = Field(default_factory=list)
    generator: NetworkFacts | None = None
    task: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0


class _Memory(Record):
    """What a health check remembers: its own, which it alone reads under guard, and these two of the engine's."""

    streak: int
    active: int


class BestFacts(Record):
    """``best.json``: which checkpoint is the best so far, by which value."""

    step: Count
    metric: str
    value: Number


class State(Record):
    """Everything by which others go; earlier versions stored less."""

    format: int
    digests: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    step: Count
    critic_updates: Count = 0
    rollbacks: Count = 0
    readings: dict[str, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)
    position: dict[str, Any] | None = None
    health: dict[str, _Memory] = Field(default_factory=dict)
    device: str = ""
    micro_batch: Annotated[int, Field(ge=1)] | None = None
    rules: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    about: AboutFacts | None = None
    best: BestFacts | None = None


_SIGNAL = TypeAdapter(_Signal)
_BEST = TypeAdapter(BestFacts)
_STATE = TypeAdapter(State)
_TO_GO_ON = ("step", "critic_updates", "rollbacks", "readings", "position", "device")
_TO_DRAW = ("plugins", "modality", "sample", "context", "noise", "generator", "seed")


def check_state(facts: Any) -> None:
    """
    Raises:
        ValueError: these are not the facts of a checkpoint.
    """
    checked(_STATE, facts)


def check_best(facts: Any) -> None:
    """
    Raises:
        ValueError: this names no best checkpoint.
    """
    checked(_BEST, facts)


def check_complete(facts: Mapping[str, Any]) -> None:
    """
    Raises:
        CheckpointError: something is missing that a continuation needs.
    """
    if missing := [name for name in _TO_GO_ON if name not in facts]:
        raise CheckpointError(f"state.json says no {', '.join(missing)}, which going on needs")


def check_drawable(about: Mapping[str, Any]) -> None:
    """
    Raises:
        CheckpointError: something is missing by which the generator of a checkpoint is built.
    """
    if missing := [name for name in _TO_DRAW if about.get(name) is None]:
        raise CheckpointError(f"state.json says no {', '.join(missing)} of the generator, which drawing needs")
