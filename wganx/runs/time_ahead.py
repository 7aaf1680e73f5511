"""How long a run will take, before its first step."""

from __future__ import annotations

from wganx.engine.planning.memory import fits_a_copy
from wganx.engine.planning.stages import seconds_a_step
from wganx.evaluation import heldout_batch
from wganx.runs.assembly import Assembly


def seconds_ahead(assembly: Assembly) -> float | None:
    """What all steps of a new run take together, by a few that are made on a copy; the run stays as it is.

    None where steps tried in this way say little: on a GPU, which replays recorded steps several times as fast, among
    several processes, for networks that change on their way (``--dry-run`` plans their stages), where a copy has no
    place in memory, and where the steps fail, which the training itself says in its own words.
    """
    config, trainer = assembly.resolved.run, assembly.trainer
    steps = config.train.steps
    if trainer.device.type != "cpu" or trainer.steps.compiled is not None or trainer.ranks.count > 1:
        return None
    if len(trainer.training.stages(steps)) > 1:
        return None
    try:
        batch = heldout_batch(
            assembly.game, assembly.train_items, config.train.batch_size, seed=config.seed, device=assembly.device
        )
        if not fits_a_copy(trainer.training, batch):
            return None
        return steps * config.train.accumulate * seconds_a_step(trainer.training, batch)
    except Exception:  # whatever it is stops the training too, which has the words for it
        return None
