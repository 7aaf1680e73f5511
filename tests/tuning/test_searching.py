"""Searches whose trials run in this process: the same by seed, gone on with, pruned, and with trials that fail."""

from __future__ import annotations

import builtins
import json
from pathlib import Path

import pytest
import yaml

from wganx.config import resolve
from wganx.errors import MissingExtra, UsageError
from wganx.experiments import Ending, Watch
from wganx.runs import RunFolder
from wganx.storage import append_line, write_whole
from wganx.tuning import searching
from wganx.tuning.folder import best_of
from wganx.tuning.request import carry_out_request

pytest.importorskip("optuna")

SETTINGS = ("train.steps=50", "evaluate.n=20", "dataset.count=200")


@pytest.fixture
def trained(monkeypatch):
    """Trials that come to 100 / weight, less is better, without a training; what makes some of them fail or stop."""
    seen = []

    def fake(errands, logs, *, parallel=1, watch=None):
        (errand,) = errands
        if fake.stop_at == len(seen):
            fake.stop_at = None
            return []
        seen.append(errand.name)
        config = yaml.safe_load(Path(errand.config).read_text(encoding="utf-8"))
        weight = config["constraint"]["weight"]
        if fake.fails(weight):
            return [Ending(errand.name, "failed", "WX021 not finite")]
        run = RunFolder(Path(errand.folder))
        run.path.mkdir(parents=True, exist_ok=True)
        for step in range(10, 51, 10):
            append_line(run.metrics, {"step": step, "evaluate/exact-w1/w1": 100 / weight})
            append_line(run.timings, {"step": step, "seconds": step / 10, "time/critic": 1.0})
            if watch.enough(errand):
                return [Ending(errand.name, "enough")]
        row = {"metric": "exact-w1", "value": "w1", "generated": fake.value(100 / weight)}
        write_whole(run.evaluation, json.dumps({"rows": [row]}))
        return [Ending(errand.name, "done")]

    fake.stop_at = None
    fake.fails = lambda weight: False
    fake.value = lambda value: value
    monkeypatch.setattr(searching, "carry_out_all", fake)
    return seen, fake


def tune(out, *searched, **more):
    options = {"plugin": "points", "scenario": "ring", "settings": SETTINGS, "metric": "w1", "trials": 4, "seed": 1}
    return carry_out_request(
        **{**options, "searched": searched or ["constraint.weight=log:0.1..100"], "out": out, **more}
    )


def weights(trials):
    return [trial.settings["constraint.weight"] for trial in trials]


def test_the_same_seed_gives_the_same_trials_and_another_one_others(tmp_path, trained):
    first, again = tune(tmp_path / "a")[2], tune(tmp_path / "b")[2]
    assert weights(first) == weights(again)
    assert len(set(weights(first))) == 4
    assert weights(tune(tmp_path / "c", seed=2, trials=1)[2]) != weights(first)[:1]


def test_one_that_was_stopped_goes_on_to_the_same_end(tmp_path, trained):
    seen, fake = trained
    whole = tune(tmp_path / "whole")[2]
    seen.clear()
    fake.stop_at = 2
    _, _, trials, stopped = tune(tmp_path / "cut")
    assert stopped
    assert [trial.state for trial in trials].count("unfinished") == 1
    _, _, trials, stopped = carry_out_request(resume=tmp_path / "cut")
    assert not stopped
    assert seen[2] == "trial-002"  # the one that was begun
    assert [(trial.settings, trial.state, trial.value) for trial in trials] == [
        (trial.settings, trial.state, trial.value) for trial in whole
    ]
    assert len(carry_out_request(resume=tmp_path / "cut")[2]) == 4  # the budget is spent


def test_more_trials_may_be_asked_for_and_nothing_else(tmp_path, trained):
    tune(tmp_path / "s", trials=2)
    assert len(tune(tmp_path / "s", trials=4)[2]) == 4
    for changed, message in (
        ({"metric": "high_quality"}, "another metric (exact-w1/w1, now modes/high_quality)"),
        ({"seed": 7}, "another seed (1, now 7)"),
        ({"settings": ["train.steps=60"]}, "another configuration; give another --out, or go on"),
        ({"searched": ["constraint.weight=1..2"]}, "another searched settings (constraint.weight=log:0.1..100, now"),
    ):
        with pytest.raises(UsageError) as caught:
            tune(tmp_path / "s", **changed)
        assert message in str(caught.value)


def test_those_behind_the_median_are_pruned_by_the_curve(tmp_path, trained):
    trials = tune(tmp_path / "s", trials=9)[2]
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert pruned
    assert all(trial.number >= 3 for trial in pruned)
    assert all(trial.step < 50 for trial in pruned)
    assert pruned[0].why == "at step 10 worse than the median of the trials before"
    best = best_of(trials, "lower")
    assert best.value == min(trial.value for trial in trials if trial.value is not None)


def test_a_trial_that_fails_is_no_end_of_the_search(tmp_path, trained):
    _, fake = trained
    fake.fails = lambda weight: weight > 1
    trials = tune(tmp_path / "s")[2]
    assert len(trials) == 4
    failed = [trial for trial in trials if trial.state == "failed"]
    assert failed
    assert failed[0].why == "WX021 not finite"
    assert failed[0].value is None
    fake.fails = lambda weight: False
    fake.value = lambda value: float("nan")
    trials = tune(tmp_path / "nan", trials=2)[2]
    assert [(trial.state, trial.why) for trial in trials] == [("failed", "exact-w1/w1 is not finite")] * 2
    assert best_of(trials, "lower") is None
    assert not (tmp_path / "nan" / "best.yaml").exists()


def test_settings_that_do_not_go_together_fail_by_themselves(tmp_path, trained):
    trials = tune(tmp_path / "s", "constraint.name=clip,gradient-penalty", "constraint.weight=1,10", trials=8)[2]
    assert len(trials) <= 8
    assert {trial.settings["constraint.name"] for trial in trials if trial.state == "failed"} <= {"clip"}
    assert any("constraint.weight" in trial.why for trial in trials if trial.state == "failed")


def test_the_same_settings_are_not_trained_twice_and_all_tried_is_an_end(tmp_path, trained):
    seen, _ = trained
    trials = tune(tmp_path / "s", "constraint.weight=1,10", trials=30)[2]
    assert len(seen) == 2
    assert len(trials) < 30
    assert all(trial.why.startswith("the settings of trial") for trial in trials if trial.seconds == 0)


def test_the_seconds_of_training_are_a_budget(tmp_path, trained):
    trials = tune(tmp_path / "s", trials=None, seconds=9.0)[2]
    assert 9.0 <= sum(trial.seconds for trial in trials) < 9.0 + 5.0


def test_the_best_recipe_is_a_configuration(tmp_path, trained):
    folder, search, trials, _ = tune(tmp_path / "s")
    best = best_of(trials, "lower")
    resolved = resolve(config=folder / "best.yaml", environ={})
    assert resolved.run.constraint.weight == pytest.approx(best.settings["constraint.weight"])
    assert resolved.run.train.steps == 50
    text = (folder / "best.yaml").read_text(encoding="utf-8")
    found = f"exact-w1/w1 {best.value:.4g} (lower is better), trial {best.number} of 4"
    assert text.startswith(f"# Found by wganx tune: {found}")
    assert "measure it anew with other seeds" in text
    table = yaml.safe_load((folder / "trials.yaml").read_text(encoding="utf-8"))
    assert [row["number"] for row in table["trials"]] == list(range(4))
    assert search.better == "lower"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": None}, "--out names the search's folder"),
        ({"trials": None}, "a search has a budget: --trials N, --seconds S of training in all, or both"),
        ({"metric": None}, "--metric names the value that decides; there are: modes/modes, modes/high_quality"),
        ({"metric": "w2"}, "--metric: no value 'w2' that can be ranked"),
        ({"searched": ["constraint.wieght=1..2"]}, "constraint.wieght: no such option; did you mean 'weight'?"),
        ({"searched": ["constraint.weight=-1.0..2"]}, "constraint.weight"),
        ({"resume": "x"}, "--resume goes on with what was asked: leave --search, --metric, --trials, --out, --plugin"),
    ],
)
def test_calls_that_contradict_themselves(tmp_path, options, message, trained):
    with pytest.raises(UsageError) as caught:
        tune(**{"out": tmp_path / "s", **options})
    assert message in str(caught.value)
    assert not trained[0]


def test_folders_without_a_search(tmp_path, trained):
    with pytest.raises(UsageError, match="there is no search in .*: it has no tune.yaml".replace(".y", r"\.y")):
        carry_out_request(resume=tmp_path)
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="is not empty and holds no search; give another --out"):
        tune(tmp_path)
    (tmp_path / "tune.yaml").write_text("schema: 1\nseed: x\nsearch: [a.b=1..2]")
    with pytest.raises(UsageError, match="holds no search that can be read"):
        carry_out_request(resume=tmp_path)


def test_without_optuna_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments, **more):
        if name == "optuna":
            raise ImportError(name)
        return imported(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r'wganx tune searches with Optuna: pip install "wganx\[tune\]"'):
        tune(tmp_path / "s")


def test_who_watches_hears_of_the_trials(tmp_path, monkeypatch):
    heard = []

    class Listening(Watch):
        def began(self, errand):
            heard.append(errand.name)

    def fake(errands, logs, *, parallel=1, watch=None):
        watch.began(errands[0])
        return [Ending(errands[0].name, "failed", "no")]

    monkeypatch.setattr(searching, "carry_out_all", fake)
    tune(tmp_path / "s", trials=2, watch=Listening())
    assert heard == ["trial-000", "trial-001"]


def test_a_folder_may_have_any_name(tmp_path, trained):
    folder = tmp_path / "a?b #c %20 =ä"
    assert len(tune(folder, trials=2)[2]) == 2
    assert (folder / "study.db").is_file()
    assert len(carry_out_request(resume=folder)[2]) == 2
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
