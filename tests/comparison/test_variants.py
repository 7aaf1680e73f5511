"""What is varied, as it is typed."""

import pytest

from wganx.comparison import parse_variants
from wganx.errors import UsageError


def names(vary=(), variants=()):
    return {variant.name: dict(variant.settings) for variant in parse_variants(vary, variants)}


def test_one_setting_varied():
    assert names(["constraint.name=gradient-penalty,clip"]) == {
        "gradient-penalty": {"constraint.name": "gradient-penalty"},
        "clip": {"constraint.name": "clip"},
    }


def test_several_are_crossed_and_numbers_say_what_they_are_of():
    assert list(names(["constraint.name=a,b", "optimizer.lr=0.001,0.01"])) == [
        "a optimizer.lr=0.001", "a optimizer.lr=0.01", "b optimizer.lr=0.001", "b optimizer.lr=0.01",
    ]  # fmt: skip


def test_a_list_is_one_value():
    found = names(["optimizer.betas=[0.0, 0.9],[0.5, 0.999]"])
    assert [each["optimizer.betas"] for each in found.values()] == [[0.0, 0.9], [0.5, 0.999]]


def test_named_variants_and_their_slugs():
    found = parse_variants(
        [],
        [
            "WGAN-GP:constraint.name=gradient-penalty",
            "hinge + SN:objective.name=hinge, constraint.name=spectral-norm",
            "r1 r2:constraint.name=r1,constraint.also=[{name: r2, weight: 1.0}]",
        ],
    )
    assert [variant.slug for variant in found] == ["WGAN-GP", "hinge-+-SN", "r1-r2"]
    assert found[1].settings == {"objective.name": "hinge", "constraint.name": "spectral-norm"}
    assert found[2].settings["constraint.also"] == [{"name": "r2", "weight": 1.0}]


def test_named_variants_under_each_varied_value():
    found = names(["train.critic_steps=1,5"], ["a:constraint.name=clip", "b:constraint.name=r1"])
    assert list(found) == ["a train.critic_steps=1", "a train.critic_steps=5", "b train.critic_steps=1",
                           "b train.critic_steps=5"]  # fmt: skip


@pytest.mark.parametrize(
    ("vary", "variants", "message"),
    [
        ([], [], "at least two variants"),
        (["constraint.name=clip"], [], "one value varies nothing; give several, or --set constraint.name=clip"),
        (["constraint=a,b"], [], "expected section.key=value, like --vary constraint.name=gradient-penalty,clip"),
        (["seed=0,1"], [], "expected section.key=value"),
        (["dataset.size=16,32"], [], "dataset.size cannot be varied: a comparison is on the same data"),
        (["evaluate.n=10,20"], [], "evaluate.n cannot be varied: all are measured alike"),
        (["train.steps=10,20"], [], "train.steps cannot be varied: all have the same budget"),
        (["a.b=1,2", "a.b=3,4"], [], "a.b is varied twice"),
        (["a.b=1,2"], ["x:a.b=3"], "a.b is varied twice"),
        (["a.b=[1,2"], [], "this is no YAML"),
        (["a.name=x,x"], [], "two variants are called 'x'"),
        (["a.name=x,X"], [], "two variants are called"),  # one folder where capitals do not count
        ([], ["a.b=3"], "expected NAME:key=value,key=value"),
        ([], ["x:a.b=1,a.b=2"], "a.b is given twice"),
        ([], ["x:a.b=", "y:a.b=1"], "a.b needs one value"),
        ([], ["x:nothing", "y:a.b=1"], "expected section.key=value"),
    ],
)  # fmt: skip
def test_what_is_not_written_as_it_should_be(vary, variants, message):
    with pytest.raises(UsageError, match=None) as caught:
        parse_variants(vary, variants)
    assert message in str(caught.value)
