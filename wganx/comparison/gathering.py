"""Bringing runs together: those a question started, or finished ones of any origin, as variants that share settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wganx.comparison.comparing import Group
from wganx.comparison.folder import ComparisonFolder
from wganx.comparison.outcomes import Outcome, read_config, read_outcome
from wganx.comparison.question import Question
from wganx.comparison.variants import label
from wganx.config.changes import MAY_CHANGE
from wganx.errors import UsageError
from wganx.runs import RunFolder

_NO_VARIANT = ("seed", *(name for name in MAY_CHANGE if name != "train.steps"))
"""Settings in which runs of one variant may differ: they leave what is trained as it is."""

_LONGEST_NAME = 48

Differences = Mapping[str, Mapping[str, Any]]
"""By dotted key, the value of every variant; a variant whose parts do not have the option is left out."""


def asked_groups(folder: ComparisonFolder, question: Question) -> tuple[list[Group], Differences]:
    """The runs of a question, as far as they are."""
    groups = []
    configs: dict[str, Mapping[str, Any]] = {}
    for variant in question.variants:
        outcomes = []
        for seed in question.seeds:
            run = folder.run(variant, seed)
            found = read_outcome(run, folder.failure(folder.job(variant, seed)))
            # A run that was not begun has no configuration to say its seed.
            outcomes.append(Outcome(**{**vars(found), "seed": seed}))
            if variant.name not in configs and (config := read_config(run)):
                configs[variant.name] = config
        groups.append(Group(variant.name, tuple(outcomes)))
    return groups, differences(configs)


def found_groups(paths: Sequence[Path]) -> tuple[list[Group], Differences]:
    """Runs of any origin, those with the same settings as one variant, named by what sets it apart.

    Raises:
        UsageError: a path holds no run, or one that is still going on or was not measured; or two runs of one variant
            have one seed.
    """
    folders = [RunFolder(path) for path in dict.fromkeys(path.resolve() for path in paths)]
    outcomes = [_measured(folder) for folder in folders]
    if len(outcomes) < 2:
        raise UsageError("a comparison needs at least two runs; to start some: wganx compare --plugin ... --vary ...")
    settings = [dict(_settings(read_config(folder))) for folder in folders]
    alike: list[list[int]] = []
    for index, own in enumerate(settings):
        home = next((group for group in alike if settings[group[0]] == own), None)
        alike.append([index]) if home is None else home.append(index)
    keys = _varying([settings[group[0]] for group in alike])
    names = _names([settings[group[0]] for group in alike], keys, [folders[group[0]].path for group in alike])
    groups = [Group(name, tuple(outcomes[index] for index in group)) for name, group in zip(names, alike)]
    for group in groups:
        _refuse_same_seed(group)
    shown = {key: {n: settings[g[0]][key] for n, g in zip(names, alike) if key in settings[g[0]]} for key in keys}
    return groups, shown


def differences(configs: Mapping[str, Mapping[str, Any]]) -> Differences:
    """The settings in which the configurations of variants differ."""
    flat = {name: dict(_settings(config)) for name, config in configs.items()}
    return {key: {name: own[key] for name, own in flat.items() if key in own} for key in _varying(list(flat.values()))}


def _measured(folder: RunFolder) -> Outcome:
    folder.check_run()
    outcome = read_outcome(folder)
    if outcome.status == "open":
        status = folder.facts().get("status")
        mend = (
            f"was not measured; do so first: wganx evaluate {folder.typed}"
            if status == "finished"
            else f"is not finished ({status or 'never begun'}); go on with it first: wganx resume {folder.typed}"
        )
        raise UsageError(f"{folder.path} {mend}")
    return outcome


def _refuse_same_seed(group: Group) -> None:
    seeds: dict[int, Path] = {}
    for outcome in group.outcomes:
        if outcome.seed in seeds:
            raise UsageError(
                f"{seeds[outcome.seed]} and {outcome.folder} are the same training: same settings, same seed "
                f"{outcome.seed}; leave one out"
            )
        seeds[outcome.seed] = outcome.folder


def _settings(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        key = f"{prefix}{name}"
        if any(key == free or key.startswith(f"{free}.") for free in _NO_VARIANT):
            continue
        if isinstance(value, Mapping) and value:
            yield from _settings(value, f"{key}.")
        else:
            yield key, value


def _varying(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    absent = object()
    every = dict.fromkeys(key for own in settings for key in own)
    return [key for key in every if any(own.get(key, absent) != settings[0].get(key, absent) for own in settings)]


def _names(settings: Sequence[Mapping[str, Any]], keys: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """Parts that differ by their names, numbers by what they are of; the folders' names where that is too long."""
    parts = [key for key in keys if key.endswith(".name")]
    for chosen in (parts, keys):
        names = [" ".join(label(key, own[key]) for key in chosen if key in own) for own in settings]
        if len(set(names)) == len(names) and all(0 < len(name) <= _LONGEST_NAME for name in names):
            return names
    if len(settings) == 1:
        return ["all runs"]
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]
