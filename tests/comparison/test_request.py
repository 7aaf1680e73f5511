"""Comparisons that start their runs: the question, going on, growing, and variants that break. Runs in this process."""

from __future__ import annotations

import json

import pytest
import yaml

from wganx.comparison import conducting, read_question
from wganx.comparison.request import carry_out_request
from wganx.errors import ConfigError, UsageError, WganxError
from wganx.experiments import Ending, Watch
from wganx.experiments.carrying_out import carry_out

SMALL = (
    "train.steps=8", "train.batch_size=16", "train.critic_steps=1", "dataset.count=200", "generator.width=8",
    "critic.width=8", "preview.count=9", "evaluate.n=20", "evaluate.metrics=[modes]", "log.every=8", "evaluate.every=8",
    "checkpoint.every=8", "preview.every=8",
)  # fmt: skip


@pytest.fixture
def sent(monkeypatch):
    """The errands that were carried out, each in this process; `stop_after` of them someone asks to stop."""
    sent = []

    def here(errands, logs, *, parallel=1, watch=None, stop_after=None):
        logs.mkdir(parents=True, exist_ok=True)
        endings = []
        for errand in errands:
            if len(sent) == here.stop_after:
                break
            sent.append(errand.name)
            try:
                carry_out(errand)
                ending = Ending(errand.name, "done")
            except WganxError as error:
                ending = Ending(errand.name, "failed", str(error))
            endings.append(ending)
            (watch or Watch()).ended(errand, ending)
        return endings

    here.stop_after = None
    monkeypatch.setattr(conducting, "carry_out_all", here)
    return sent, here


def ask(out, *vary, **more):
    options = {"runs": (), "plugin": "points", "scenario": "ring", "settings": SMALL, "device": "cpu", "seeds": 2}
    return carry_out_request(**{**options, "vary": vary or ["constraint.name=clip,none"], "out": out, **more})


def test_the_same_call_goes_on_where_it_was_stopped(tmp_path, sent):
    done, process = sent
    process.stop_after = 3
    comparison, waiting = ask(tmp_path / "c")
    assert waiting == 1
    assert done == ["clip-seed0", "none-seed0", "clip-seed1"]  # a seed of all variants before the next one
    assert "1 of 4 runs are still to be done." in comparison.statements
    process.stop_after = None
    _, waiting = ask(tmp_path / "c")
    assert waiting == 0
    assert done[3:] == ["none-seed1"]
    comparison, waiting = carry_out_request(runs=(), resume=tmp_path / "c")
    assert (len(done), waiting) == (4, 0)
    assert [(row.started, row.waiting) for row in comparison.tables.reliability] == [(2, 0), (2, 0)]
    told = json.loads((tmp_path / "c" / "comparison.json").read_text(encoding="utf-8"))
    assert {run["folder"] for run in told["runs"]} == {
        f"runs/{name}-seed{k}" for name in ("clip", "none") for k in (0, 1)
    }
    assert told["commands"]["resume"] == f"wganx compare --resume {tmp_path / 'c'}"


def test_what_is_stored_is_the_question_and_a_config_for_each(tmp_path, sent):
    looks_by_itself = [text for text in SMALL if text != "preview.every=8"]
    vary = "constraint.name=clip,gradient-penalty"
    ask(tmp_path / "c", vary, baseline="gradient-penalty", seeds=1, settings=looks_by_itself)
    question = read_question(tmp_path / "c" / "comparison.yaml")
    assert question.baseline == "gradient-penalty"
    assert question.steps == {"clip": 8, "gradient-penalty": 8}
    config = yaml.safe_load((tmp_path / "c/variants/gradient-penalty.yaml").read_text(encoding="utf-8"))
    assert config["constraint"] == {"name": "gradient-penalty"}  # its weight is its own default, not the scenario's
    assert config["preview"] == {"count": 9, "every": 2}
    stored = yaml.safe_load((tmp_path / "c/runs/gradient-penalty-seed0/config.yaml").read_text(encoding="utf-8"))
    assert stored["constraint"]["weight"] == 10.0
    origins = json.loads((tmp_path / "c/runs/clip-seed0/run.json").read_text(encoding="utf-8"))["origins"]
    assert origins["optimizer.lr"].startswith("scenario 'ring'")  # still told from what the question says
    assert origins["constraint.name"].rpartition(":")[0].endswith("variants/clip.yaml")


def test_seeds_and_variants_may_be_added_and_that_is_said(tmp_path, sent):
    done, _ = sent
    ask(tmp_path / "c", seeds=1)
    comparison, _ = ask(tmp_path / "c", "constraint.name=clip,none,r1", seeds=2)
    assert done[2:] == ["r1-seed0", "clip-seed1", "none-seed1", "r1-seed1"]
    assert comparison.statements[0].startswith(
        "Added when there were numbers already: variants r1; seeds 1. Intervals assume"
    )
    comparison, _ = ask(tmp_path / "c", "constraint.name=clip,none,r1", seeds=1)  # fewer takes none away
    assert all(len(group.outcomes) == 2 for group in comparison.groups)


def test_another_question_is_refused(tmp_path, sent):
    ask(tmp_path / "c", seeds=1)
    with pytest.raises(UsageError, match=r"started with other settings of clip, none; give another --out, or go on"):
        ask(tmp_path / "c", seeds=1, settings=[*SMALL[1:], "train.steps=9"])
    with pytest.raises(UsageError, match=r"has equal updates, and now 5 seconds a run is asked"):
        ask(tmp_path / "c", seeds=1, seconds=5.0, settings=SMALL[1:])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")
    with pytest.raises(UsageError, match=r"is not empty and holds no comparison; give another --out"):
        ask(tmp_path / "mine")


def test_a_variant_that_breaks_takes_none_with_it(tmp_path, sent):
    done, _ = sent
    variants = ["fine:constraint.name=clip", "broken:optimizer.lr=1e30"]
    comparison, waiting = ask(tmp_path / "c", vary=(), variants=variants)
    assert waiting == 0
    assert done == ["fine-seed0", "broken-seed0", "fine-seed1", "broken-seed1"]
    own = comparison.tables.reliability[1]
    assert (own.finished, len(own.failed)) == (0, 2)
    assert "WX021" in own.failed[0]
    ask(tmp_path / "c", vary=(), variants=variants)
    assert len(done) == 4  # not tried again by itself
    ask(tmp_path / "c", vary=(), variants=variants, retry=True)
    assert done[4:] == ["broken-seed0", "broken-seed1"]


def test_equal_seconds_fit_the_steps_and_end_there(tmp_path, sent):
    done, _ = sent
    comparison, _ = ask(tmp_path / "c", seconds=0.2, seeds=1, settings=SMALL[1:])
    assert done == ["clip-pace", "none-pace", "clip-seed0", "none-seed0"]
    question = read_question(tmp_path / "c" / "comparison.yaml")
    assert all(steps > 1 for steps in question.steps.values())
    assert comparison.title == "points / ring: 2 variants x 1 seeds, each 200 ms of training"
    assert all(row.seconds < 3 for row in comparison.tables.costs)
    ask(tmp_path / "c", seconds=0.2, seeds=1, settings=SMALL[1:])
    assert len(done) == 4  # paced once


def test_a_wrong_configuration_starts_nothing_and_names_the_variant(tmp_path, sent):
    done, _ = sent
    with pytest.raises(ConfigError) as caught:
        ask(tmp_path / "c", vary=["constraint.name=clip,gradient-penaly"])
    assert "variant 'gradient-penaly'" in str(caught.value)
    assert "did you mean 'gradient-penalty'?" in str(caught.value)
    with pytest.raises(ConfigError, match=r"variant 'clip constraint.weight=1'"):
        ask(tmp_path / "c", vary=["constraint.name=gradient-penalty,clip", "constraint.weight=1,10"])
    assert not done
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": None}, "--out names the comparison's folder"),
        ({"vary": ()}, "nothing to compare: give finished RUNs, or what to vary"),
        ({"budget": "seconds"}, "--budget seconds needs --seconds S"),
        ({"budget": "updates", "seconds": 3.0}, "--seconds is a budget of seconds, and --budget says updates"),
        ({"runs": ("a", "b")}, "RUNs are finished: leave --vary, --seeds, --plugin, --scenario, --set, --device out"),
        ({"resume": "c"}, "--resume goes on with what was asked: leave"),
        ({"seconds": 3.0}, "--set train.steps=8 has no effect with --seconds, which plans as many steps as fit"),
        ({"baseline": "R1"}, "--baseline: no variant 'R1'; variants: clip, none"),
        ({"metrics": ["high"]}, "--metric: no value 'high' that can be ranked; there are: modes/"),
        ({"reach": ["high_quality"]}, "--reach high_quality: expected NAME=SCORE"),
        ({"reach": ["high_quality=much"]}, "--reach high_quality=much: expected NAME=SCORE"),
        ({"settings": [*SMALL, "constraint.name=clip"]}, "constraint.name is given twice"),
    ],
)  # fmt: skip
def test_calls_that_contradict_themselves(tmp_path, options, message):
    with pytest.raises(UsageError) as caught:
        ask(**{"out": tmp_path / "c", **options})
    assert message in str(caught.value)


def test_a_folder_without_a_comparison(tmp_path):
    with pytest.raises(UsageError, match=r"there is no comparison in .*: it has no comparison.yaml"):
        carry_out_request(runs=(), resume=tmp_path)
    (tmp_path / "comparison.yaml").write_text("schema: 99", encoding="utf-8")
    with pytest.raises(UsageError, match=r"another version of wganx \(schema 99, not 1\)"):
        carry_out_request(runs=(), resume=tmp_path)
    (tmp_path / "comparison.yaml").write_text("schema: 1\nseeds: x", encoding="utf-8")
    with pytest.raises(UsageError, match=r"holds no question that can be read"):
        carry_out_request(runs=(), resume=tmp_path)


def test_finished_runs_may_have_a_folder_for_their_page(make_run, tmp_path):
    runs = [make_run("a"), make_run("b", "clip")]
    comparison, waiting = carry_out_request(runs=runs, out=tmp_path / "page")
    assert waiting == 0
    assert (tmp_path / "page" / "comparison.json").is_file()
    assert comparison.commands == {}
