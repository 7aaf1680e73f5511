from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from wganx.report.pictures import embed, encode, spread


def write(path: Path, pixels: NDArray[np.uint8]) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def noise(seed: int, side: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def decoded(source: str) -> NDArray[np.uint8]:
    head, _, data = source.partition(",")
    assert head == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image)


def test_a_drawing_is_kept_lossless_and_shown_at_a_whole_multiple(tmp_path: Path) -> None:
    pixels = np.zeros((36, 90, 3), dtype=np.uint8)
    pixels[11:20, 30:60] = (255, 0, 128)
    picture = encode(7, write(tmp_path / "a.png", pixels))
    assert picture.lossless
    np.testing.assert_array_equal(decoded(picture.source), pixels)
    assert (picture.width, picture.height, picture.pixelated) == (540, 216, True)


def test_noise_is_compressed_and_says_so(tmp_path: Path) -> None:
    picture = encode(7, write(tmp_path / "a.png", noise(0)))
    assert not picture.lossless
    assert decoded(picture.source).shape == (64, 64, 3)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_every_kind_of_png_can_be_shown(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (8, 8)) if mode == "I;16" else Image.fromarray(noise(0, 8)).convert(mode)
    image.save(tmp_path / "a.png")
    picture = encode(0, tmp_path / "a.png")
    assert decoded(picture.source).shape[:2] == ((1, 1) if mode == "I;16" else (8, 8))
    assert (picture.width, picture.height) == (560, 560)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_what_a_writer_enlarged_is_stored_as_it_was_and_shown_as_large(tmp_path: Path, factor: int) -> None:
    small = np.random.default_rng(0).integers(0, 256, (30, 42, 3), dtype=np.uint8)
    large = small.repeat(factor, axis=0).repeat(factor, axis=1)
    picture, plain = (encode(0, write(tmp_path / f"{p.shape[0]}.png", p)) for p in (large, large[:-1, :-1]))
    assert decoded(picture.source).shape == (30, 42, 3)
    assert picture.pixelated
    scale = 560 // (42 * factor)
    assert (picture.width, picture.height) == (42 * factor * scale, 30 * factor * scale)
    assert decoded(plain.source).shape[:2] == (30 * factor - 1, 42 * factor - 1)


def test_over_budget_there_are_fewer_steps_and_never_smaller_pictures(tmp_path: Path) -> None:
    previews = [(step, write(tmp_path / f"{step}.png", noise(step))) for step in range(10)]
    whole = embed(previews)
    assert [picture.step for picture in whole.pictures] == list(range(10))
    budget = sum(len(picture.source) for picture in whole.pictures) // 2
    shown = embed(previews, budget)
    steps = [picture.step for picture in shown.pictures]
    assert 3 <= len(steps) <= 6
    assert (steps[0], steps[-1]) == (0, 9)
    assert sum(len(picture.source) for picture in shown.pictures) <= budget
    assert shown.available == 10
    assert {(picture.width, picture.height) for picture in shown.pictures} == {(512, 512)}


def test_room_for_one_picture_shows_the_latest_and_no_room_none(tmp_path: Path) -> None:
    previews = [(step, write(tmp_path / f"{step}.png", noise(step))) for step in range(4)]
    size = max(len(picture.source) for picture in embed(previews).pictures)
    assert [picture.step for picture in embed(previews, size + 10).pictures] == [3]
    assert embed(previews, 100).pictures == ()


def test_an_unreadable_picture_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    previews = [(step, write(tmp_path / f"step-{step}.png", noise(step))) for step in range(3)]
    previews[1][1].write_bytes(previews[1][1].read_bytes()[:200])
    shown = embed(previews)
    assert [picture.step for picture in shown.pictures] == [0, 2]
    assert shown.unreadable == ("samples/step-1.png is left out: no picture that can be read.",)


def test_a_picture_larger_than_webp_can_be_is_unreadable(tmp_path: Path) -> None:
    Image.new("L", (16_384, 1)).save(tmp_path / "long.png")
    assert embed([(1, tmp_path / "long.png")]).pictures == ()


@pytest.mark.parametrize(
    ("most", "chosen"),
    [(9, list("abcdefgh")), (8, list("abcdefgh")), (3, ["a", "e", "h"]), (2, ["a", "h"]), (1, ["h"]), (0, [])],
)
def test_spread_keeps_both_ends(most: int, chosen: list[str]) -> None:
    assert spread("abcdefgh", most) == chosen
