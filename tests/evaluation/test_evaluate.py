"""The evaluation's protocol: halves that do not meet, the same rows for every side, failures named."""

import json
import math

import pytest
import torch

import wganx
from wganx import Batch, Game, Metric, SampleFormat
from wganx.data import ArrayItems
from wganx.errors import DataError
from wganx.evaluation import evaluate, heldout_batch, with_class, with_classes_in_turn

CPU = torch.device("cpu")


class Line(Game):
    """Items are their own samples; the label is given to both players."""

    def __init__(self, labels=False):
        self.sample = SampleFormat(axes=("coordinate",), shape=(1,), value_range=None, classes=("even", "odd"))
        if labels:
            self.context = self.condition = {"label": SampleFormat.label(("even", "odd"))}

    def batch(self, items, rng, *, training):
        assert not training
        given = {name: items[name] for name in self.context}
        return Batch(items["sample"].float(), given, given)

    def baselines(self):
        return {"zero": lambda batch, rng: torch.zeros_like(batch.real)}


def line(count):
    values = torch.arange(count)
    format = SampleFormat(axes=("coordinate",), shape=(1,), value_range=None, classes=("even", "odd"))
    return ArrayItems({"sample": values[:, None].double(), "label": values % 2}, format)


def metric(name, compute, **better):
    return Metric(name=name, modality="points", summary=name, compute=compute, better=better)


def run(metrics, count=20, n=1000, seed=0, draw=lambda batch: batch.real + 100):
    return evaluate(
        draw,
        game=Line(),
        items=lambda split: line(count if split == "heldout" else 500),
        metrics={each.name: each for each in metrics},
        n=n,
        seed=seed,
        step=7,
        device=CPU,
    )


def test_every_side_has_as_many_rows_and_the_halves_do_not_meet():
    seen = []

    def compute(candidate, reference, context):
        seen.append((candidate.real.flatten().tolist(), reference.real.flatten().tolist()))
        return {"mean": candidate.real.mean().item()}

    evaluation = run([metric("spy", compute, mean="lower")])
    (generated, reference), (floor, again), (baseline, third) = seen
    assert reference == again == third
    assert set(floor).isdisjoint(reference)
    assert sorted(floor + reference) == list(range(20))
    assert generated == [value + 100 for value in floor]
    assert baseline == [0.0] * 10
    (row,) = evaluation.rows
    assert (row.metric, row.value, row.better) == ("spy", "mean", "lower")
    assert row.generated == pytest.approx(row.floor + 100)
    assert row.baselines == {"zero": 0.0}
    assert (evaluation.n, evaluation.heldout, evaluation.step) == (10, 20, 7)
    assert evaluation.scalars() == {"spy/mean": row.generated}


def test_the_seed_fixes_the_halves():
    first = metric("first", lambda candidate, reference, context: {"value": reference.real[0].item()})
    assert run([first], seed=3) == run([first], seed=3)
    assert {run([first], seed=seed).rows[0].generated for seed in range(6)} != {run([first]).rows[0].generated}


def test_a_metric_that_fails_is_named_and_the_others_go_on():
    def broken(candidate, reference, context):
        raise ZeroDivisionError("nothing to divide")

    evaluation = run([metric("broken", broken), metric("fine", lambda *sides: {"value": 1.0})])
    assert evaluation.failures == {"broken": "ZeroDivisionError: nothing to divide"}
    assert [row.metric for row in evaluation.rows] == ["fine"]


def test_a_metric_that_does_not_apply_has_no_row():
    assert run([metric("elsewhere", lambda *sides: {})]).rows == ()


def test_values_that_are_no_numbers_become_null():
    evaluation = run([metric("odd", lambda *sides: {"value": math.nan, "other": math.inf})])
    data = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert [row["generated"] for row in data["rows"]] == [None, None]


def test_too_few_heldout_items_are_refused():
    with pytest.raises(DataError, match="an evaluation needs at least 4 held-out items, the dataset has 3"):
        run([], count=3)


def test_heldout_rows_keep_their_own_labels():
    batch = heldout_batch(Line(labels=True), line(7), 7, seed=1, device=CPU)
    assert torch.equal(batch.condition["label"], batch.real.flatten().long() % 2)


def test_heldout_batches_repeat_what_is_short_and_go_through_the_classes():
    game = Line(labels=True)
    batch = with_classes_in_turn(heldout_batch(game, line(3), 8, seed=0, device=CPU), game)
    assert sorted(set(batch.real.flatten().tolist())) == [0, 1, 2]
    assert batch.context["label"].tolist() == batch.condition["label"].tolist() == [0, 1] * 4
    assert with_class(batch, 1).context["label"].tolist() == [1] * 8


def test_without_labels_a_class_changes_nothing():
    batch = heldout_batch(Line(), line(3), 4, seed=0, device=CPU)
    assert with_class(batch, 1).context == {}
    assert isinstance(batch, wganx.Batch)
