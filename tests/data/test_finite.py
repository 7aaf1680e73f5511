"""Items that are not finite: found, named, refused or left out."""

import pytest
import torch

from wganx import SampleFormat
from wganx.data import ArrayItems, ResidentFeed, choose_feed
from wganx.data.finite import all_finite, amiss, not_finite
from wganx.errors import DataError

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(2,), value_range=None)}


class Named(ArrayItems):
    def name_of_row(self, row):
        return f"a.csv, row {row}"


def items(*broken, kind=Named):
    values = torch.arange(20.0).reshape(10, 2)
    for row in broken:
        values[row, 1] = float("nan")
    return kind({"sample": values}, FORMATS)


def test_rows_and_values_are_told():
    values = torch.tensor([[1.0, 2.0], [1.0, float("inf")], [3e38, 3e38]])
    assert not_finite(values).tolist() == [False, True, False]
    assert not_finite(torch.ones(2, 3, dtype=torch.uint8)).tolist() == [False, False]
    assert amiss(values[1]) == "inf at place 1 of 2"
    assert amiss(torch.tensor(float("nan"))) == "nan"
    assert amiss(values[2]) == ""


def test_what_is_finite_is_handed_back():
    whole = items()
    assert all_finite(whole, "refuse") is whole


def test_broken_rows_are_refused_by_name():
    with pytest.raises(
        DataError, match=r"in 2 of 10 items.*: a.csv, row 3: nan at place 1 of 2; a.csv, row 7: nan.*skip"
    ):
        all_finite(items(3, 7), "refuse")


def test_or_left_out(caplog):
    kept = all_finite(items(3, 7), "skip")
    assert len(kept) == 8
    assert [kept.name(place) for place in (2, 3, 6, 7)] == [
        "a.csv, row 2",
        "a.csv, row 4",
        "a.csv, row 8",
        "a.csv, row 9",
    ]
    assert torch.isfinite(kept.tensors["sample"]).all()
    assert "left out 2 of 10 items, which hold values that are not finite: a.csv, row 3" in caplog.text
    assert kept.only(torch.tensor([3])).name(0) == "a.csv, row 4"


def test_nothing_but_broken_rows_is_refused_in_any_case():
    with pytest.raises(DataError, match="in all 10 items"):
        all_finite(items(*range(10)), "skip")


def test_what_else_items_hold_may_be_unknown():
    formats = {"pitch": SampleFormat(axes=(), shape=(), value_range=None)}
    unknown = ArrayItems({"pitch": torch.full((3,), float("nan"))}, formats)
    assert all_finite(unknown, "refuse") is unknown


class Made:
    """Items that a plugin makes itself."""

    formats = FORMATS

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return items(4)[index]


@pytest.mark.parametrize("kind", ["resident", "stream"])
def test_items_of_a_plugin_are_looked_at_when_they_are_read(kind):
    def read():
        choose_feed(Made(), batch_size=10, seed=0, device="cpu", requested=kind).next()

    with pytest.raises(DataError, match="the sample of item 4 is not finite: nan at place 1 of 2"):
        read()


def test_a_feed_knows_the_names_of_its_items():
    feed = choose_feed(items(), batch_size=4, seed=0, device="cpu")
    assert feed.item_name(3) == "a.csv, row 3"
    assert ResidentFeed(items(), batch_size=4, seed=0, device="cpu").item_name(1234) == "item 1,234"
