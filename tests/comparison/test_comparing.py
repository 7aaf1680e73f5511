"""Finished runs side by side: tables, failures, what is refused, and the sentences."""

import csv
import json
import math

import pytest

from wganx.comparison import ComparisonFolder, compare_found
from wganx.comparison.statements import NOT_SHOWN
from wganx.comparison.statistics import t_interval
from wganx.errors import UsageError


def table(comparison, name="exact-w1/w1"):
    return next(found for found in comparison.tables.metrics if found.name == name)


def standing(comparison, variant, name="exact-w1/w1"):
    return next(found for found in table(comparison, name).standings if found.variant == variant)


def test_runs_of_the_same_settings_are_one_variant(nine_runs):
    comparison = compare_found(nine_runs)
    assert [group.name for group in comparison.groups] == ["gradient-penalty", "clip", "lipschitz-penalty"]
    assert all(len(group.outcomes) == 3 for group in comparison.groups)
    assert set(comparison.differences) == {"constraint.name", "constraint.weight", "constraint.limit"}
    assert comparison.differences["constraint.weight"] == {"gradient-penalty": 10.0}
    assert dict(comparison.equal)["updates"] == "100"
    assert "data" not in dict(comparison.equal)  # this set is drawn anew by every seed


def test_every_seed_is_there_with_mean_and_t_interval(nine_runs):
    found = standing(compare_found(nine_runs), "gradient-penalty")
    assert found.values == {0: 0.50, 1: 0.52, 2: 0.54}
    assert found.summary.mean == pytest.approx(0.52)
    assert found.summary.t == t_interval([0.50, 0.52, 0.54])
    assert found.median_of_all == 0.52
    assert table(compare_found(nine_runs)).floor == pytest.approx(0.1)
    assert table(compare_found(nine_runs)).ceiling == 2.0  # the worst trivial solution of a value that should be low
    assert table(compare_found(nine_runs), "modes/high_quality").ceiling == 0.0


def test_values_that_cannot_be_ranked_are_no_table(nine_runs):
    assert [found.name for found in compare_found(nine_runs).tables.metrics] == ["exact-w1/w1", "modes/high_quality"]


def test_what_is_said(nine_runs):
    said = "\n".join(compare_found(nine_runs).statements)
    assert "No run failed; that leaves a failure rate of up to 56 % a variant." in said
    assert "exact-w1/w1: clip is higher (worse) than gradient-penalty by 0.3" in said
    assert "do not tell lipschitz-penalty from gradient-penalty" in said
    assert "A step of clip takes 0.4 times as long as one of gradient-penalty (4 ms, 10 ms)." in said
    assert "These are 4 differences, each with its own 95 % interval" in said
    for never in ("winner", "best", "*", "significant", "rank"):
        assert never not in said
    assert any("tuned" in sentence for sentence in NOT_SHOWN)


def test_two_seeds_are_too_few_to_say_anything(make_run):
    runs = [make_run(f"{name}-{seed}", name, seed, w1=w1) for seed in range(2)
            for name, w1 in (("clip", 0.2), ("gradient-penalty", 0.9))]  # fmt: skip
    comparison = compare_found(runs)
    assert standing(comparison, "clip").summary.t is None
    said = "\n".join(comparison.statements)
    assert "too few for an interval, so nothing is said of any difference. Another can be named: --baseline." in said
    assert "lower" not in said


def test_a_single_variant_has_its_interval_and_no_differences(nine_runs):
    comparison = compare_found([run for run in nine_runs if run.name.startswith("gp")])
    assert [group.name for group in comparison.groups] == ["all runs"]
    assert table(comparison).versus == ()


def test_failures_count_apart_and_as_worst(make_run):
    collapse = {"code": "WX030", "level": "warn", "text": "the generator repeats itself", "mend": "m"}
    over = {"code": "WX030", "level": "warn", "text": None, "mend": "m"}
    runs = [make_run(f"gp-{seed}", "gradient-penalty", seed) for seed in range(5)]
    runs += [
        make_run(
            "broke", "clip", 0, status="failed", error="WX021 the critic's loss became non-finite", evaluation=None
        ),
        make_run("collapsed", "clip", 1, health=[collapse]),
        make_run("recovered", "clip", 2, health=[collapse, over], w1=0.6),
        make_run("nan", "clip", 3, w1=math.nan),
        make_run("worse", "clip", 4, w1=2.5),
    ]
    comparison = compare_found(runs)
    own = next(row for row in comparison.tables.reliability if row.variant == "clip")
    assert (own.started, own.finished, set(own.failed)) == (5, 1, {0, 1, 3, 4})
    assert own.failed[0] == "WX021 the critic's loss became non-finite"
    assert own.failed[1] == "WX030 the generator repeats itself"
    assert own.failed[3] == "exact-w1/w1 is not finite"
    assert own.failed[4] == "exact-w1/w1 2.5 is worse than every trivial solution (2)"
    assert standing(comparison, "clip").values == {2: 0.6}
    assert math.isinf(standing(comparison, "clip").median_of_all)
    chance = table(comparison).versus[0].chance
    assert (chance.wins, chance.pairs) == (0, 25)
    assert "clip: 4 of 5 runs failed, which leaves a failure rate between 38 % and 96 %" in "\n".join(
        comparison.statements
    )


def test_a_metric_that_was_asked_for_and_could_not_be_taken_fails_its_run(make_run, record):
    broken = record(0.5, 0.5, 0, failures={"modes": "ValueError: no"})
    broken["rows"] = broken["rows"][:1]
    runs = [make_run("a"), make_run("b", "clip", evaluation=broken)]
    comparison = compare_found(runs, metrics=["w1", "high_quality"])
    assert comparison.groups[1].failed == {0: "modes/high_quality could not be taken: ValueError: no"}
    assert "The metric modes could not be taken in 1 runs: ValueError: no." in comparison.statements
    # Where nobody asked for it, it is left out, and no run has failed by it.
    comparison = compare_found(runs)
    assert [found.name for found in comparison.tables.metrics] == ["exact-w1/w1"]
    assert comparison.tables.left_out == ("modes/high_quality",)
    assert not comparison.groups[1].failed


def test_a_value_that_is_no_number_in_any_run_fails_none(make_run):
    runs = [make_run(name, name, quality=math.nan) for name in ("clip", "r1")]
    comparison = compare_found(runs)
    assert comparison.tables.left_out == ("modes/high_quality",)
    assert not any(group.failed for group in comparison.groups)


def test_runs_measured_at_other_steps_are_said_to_be(make_run, record):
    early = record(0.5, 0.5, 0, step=50)
    said = compare_found([make_run("a"), make_run("b", "clip", evaluation=early)]).statements
    assert "The runs differ in measured at step: 100, 50." in said


def test_metrics_that_disagree_are_said_to(make_run):
    runs = []
    for seed in range(3):
        runs.append(make_run(f"gp-{seed}", "gradient-penalty", seed, w1=0.5 + 0.01 * seed, quality=0.5 + 0.01 * seed))
        runs.append(make_run(f"clip-{seed}", "clip", seed, w1=0.8 + 0.011 * seed, quality=0.9 + 0.011 * seed))
    said = "\n".join(compare_found(runs).statements)
    assert (
        "Metrics disagree about clip: better than gradient-penalty in modes/high_quality, worse in exact-w1/w1. "
        "No score combines them." in said
    )


def test_seconds_to_a_score(nine_runs):
    comparison = compare_found(nine_runs, reach={"w1": 0.61})
    rows = {row.variant: row for row in comparison.tables.costs}
    # 0.5 (2 - step / 100) is 0.61 or less from step 80 on, at 10 ms a step
    assert rows["gradient-penalty"].reached["exact-w1/w1"][0] == pytest.approx(0.8)
    assert rows["clip"].reached["exact-w1/w1"] == {}
    said = "\n".join(comparison.statements)
    assert "gradient-penalty reached exact-w1/w1 0.61 in 3 of 3 runs, after 800 ms to 900 ms." in said
    assert "No run of clip reached exact-w1/w1 0.61." in said


def test_only_training_is_counted_as_training(nine_runs):
    row = compare_found(nine_runs).tables.costs[0]
    assert row.seconds == pytest.approx(1.0)  # of 2 s half went elsewhere
    assert row.per_step == pytest.approx(0.01)
    assert row.memory == 400_000_000


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ({"n": 60}, "n is 50 in gradient-penalty (seed 0) and 60 in clip (seed 0)"),
        ({"extractors": {"classes": "0123"}}, "weights of extractor 'classes' is abcd in gradient-penalty (seed 0) "),
        ({"fingerprint": "others"}, "the held-out data is data of seed 0 in gradient-penalty (seed 0) and others in"),
        ({"protocol": {"resize": {"data": "box"}}}, "resize filter of 'data' is bicubic in gradient-penalty (seed "),
        ({"repeats": 3}, "the number of blocks is 1 in"),
    ],
)  # fmt: skip
def test_unlike_evaluations_are_refused_by_what_differs(make_run, record, protocol, message):
    alike = {"extractors": {"classes": "abcd"}, "protocol": {"resize": {"data": "bicubic"}}}
    runs = [
        make_run("a", evaluation=record(0.5, 0.5, 0, **alike)),
        make_run("b", "clip", evaluation=record(0.5, 0.5, 0, **{**alike, **protocol})),
    ]
    with pytest.raises(UsageError) as caught:
        compare_found(runs)
    assert str(caught.value).startswith("these numbers cannot stand side by side: ")
    assert message in str(caught.value)


def test_what_should_be_equal_and_is_not_is_said(make_run):
    runs = [make_run("a"), make_run("b", "clip", facts={"device": "cuda:0"})]
    assert "The runs differ in device: cpu, cuda:0." in compare_found(runs).statements


def test_what_cannot_be_compared(make_run, tmp_path):
    run = make_run("a")
    with pytest.raises(UsageError, match=r"there is no run in .*nowhere: it has no config.yaml"):
        compare_found([run, tmp_path / "nowhere"])
    with pytest.raises(UsageError, match=r"needs at least two runs"):
        compare_found([run, run])
    with pytest.raises(UsageError, match=r"b was not measured; do so first: wganx evaluate .*b"):
        compare_found([run, make_run("b", "clip", evaluation=None)])
    with pytest.raises(UsageError, match=r"c is not finished \(interrupted\); go on with it first: wganx resume .*c"):
        compare_found([run, make_run("c", "clip", status="interrupted", evaluation=None)])
    with pytest.raises(UsageError, match=r"are the same training: same settings, same seed 0; leave one out"):
        compare_found([run, make_run("d")])
    with pytest.raises(UsageError, match=r"evaluation.json cannot be read; evaluate the run again"):
        compare_found([run, make_run("e", "clip", evaluation="{")])
    with pytest.raises(UsageError, match=r"no variant 'clap'; variants: gradient-penalty, clip; did you mean 'clip'"):
        compare_found([run, make_run("f", "clip")], baseline="clap")
    with pytest.raises(UsageError, match=r"--metric: no value 'w2' that can be ranked; there are: exact-w1/w1, modes"):
        compare_found([run, make_run("g", "clip")], metrics=["w2"])


def test_variants_are_named_by_what_sets_them_apart(make_run):
    runs = [make_run("a", train={"critic_steps": 1}), make_run("b", train={"critic_steps": 5})]
    names = [group.name for group in compare_found(runs).groups]
    assert names == ["train.critic_steps=1", "train.critic_steps=5"]
    runs = [make_run("c", train={"note": "x" * 60}), make_run("d", train={"note": "y" * 60})]
    assert [group.name for group in compare_found(runs).groups] == ["c", "d"]


def test_the_numbers_are_plain_json_and_csv(nine_runs, tmp_path):
    comparison = compare_found([*nine_runs], out=tmp_path)
    comparison.write(ComparisonFolder(tmp_path))
    told = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert [run["folder"] for run in told["runs"]][:3] == ["gp-0", "gp-1", "gp-2"]
    assert told["metrics"][0]["standings"][0]["values"] == {"0": 0.5, "1": 0.52, "2": 0.54}
    assert told["metrics"][0]["versus"][0]["chance"]["probability"] == 0.0
    assert told["runs"][0]["protocol"]["n"] == 50
    lines = list(csv.DictReader(comparison.to_csv().splitlines()))
    assert len(lines) == 18
    assert lines[0]["variant"] == "gradient-penalty"
    assert float(lines[0]["value"]) == 0.5


def test_ten_seeds_have_a_bootstrap_and_a_p(make_run):
    runs = []
    for seed in range(10):
        runs.append(make_run(f"gp-{seed}", "gradient-penalty", seed, w1=0.5 + 0.01 * seed))
        runs.append(make_run(f"clip-{seed}", "clip", seed, w1=0.6 + 0.012 * seed))
    comparison = compare_found(runs)
    assert standing(comparison, "clip").summary.bootstrap is not None
    assert table(comparison).versus[0].difference.p == pytest.approx(2 / 2**10)


def test_data_drawn_by_the_seed_may_have_an_extractor_a_seed_and_that_is_said(make_run, record):
    runs = [
        make_run(f"{name}-{seed}", name, seed, evaluation=record(0.5, 0.5, seed, extractors={"own": f"weights {seed}"}))
        for seed in range(2)
        for name in ("clip", "gradient-penalty")
    ]
    said = "\n".join(compare_found(runs).statements)
    assert "on which the extractor own was learnt: its values compare within a seed, by pairs" in said


def test_one_set_of_data_wants_one_extractor_throughout(make_run, record):
    runs = [
        make_run(f"clip-{seed}", "clip", seed, evaluation=record(
            0.5, 0.5, seed, fingerprint="digits", extractors={"own": f"weights {seed}"}
        ))
        for seed in range(2)
    ]  # fmt: skip
    with pytest.raises(
        UsageError, match=r"weights of extractor 'own' is weights 0 in all runs .* weights 1 in all runs"
    ):
        compare_found(runs)
