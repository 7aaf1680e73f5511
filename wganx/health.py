"""What a health check looks at, and what it finds: the words shared by the engine, plugins, run folder and report."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from wganx.parts import Factory, Part

if TYPE_CHECKING:
    from torch import Tensor

Level = Literal["info", "warn", "bad"]


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """How a training does at one logging point.

    Attributes:
        step: generator updates so far.
        scalars: everything logged at this point.
        real: training samples ``(N, ...)``.
        fake: as many samples of the generator under training.
        context: what the generator made them of, row by row.
        memory: numbers a check keeps between logging points, its own; they are part of every checkpoint.
    """

    step: int
    scalars: Mapping[str, float]
    real: Tensor
    fake: Tensor
    context: Mapping[str, Tensor] = field(default_factory=dict)
    memory: MutableMapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck(Part):
    """One thing that can be wrong with a training, looked for at every logging point.

    Attributes:
        code: capitals and three digits, by which the finding is looked up; ``WX`` is wganx's own.
        modality: the kind of sample it is about; empty for any.
        mend: what the user does about it, one sentence.
        inspect: ``inspect(vitals)`` says what is wrong in one sentence, or None while nothing is.
        level: ``bad`` voids the result, ``warn`` needs a look, ``info`` explains.
        patience: consecutive logging points at which `inspect` must speak before anybody is told.
    """

    hook = "wganx_health_checks"
    word = "health check"
    factories = ("inspect",)

    code: str
    mend: str
    inspect: Factory
    modality: str = ""
    level: Level = "warn"
    patience: int = 1


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a health check found, from `step` on; `text` is None at the step from which on it no longer holds."""

    step: int
    code: str
    level: Level
    text: str | None
    mend: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}; {self.mend}" if self.text else f"{self.code} no longer"
