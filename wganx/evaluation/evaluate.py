"""The evaluation: registered metrics on held-out data, by one protocol.

The held-out items are split at random into two halves of n rows. The first gives the generator its context and is,
with its real samples, the floor; the second is what everything is compared with. The generator's samples, the floor
and every baseline go through the same function with the same number of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.errors import DataError
from wganx.evaluation.batches import gather
from wganx.plugins.contracts import Game, Items, Metric, MetricContext, Split


@dataclass(frozen=True)
class Row:
    """One value of one metric: of the generator, of real data (the floor), and of each baseline."""

    metric: str
    value: str
    better: str | None
    generated: float
    floor: float
    baselines: Mapping[str, float]


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found, with the protocol that makes the numbers comparable.

    Attributes:
        step: generator updates behind the weights.
        n: rows on each side of every metric.
        seed: of the split into halves, the noise and the metrics' own draws.
        heldout: how many held-out items there are.
        rows: the values.
        failures: message of each metric that raised.
    """

    step: int
    n: int
    seed: int
    heldout: int
    rows: tuple[Row, ...]
    failures: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data; a value that is not finite becomes None."""
        data: dict[str, Any] = _without_nan(asdict(self))
        return data

    def scalars(self) -> dict[str, float]:
        """The generator's values by name, ``metric/value``."""
        return {f"{row.metric}/{row.value}": row.generated for row in self.rows}


def evaluate(
    draw: Callable[[Batch], Tensor],
    *,
    game: Game,
    items: Callable[[Split], Items],
    metrics: Mapping[str, Metric],
    n: int,
    seed: int,
    step: int,
    device: torch.device,
) -> Evaluation:
    """Measure what `draw` makes of the context of held-out batches.

    A metric that raises is reported in `Evaluation.failures`; the others go on.

    Raises:
        DataError: fewer than 4 held-out items.
    """
    heldout = items("heldout")
    if len(heldout) < 4:
        raise DataError(f"an evaluation needs at least 4 held-out items, the dataset has {len(heldout)}")
    n = min(n, len(heldout) // 2)
    order = torch.randperm(len(heldout), generator=torch.Generator().manual_seed(seed)).tolist()
    floor, reference = (
        game.batch(gather(heldout, half, device), torch.Generator(device).manual_seed(seed), training=False)
        for half in (order[:n], order[n : 2 * n])
    )
    candidates = {"generated": floor.with_real(draw(floor)), "floor": floor}
    for name, baseline in game.baselines().items():
        candidates[f"baseline {name}"] = floor.with_real(baseline(floor, torch.Generator(device).manual_seed(seed)))
    context = MetricContext(game=game, items=items, seed=seed)
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for name, metric in metrics.items():
        try:
            found = {side: metric.compute(batch, reference, context) for side, batch in candidates.items()}
        except Exception as error:
            failures[name] = f"{type(error).__name__}: {error}"
            continue
        for value in found["generated"]:
            by_side = {side: float(values.get(value, math.nan)) for side, values in found.items()}
            rows.append(
                Row(
                    metric=name,
                    value=value,
                    better=metric.better.get(value),
                    generated=by_side.pop("generated"),
                    floor=by_side.pop("floor"),
                    baselines={side.removeprefix("baseline "): number for side, number in by_side.items()},
                )
            )
    return Evaluation(step, n, seed, len(heldout), tuple(rows), failures)


def _without_nan(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
