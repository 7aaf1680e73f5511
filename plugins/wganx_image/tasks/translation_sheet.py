"""Translations to look at: a row for every source, and a column for every domain that it is made into."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx import Batch, Preview, SampleFormat
from wganx_image.captions import header
from wganx_image.writers import draw_grid


def every_domain(batch: Batch, domains: Mapping[str, SampleFormat]) -> Batch:
    """The first sources of a batch that differ, each in every class of every label, its other labels as they were.

    There are as many rows as the batch has, rounded up to whole sources. `real` becomes another picture of the class,
    where the batch has one, and else the source.
    """
    targets = [(name, index) for name, format in domains.items() for index in range(len(format.classes))]
    chosen = _different(batch.context["source"], -(-len(batch) // len(targets)))
    sources = torch.tensor(chosen).repeat_interleave(len(targets))
    shown = batch.each(lambda rows: rows[sources.to(rows.device)])
    wanted = {name: shown.known[f"source_{name}"].clone() for name in domains}
    real = shown.context["source"].clone()
    for column, (name, index) in enumerate(targets):
        wanted[name][column :: len(targets)] = index
        if len(there := (batch.known[f"real_{name}"] == index).nonzero().flatten()):
            count = len(real[column :: len(targets)])
            real[column :: len(targets)] = batch.real[there[torch.arange(count, device=there.device) % len(there)]]
            for other in domains:
                rows = shown.known[f"real_{other}"]
                of_these = batch.known[f"real_{other}"][there[torch.arange(count, device=there.device) % len(there)]]
                rows[column :: len(targets)] = of_these
    return Batch(real, context={"source": shown.context["source"], **wanted}, condition=wanted, known=shown.known)


def _different(source_NCHW: Tensor, count: int) -> list[int]:
    """The first rows of pictures that differ, from the beginning again where there are fewer."""
    seen: list[int] = []
    for row, picture in enumerate(source_NCHW):
        if not any(torch.equal(picture, source_NCHW[earlier]) for earlier in seen):
            seen.append(row)
    return [seen[number % len(seen)] for number in range(count)]


def preview_translations(
    samples: Tensor, reference: Batch, format: SampleFormat, domains: Mapping[str, SampleFormat]
) -> Preview | None:
    """What `every_domain` asked for, each source in the first column; None for samples of other rows."""
    # Of several labels in two lines, since columns are narrow.
    targets = [
        name if len(domains) == 1 else f"{label}\n{name}" for label in domains for name in domains[label].classes
    ]
    source = reference.context.get("source")
    if source is None or len(samples) % len(targets) or len(source) != len(samples):
        return None
    by_source = source.reshape(-1, len(targets), *source.shape[1:])
    if not torch.equal(by_source, by_source[:, :1].expand_as(by_source)):
        return None
    rows = torch.cat([by_source[:, :1].to(samples.device), samples.reshape(by_source.shape)], 1)
    grid = draw_grid(rows.flatten(0, 1), format, columns=len(targets) + 1)
    return Preview(torch.cat([header(["source", *targets], grid), grid], 1))
