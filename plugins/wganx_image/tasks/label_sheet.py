"""Pictures of several labels to look at: a row for every combination of classes, with other noise in every column."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from wganx import Batch, Preview, SampleFormat
from wganx_image.captions import margin
from wganx_image.writers import draw_grid


def every_combination(batch: Batch, labels: Mapping[str, SampleFormat]) -> Batch:
    """As many rows of a batch as fill a sheet, those of one line with the same classes.

    Where lines are too few for all combinations, every label still goes through its classes evenly, beside classes of
    the others that chance chose, always the same.
    """
    columns = math.isqrt(len(batch))
    if columns < 2:
        return batch
    counts = {name: len(format.classes) for name, format in labels.items()}
    lines = len(batch) // columns
    if (total := math.prod(counts.values())) <= lines:
        lines, columns = total, len(batch) // total
        turn, combined = torch.arange(lines), {}
        for name, count in counts.items():
            combined[name], turn = turn % count, turn // count
    else:
        rng = torch.Generator().manual_seed(0)
        combined = {name: torch.randperm(lines, generator=rng) % count for name, count in counts.items()}
    wanted = {
        name: classes.repeat_interleave(columns).to(batch.context[name].device) for name, classes in combined.items()
    }
    shown = batch[: lines * columns]
    return Batch(shown.real, context=wanted, condition={name: wanted[name] for name in shown.condition})


def preview_combinations(
    samples: Tensor, reference: Batch, format: SampleFormat, labels: Mapping[str, SampleFormat]
) -> Preview | None:
    """What `every_combination` asked for, with the classes before every row; None for samples of other rows.

    Real samples are not of the classes that were asked for, and come as they are.
    """
    if any(name not in reference.context for name in labels) or torch.equal(samples, reference.real):
        return None
    classes_NL = torch.stack([reference.context[name] for name in labels], 1).cpu()
    changes = (classes_NL[1:] != classes_NL[:-1]).any(1).nonzero().flatten()
    columns = int(changes[0]) + 1 if len(changes) else len(classes_NL)
    lines = len(samples) // columns
    if columns < 2 or lines < 2 or len(samples) != lines * columns:
        return None
    by_line = classes_NL.reshape(lines, columns, -1)
    if not torch.equal(by_line, by_line[:, :1].expand_as(by_line)):
        return None
    captions = [
        [f"{name}: {format.classes[index]}" for (name, format), index in zip(labels.items(), row)]
        for row in by_line[:, 0].tolist()
    ]
    grid = draw_grid(samples, format, columns=columns)
    return Preview(torch.cat([margin(captions, grid), grid], 2))
