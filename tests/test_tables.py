"""Results as a notebook and a terminal show them: small, whole in themselves, and trusting no text."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
import torch

import wganx
from wganx.engine import TrainResult
from wganx.evaluation import DistanceReport, DistanceRow, Evaluation, Interval, Row
from wganx.health import Finding
from wganx.tables import Picture, Table

HOSTILE = '"><script>alert(1)</script>'


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found, self.open = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def tags(self):
        return [tag for tag, _ in self.found]


def check(html):
    """It is closed, asks for nothing from outside, sets no colour, and is small."""
    elements = Elements(html)
    assert elements.open == []
    assert set(elements.tags()) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "img"}
    for tag, attributes in elements.found:
        assert not attributes.keys() - {"scope", "src", "alt"}, "no style, so light and dark are the notebook's"
        assert attributes.get("src", "data:").startswith("data:")
        assert tag != "img" or attributes["alt"]
    assert len(html) < 1_000_000
    return elements


def test_a_table_in_both_forms_trusts_no_text():
    table = Table(HOSTILE, ("name", HOSTILE), [("a", "1"), ("bcd", HOSTILE)], [HOSTILE], Picture(b"PNG", HOSTILE))
    elements = check(table.html())
    assert "script" not in elements.tags()
    assert [attributes.get("scope") for tag, attributes in elements.found if tag == "th"] == [
        "col",
        "col",
        "row",
        "row",
    ]
    assert base64.b64encode(b"PNG").decode() in table.html()
    assert table.text().splitlines() == [
        HOSTILE, f"  name  {HOSTILE}", "  a     1", f"  bcd   {HOSTILE}", HOSTILE, HOSTILE,
    ]  # fmt: skip


def test_a_table_of_nothing_is_its_title():
    assert Table("nothing", (), []).text() == "nothing"
    check(Table("nothing", (), []).html())


def test_an_evaluation():
    evaluation = Evaluation(
        step=600, n=100, seed=3, heldout=400, repeats=4, failures={"other": "it <broke>"},
        rows=(Row("modes", HOSTILE, "higher", 0.875, 0.98, {"gaussian": 0.125}, interval=(0.8, 0.95)),
              Row("w1", "sliced", None, 1 / 3, float("nan"), {})),
    )  # fmt: skip
    elements = check(evaluation._repr_html_())
    assert "script" not in elements.tags()
    text = repr(evaluation)
    assert text.startswith("Evaluation of step 600: 100 rows a side (of 400), 4 times, seed 3\n")
    assert re.search(r"higher +0\.875 \[0\.8, 0\.95\] +0\.98 +0\.125\n", text)
    assert re.search(r"w1/sliced +- +0\.3333 +nan +-\n", text)
    assert text.endswith("other failed: it <broke>")


def test_distances():
    one = Interval(1.0, 0.5, 1.5)
    report = DistanceReport(
        a="A", b=HOSTILE, n=50, repeats=4, seed=0, shape=(2,), dim=2, scale=1.0, confidence=0.95,
        rows=(DistanceRow("exact-w1", one, one, one, one, None, 0.1),), versions={}, notes=("B <is> small",),
    )  # fmt: skip
    assert "script" not in check(report._repr_html_()).tags()
    assert "exact-w1  1 [0.5, 1.5]" in repr(report)
    assert repr(report).endswith("B <is> small")


@pytest.fixture(scope="module")
def points():
    rng = torch.Generator().manual_seed(0)
    return torch.randn(40, 2, generator=rng), torch.randn(40, 2, generator=rng) + 1


def test_distances_of_samples(points):
    exact = wganx.exact_w1(*points)
    assert f"{exact.value:.4g}" in exact._repr_html_()
    assert "40 and 40 of 2 numbers" in exact._repr_html_()
    estimate = wganx.estimate_w1(*points, steps=2)
    assert "guarantee" in estimate._repr_html_()
    assert "nan" not in estimate._repr_html_()
    bracket = wganx.bracket_w1(*points, steps=2)
    for found in (exact, estimate, bracket):
        check(found._repr_html_())
    assert all(name in bracket._repr_html_() for name in ("lower", "point", "upper", "floor"))


def test_a_plan_is_not_printed_entry_by_entry(points):
    plan = wganx.wasserstein.optimal_transport(*points)
    assert repr(plan) == f"Transport(value={plan.value!r}, cost={plan.cost!r}, p={plan.p!r}, n=(40, 40))"
    check(plan._repr_html_())


def test_how_a_training_ended():
    finding = Finding(step=2, code="WX9", level="warn", text="a < b", mend="mend it")
    result = TrainResult("interrupted", 4, 0.5, [{"step": 4, "w1_raw": 1.25}], [finding])
    check(result._repr_html_())
    assert "W1 raw" in result._repr_html_()
    assert "a &lt; b" in result._repr_html_()
    assert repr(result) == "TrainResult(status='interrupted', step=4, seconds=0.5)"
    check(TrainResult("finished", 0, 0.0)._repr_html_())
