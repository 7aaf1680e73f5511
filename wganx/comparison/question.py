"""What a comparison asks: its variants, seeds and budget, resolved once and stored as ``comparison.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from wganx.comparison.variants import Variant
from wganx.config import Resolved, resolve
from wganx.errors import ConfigError, UsageError, did_you_mean
from wganx.experiments.configuring import full_name, given, plain, rankable, with_looks
from wganx.stored import read_yaml

SCHEMA = 1


@dataclass(frozen=True)
class Question:
    """What is asked, and how.

    Attributes:
        configs: by variant, what lies over the scenario, nested: with the plugin's and scenario's names a ``--config``.
        seconds: of training that every run has; None where all make equally many updates.
        steps: by variant, the last step of its runs; of equal seconds, as many as fit into them at its measured pace.
        metrics: the values shown, ``metric/value``; empty for all that can be ranked. The first decides what failed.
        baseline: the variant that differences are told to.
        reach: scores whose seconds are told, by ``metric/value``.
        added: what was added when there were numbers already.
        command: what was typed.
    """

    variants: tuple[Variant, ...]
    configs: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...]
    baseline: str
    seconds: float | None = None
    steps: Mapping[str, int] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    reach: Mapping[str, float] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    command: str = ""

    def to_yaml(self) -> str:
        """The question as text that `read_question` reads back."""
        told = {
            "schema": SCHEMA,
            "command": self.command,
            "budget": {"seconds": self.seconds} if self.seconds is not None else "updates",
            "seeds": list(self.seeds),
            "baseline": self.baseline,
            "metrics": list(self.metrics),
            "reach": dict(self.reach),
            "added": list(self.added),
            "variants": [
                {**asdict(variant), "steps": self.steps.get(variant.name), "config": self.configs[variant.name]}
                for variant in self.variants
            ],
        }
        return yaml.safe_dump(plain(told), sort_keys=False, allow_unicode=True, width=110)


def read_question(path: Path) -> Question:
    """The question of a comparison folder's ``comparison.yaml``.

    Raises:
        UsageError: the file is not there, or holds no question of this version.
    """
    try:
        told = read_yaml(path)
        if told["schema"] != SCHEMA:
            raise UsageError(f"{path} was written by another version of wganx (schema {told['schema']}, not {SCHEMA})")
        budget = told["budget"]
        return Question(
            variants=tuple(Variant(each["name"], each["settings"]) for each in told["variants"]),
            configs={each["name"]: each["config"] for each in told["variants"]},
            seeds=tuple(told["seeds"]),
            baseline=told["baseline"],
            seconds=None if budget == "updates" else float(budget["seconds"]),
            steps={each["name"]: each["steps"] for each in told["variants"] if each["steps"] is not None},
            metrics=tuple(told["metrics"]),
            reach=told["reach"],
            added=tuple(told["added"]),
            command=told["command"],
        )
    except OSError as error:
        raise UsageError(f"there is no comparison in {path.parent}: it has no {path.name}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"{path} holds no question that can be read: {error}; restore it, or start anew") from error


def ask(
    variants: Sequence[Variant],
    *,
    seeds: int,
    seconds: float | None = None,
    baseline: str | None = None,
    metrics: Sequence[str] = (),
    reach: Mapping[str, float] | None = None,
    command: str = "",
    **choice: Any,
) -> Question:
    """The question about `variants` of the run that `choice` makes (see `wganx.config.resolve`), every one checked.

    Args:
        seeds: how many, from ``choice["seed"]`` on (0 by default).

    Raises:
        UsageError: names are unknown, or the configuration of a variant is wrong: lists what, by variant.
    """
    names = [variant.name for variant in variants]
    if baseline is not None and baseline not in names:
        raise UsageError(
            f"--baseline: no variant {baseline!r}; variants: {', '.join(names)}{did_you_mean(baseline, names)}"
        )
    overrides = choice.pop("overrides", None) or {}
    first = choice.pop("seed", None) or 0
    resolved: dict[str, Resolved] = {}
    problems = []
    for variant in variants:
        try:
            resolved[variant.name] = resolve(**choice, overrides={**overrides, **variant.settings})
        except ConfigError as error:
            problems.append(f"variant {variant.name!r}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))
    origin = next(iter(resolved.values())).origin("train.steps")
    if seconds is not None and origin.startswith("--set"):
        raise UsageError(f"{origin} has no effect with --seconds, which plans as many steps as fit; leave one out")
    offered = rankable(next(iter(resolved.values())))
    return Question(
        variants=tuple(variants),
        configs={name: given(each) for name, each in resolved.items()},
        seeds=tuple(range(first, first + seeds)),
        baseline=baseline or names[0],
        seconds=seconds,
        steps={} if seconds is not None else {name: each.run.train.steps for name, each in resolved.items()},
        metrics=tuple(full_name(metric, offered, "--metric") for metric in metrics),
        reach={full_name(metric, offered, "--reach"): score for metric, score in (reach or {}).items()},
        command=command,
    )


def run_config(question: Question, variant: Variant) -> dict[str, Any]:
    """The configuration that the runs of a variant are started with: what was given, its steps, and when to look.

    What was given alone, where the steps are not known yet.
    """
    steps = question.steps.get(variant.name)
    config = question.configs[variant.name]
    return dict(config) if steps is None else with_looks(config, steps)


def grow(stored: Question, asked: Question) -> Question:
    """The stored question with the seeds and variants that are asked beside its own; what is shown may change freely.

    Raises:
        UsageError: what was asked before is asked in another way.
    """
    kept = {variant.name: variant for variant in stored.variants}
    changed = [name for name in kept if name not in asked.configs or asked.configs[name] != stored.configs[name]]
    if stored.seconds != asked.seconds:
        raise UsageError(
            f"this comparison has {_budget(stored)}, and now {_budget(asked)} is asked; give another --out"
        )
    if changed:
        raise UsageError(
            f"this comparison was started with other settings of {', '.join(changed)}; give another --out, or go on "
            "with it as it is: --resume"
        )
    if not set(stored.seeds) <= set(asked.seeds):
        asked = replace(asked, seeds=tuple(sorted({*stored.seeds, *asked.seeds})))
    new = [variant.name for variant in asked.variants if variant.name not in kept]
    more = [str(seed) for seed in asked.seeds if seed not in stored.seeds]
    words = [f"{kind} {', '.join(names)}" for kind, names in (("variants", new), ("seeds", more)) if names]
    return replace(asked, steps={**asked.steps, **stored.steps}, added=(*stored.added, *words), command=stored.command)


def _budget(question: Question) -> str:
    return "equal updates" if question.seconds is None else f"{question.seconds:g} seconds a run"
