"""One block of one side of a comparison: samples that are made when they are looked at, and never all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.engine import Sampler
from wganx.evaluation.batches import gather
from wganx.plugins.contracts import Game, Items

CHUNK = 256
"""Rows that are made at once where the samples themselves are not kept; a sampler's own chunks."""

APART = 0x9E3779B97F4A7C15
"""Seeds of further draws of the same rows lie so far from each other, as blocks have seeds that are neighbours."""

MOST_BYTES = 512 * 2**20
"""Memory that the samples of one side may take while metrics look at them."""


class Side:
    """`rows` samples with their labels.

    Args:
        rows: how many there are.
        whole: all of the first rows at once, as many as it is asked for.
        parts: all rows, in parts of at most `CHUNK`.
        labels: of all rows, what of the context, and of what is known, is one whole number a row; None where a pass
            over `parts` tells.
        kept: whether samples that were looked at stay for the next metric; if not, they are made again.
        again: ``again(rows, k)``: as many other samples for the same context, by the number of the draw; None where
            there are no others.
    """

    def __init__(
        self,
        rows: int,
        whole: Callable[[int], Batch],
        parts: Callable[[], Iterator[Batch]],
        *,
        labels: Callable[[], Labels] | None = None,
        kept: bool = True,
        again: Callable[[int, int], Tensor] | None = None,
    ) -> None:
        self.rows, self.again = rows, again
        self._whole, self._parts, self._kept = whole, parts, kept
        self._labels_known = labels
        self._held: Batch | None = None
        self._all = False

    def __len__(self) -> int:
        return self.rows

    def samples(self, most: int) -> Batch:
        """The first rows, no more than `most`, as they are."""
        wanted = min(most, self.rows)
        if self._held is not None and len(self._held) >= wanted:
            return self._held if len(self._held) == wanted else self._held[:wanted]
        found = self._whole(wanted)
        if self._kept:
            self._held = found
        return found

    def hold(self) -> None:
        """Samples will be looked at: whoever comes first makes them all, for everybody."""
        self._all = True

    def parts(self) -> Iterator[Batch]:
        """All rows in turn; what was looked at is not made again."""
        if self._all or (self._held is not None and len(self._held) == self.rows):
            yield self.samples(self.rows)
            return
        yield from self._parts()

    @cached_property
    def labels(self) -> Labels:
        """What is one whole number a row, for all rows."""
        if self._labels_known is not None:
            return self._labels_known()
        parts = [Labels(labels_of(part.context), labels_of(part.known)) for part in self.parts()]
        return Labels(_joined([part.context for part in parts]), _joined([part.known for part in parts]))

    def outline(self, shape: Sequence[int]) -> Batch:
        """The side for a metric that looks at features alone: labels, and samples that have a shape and no values."""
        return Batch(torch.empty(self.rows, *shape, device="meta"), self.labels.context, known=self.labels.known)


class Labels(NamedTuple):
    """What of a batch's context, and of what is known beside it, is one whole number a row."""

    context: Mapping[str, Tensor] = {}
    known: Mapping[str, Tensor] = {}


def labels_of(context: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of a context is one whole number a row."""
    return {
        name: rows for name, rows in context.items() if rows.ndim == 1 and not rows.dtype.is_floating_point
    }  # fmt: skip


def _joined(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def real_side(game: Game, items: Items, indices: Sequence[int], *, seed: int, device: torch.device) -> Side:
    """The items at `indices`, as the game's batch."""

    def draws() -> torch.Generator:
        return torch.Generator(device).manual_seed(seed)

    def whole(rows: int) -> Batch:
        return game.batch(gather(items, indices[:rows], device), draws(), training=False)

    def parts() -> Iterator[Batch]:
        rng = draws()
        for start in range(0, len(indices), CHUNK):
            yield game.batch(gather(items, indices[start : start + CHUNK], device), rng, training=False)

    def again(rows: int, draw: int) -> Tensor:
        return whole(rows).real

    return Side(len(indices), whole, parts, labels=None if game.context or game.known else Labels, again=again)


def made_side(sampler: Sampler, truth: Side, *, seed: int) -> Side:
    """What `sampler` draws for the context of `truth`, row by row."""

    def whole(rows: int) -> Batch:
        batch = truth.samples(rows)
        return batch.with_real(sampler.draw(len(batch), seed=seed, context=batch.context))

    def parts() -> Iterator[Batch]:
        shown: list[Batch] = []

        def contexts() -> Iterator[tuple[int, Mapping[str, Tensor]]]:
            for part in _chunks(truth.parts(), sampler.rows or CHUNK):
                shown.append(part)
                yield len(part), part.context

        for made in sampler.draw_each(contexts(), seed=seed):
            yield shown.pop().with_real(made)

    def again(rows: int, draw: int) -> Tensor:
        return sampler.draw(rows, seed=(seed + draw * APART) % 2**63, context=truth.samples(rows).context)

    drawn = None if sampler.noise is None else again
    return Side(truth.rows, whole, parts, labels=lambda: truth.labels, again=drawn)


def free_side(sampler: Sampler, rows: int, conditions: Sequence[str], *, seed: int) -> Side:
    """What `sampler` draws for labels of its own, all in turn."""
    context = sampler.context_rows(rows)

    def batch(samples: Tensor, start: int) -> Batch:
        given = {name: tensor[start : start + len(samples)] for name, tensor in context.items()}
        return Batch(samples, given, {name: given[name] for name in conditions if name in given})

    def whole(count: int) -> Batch:
        given = {name: tensor[:count] for name, tensor in context.items()}
        return batch(sampler.draw(count, seed=seed, context=given), 0)

    def parts() -> Iterator[Batch]:
        chunk = sampler.rows or CHUNK
        starts = range(0, rows, chunk)
        contexts = (
            (min(chunk, rows - start), {name: tensor[start : start + chunk] for name, tensor in context.items()})
            for start in starts
        )
        for start, samples in zip(starts, sampler.draw_each(contexts, seed=seed)):
            yield batch(samples, start)

    return Side(rows, whole, parts, labels=lambda: Labels(labels_of(context)))


def _chunks(parts: Iterator[Batch], rows: int) -> Iterator[Batch]:
    """Smaller parts, where they are larger."""
    for part in parts:
        for start in range(0, len(part), rows):
            yield part[start : start + rows]
