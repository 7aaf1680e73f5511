"""The sheet of several labels: a row for every combination, all classes of all labels, captions, and real samples."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from wganx_image.configs.tasks import GenerateConfig
from wganx_image.tasks.generate import Generate

from wganx import Batch, Formats, SampleFormat

PICTURE = SampleFormat(axes=("channel", "height", "width"), shape=(3, 16, 16), value_range=(0, 255))
YES_NO = SampleFormat.label(("no", "yes"))
THREE = SampleFormat.label(("none", "clear", "dark"))


def game(**labels: SampleFormat) -> Generate:
    return Generate(GenerateConfig(labels="auto"), Formats({"sample": PICTURE, **labels}))


def batch_of(played: Generate, rows: int) -> Batch:
    rng = torch.Generator().manual_seed(0)
    items = {"sample": torch.randint(0, 256, (rows, 3, 16, 16), generator=rng, dtype=torch.uint8)}
    items |= {name: torch.zeros(rows, dtype=torch.int64) for name in played.context}
    return played.batch(items, rng, training=False)


def lines(batch: Batch, columns: int) -> list[tuple[int, ...]]:
    rows = list(zip(*(value.tolist() for value in batch.context.values())))
    assert all(rows[place] == rows[place - place % columns] for place in range(len(rows)))
    return rows[::columns]


def test_all_combinations_where_there_are_lines_enough() -> None:
    shown = game(smile=YES_NO, glasses=THREE).preview_rows(batch_of(game(smile=YES_NO, glasses=THREE), 64))
    assert len(shown) == 60
    assert sorted(lines(shown, 10)) == [(smile, glasses) for smile in range(2) for glasses in range(3)]
    assert shown.condition.keys() == shown.context.keys()


def test_of_very_many_every_label_still_goes_through_its_classes_evenly() -> None:
    many = {f"attribute {number}": YES_NO for number in range(40)}
    played = game(**many, glasses=THREE)
    found = lines(played.preview_rows(batch_of(played, 64)), 8)
    assert len(set(found)) == 8
    for column, own in enumerate(zip(*found)):
        counts = Counter(own)
        assert len(counts) == (3 if column == 40 else 2)
        assert max(counts.values()) - min(counts.values()) <= 1
    # No two labels go together in every line.
    assert len(set(zip(*found))) > 30


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_fewer_rows_than_make_a_sheet_stay_as_they_are(rows: int) -> None:
    played = game(smile=YES_NO, glasses=THREE)
    batch = batch_of(played, rows)
    assert played.preview_rows(batch) is batch
    assert played.preview(batch.real + 1, batch, Path(), "") is None


def test_one_label_is_looked_at_as_ever() -> None:
    played = game(label=THREE)
    batch = batch_of(played, 16)
    assert played.preview_rows(batch) is batch
    assert played.preview(batch.real + 1, batch, Path(), "") is None


def test_the_classes_stand_before_their_row_and_pictures_stay_in_it() -> None:
    played = game(smile=YES_NO, glasses=THREE)
    shown = played.preview_rows(batch_of(played, 64))
    level = torch.linspace(-1, 1, 6).repeat_interleave(10)
    preview = played.preview(level[:, None, None, None].expand(60, 3, 16, 16), shown, Path(), "")
    assert preview is not None
    picture = preview.picture
    assert picture.dtype == torch.uint8
    width = 2 + 10 * (16 * 4 + 2)
    grid, beside = picture[:, :, -width:], picture[:, :, :-width]
    assert set(grid.flatten().tolist()) == {0, 51, 102, 128, 153, 204, 255}
    rows = grid[0, 2 + 32 :: 66, 2 + 32 :: 66]
    assert rows.tolist() == [[value] * 10 for value in (0, 51, 102, 153, 204, 255)]
    # Words in every row, and two lines of them.
    for row in range(6):
        dark = (beside[0, row * 66 : (row + 1) * 66] < 128).any(1)
        assert (dark[1:] & ~dark[:-1]).sum() >= 2


def test_real_samples_have_no_captions_since_their_classes_are_others() -> None:
    played = game(smile=YES_NO, glasses=THREE)
    shown = played.preview_rows(batch_of(played, 64))
    assert played.preview(shown.real, shown, Path(), "real") is None


def test_rows_in_other_order_are_a_plain_grid() -> None:
    played = game(smile=YES_NO, glasses=THREE)
    shown = played.preview_rows(batch_of(played, 64))
    order = torch.arange(60).reshape(6, 10).T.flatten()
    assert played.preview(shown.real + 1, shown.each(lambda rows: rows[order]), Path(), "") is None
