"""What is recorded, and which records may stand side by side."""

import copy
import csv
import io
import json

import pytest

from wganx.errors import UsageError
from wganx.evaluation import Evaluation, Row, as_csv, check_comparable


def record(**changes):
    rows = (
        Row("frechet", "frechet_distance", "lower", 3.0, 1.0, {"noise": 9.0}, (2.5, 3.5), extractor="own"),
        Row("sliced-w1", "sliced_w1", "lower", 0.5, 0.1, {"noise": 2.0}, n=50),
    )
    found = Evaluation(
        step=10, n=100, seed=0, heldout=1000, rows=rows, repeats=5, extractors={"own": "abc"}, fingerprint="f00",
        protocol={"range": [-1.0, 1.0], "resize": {"data": "bicubic", "own": "none"}},
        skipped={"fid": "no weights"}, per_class={"share": {"a": 0.25, "b": float("nan")}},
    ).to_json()  # fmt: skip
    for path, value in changes.items():
        at = found
        *keys, last = path.split("__")
        for key in keys:
            at = at[key]
        at[last] = value
    return found


def test_a_record_is_plain_data():
    found = json.loads(json.dumps(record(), allow_nan=False))
    assert found["skipped"] == {"fid": "no weights"}
    assert found["per_class"] == {"share": {"a": 0.25, "b": None}}
    assert [row["extractor"] for row in found["rows"]] == ["own", None]
    assert [row["n"] for row in found["rows"]] == [None, 50]
    assert found["neighbours"] is None


def test_records_alike_stand_side_by_side():
    check_comparable([])
    check_comparable([record()])
    check_comparable([record(), record(step=20, seed=3), record(extractors={"other": "x"})])
    check_comparable({"a": record(), "b": json.loads(json.dumps(record()))})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n": 50}, "n is 100 in first and 50 in second"),
        ({"repeats": 4}, "the number of blocks is 5 in first and 4 in second"),
        ({"fingerprint": "f11"}, "the held-out data is f00 in first and f11 in second"),
        ({"heldout": 900}, "the number of held-out items is 1000 in first and 900 in second"),
        ({"candidates": 500}, "the number of generated rows is not told in first and 500 in second"),
        ({"protocol__range": [0.0, 1.0]}, "the value range is [-1.0, 1.0] in first and [0.0, 1.0] in second"),
        ({"extractors__own": "def"}, "weights of extractor 'own' is abc in first and def in second"),
        ({"protocol__resize__data": "lanczos"}, "resize filter of 'data' is bicubic in first and lanczos in second"),
    ],
)
def test_unlike_records_are_refused_by_what_differs(changes, says):
    with pytest.raises(UsageError) as refused:
        check_comparable({"first": record(), "second": record(**changes)})
    assert str(refused.value) == f"these numbers cannot stand side by side: {says}; evaluate both alike"
    assert "\n" not in str(refused.value)


def test_two_later_records_may_differ_in_an_extractor_that_the_first_did_not_use():
    first = record()
    first["extractors"] = {}
    with pytest.raises(UsageError, match="extractor 'own' is abc in record 2 and zzz in record 3"):
        check_comparable([first, record(), record(extractors__own="zzz")])


def test_records_of_an_earlier_wganx_are_refused_with_a_reason():
    old = copy.deepcopy(record())
    del old["protocol"], old["extractors"]
    with pytest.raises(UsageError, match=r"the value range is .* and not told in record 2"):
        check_comparable([record(), old])


def test_comma_separated_values():
    rows = (Row("m, n", "v", None, 1.5, 1.0, {"zero": 0.0}, (1.0, 2.0), extractor="own"),)
    evaluation = Evaluation(step=3, n=10, seed=1, heldout=40, rows=rows, repeats=4, extractors={"own": "abc"})
    (line,) = csv.DictReader(io.StringIO(as_csv([evaluation])))
    assert line == {
        "step": "3", "metric": "m, n", "value": "v", "better": "", "generated": "1.5", "low": "1.0", "high": "2.0",
        "floor": "1.0", "n": "10", "repeats": "4", "seed": "1", "extractor": "own", "hash": "abc",
        "baseline zero": "0.0",
    }  # fmt: skip


def test_a_sentence_says_what_the_numbers_are():
    one = Evaluation(step=3, n=1000, seed=1, heldout=40, rows=())
    assert one.sentence().startswith("One block of 1,000 generated and 1,000 held-out rows; with --repeats 4 or more")
    more = Evaluation(step=3, n=1000, seed=1, heldout=40, rows=(), repeats=5, candidates=2000)
    assert more.sentence().startswith("Means over 5 blocks of 2,000 generated and 1,000 held-out rows, with 95 % t")
