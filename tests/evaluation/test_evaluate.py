"""The evaluation's protocol: halves that do not meet, the same rows for every side, failures named."""

import json
import math
import random

import numpy as np
import pytest
import torch
from torch import nn

import wganx
from wganx import Batch, Config, Game, Metric, SampleFormat, Sampler
from wganx.data import ArrayItems
from wganx.errors import DataError
from wganx.evaluation import ChosenMetric, Evaluator, Features, Kept, heldout_batch, with_labels
from wganx.evaluation.kept import code_digest

CPU = torch.device("cpu")
POINT = SampleFormat(axes=("coordinate",), shape=(1,), value_range=None)
LABEL = SampleFormat.label(("even", "odd"))


class Line(Game):
    """Items are their own samples; the label, or the sample itself, is given to both players."""

    def __init__(self, given=()):
        self.sample = POINT
        self.context = self.condition = {name: LABEL if name == "label" else POINT for name in given}

    def batch(self, items, rng, *, training):
        assert not training
        given = {name: items[name] for name in self.context}
        return Batch(items["sample"].float(), given, given)

    def baselines(self):
        return {"zero": lambda batch, rng: torch.zeros_like(batch.real)}


class Above(nn.Module):
    """The context's sample and 100."""

    def forward(self, source=None, label=None):
        return source.float() + 100 if source is not None else label[:, None].float()


def line(count):
    values = torch.arange(count)
    tensors = {"sample": values[:, None].double(), "source": values[:, None].double(), "label": values % 2}
    return ArrayItems(tensors, {"sample": POINT, "source": POINT, "label": LABEL})


def metric(name, compute, **better):
    return Metric(name=name, modality="points", summary=name, compute=compute, better=better)


def evaluator(game=None, count=20, load=None):
    """Nothing is kept on disk here: what tests compute with are functions of their own."""
    splits = {"heldout": line(count), "train": line(500)}
    return Evaluator(
        game or Line(given=("source",)),
        splits.__getitem__,
        Features(load or (lambda name: nn.Identity()), CPU),
        Kept({}),
        CPU,
    )


def run(metrics, count=20, n=1000, seed=0, game=None, load=None, **options):
    measure = evaluator(game, count, load)
    sampler = Sampler(Above(), noise=None, device=CPU, context=measure.game.context)
    chosen = {each.name: ChosenMetric(each, Config()) for each in metrics}
    return measure.evaluate(sampler, chosen, n=n, seed=seed, step=7, **options)


def test_every_side_has_as_many_rows_and_the_halves_do_not_meet():
    seen = []

    def compute(sides, context):
        seen.append(tuple(side.real.flatten().tolist() for side in (sides.candidate, sides.reference)))
        assert torch.equal(sides.truth.real, sides.truth.context["source"])
        return {"mean": sides.candidate.real.mean().item()}

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
    first = metric("first", lambda sides, context: {"value": sides.reference.real[0].item()})
    assert run([first], seed=3) == run([first], seed=3)
    assert {run([first], seed=seed).rows[0].generated for seed in range(6)} != {run([first]).rows[0].generated}


def test_a_metric_that_fails_is_named_and_the_others_go_on():
    def broken(sides, context):
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
    batch = heldout_batch(Line(given=("label",)), line(7), 7, seed=1, device=CPU)
    assert torch.equal(batch.condition["label"], batch.real.flatten().long() % 2)


def test_heldout_batches_repeat_what_is_short():
    batch = heldout_batch(Line(given=("label",)), line(3), 8, seed=0, device=CPU)
    assert sorted(set(batch.real.flatten().tolist())) == [0, 1, 2]


def test_labels_are_replaced_wherever_a_batch_has_them():
    batch = heldout_batch(Line(given=("label", "source")), line(3), 4, seed=0, device=CPU)
    changed = with_labels(batch, {"label": torch.ones(4, dtype=torch.int64), "speaker": torch.zeros(4)})
    assert changed.context["label"].tolist() == changed.condition["label"].tolist() == [1] * 4
    assert torch.equal(changed.context["source"], batch.context["source"])
    assert isinstance(changed, wganx.Batch)


def test_several_blocks_give_intervals_and_an_excess():
    found = run(
        [metric("mean", lambda sides, context: {"mean": sides.candidate.real.mean().item()})], 400, 20, repeats=5
    )
    (row,) = found.rows
    assert (found.n, found.repeats) == (20, 5)
    assert row.interval[0] < row.generated < row.interval[1]
    assert (row.excess.mean, row.excess.low, row.excess.high) == pytest.approx((100, 100, 100))
    data = json.loads(json.dumps(found.to_json()))["rows"][0]
    assert data["excess"] == pytest.approx([100, 100, 100])
    assert data["interval"] == pytest.approx(list(row.interval))


def test_blocks_share_no_row():
    seen = []

    def compute(sides, context):
        seen.append({*sides.truth.real.flatten().tolist(), *(0.5 + sides.reference.real.flatten()).tolist()})
        return {"none": 0.0}

    run([metric("spy", compute)], 40, 5, repeats=3)
    first, second, third = seen[:3]
    assert not first & second
    assert not (first | second) & third


def test_repeats_need_their_rows():
    with pytest.raises(
        DataError, match="an evaluation needs at least 12 held-out items for 3 repeats, the dataset has 11"
    ):
        run([], count=11, repeats=3)


def test_the_candidate_may_have_more_rows_where_its_context_is_labels_alone():
    def compute(sides, context):
        return {"rows": float(len(sides.candidate)), "odd": sides.candidate.context["label"].float().mean().item()}

    (rows, odd) = run([metric("count", compute)], game=Line(given=("label",)), candidates=64).rows
    assert (rows.generated, rows.floor, odd.generated) == (64, 10, 0.5)
    with pytest.raises(
        DataError, match=r"evaluate\.candidates asks for rows that no held-out item gives the context of"
    ):
        run([metric("count", compute)], candidates=64)


def test_what_a_metric_does_to_its_samples_and_to_the_random_stream_is_nobody_else_s_concern():
    def vandal(sides, context):
        for side in (sides.candidate, sides.truth, sides.reference):
            side.real.fill_(-1)
            side.context["source"].fill_(-1)
        torch.manual_seed(5)
        return {"value": torch.rand(()).item()}

    quiet = metric("mean", lambda sides, context: {"mean": sides.candidate.real.mean().item()})
    torch.manual_seed(1)
    before = torch.get_rng_state()
    both = run([metric("vandal", vandal), quiet])
    assert torch.equal(torch.get_rng_state(), before)
    assert both.rows[1:] == run([quiet]).rows


def test_a_metric_that_draws_from_numpy_says_the_same_whatever_ran_before():
    def bootstrap(sides, context):
        return {"numpy": float(np.random.rand()), "python": random.random()}

    found = []
    for start in (1, 2):
        np.random.seed(start)
        random.seed(start)
        before = np.random.get_state()[1].tolist(), random.getstate()
        found.append(run([metric("bootstrap", bootstrap)]).rows)
        assert (np.random.get_state()[1].tolist(), random.getstate()) == before
    assert found[0] == found[1]


def test_a_metric_that_ends_the_interpreter_or_returns_something_else_is_a_failure():
    def leave(sides, context):
        raise SystemExit("enough")

    found = run([metric("leave", leave), metric("none", lambda *_: None), metric("text", lambda *_: {"value": "high"})])
    assert found.failures == {
        "leave": "SystemExit: enough",
        "none": "PluginFailed: metric 'none': compute must return Mapping, and returned None",
        "text": "ValueError: could not convert string to float: 'high'",
    }


def test_a_baseline_that_fails_is_named_and_the_rest_is_measured():
    class Broken(Line):
        def baselines(self):
            return {"zero": lambda batch, rng: torch.zeros_like(batch.real), "broken": lambda batch, rng: 1 / 0}

    found = run([metric("one", lambda *_: {"value": 1.0})], game=Broken(given=("source",)))
    assert found.failures == {"baseline broken": "ZeroDivisionError: division by zero"}
    assert found.rows[0].baselines == {"zero": 1.0}


def test_features_are_found_once_a_side_and_their_extractor_is_named():
    calls = []

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, x):
            calls.append(len(x))
            return x * self.weight

    def compute(sides, context):
        return {
            "gap": (context.features("own", sides.candidate) - context.features("own", sides.reference)).mean().item()
        }

    found = run([metric("first", compute), metric("second", compute)], load=lambda name: Counting())
    assert len(calls) == 4  # generated, reference, floor, baseline: for both metrics
    assert list(found.extractors) == ["own"]
    assert len(found.extractors["own"]) == 16
    bad = run([metric("bad", compute)], load=lambda name: nn.Flatten(0))
    assert "returned features of shape (10,) for 10 samples; (10, d) is wanted" in bad.failures["bad"]


def test_floors_and_baselines_are_kept_by_data_options_and_code(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path))
    code, calls = [Evaluator], []

    def find():
        calls.append(1)
        return {"floor": [{"w1": 0.5}]}

    for about, what in (
        ({"data": "a"}, {"n": 5}),
        ({"data": "a"}, {"n": 5}),
        ({"data": "b"}, {"n": 5}),
        ({"data": "a"}, {"n": 6}),
    ):
        assert Kept(about).numbers(what, code, find) == {"floor": [{"w1": 0.5}]}
    assert len(calls) == 3
    Kept({"data": "a"}).numbers({"n": 5}, [lambda: None, eval("lambda: 0", {"__name__": "nowhere"})], find)
    assert len(calls) == 4, "code that comes from nowhere may have changed"
    (entry, *_) = sorted(tmp_path.rglob("*.json"))
    entry.write_text("torn", encoding="utf-8")
    for data in ("a", "b"):
        assert Kept({"data": data}).numbers({"n": 5}, code, find) == {"floor": [{"w1": 0.5}]}
    weights = Kept({}).tensors({"x": 1}, code, lambda: {"w": torch.ones(2)})
    again = Kept({}).tensors({"x": 1}, code, lambda: pytest.fail("found again"))
    assert torch.equal(weights["w"], again["w"])
    monkeypatch.setenv("WGANX_CACHE", "/proc/nowhere")
    assert Kept({"data": "a"}).numbers({"n": 5}, code, find) == {"floor": [{"w1": 0.5}]}


def test_the_digest_of_code_is_that_of_its_whole_package(tmp_path, monkeypatch):
    import importlib
    import sys

    package = tmp_path / "wx_metrics"
    package.mkdir()
    (package / "__init__.py").write_text("from wx_metrics.inner import f", encoding="utf-8")
    (package / "inner.py").write_text("def f(): return 1", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    f = importlib.import_module("wx_metrics").f
    before = code_digest(f)
    (package / "other.py").write_text("x = 2", encoding="utf-8")
    assert before is not None
    assert code_digest(f) not in (None, before)
    for name in ("wx_metrics", "wx_metrics.inner"):
        sys.modules.pop(name)


class TestDefeats:
    """A trivial solution that does as well as the generator is spoken of, where the metric is decisive."""

    @staticmethod
    def error(**options):
        def compute(sides, context):
            apart = (sides.candidate.real - sides.truth.real).abs().mean().item()
            return {"error": apart, "likeness": -apart, "unranked": apart}

        return Metric(
            name="error", modality="points", summary="error", compute=compute, decisive=True,
            better={"error": "lower", "likeness": "higher"}, **options,
        )  # fmt: skip

    def test_a_generator_that_is_worse_than_nothing(self):
        evaluation = run([self.error()])  # it is 100 off, and zero at most 19
        assert {row.value: row.beaten_by for row in evaluation.rows} == {
            "error": ("zero",), "likeness": ("zero",), "unranked": ()
        }  # fmt: skip
        (defeat,) = evaluation.defeats()
        assert defeat.startswith("the baseline zero does as well as the generator or better: error ")
        assert "likeness -" in defeat
        assert "(generated 100)" in defeat
        told = json.loads(json.dumps(evaluation.to_json()))
        assert told["defeats"] == [defeat]
        assert told["rows"][0]["beaten_by"] == ["zero"]
        assert defeat in repr(evaluation)

    def test_as_good_is_no_better(self):
        class Perfect(Line):
            def baselines(self):
                return {"copy": lambda batch, rng: batch.context["source"].float() + 100}

        (error, *_) = run([self.error()], game=Perfect(given=("source",))).rows
        assert error.beaten_by == ("copy",)

    def test_a_generator_that_wins_and_metrics_that_decide_nothing_are_silent(self):
        class Far(Line):
            def baselines(self):
                return {"far": lambda batch, rng: torch.full_like(batch.real, 1e4)}

        assert run([self.error()], game=Far(given=("source",))).defeats() == []
        plain = metric("plain", lambda sides, context: {"error": sides.candidate.real.mean().item()}, error="lower")
        assert run([plain]).defeats() == []

    def test_spoilt_copies_of_the_truth_are_no_solutions(self):
        evaluation = run([self.error()], whole=True)
        assert "shuffled" in evaluation.rows[0].baselines
        assert evaluation.rows[0].beaten_by == ("zero",)

    def test_they_are_told_again_where_baselines_were_kept(self, tmp_path, monkeypatch):
        monkeypatch.setenv("WGANX_CACHE", str(tmp_path))
        assert run([self.error()]).defeats() == run([self.error()]).defeats() != []


class TestAgain:
    """Other samples for the same rows."""

    def test_a_generator_with_noise_draws_anew_and_one_without_has_no_others(self):
        seen = []

        def compute(sides, context):
            again = None if sides.again is None else [sides.again(draw) for draw in (1, 1, 2)]
            seen.append((sides.candidate.real, again))
            return {"value": 1.0}

        class Noisy(nn.Module):
            def forward(self, noise, source):
                return source.float() + noise

        measure = evaluator()
        for module, noise in ((Noisy(), (1,)), (Above(), None)):
            sampler = Sampler(module, noise=noise, device=CPU, context=measure.game.context)
            measure.evaluate(
                sampler, {"spy": ChosenMetric(metric("spy", compute), Config())}, n=1000, seed=0, step=7
            )  # fmt: skip
        (first, (one, same, other)), (real, (real_again, *_)), (_, (zero, *_)), (_, none), *_ = seen
        assert torch.equal(one, same)
        assert not torch.equal(one, other)
        assert not torch.equal(one, first)
        assert (one - first).abs().max() < 10  # of the same rows
        assert torch.equal(real_again, real)
        assert not zero.any()
        assert none is None
