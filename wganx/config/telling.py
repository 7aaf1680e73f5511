"""What a run was set to and by whom, in sentences, for whoever starts a training."""

from __future__ import annotations

import re
from typing import Any

from wganx.config.own_files import SUITS
from wganx.config.resolved import Resolved
from wganx.config.sections import DatasetSection

_SCENARIO = re.compile(r"scenario '([^']+)' of plugin .*")


def choices(resolved: Resolved) -> list[str]:
    """What was chosen and why: how samples are made of the data, the networks, the batch and the steps.

    ``["size 32 (default), ...; others by --set dataset.size=...", "generator dcgan (scenario faces), ..."]``; before
    them stands each value that was chosen by the user's own files: ``"dataset.size=64: most pictures have as many"``.
    """
    run = resolved.run
    suiting = {
        ".".join(key): origin.removeprefix(SUITS)
        for key, origin in resolved.merged.origins.items()
        if origin.startswith(SUITS) and resolved.origin(".".join(key)) == origin
    }
    told = [f"{name}={_value(resolved, name)}: {why}" for name, why in suiting.items()]
    own = [
        name
        for name in type(run.dataset).model_fields
        if name not in {*DatasetSection.model_fields, "root"} and f"dataset.{name}" not in suiting
    ]
    options = [f"{name} {getattr(run.dataset, name)} ({_why(resolved, f'dataset.{name}')})" for name in own]
    of_data = [f"{', '.join(options)}; others by --set dataset.{own[0]}=..."] if own else []
    critic = f"critic {run.critic.name}" if resolved.objective.trains_critic else "no critic"
    return [
        *told,
        *of_data,
        f"generator {run.generator.name} ({_why(resolved, 'generator.name')}), "
        f"{critic} ({_why(resolved, 'critic.name')}), "
        f"batches of {run.train.batch_size} ({_why(resolved, 'train.batch_size')}), "
        f"{run.train.steps:,} steps ({_why(resolved, 'train.steps')})",
    ]


def _why(resolved: Resolved, path: str) -> str:
    origin = resolved.origin(path)
    if origin.startswith(SUITS):
        return SUITS.rstrip(": ")
    found = _SCENARIO.fullmatch(origin)
    return f"scenario {found[1]}" if found else origin


def _value(resolved: Resolved, path: str) -> str:
    value: Any = resolved.dump()
    for name in path.split("."):
        value = value[name]
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value).lower()
