"""What a run was set to and by whom, in sentences, for whoever starts a training."""

from __future__ import annotations

import re

from wganx.config.resolved import Resolved
from wganx.config.sections import DatasetSection

_SCENARIO = re.compile(r"scenario '([^']+)' of plugin .*")


def choices(resolved: Resolved) -> list[str]:
    """What was chosen and why: how samples are made of the data, the networks, the batch and the steps.

    ``["size 32 (default, set by dataset.size), ...", "networks dcgan and dcgan (scenario faces), batch 64 (default)"]``
    """
    run = resolved.run
    own = [name for name in type(run.dataset).model_fields if name not in {*DatasetSection.model_fields, "root"}]
    options = [f"{name} {getattr(run.dataset, name)} ({_why(resolved, f'dataset.{name}')})" for name in own]
    of_data = [f"{', '.join(options)}; others by --set dataset.{own[0]}=..."] if own else []
    return [
        *of_data,
        f"generator {run.generator.name} ({_why(resolved, 'generator.name')}), "
        f"critic {run.critic.name} ({_why(resolved, 'critic.name')}), "
        f"batches of {run.train.batch_size} ({_why(resolved, 'train.batch_size')}), "
        f"{run.train.steps:,} steps ({_why(resolved, 'train.steps')})",
    ]


def _why(resolved: Resolved, path: str) -> str:
    origin = resolved.origin(path)
    found = _SCENARIO.fullmatch(origin)
    return f"scenario {found[1]}" if found else origin
