"""The metrics of a run with their options, those of every modality among them, and the options of extractors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from wganx.config.layers import Merged
from wganx.config.problems import Problem, validation_problems
from wganx.config.sources import Key
from wganx.errors import PluginError
from wganx.evaluation import ChosenMetric
from wganx.evaluation.extractors import STANDARD_EXTRACTORS
from wganx.evaluation.metrics import STANDARD
from wganx.plugins import Catalog
from wganx.plugins.descriptors import Config, Extractor, Metric

Given = Sequence[str | Mapping[str, Any]] | None


def choose_metrics(
    catalog: Catalog, modality: str, task: str, given: Given, merged: Merged
) -> tuple[dict[str, ChosenMetric], list[Problem]]:
    """The metrics that are named, or all of the plugins that apply to a task, by name; and what is wrong with them."""
    problems: list[Problem] = []
    key: Key = ("evaluate", "metrics")
    options: dict[str, Mapping[str, Any]] = {}
    for entry in given or ():
        if isinstance(entry, str):
            options[entry] = {}
        elif isinstance(name := entry.get("name"), str):
            options[name] = {option: value for option, value in entry.items() if option != "name"}
        else:
            problems.append(Problem(key, f"a metric is a name or {{name: ..., option: ...}}, not {dict(entry)}"))
    try:
        found = find_metrics(catalog, modality, task, list(options) if given is not None else None)
    except PluginError as error:
        return {}, [*problems, Problem(key, str(error), merged.origin(key))]
    chosen: dict[str, ChosenMetric] = {}
    for name, metric in found.items():
        config = _options(metric.config, options.get(name, {}), (*key, name), merged, problems)
        if config is not None:
            chosen[name] = ChosenMetric(metric, config)
    return chosen, problems


def extractor_options(
    catalog: Catalog, modality: str, given: Mapping[str, Mapping[str, Any]], merged: Merged
) -> tuple[dict[str, Config], list[Problem]]:
    """The options of the extractors that were given any; and what is wrong with them."""
    problems: list[Problem] = []
    found: dict[str, Config] = {}
    for name, values in given.items():
        key: Key = ("evaluate", "extractors", name)
        try:
            extractor = find_extractor(catalog, modality, name)
        except PluginError as error:
            problems.append(Problem(key, str(error), merged.origin(key)))
            continue
        config = _options(extractor.config, values, key, merged, problems)
        if config is not None:
            found[name] = config
    return found, problems


def find_metrics(catalog: Catalog, modality: str, task: str, names: Sequence[str] | None) -> dict[str, Metric]:
    """The metrics of these names, a plugin's before one of every modality; without names those of the plugins
    that are computed in training.

    Raises:
        PluginError: there is no such metric, or it does not apply to the task.
    """
    if names is None:
        return {name: metric for name, metric in catalog.metrics(modality, task).items() if metric.when == "training"}
    found: dict[str, Metric] = {}
    for name in names:
        try:
            found |= catalog.metrics(modality, task, [name])
        except PluginError:
            if name not in STANDARD:
                raise
            found[name] = STANDARD[name]
    return found


def find_extractor(catalog: Catalog, modality: str, name: str) -> Extractor:
    """The extractor of this name, a plugin's before one of every modality.

    Raises:
        PluginError: there is no such extractor.
    """
    try:
        return catalog.extractor(name, modality)
    except PluginError:
        if name not in STANDARD_EXTRACTORS:
            raise
        return STANDARD_EXTRACTORS[name]


def _options(
    model: type[Config], values: Mapping[str, Any], key: Key, merged: Merged, problems: list[Problem]
) -> Config | None:
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        problems += [
            Problem((*key, *problem.key), problem.fault, merged.origin(key[:2]))
            for problem in validation_problems(error, model, merged)
        ]
        return None
