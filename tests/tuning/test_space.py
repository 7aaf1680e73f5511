"""What is searched, as it is typed."""

import math

import pytest

from wganx.errors import UsageError
from wganx.tuning.space import Axis, combinations, in_words, parse_axes


def test_ranges_and_choices():
    weight, steps, rate, betas = parse_axes(
        ["constraint.weight=log:0.1..100", "train.critic_steps=1..5", "optimizer.lr=log:1e-4..1e-2",
         "optimizer.betas=[0.0, 0.9],[0.5, 0.9]"]
    )  # fmt: skip
    assert (weight.low, weight.high, weight.log, weight.whole) == (0.1, 100.0, True, False)
    assert (steps.low, steps.high, steps.log, steps.whole) == (1.0, 5.0, False, True)
    assert (rate.low, rate.high) == (1e-4, 1e-2)
    assert betas.choices == ([0.0, 0.9], [0.5, 0.9])


def test_how_many_trials_there_can_be():
    assert combinations(parse_axes(["train.critic_steps=1,3,5", "train.batch_size=2..4"])) == 9
    assert combinations(parse_axes(["constraint.weight=0.1..1"])) == math.inf


def test_what_is_suggested_is_what_was_typed():
    optuna = pytest.importorskip("optuna")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    axes = parse_axes(["a.list=[0.0, 0.9],[0.5, 0.9]", "a.none=null,1", "a.whole=log:1..64", "a.real=log:0.1..10.0"])
    for _ in range(20):
        values = {axis.key: axis.suggest(study.ask()) for axis in axes}
        assert values["a.list"] in ([0.0, 0.9], [0.5, 0.9])
        assert values["a.none"] in (None, 1)
        assert isinstance(values["a.whole"], int)
        assert 0.1 <= values["a.real"] <= 10


def test_values_in_words():
    assert in_words({"a.b": 0.123456, "c.d": 3, "e.name": "clip"}) == "a.b=0.1235  c.d=3  e.name=clip"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "nothing to search: --search constraint.weight=log:0.1..100"),
        (["constraint.weight"], "expected section.key=log:0.1..100, section.key=1..8 or section.key=a,b,c"),
        (["weight=1..2"], "expected section.key"),
        (["a.b="], "expected section.key"),
        (["a.b=3"], "expected two ends, like log:0.1..100 or 1..8, or several choices"),
        (["a.b=x..y"], "the ends must be numbers, like 0.1..100"),
        (["a.b=2..1"], "the first end must lie below the second"),
        (["a.b=log:0..1"], "a logarithmic range must lie above 0"),
        (["a.b=[1,2"], "this is no YAML"),
        (["a.b=1,1"], "a choice is given twice"),
        (["a.b=1,2", "a.b=3,4"], "a.b is searched twice; give it once"),
        (["dataset.size=16,32"], "dataset.size cannot be searched: a search is on the same data"),
        (["evaluate.n=16,32"], "evaluate.n cannot be searched: all trials are measured alike"),
    ],
)
def test_what_is_not_written_as_it_should_be(texts, message):
    with pytest.raises(UsageError) as caught:
        parse_axes(texts)
    assert message in str(caught.value)


def test_the_same_text_is_the_same_axis():
    assert parse_axes(["a.b=1..2"]) == (Axis("a.b", "a.b=1..2", 1.0, 2.0, whole=True),)
