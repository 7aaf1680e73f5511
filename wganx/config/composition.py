"""From merged values to a checked run: the parts are looked up, their sections composed, everything validated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from wganx.config.constraints import build_constraint
from wganx.config.layers import Merged, PartSection
from wganx.config.metrics import choose_metrics, extractor_options
from wganx.config.problems import Problem, failure, validation_problems
from wganx.config.resolved import Parts, Resolved
from wganx.config.rules import RuleBook
from wganx.config.sections import (
    ConstraintSection,
    CriticSection,
    DatasetSection,
    GeneratorSection,
    ObjectiveSection,
    OptimizerSection,
    RunConfig,
    Section,
    TaskSection,
    compose,
    from_options,
    join,
)
from wganx.config.sources import Key
from wganx.config.without_critic import NO_CRITIC, critic_problems
from wganx.errors import PluginError, WganxError, did_you_mean
from wganx.evaluation import ChosenMetric
from wganx.names import shortened
from wganx.plugins import Catalog
from wganx.plugins.descriptors import Architecture, Dataset, Scenario, Task
from wganx.plugins.guard import calling

_BITS = 63
"""Of a whole number, beside its sign: those of torch's."""

T = TypeVar("T")
D = TypeVar("D", Dataset, Task, Architecture)

_CORE: dict[str, type[Section]] = {
    "dataset": DatasetSection,
    "task": TaskSection,
    "generator": GeneratorSection,
    "critic": CriticSection,
    "objective": ObjectiveSection,
    "constraint": ConstraintSection,
}


def part_sections() -> dict[str, PartSection]:
    """The sections that name a part, for `merge`."""
    return {
        section: PartSection(frozenset(model.model_fields), _default_name(section)) for section, model in _CORE.items()
    }


def _default_name(section: str) -> str | None:
    declared = _CORE[section].model_fields["name"]
    return None if declared.is_required() else str(declared.default)


def compose_run(
    catalog: Catalog, scenario: Scenario, merged: Merged, written_by: Mapping[str, str] | None = None
) -> Resolved:
    """Check merged values against the parts they name, after those of a stored run were brought to today's names.

    Raises:
        ConfigError: lists every problem found.
    """
    composer = _Composer(catalog, scenario, merged, written_by)
    return composer.compose()


class _Composer:
    """One pass over merged values that keeps every problem it meets."""

    def __init__(
        self, catalog: Catalog, scenario: Scenario, merged: Merged, written_by: Mapping[str, str] | None
    ) -> None:
        self.catalog = catalog
        self.merged = merged
        self.written_by = written_by
        self.modality = scenario.modality
        self.problems: list[Problem] = []
        self.models: dict[str, type[Section]] = {}

    def compose(self) -> Resolved:
        catalog, rules = self.catalog, RuleBook(self.catalog)
        dataset = self._part("dataset", catalog.dataset)
        if dataset is not None:
            self.modality = dataset.modality
            self._data_has_a_use(dataset)
        task = self._part("task", lambda name: catalog.task(name, self.modality))
        generator = self._part("generator", lambda name: catalog.architecture("generator", name, self.modality))
        self.problems += critic_problems(self.merged, rules)
        critic = self._critic()
        objective = self._rule("objective", rules)
        constraint = self._rule("constraint", rules)
        optimizer = self._optimizer(rules)

        run = self._validated()
        if run is None or not (dataset and task and generator and critic and objective and constraint and optimizer):
            raise failure(self.problems)
        modality = self._found(("dataset", "name"), lambda: catalog.modality(self.modality))
        metrics, faults = choose_metrics(catalog, self.modality, task.name, run.evaluate.metrics, self.merged)
        self.problems += faults
        extractors, faults = extractor_options(catalog, self.modality, run.evaluate.extractors, self.merged)
        self.problems += faults
        self._check_best(run, metrics)
        constrained, faults = build_constraint(
            constraint,
            run.constraint,
            critic,
            self.merged,
            rules,
            lambda kind, own: self._built(kind, own, "constraint"),
        )
        self.problems += faults
        built = {
            "objective": self._built(objective, run.objective, "objective"),
            "constraint": constrained,
            "optimizer": self._built(optimizer, run.optimizer, "optimizer"),
        }
        if self.problems or modality is None:
            raise failure(self.problems)
        parts = Parts(modality=modality, dataset=dataset, task=task, generator=generator, critic=critic)
        return Resolved(
            run=run,
            catalog=catalog,
            parts=parts,
            metrics=metrics,
            extractors=extractors,
            notes=self.merged.notes,
            merged=self.merged,
            **built,
        )

    def _found(self, key: Key, look: Callable[[], T]) -> T | None:
        """What `look` finds; a `PluginError` becomes a problem at `key`."""
        try:
            return look()
        except PluginError as error:
            self.problems.append(Problem(key, str(error), self.merged.origin(key)))
            return None

    def _name(self, section: str) -> str | None:
        """The part a section names, or None where validation will find that it names none."""
        values = self.merged.values.get(section, {})
        name = values.get("name", _default_name(section)) if isinstance(values, dict) else None
        return name if isinstance(name, str) else None

    def _part(self, section: str, look: Callable[[str], D]) -> D | None:
        """The descriptor a section names; the section takes on the fields of the descriptor's configuration."""
        name = self._name(section)
        part = None if name is None else self._found((section, "name"), lambda: look(name))
        if part is None:
            self.models[section] = _open(_CORE[section])
            return None
        if self.written_by is not None:
            self._migrate(section, part)
        self.models[section] = join(_CORE[section], part.config, f"{self.catalog.owner(part).found}: {part}")
        return part

    def _critic(self) -> Architecture | None:
        """The critic that its section names, or the one that is none."""
        if self._name("critic") == NO_CRITIC.name:
            self.models["critic"] = _CORE["critic"]
            return NO_CRITIC
        return self._part("critic", lambda name: self.catalog.architecture("critic", name, self.modality))

    def _migrate(self, section: str, part: Dataset | Task | Architecture) -> None:
        values = self.merged.values.get(section, {})
        own = {name: value for name, value in values.items() if name not in _CORE[section].model_fields}
        version = (self.written_by or {}).get(self.catalog.owner(part).name, "")
        with calling(part, "migrate"):
            migrated = part.config.migrate(dict(own), version)
        for name in own:
            del values[name]
        values |= migrated

    def _rule(self, section: str, rules: RuleBook) -> type[Any] | None:
        """The class a section names; the section takes on its fields."""
        name = self._name(section)
        kind = None if name is None else self._found((section, "name"), lambda: rules.find(section, name))
        self.models[section] = _open(_CORE[section]) if kind is None else from_options(_CORE[section], kind)
        return kind

    def _optimizer(self, rules: RuleBook) -> type[Any]:
        """A plugin's, or wganx's own, whose section refuses other names itself."""
        name = self.merged.values.get("optimizer", {})
        name = name.get("name") if isinstance(name, dict) else None
        kind: type[Any] | None = None
        if isinstance(name, str) and (":" in name or name in rules.names("optimizer")):
            kind = self._found(("optimizer", "name"), lambda: rules.find("optimizer", name))
        own = rules.find("optimizer", "adam")
        model: type[Section] = from_options(OptimizerSection, kind or own)
        if kind not in (None, own):  # the names that `Optimizer` takes are wganx's own rules
            named: Any = (str, Field(name, description="the update rule"))
            model = cast(
                "type[Section]", create_model(model.__name__, __base__=model, __doc__=model.__doc__, name=named)
            )
        self.models["optimizer"] = model
        return kind or own

    def _data_has_a_use(self, dataset: Dataset) -> None:
        """Refuse ``--data`` by its own name where the dataset has no root, rather than as an unknown option."""
        key = ("dataset", "root")
        origin = self.merged.origins.get(key, "")
        if not origin.startswith("--data") or "root" in dataset.config.model_fields:
            return
        del self.merged.values["dataset"]["root"]
        takers = [
            other.name
            for other in self.catalog.offers(Dataset)
            if other.modality == dataset.modality and "root" in other.config.model_fields
        ]
        listed = f"; datasets that do: {', '.join(takers)}" if takers else ""
        self.problems.append(Problem(key, f"dataset {dataset.name!r} takes no folder or file of yours{listed}", origin))

    def _validated(self) -> RunConfig | None:
        """The run, if nothing at all was wrong with it."""
        values = self.merged.values
        for section, declared in RunConfig.model_fields.items():
            kind = declared.annotation
            if isinstance(kind, type) and issubclass(kind, Section):
                values.setdefault(section, {})
        beyond = [
            Problem(key, f"Input should have at most 64 bits (got {shortened(str(given))})", self.merged.origin(key))
            for key, given in _whole_numbers(values, ())
            if given.bit_length() > _BITS
        ]
        if beyond:  # the arithmetic of whoever checks an option would fail on them
            self.problems += beyond
            return None
        model = compose(self.models)
        try:
            run = model.model_validate(values)
        except ValidationError as error:
            self.problems += validation_problems(error, model, self.merged)
            return None
        self.problems += [
            Problem(key, f"expected a number (got {given})", self.merged.origin(key))
            for key, given in _flags_read_as_numbers(values, run, ())
        ]
        return None if self.problems else run

    def _check_best(self, run: RunConfig, metrics: Mapping[str, ChosenMetric]) -> None:
        best, key = run.checkpoint.best, ("checkpoint", "best")
        if best is None:
            return
        ranked = [value for chosen in metrics.values() for value in chosen.metric.better]
        fault = None
        if best not in ranked:
            listed = f"values that can be ranked: {', '.join(ranked) or 'none'}{did_you_mean(best, ranked)}"
            fault = f"no metric says which {best!r} is better; {listed}"
        elif run.evaluate.every == 0:
            fault = "has no effect while evaluate.every is 0; set evaluate.every to the steps between evaluations"
        if fault:
            self.problems.append(Problem(key, fault, self.merged.origin(key)))

    def _built(self, kind: type[Any], section: Section, name: str) -> Any:
        """The object a section describes; what its class itself refuses becomes a problem."""
        try:
            return kind(**{option.name: getattr(section, option.name) for option in fields(kind)})
        except (ValueError, WganxError) as error:
            self.problems.append(Problem((name,), str(error), self.merged.sources_within((name,))))
            return None


def _open(core: type[Section]) -> type[Section]:
    """The core's section for a part that was not found: whatever belongs to the part passes unchecked."""
    return create_model(core.__name__, __base__=(core, _Unchecked))


class _Unchecked(Section):
    model_config = ConfigDict(extra="allow")


def _whole_numbers(given: Any, key: Key) -> Iterator[tuple[Key, int]]:
    """Every whole number among values, those in lists under the key of the list."""
    if isinstance(given, int):
        yield key, given
    elif isinstance(given, Mapping):
        for name, value in given.items():
            yield from _whole_numbers(value, (*key, str(name)))
    elif isinstance(given, list | tuple):
        for value in given:
            yield from _whole_numbers(value, key)


def _flags_read_as_numbers(given: Any, valid: Any, key: Key) -> Iterator[tuple[Key, bool]]:
    """Booleans that validation turned into 0 or 1: YAML reads ``on`` and ``yes`` as true."""
    if isinstance(given, bool) and isinstance(valid, int | float) and not isinstance(valid, bool):
        yield key, given
    elif isinstance(given, Mapping) and isinstance(valid, BaseModel):
        for name, value in given.items():
            yield from _flags_read_as_numbers(value, getattr(valid, name), (*key, name))
    elif isinstance(given, list | tuple) and isinstance(valid, list | tuple):
        for value, checked in zip(given, valid):
            yield from _flags_read_as_numbers(value, checked, key)
