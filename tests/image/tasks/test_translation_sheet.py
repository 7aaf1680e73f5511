"""The sheet of translations: a source a row, a domain a column, and real pictures to compare with."""

from __future__ import annotations

import pytest
import torch
from wganx_image.configs.tasks import TranslateConfig
from wganx_image.tasks.translate import Translate

from wganx import Batch, Formats, SampleFormat

PICTURE = SampleFormat(axes=("channel", "height", "width"), shape=(3, 16, 16), value_range=(0, 255))
STYLE, SMILE = SampleFormat.label(("summer", "winter", "night")), SampleFormat.label(("no", "yes"))


def game(**labels: SampleFormat) -> Translate:
    return Translate(TranslateConfig(classifier=4), Formats({"sample": PICTURE, **labels}))


def batch_of(played: Translate, **labels: list[int]) -> Batch:
    rng = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (len(next(iter(labels.values()))), 3, 16, 16), generator=rng, dtype=torch.uint8)
    items = {"sample": pictures, **{name: torch.tensor(rows) for name, rows in labels.items()}}
    return played.batch(items, rng, training=False)


def test_a_source_is_asked_for_in_every_domain_beside_real_pictures_of_it():
    played = game(style=STYLE)
    batch = batch_of(played, style=[0, 1, 2, 0, 1, 2, 0])
    shown = played.preview_rows(batch)
    assert shown.context["style"].tolist() == [0, 1, 2] * 3  # 7 rows, rounded up
    assert shown.known["real_style"].tolist() == [0, 1, 2] * 3
    for row in range(9):
        assert torch.equal(shown.context["source"][row], shown.context["source"][row // 3 * 3])
        (found,) = [index for index, real in enumerate(batch.real) if torch.equal(real, shown.real[row])]
        assert found % 3 == row % 3
    for place in ("context", "condition", "known"):
        assert set(getattr(shown, place)) == set(getattr(played, place))


def test_no_source_is_shown_twice_while_there_are_others():
    played = game(style=STYLE)
    batch = batch_of(played, style=[0, 1, 1, 1, 1, 1])
    shown = played.preview_rows(batch)
    there = {tuple(source.flatten().tolist()) for source in batch.context["source"]}
    assert len({tuple(source.flatten().tolist()) for source in shown.context["source"]}) == min(2, len(there))


def test_one_label_changes_at_a_time_and_the_others_stay_the_sources():
    played = game(style=STYLE, smile=SMILE)
    shown = played.preview_rows(batch_of(played, style=[0, 1, 2, 0, 2], smile=[0, 1, 0, 1, 1]))
    assert len(shown) == 5
    assert shown.context["style"][:3].tolist() == [0, 1, 2]
    assert shown.context["smile"][3:].tolist() == [0, 1]
    assert torch.equal(shown.context["smile"][:3], shown.known["source_smile"][:3])
    assert torch.equal(shown.context["style"][3:], shown.known["source_style"][3:])


def test_a_domain_that_few_rows_lack_is_shown_by_the_source():
    played = game(style=STYLE)
    shown = played.preview_rows(batch_of(played, style=[0, 0, 1]))
    assert torch.equal(shown.real[2], shown.context["source"][2])


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sheet_has_a_row_for_each_source_under_a_line_of_captions(channels, tmp_path):
    format = SampleFormat(axes=PICTURE.axes, shape=(channels, 16, 16), value_range=(0, 255))
    played = Translate(TranslateConfig(classifier=4), Formats({"sample": format, "style": STYLE}))
    source = torch.linspace(-1, 1, 2).repeat_interleave(3)[:, None, None, None].expand(6, channels, 16, 16)
    style = torch.tensor([0, 1, 2] * 2)
    reference = Batch(source, context={"source": source, "style": style}, condition={"style": style})
    preview = played.preview(torch.zeros(6, channels, 16, 16), reference, tmp_path, "step")
    assert preview is not None
    picture = preview.picture
    side = (picture.shape[2] - 2) // 4
    assert picture.shape[1] == 16 + 2 + 2 * side
    middles = [[int(picture[0, 16 + 2 + side * row + side // 2, side * column + side // 2]) for column in range(4)]
               for row in range(2)]  # fmt: skip
    assert middles == [[0, 128, 128, 128], [255, 128, 128, 128]]
    assert (picture[:, :16] < 128).any()


def test_captions_of_several_labels_have_two_lines_and_none_runs_into_the_next(tmp_path):
    many = SampleFormat.label(tuple("wide " * 9 + str(number) for number in range(9)))
    played = game(smile=SMILE, style=many)
    shown = played.preview_rows(batch_of(played, smile=[0, 1] * 6, style=[number % 9 for number in range(12)]))
    preview = played.preview(shown.real, shown, tmp_path, "step")
    assert preview is not None
    above = preview.picture[0, :32]
    assert (above[:16] < 128).any()
    assert (above[16:] < 128).any()
    edge = round(3 * preview.picture.shape[2] / 12)  # "yes" stands before it, and what is cut off behind
    assert (above[16:, edge - 4 : edge] == 255).all()
    assert (above[16:, edge : edge + 12] < 128).any()


def test_samples_of_other_rows_are_left_to_the_modality(tmp_path):
    played = game(style=STYLE)
    batch = batch_of(played, style=[0, 1, 2])
    assert played.preview(batch.real, batch, tmp_path, "step") is None
    assert played.preview(batch.real[:2], batch[slice(0, 2)], tmp_path, "step") is None
    assert played.preview(batch.real, Batch(batch.real[:0]), tmp_path, "step") is None
