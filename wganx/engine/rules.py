"""The rules of a training: every setting that is plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from wganx.engine.randomness import checked_seed
from wganx.engine.steps.optimizer import Optimizer
from wganx.errors import UsageError
from wganx.wasserstein import (
    CONSTRAINTS,
    OBJECTIVES,
    Combined,
    Constraint,
    GradientPenalty,
    NoConstraint,
    Objective,
    Wasserstein,
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What `Trainer` takes beside networks, functions and the device, and says what each is; it travels in checkpoints.

    Raises:
        UsageError: a setting is out of its range.
    """

    noise: tuple[int, ...] | None = (100,)
    objective: Objective = field(default_factory=Wasserstein)
    constraint: Constraint = field(default_factory=GradientPenalty)
    critic_steps: int = 5
    ema: float = 0.999
    precision: str = "auto"
    capture: str = "auto"
    seed: int = 0
    optimizer: Optimizer = field(default_factory=Optimizer)
    accumulate: int = 1
    micro_batch: int | Literal["auto"] | None = None
    constant_mask: bool = True
    pack: int = 1

    def __post_init__(self) -> None:
        for name, kind, example in (
            ("objective", Objective, "wganx.Wasserstein()"),
            ("constraint", Constraint, "wganx.GradientPenalty(10.0)"),
            ("optimizer", Optimizer, "wganx.Optimizer(lr=1e-4)"),
        ):
            if not isinstance(given := getattr(self, name), kind):
                raise UsageError(f"{name} must be an object such as {example}, got {given!r}")
        shape = self.noise
        if shape is not None and not (isinstance(shape, tuple | list) and all(isinstance(n, int) for n in shape)):
            raise UsageError(f"noise must be the shape of one sample of noise, such as (100,), or None, got {shape!r}")
        for name in ("critic_steps", "accumulate", "pack"):
            if not isinstance(number := getattr(self, name), int):
                raise UsageError(f"{name} must be a whole number, got {number!r}")
        checked_seed(self.seed)
        if not self.objective.trains_critic:
            self._refuse_critic()
        elif self.critic_steps < 1 or self.accumulate < 1:
            raise UsageError(
                f"critic_steps and accumulate must be at least 1, got {self.critic_steps} and {self.accumulate}"
            )
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema must lie in [0, 1), got {self.ema}")
        rows = self.micro_batch
        if rows not in (None, "auto") and not (isinstance(rows, int) and rows >= 1):
            raise UsageError(f"micro_batch must be at least 1, 'auto' or None, got {rows!r}")
        if self.pack < 1:
            raise UsageError(f"pack must be at least 1, got {self.pack}")
        if isinstance(rows, int) and rows % self.pack:
            raise UsageError(
                f"micro_batch of {rows} rows is not made of whole packs of {self.pack}; make it a multiple of that"
            )

    def _refuse_critic(self) -> None:
        """Nothing that is asked of a critic is left aside in silence."""
        idle = {
            f"constraint {self.constraint.name!r}": not isinstance(self.constraint, NoConstraint),
            "the constraint's drift": self.constraint.drift != 0,
            f"critic_steps={self.critic_steps}": self.critic_steps != 0,
            f"critic_lr={self.optimizer.critic_lr}": self.optimizer.critic_lr is not None,
            f"pack={self.pack}": self.pack != 1,
            "capture='compile'": self.capture == "compile",
        }
        if asked := [name for name, given in idle.items() if given]:
            raise UsageError(f"{', '.join(asked)} {'has' if len(asked) == 1 else 'have'} no effect: {self.no_critic}")
        if self.accumulate < 1:
            raise UsageError(f"accumulate must be at least 1, got {self.accumulate}")

    @property
    def no_critic(self) -> str:
        """That there is none, and how there would be one."""
        return (
            f"objective {self.objective.name!r} compares samples and trains no critic; leave it out, or let the "
            "critic's features be compared (objective.features=critic)"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, which `from_json` reads."""
        parts = self.constraint.parts if isinstance(self.constraint, Combined) else (self.constraint,)
        plain = ("noise", "critic_steps", "ema", "precision", "capture", "seed", "accumulate", "micro_batch")
        return {
            **{name: getattr(self, name) for name in plain},
            "objective": (self.objective.name, asdict(self.objective)),
            "constraint": [(part.name, asdict(part)) for part in parts],
            "optimizer": {"class": _place(type(self.optimizer)), **asdict(self.optimizer)},
            "constant_mask": self.constant_mask,
            "pack": self.pack,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of `Rules`, and of `Trainer`, that `to_json` described.

        Raises:
            UsageError: a class that is not wganx's own has not been imported.
        """
        arguments = dict(data)
        arguments["noise"] = None if data["noise"] is None else tuple(data["noise"])
        objective, options = data["objective"] if not isinstance(data["objective"], str) else (data["objective"], {})
        arguments["objective"] = _known(OBJECTIVES, objective, "objective")(**options)
        parts = [_known(CONSTRAINTS, name, "constraint")(**own) for name, own in data["constraint"]]
        arguments["constraint"] = parts[0] if len(parts) == 1 else Combined(*parts)
        optimizer = dict(data["optimizer"])
        rules = {_place(kind): kind for kind in _with_subclasses(Optimizer)}
        kind = _known(rules, optimizer.pop("class", _place(Optimizer)), "optimizer")
        arguments["optimizer"] = kind(**{**optimizer, "betas": tuple(optimizer["betas"])})
        return arguments


def _known(classes: Mapping[str, type[Any]], name: str, what: str) -> type[Any]:
    if name not in classes:
        raise UsageError(f"it was saved with the {what} {name!r}, which is not wganx's own; import its module first")
    return classes[name]


def _with_subclasses(kind: type[Optimizer]) -> Iterator[type[Optimizer]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _with_subclasses(below)


def _place(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
