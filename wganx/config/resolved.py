"""A run's configuration, checked: what everything above is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from wganx.config.layers import Merged
from wganx.config.metrics import find_metrics
from wganx.config.sections import RunConfig
from wganx.evaluation import ChosenMetric
from wganx.evaluation.metrics import STANDARD
from wganx.plugins import Catalog
from wganx.plugins.descriptors import Architecture, Config, Dataset, Modality, Task

if TYPE_CHECKING:
    from wganx.engine import Optimizer
    from wganx.wasserstein import Constraint, Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The descriptors a run is made of. Each part's section of the run is an instance of the part's own config."""

    modality: Modality
    dataset: Dataset
    task: Task
    generator: Architecture
    critic: Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A run's configuration, checked: every name found, every value valid.

    Attributes:
        run: the validated sections.
        catalog: what the loaded plugins offer.
        parts: the descriptors chosen by name.
        objective: built from its section, as are `constraint` and `optimizer`.
        metrics: what an evaluation in training computes, by name.
        extractors: options of the extractors that were given any, by name.
        merged: the values as given, and their sources.
        notes: settings that were dropped because a higher layer chose another part, each in a sentence.
    """

    run: RunConfig
    catalog: Catalog
    parts: Parts
    objective: Objective
    constraint: Constraint
    optimizer: Optimizer
    metrics: Mapping[str, ChosenMetric]
    extractors: Mapping[str, Config]
    notes: tuple[str, ...]
    merged: Merged = field(repr=False)

    def only(self, names: Sequence[str]) -> dict[str, ChosenMetric]:
        """These metrics of the run's modality and task, with their options where the run gives them some.

        Raises:
            PluginError: one of `names` is no metric of the modality, or does not apply to the task.
        """
        found = find_metrics(self.catalog, self.parts.modality.name, self.parts.task.name, names)
        return {name: self.metrics.get(name) or ChosenMetric(metric, metric.config()) for name, metric in found.items()}

    def every_metric(self) -> dict[str, ChosenMetric]:
        """What an evaluation by itself computes: the run's metrics and, unless it names some, those of any modality."""
        if self.run.evaluate.metrics is not None:
            return dict(self.metrics)
        offered = {**STANDARD, **self.catalog.metrics(self.parts.modality.name, self.parts.task.name)}
        asked = [name for name, metric in offered.items() if metric.when != "request"]
        return {**self.metrics, **self.only([name for name in asked if name not in self.metrics])}

    def origin(self, path: str) -> str:
        """Where a value stands, e.g. ``configs/mnist.yaml:3``; ``default`` when no layer set it."""
        return self.merged.origin(tuple(path.split("."))) or "default"

    def origins(self) -> dict[str, str]:
        """Where every value that is no default came from, by dotted name."""
        found = self.merged.origins
        return {
            ".".join(key): origin
            for key, origin in found.items()
            if not any(other[: len(key)] == key and other != key for other in found)
        }

    def dump(self) -> dict[str, Any]:
        """Every value, defaults included, as plain data."""
        return self.run.model_dump(mode="json")

    def settings(self) -> Iterator[tuple[str, Any, str]]:
        """Every value with its dotted key and where it stands."""
        yield from ((key, value, self.origin(key)) for key, value in _leaves(self.dump(), ()))

    def to_yaml(self) -> str:
        """Every value as YAML that `resolve` and `from_yaml` read back to the same run."""
        return yaml.dump(self.dump(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _leaves(values: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, name))
        else:
            yield ".".join((*above, name)), value


class _Dumper(yaml.SafeDumper):
    """Writes text with any kind of line break escaped: PyYAML loses the rarer ones in its other styles."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        broken = text.splitlines() not in ([], [text])
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if broken else None)


_Dumper.add_representer(str, _Dumper.represent_text)
