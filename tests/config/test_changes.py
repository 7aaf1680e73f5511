"""What a resumed run may change, and the refusal of all else by name."""

from __future__ import annotations

import pytest

from wganx.config import MAY_CHANGE, refuse_changes
from wganx.errors import ConfigError


@pytest.mark.parametrize(
    "setting",
    [
        "train.steps=999",
        "log.every=7",
        "preview.count=4",
        "checkpoint.keep=9",
        "evaluate.every=10",
    ],
)
def test_what_may_change(resolve, setting):
    refuse_changes(resolve().dump(), resolve(setting).dump())


def test_everything_else_is_refused_by_name(resolve):
    with pytest.raises(ConfigError) as failure:
        refuse_changes(
            resolve().dump(),
            resolve("train.batch_size=32", "train.steps=5", "generator.name=wide", "optimizer.betas=[0.5, 0.9]").dump(),
        )
    assert str(failure.value) == (
        "a resumed run keeps its settings; these differ from the stored configuration:\n"
        "  generator.name: 'small' -> 'wide'\n"
        "  generator.width: 48 -> (not set)\n"
        "  optimizer.betas: [0.0, 0.9] -> [0.5, 0.9]\n"
        "  train.batch_size: 64 -> 32\n"
        "  generator.columns: (not set) -> 8\n"
        "  may change: train.steps, log, preview, checkpoint, evaluate, dataset.feed, dataset.workers, dataset.pack, "
        "train.capture, train.micro_batch, extensions, device, dataset.root; start a new run for anything else"
    )


def test_every_other_value_of_a_run_is_held(resolve):
    """Change each leaf of a dump in turn: it is refused unless its name or section is free."""
    stored = resolve().dump()
    free = {"log", "preview", "checkpoint", "evaluate"}
    for section, values in stored.items():
        for name in values if isinstance(values, dict) else [None]:
            changed = dict(stored, **{section: {**values, name: "other"} if name else "other"})
            if section in free or f"{section}.{name}" in MAY_CHANGE or section in MAY_CHANGE:
                refuse_changes(stored, changed)
            else:
                with pytest.raises(ConfigError, match=rf"\n  {section}{'.' + name if name else ''}: "):
                    refuse_changes(stored, changed)


def test_mappings_that_are_empty_count(resolve):
    stored = resolve("task.name=convert").dump()
    with pytest.raises(ConfigError, match=r"task\.weights: \{\} -> \(not set\)\n  task\.weights\.pitch"):
        refuse_changes(stored, resolve("task.name=convert", "task.weights={pitch: 1}").dump())
