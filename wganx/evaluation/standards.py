"""What a generator is compared with: other real samples, the task's trivial solutions, and spoilt copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.errors import PluginFailed
from wganx.evaluation.degraded import degraded
from wganx.evaluation.sides import APART, CHUNK, Labels, Side
from wganx.plugins.contracts import Baseline, Game
from wganx.plugins.guard import one_line
from wganx.switches import switches_kept

Blocks = list[dict[str, float]]
"""What a metric found, by value, in each block."""


class Standards:
    """The sides beside the generator's; each is made when first needed.

    Args:
        most: rows of a baseline: it is made from as many samples at once.
        kept: whether what baselines made stays for the next metric.
        spoilt: whether spoilt copies stand among the baselines.
        failures: where the message of a baseline that raises is put.
    """

    def __init__(
        self,
        game: Game,
        truths: Sequence[Side],
        *,
        most: int,
        kept: bool,
        spoilt: bool,
        device: torch.device,
        seed: int,
        failures: dict[str, str],
    ) -> None:
        self._game, self._truths, self._most, self._kept, self._spoilt = game, truths, most, kept, spoilt
        self._device, self._seed, self._failures = device, seed, failures
        self._sides: dict[str, list[Side]] | None = None

    def numbers(self, measure: Callable[[str, Sequence[Side]], Blocks]) -> dict[str, Blocks]:
        """The numbers of every side by ``floor`` or ``baseline NAME``."""
        if self._sides is None:
            self._sides = {"floor": list(self._truths), **self._baselines()}
        return {side: measure(side, blocks) for side, blocks in self._sides.items()}

    @cached_property
    def trivial(self) -> frozenset[str]:
        """Names of the baselines that are the task's own solutions."""
        return frozenset(self._game.baselines())

    def _baselines(self) -> dict[str, list[Side]]:
        own = dict(self._game.baselines())
        more = {} if not self._spoilt else {
            name: spoil for name, spoil in degraded(self._game.sample).items() if name not in own
        }  # fmt: skip
        sides = {}
        for name, baseline in {**own, **more}.items():
            try:
                blocks = [self._side(baseline, block) for block in range(len(self._truths))]
                blocks[0].samples(self._most)  # one that raises is left out, and named
                sides[f"baseline {name}"] = blocks
            except (Exception, SystemExit) as error:
                self._failures[f"baseline {name}"] = reason(error)
        return sides

    def _side(self, baseline: Baseline, block: int) -> Side:
        truth, rows = self._truths[block], min(self._most, len(self._truths[block]))

        def whole(count: int) -> Batch:
            return self._solve(baseline, block, rows)[:count]

        def parts() -> Iterator[Batch]:
            made = whole(rows)
            for start in range(0, rows, CHUNK):
                yield made[start : start + CHUNK]

        def labels() -> Labels:
            context, known = ({name: tensor[:rows] for name, tensor in part.items()} for part in truth.labels)
            return Labels(context, known)

        def again(count: int, draw: int) -> Tensor:
            return self._solve(baseline, block, rows, draw).real[:count]

        return Side(rows, whole, parts, labels=labels, kept=self._kept, again=again)

    def _solve(self, baseline: Baseline, block: int, rows: int, draw: int = 0) -> Batch:
        truth = self._truths[block].samples(rows)
        seed = (self._seed + block + draw * APART) % 2**63
        with switches_kept():
            made = baseline(copied(truth), torch.Generator(self._device).manual_seed(seed))
        if not isinstance(made, Tensor) or made.shape != truth.real.shape:
            seen = f"samples of shape {tuple(made.shape)}" if isinstance(made, Tensor) else type(made).__name__
            raise PluginFailed(f"it returned {seen} where {tuple(truth.real.shape)} is wanted")
        return truth.with_real(made)


def copied(batch: Batch) -> Batch:
    """A batch of its own, to be done with as one likes."""
    return batch.each(torch.clone)


def reason(error: BaseException) -> str:
    """Why something failed, without whose it is, which stands beside it."""
    return one_line(error.__cause__ if isinstance(error, PluginFailed) and error.__cause__ else error)
