"""Whether the data is what broke the numbers: the batches since a checkpoint are looked at once more."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from torch import Tensor

from wganx.batch import Batch
from wganx.data.finite import amiss, not_finite
from wganx.engine.carrying.stream import Stream
from wganx.engine.checkpoint import Checkpoint
from wganx.engine.training import Training
from wganx.errors import WganxError

MOST = 20_000
"""Batches that are looked at."""


def broken_by_data(training: Training, stream: Stream, checkpoint: Checkpoint | None) -> str | None:
    """The row that is not finite, in words with the mend; None where all that could be looked at is finite.

    The stream is somewhere else afterwards.

    Args:
        training: that met a loss or gradient that is not finite since the checkpoint.
        stream: that it was given its batches by.
        checkpoint: where it can go back to, if anywhere.
    """
    position = None if checkpoint is None else checkpoint.facts.get("position")
    rules, since = training.rules, 0 if checkpoint is None else int(checkpoint.facts.get("step", 0))
    most = max(training.step - since, 1) * max(rules.critic_steps, 1) * rules.accumulate
    try:
        with training.random.aside():
            batches = stream.once_more(position, min(most if position else MOST, MOST))
            for number, batch in itertools.chain(batches, [(-1, training.latest)]):
                if (found := _first(batch)) is not None:
                    return _told(stream, number, *found)
    except (WganxError, AttributeError):  # what cannot be read any more, or nothing was: the numbers are to blame
        return None
    return None


def _first(batch: Batch) -> tuple[str, int, str] | None:
    """Name and row of the first value that is not finite, and what it is."""
    parts: Mapping[str, Tensor] = {"real": batch.real, **batch.context, **batch.condition, **batch.known}
    for name, tensor in parts.items():
        if bool((broken := not_finite(tensor)).any()):
            row = int(broken.nonzero()[0, 0])
            return name, row, amiss(tensor[row])
    return None


def _told(stream: Stream, number: int, name: str, row: int, value: str) -> str:
    known = stream.name_of(number, row) if number >= 0 else None
    where = f"row {row}" + (f" of batch {number:,}" if number >= 0 else " of the last batch") + " (counted from 0)"
    if known is not None:
        mend = "mend or remove it, or set dataset.not_finite=skip to go on without"
        return f"{known} is not finite ({name}: {value}), which is {where}; {mend}"
    return (
        f"{where} is not finite ({name}: {value}); mend or remove it: "
        "batch[torch.isfinite(batch).flatten(1).all(1)] keeps the others"
    )
