"""What an evaluation found, and the protocol that says what its numbers may be compared with."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from wganx.errors import UsageError
from wganx.evaluation.memorised import NearestPairs
from wganx.evaluation.protocol import Interval
from wganx.tables import Table, between, figure


@dataclass(frozen=True)
class Row:
    """One value of one metric: of the generator, of real data (the floor), and of each baseline.

    Attributes:
        baselines: the task's trivial solutions and, in a whole evaluation, spoilt copies of real samples.
        interval: ends of the 95 % t interval of `generated`, where there are several blocks.
        excess: what `generated` has above the floor, with its interval, likewise.
        extractor: whose features were compared; None for a metric of the samples themselves.
        n: rows of a block, where they are fewer than the evaluation's.
        beaten_by: of a decisive metric, the task's trivial solutions that do as well as the generator or better.
    """

    metric: str
    value: str
    better: str | None
    generated: float
    floor: float
    baselines: Mapping[str, float]
    interval: tuple[float, float] | None = None
    excess: Interval | None = None
    extractor: str | None = None
    n: int | None = None
    beaten_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found, with the protocol that makes the numbers comparable.

    Attributes:
        step: generator updates behind the weights.
        n: rows of a block, of real samples and of the generator's.
        repeats: blocks behind each number.
        candidates: rows of a generator's block, where these are more.
        seed: of the order, the noise and the metrics' own draws.
        heldout: how many held-out items there are.
        rows: the values.
        failures: message of each metric that raised.
        skipped: of each metric that lacks something, what it is.
        per_class: of labelled data, numbers by value and class name.
        extractors: digest of the weights of each extractor that was used.
        fingerprint: of the held-out data.
        protocol: value range, resize filters, versions.
        neighbours: two pictures in the run folder, row by row a sample and the training item nearest to it.
        pairs: what these pictures show; no part of what is stored.
        seconds: what each metric took; no part of what is stored, which the seed determines.
    """

    step: int
    n: int
    seed: int
    heldout: int
    rows: tuple[Row, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    repeats: int = 1
    candidates: int | None = None
    extractors: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    skipped: Mapping[str, str] = field(default_factory=dict)
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    neighbours: Mapping[str, Any] | None = None
    pairs: NearestPairs | None = field(default=None, compare=False, repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain data; a value that is not finite becomes None."""
        data: dict[str, Any] = _without_nan(asdict(replace(self, pairs=None)))
        del data["seconds"], data["pairs"]
        data["defeats"] = self.defeats()
        for row, found in zip(data["rows"], self.rows):
            if found.excess is not None:
                row["excess"] = _without_nan([found.excess.mean, found.excess.low, found.excess.high])
        return data

    def __repr__(self) -> str:
        return self._table().text()

    def _repr_html_(self) -> str:
        return self._table().html()

    def _table(self) -> Table:
        """Every value beside its floor and the baselines."""
        baselines = list(dict.fromkeys(name for row in self.rows for name in row.baselines))
        rows = [
            (
                f"{row.metric}/{row.value}", row.better or "-",
                figure(row.generated) + ("" if row.interval is None else f" {between(*row.interval)}"),
                figure(row.floor), *(figure(row.baselines.get(name)) for name in baselines),
            )
            for row in self.rows
        ]  # fmt: skip
        blocks = f", {self.repeats} times" if self.repeats > 1 else ""
        return Table(
            f"Evaluation of step {self.step}: {self.n} rows a side (of {self.heldout}){blocks}, seed {self.seed}",
            ("value", "better", "generated", "floor: real", *(f"baseline: {name}" for name in baselines)),
            rows,
            [
                *self.defeats(),
                *(f"{name} failed: {message}" for name, message in self.failures.items()),
                *(f"{name} skipped: {why}" for name, why in self.skipped.items()),
            ],
        )

    def scalars(self) -> dict[str, float]:
        """The generator's values by name, ``metric/value``."""
        return {f"{row.metric}/{row.value}": row.generated for row in self.rows}

    def defeats(self) -> list[str]:
        """A sentence for each trivial solution that a decisive metric ranks no lower than the generator."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for name in row.beaten_by:
                theirs, own = figure(row.baselines[name]), figure(row.generated)
                found.setdefault(name, []).append(f"{row.value} {theirs} (generated {own})")
        return [
            f"the baseline {name} does as well as the generator or better: {', '.join(values)}"
            for name, values in found.items()
        ]

    def sentence(self) -> str:
        """What the numbers are."""
        rows = f"{self.n:,} generated and {self.n:,} held-out rows"
        if self.candidates is not None:
            rows = f"{self.candidates:,} generated and {self.n:,} held-out rows"
        blocks = f"Means over {self.repeats} blocks of {rows}, with 95 % t intervals" if self.repeats > 1 else (
            f"One block of {rows}; with --repeats 4 or more every number has an interval"
        )  # fmt: skip
        return (
            f"{blocks}. The floor is what as many other real samples get, so no generator can be expected to do "
            "better; the baselines, blurred and shuffled copies among them, are what it should leave behind."
        )


def check_comparable(
    records: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]], *, same_data: bool = True
) -> None:
    """Refuse records (as `Evaluation.to_json` gives them) whose numbers cannot stand side by side.

    They must agree in the held-out data, the rows and blocks, the value range, how samples were resized, and the
    weights of each extractor that several of them used. Step and seed may differ.

    Args:
        records: in order, or by name.
        same_data: whether held-out data, and weights that may have been learnt on its kind, have to agree as well;
            they do not where every seed draws data of its own.

    Raises:
        UsageError: in one line, what differs first, and in which two of them.
    """
    named = dict(records) if isinstance(records, Mapping) else {f"record {i + 1}": r for i, r in enumerate(records)}
    (first, one), *others = [*named.items()] or [("", {})]
    for name, other in others:
        for what, read in {**(_OF_DATA if same_data else {}), **_MUST_AGREE}.items():
            here, there = read(one), read(other)
            if here != there and not (what == "the dataset" and None in (here, there)):
                raise _unlike(what, first, here, name, there)
    for what in ("extractors", "resize") if same_data else ("resize",):
        seen: dict[str, tuple[str, Any]] = {}
        for name, record in named.items():
            for extractor, value in _by_extractor(record, what).items():
                before, had = seen.setdefault(extractor, (name, value))
                if had != value:
                    noun = "weights of extractor" if what == "extractors" else "resize filter of"
                    raise _unlike(f"{noun} {extractor!r}", before, had, name, value)


def as_csv(evaluations: Sequence[Evaluation]) -> str:
    """The rows of evaluations as comma-separated values with a heading: a line a value, a column a baseline."""
    baselines = list(dict.fromkeys(name for each in evaluations for row in each.rows for name in row.baselines))
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(
        ["step", "metric", "value", "better", "generated", "low", "high", "floor", "n", "repeats", "seed", "extractor",
         "hash", *(f"baseline {name}" for name in baselines)]
    )  # fmt: skip
    for each in evaluations:
        for row in each.rows:
            low, high = row.interval or ("", "")
            used = (row.extractor or "").split(", ")
            weights = " ".join(each.extractors.get(name, "") for name in used).strip()
            lines.writerow(
                [each.step, row.metric, row.value, row.better or "", row.generated, low, high, row.floor,
                 row.n or each.n, each.repeats, each.seed, row.extractor or "", weights,
                 *(row.baselines.get(name, "") for name in baselines)]
            )  # fmt: skip
    return text.getvalue()


def _by_extractor(record: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    found = record.get("extractors") if what == "extractors" else _protocol(record).get("resize")
    return found if isinstance(found, Mapping) else {}


def _unlike(what: str, first: str, here: Any, second: str, there: Any) -> UsageError:
    return UsageError(
        f"these numbers cannot stand side by side: {what} is {_shown(here)} in {first} and {_shown(there)} in "
        f"{second}; evaluate both alike"
    )


def _shown(value: Any) -> str:
    return "not told" if value is None or value == "" else str(value)


_OF_DATA: Mapping[str, Any] = {
    "the dataset": lambda record: _dataset(record),
    "the held-out data": lambda record: record.get("fingerprint"),
    "the number of held-out items": lambda record: record.get("heldout"),
}

_MUST_AGREE: Mapping[str, Any] = {
    "n": lambda record: record.get("n"),
    "the number of blocks": lambda record: record.get("repeats"),
    "the number of generated rows": lambda record: record.get("candidates"),
    "the value range": lambda record: _list(_protocol(record).get("range")),
    "what was changed of the task": lambda record: _protocol(record).get("task"),
}


def _protocol(record: Mapping[str, Any]) -> Mapping[str, Any]:
    found = record.get("protocol")
    return found if isinstance(found, Mapping) else {}


def _dataset(record: Mapping[str, Any]) -> Any:
    """Its name, where the record has one: those of earlier versions have a fingerprint alone."""
    data = _protocol(record).get("data")
    return data.get("name") if isinstance(data, Mapping) else None


def _list(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _without_nan(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
