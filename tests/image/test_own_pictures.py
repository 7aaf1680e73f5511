"""What is chosen for pictures of one's own, and that it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wganx_image.configs.datasets import FolderConfig
from wganx_image.datasets.suiting import fitting_size, suggest_folder

from wganx import DataContext
from wganx.config import choices, resolve

Save = Callable[..., Path]
RANDOM = np.random.default_rng(0)


def photos(folder: Path, count: int = 40, size: tuple[int, int] = (80, 100), classes: int = 0) -> Path:
    """Pictures of noise in colours, `size` wide and high; in folders of classes where there are any."""
    for number in range(count):
        where = folder / f"class {number % classes}" if classes else folder
        where.mkdir(parents=True, exist_ok=True)
        coarse = RANDOM.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(size).save(where / f"{number}.png")
    return folder


def suggested(folder: Path, device: str = "cpu", **options: object) -> dict[str, object]:
    found = suggest_folder(FolderConfig(root=folder, **options), DataContext(device=device))
    assert all(why and "\n" not in why for _, why in found.values())
    return {name: value for name, (value, _) in found.items()}


def test_everything_chosen_is_said_with_its_reason_and_its_option(tmp_path: Path) -> None:
    resolved = resolve(plugin="image", data=photos(tmp_path), device="cpu", environ={})
    assert choices(resolved) == [
        "dataset.size=32: what a CPU learns in minutes; 3 in 4 pictures are 80 px or more on their shorter side",
        "dataset.crop=square: the middle; 20% of a picture is cut away on average (40 of 40 upright, 0 wide)",
        "task.flip=true: " + resolved.origin("task.flip").removeprefix("by the data: "),
        "task.augment=[translation, cutout]: fewer than 2,000 pictures are soon known by heart",
        "generator.width=32: 32 px on a CPU",
        "critic.width=16: 32 px on a CPU",
        f"train.batch_size={resolved.run.train.batch_size}: "
        + resolved.origin("train.batch_size").removeprefix("by the data: "),
        "train.steps=4000: about ten minutes of two cores",
        "channels 3 (default), bits auto (default); others by --set dataset.channels=...",
        "generator dcgan (scenario photos), critic dcgan (scenario photos), "
        f"batches of {resolved.run.train.batch_size} (by the data), 4,000 steps (by the data)",
    ]
    assert resolved.run.scenario == "photos"


def test_what_is_given_wins_and_the_rest_is_chosen_for_it(tmp_path: Path) -> None:
    settings = ["dataset.size=64", "train.steps=7", "task.flip=false", "dataset.crop=whole", "task.augment=[]"]
    resolved = resolve(plugin="image", data=photos(tmp_path), device="cpu", settings=settings, environ={})
    dumped = resolved.dump()
    assert (dumped["dataset"]["size"], dumped["dataset"]["crop"], resolved.run.train.steps) == (64, "whole", 7)
    assert (dumped["task"]["flip"], dumped["task"]["augment"], dumped["generator"]["width"]) == (False, [], 16)
    told = choices(resolved)
    assert "7 steps (--set train.steps=7)" in told[-1]
    assert not any(line.startswith(("train.steps=", "dataset.size=", "task.flip=")) for line in told)
    assert resolved.notes == ()


def test_a_scenario_or_a_recipe_that_is_named_keeps_its_values(tmp_path: Path) -> None:
    data = photos(tmp_path / "photos")
    resolved = resolve(plugin="image", scenario="faces-gpu", data=data, environ={})
    assert (resolved.run.dataset.name, resolved.dump()["dataset"]["size"]) == ("folder", 64)
    assert choices(resolved)[0].startswith("size 64 (scenario faces-gpu), crop square (default), channels 3 (default)")
    assert resolved.run.train.steps == 40_000
    assert not [note for note in resolved.notes if "size" in note]
    given = resolve(plugin="image", scenario="faces-gpu", data=data, settings=["dataset.size=16"], environ={})
    assert given.dump()["dataset"]["size"] == 16
    assert not [note for note in given.notes if "size" in note]


def test_a_stored_run_is_what_it_was_whatever_lies_in_the_folder_now(tmp_path: Path) -> None:
    data = photos(tmp_path / "photos")
    first = resolve(plugin="image", data=data, device="cpu", environ={})
    file = tmp_path / "config.yaml"
    file.write_text(first.to_yaml(), encoding="utf-8")
    photos(data, 40, (20, 20))
    assert resolve(config=file, environ={}).dump() == first.dump()


@pytest.mark.parametrize(
    ("device", "sides", "size"),
    [
        ("cpu", [500, 600, 700, 800], 32),
        ("cpu", [20, 21, 22, 500], 16),
        ("cuda", [500, 600, 700, 800], 128),
        ("cuda", [100, 110, 120, 500], 64),
        ("mps", [500, 600], 64),
        ("cpu", [28, 28, 28], 32),
        ("cpu", [8, 9, 9], 16),
        ("cuda", [77], 64),
        ("cpu", [], 32),
    ],
)
def test_the_size_is_by_the_device_and_by_what_most_pictures_have(device: str, sides: list[int], size: int) -> None:
    assert fitting_size(sides, device)[0] == size


def test_long_pictures_are_taken_whole(tmp_path: Path) -> None:
    assert suggested(photos(tmp_path / "a", 8, (300, 100)))["dataset.crop"] == "whole"
    assert suggested(photos(tmp_path / "b", 8, (150, 100)))["dataset.crop"] == "square"


def test_classes_of_a_few_pictures_are_no_labels(tmp_path: Path) -> None:
    assert "task.labels" not in suggested(photos(tmp_path / "few", 40, classes=2))
    assert suggested(photos(tmp_path / "many", 40, classes=8))["task.labels"] is False


def test_a_batch_is_no_more_than_a_quarter_of_the_pictures(tmp_path: Path) -> None:
    found = suggested(photos(tmp_path, 50))
    assert found["train.batch_size"] == 11  # of 45 to learn from


def test_what_has_a_left_and_a_right_is_not_mirrored(tmp_path: Path) -> None:
    for number in range(40):
        pixels = RANDOM.integers(60, 90, (32, 32, 3), dtype=np.uint8)
        pixels[:, 4 : 8 + number % 3] = 200  # a stroke on the left
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    value, why = suggest_folder(FolderConfig(root=tmp_path), DataContext())["task.flip"]
    assert value is False
    assert "times as much as by chance" in why


def test_the_same_picture_again_and_again_has_sides_of_its_own_or_none(tmp_path: Path) -> None:
    half = np.zeros((32, 32, 3), np.uint8)
    half[:, :16] = 100
    for name, pixels, flip in (("half", half, False), ("plain", np.full_like(half, 100), True)):
        (tmp_path / name).mkdir()
        for number in range(12):
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
        value, why = suggest_folder(FolderConfig(root=tmp_path / name), DataContext())["task.flip"]
        assert (value, "over 100 times" in why) == (flip, not flip)


def test_writing_is_not_mirrored_and_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    for number in range(20):
        pixels = np.where(RANDOM.random((4, 4)) < 0.3, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST).save(tmp_path / f"{number}.png")
    found = suggest_folder(FolderConfig(root=tmp_path), DataContext())
    assert found["task.flip"] == (False, "in black and white, as writing is, which is not to be mirrored")
    assert found["dataset.channels"][0] == 1
    assert "dataset.channels" not in suggested(tmp_path, channels=3)


def test_many_pictures_are_shown_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert suggested(photos(tmp_path))["task.augment"] == ["translation", "cutout"]
    assert "task.augment_probability" not in suggested(tmp_path)  # by 4 held-out pictures nothing can be followed
    assert suggested(photos(tmp_path / "more", 150))["task.augment_probability"] == "adaptive"
    monkeypatch.setattr("wganx_image.datasets.suiting._FEW", 10)
    assert "task.augment" not in suggested(tmp_path)


def test_a_folder_that_cannot_be_looked_at_is_left_to_who_opens_it(tmp_path: Path) -> None:
    assert resolve(plugin="image", data=tmp_path / "nowhere", environ={}).run.scenario == "photos"
    (tmp_path / "a.png").write_bytes(b"words")
    assert suggested(tmp_path)["task.flip"] is False
    strange = resolve(plugin="image", data=tmp_path, settings=["dataset.size=24"], environ={})
    assert strange.dump()["dataset"]["size"] == 24
