"""Drawn faces, scenes and styles as items: every label in them, the same picture every time, nothing shared."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from wganx_image.datasets.drawing.items import DrawnItems
from wganx_image.datasets.drawing.traits import draw_traits

from wganx import DataContext, Dataset
from wganx.data import PackedItems, fingerprint, packed
from wganx.plugins import load

DRAWN = ("procedural-faces", "procedural-scenes", "procedural-styles")
CATALOG = load(["image"])


def opened(name: str, split: str = "train", seed: int = 0, **options: Any) -> DrawnItems:
    (offer,) = [offer for offer in CATALOG.offers(Dataset) if offer.name == name]
    config = offer.config.model_validate({"count": 64, "size": 32, **options})
    return offer.factory("open")(config, split, DataContext(seed=seed))


@pytest.fixture(params=DRAWN)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def stacked(items: DrawnItems) -> torch.Tensor:
    return torch.stack([items[index]["sample"] for index in range(len(items))])


def test_an_item_is_what_its_formats_say(name: str) -> None:
    items = opened(name)
    assert len(items) == 64
    assert len(opened(name, "heldout")) == 16
    assert items.formats["sample"].value_range == (0.0, 255.0)
    for index in (0, 63):
        item = items[index]
        assert item.keys() == items.formats.keys()
        assert item["sample"].dtype == torch.uint8
        assert item["sample"].shape == (3, 32, 32)
        assert all(
            0 <= int(item[label]) < len(format.classes) for label, format in items.formats.items() if format.is_label
        )


def test_a_picture_is_the_same_however_it_is_reached(name: str) -> None:
    items = opened(name)
    whole = stacked(items)
    alone = opened(name, count=41)[40]
    assert torch.equal(alone["sample"], whole[40])
    assert torch.equal(pickle.loads(pickle.dumps(items))[40]["sample"], whole[40])
    assert (
        torch.equal(items.parallel([40])[0], alone["sample"])
        or (items.parallel([40])[0].int() - alone["sample"].int()).abs().max() <= 1
    )  # another number of pictures at once may round another way


def test_no_two_are_alike_in_either_split_or_under_another_seed(name: str) -> None:
    both = [*stacked(opened(name)), *stacked(opened(name, "heldout")), *stacked(opened(name, seed=1))]
    assert len({picture.numpy().tobytes() for picture in both}) == len(both)


@pytest.mark.parametrize("size", [16, 24, 100, 256])
def test_any_size_shows_the_same(name: str, size: int) -> None:
    from torch.nn.functional import interpolate

    small, large = (opened(name, count=2, size=side)[1]["sample"][None].float() for side in (16, size))
    assert large.shape == (1, 3, size, size)
    assert (interpolate(large, (16, 16), mode="area") - small).abs().mean() < 10


def test_every_class_is_drawn_as_often_as_it_should(name: str) -> None:
    items = opened(name)
    drawn = draw_traits(items.shares, items.chances, range(4000), (0, 0))
    for label, share_of in items.shares.items():
        counts = drawn.labels[label].bincount(minlength=len(share_of)) / 4000
        assert counts.tolist() == pytest.approx(list(share_of.values()), abs=0.03), label


def test_another_class_changes_the_picture_and_the_same_class_does_not(name: str) -> None:
    items = opened(name)
    indices = list(range(32))
    as_it_is = items.parallel(indices)
    for label, share_of in items.shares.items():
        own = items.traits(indices).labels[label]
        assert torch.equal(items.parallel(indices, **{label: own}), as_it_is)
        for number, one in enumerate(share_of):
            changed = (items.parallel(indices, **{label: one}).int() - as_it_is.int()).abs().amax((1, 2, 3))
            assert (changed[own != number] > 8).float().mean() > 0.6, (label, one)
            assert (changed[own == number] == 0).all(), (label, one)


def test_a_label_can_be_told_from_the_pictures() -> None:
    """What is drawn where: dark lenses, white ground, dark nights."""
    faces, scenes = opened("procedural-faces", size=64), opened("procedural-scenes", size=64)
    rows = list(range(32))
    eyes = slice(26, 36), slice(16, 48)
    plain, dark = (
        faces.parallel(rows, glasses=kind, hat="none")[:, :, *eyes].float().mean() for kind in ("none", "dark")
    )
    assert dark < 0.7 * plain
    ground = [
        scenes.parallel(rows, season=season, time="day")[:, :, 52:].float().mean() for season in ("summer", "winter")
    ]
    assert ground[1] > 1.4 * ground[0]
    light = [scenes.parallel(rows, time=time_, weather="clear").float().mean() for time_ in ("day", "night")]
    assert light[1] < 0.6 * light[0]


def test_styles_are_balanced_and_unpaired_and_know_the_truth() -> None:
    items = opened("procedural-styles", styles=["summer", "winter"], size=64)
    assert items.formats["style"].classes == ("summer", "winter")
    summer, winter = (items.parallel(range(16), style=style).float() for style in ("summer", "winter"))
    assert (winter[:, :, 52:].mean((1, 2, 3)) > summer[:, :, 52:].mean((1, 2, 3))).float().mean() > 0.8
    with pytest.raises(ValueError, match="'night' is not in list"):
        items.parallel([0], style="night")
    with pytest.raises(KeyError, match="weather"):
        items.parallel([0], weather="rain")


@pytest.mark.parametrize(
    ("dataset", "field", "value"),
    [
        ("procedural-faces", "attributes", ["smile", "smile"]),
        ("procedural-faces", "attributes", ["wings"]),
        ("procedural-scenes", "kinds", ["hour"]),
        ("procedural-styles", "styles", ["summer"]),
        ("procedural-styles", "size", 8),
        ("procedural-styles", "size", 512),
    ],
)
def test_wrong_options_are_refused(dataset: str, field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        opened(dataset, **{field: value})


def test_only_chosen_attributes_are_labels() -> None:
    items = opened("procedural-faces", attributes=["hat", "smile"])
    assert list(items.formats) == ["sample", "hat", "smile"]
    assert list(opened("procedural-faces", attributes=[]).formats) == ["sample"]


def test_they_are_packed_by_what_made_them(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))
    items = opened(name)
    made, said = packed(items, "always")
    assert isinstance(made, PackedItems), said
    assert torch.equal(made[5]["sample"], items[5]["sample"])
    assert fingerprint(items) == fingerprint(opened(name)) != fingerprint(opened(name, seed=1))


def test_neighbours_are_drawn_together_and_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    items, drawn = opened(name, size=64), []
    draw = items.draw
    monkeypatch.setattr(items, "draw", lambda traits, size: drawn.append(len(traits)) or draw(traits, size))
    for _ in range(2):
        stacked(items)
    assert drawn == [32, 32]
