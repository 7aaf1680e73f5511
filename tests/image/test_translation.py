"""Translations whose outcome is known: the source as it is, another of the domain, the right one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from wganx_image import extractors
from wganx_image.configs.tasks import TranslateConfig
from wganx_image.datasets.pictures import stored_picture
from wganx_image.extractors import by_label, class_counts
from wganx_image.tasks.translate import Translate
from wganx_image.translation import kept_structure, translation

from wganx import Batch, Config, DataError, ExtractorContext, Formats, MetricContext, SampleFormat, Sides
from wganx.data import ArrayItems
from wganx.evaluation import Features

SIDE = 16


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tinted(blotches_N1HW: Tensor, day: Tensor, noon: Tensor) -> Tensor:
    """Grey blotches, red by day and blue by night, light at noon: what each label is can be seen, and changed alone."""
    colour = torch.where(day[:, None] == 1, torch.tensor([1.0, 0.4, 0.2]), torch.tensor([0.2, 0.4, 1.0]))
    light = 0.4 + 0.5 * noon[:, None, None, None]
    return (blotches_N1HW * colour[:, :, None, None] * light * 255).round()


class Blotches:
    def __init__(self, rows: int, seed: int) -> None:
        self.blotches = torch.rand(rows, 1, SIDE // 4, SIDE // 4, generator=rng(seed)).repeat_interleave(4, 2)
        self.blotches = 0.3 + 0.7 * self.blotches.repeat_interleave(4, 3)
        self.day, self.noon = torch.arange(rows) % 2, torch.arange(rows) // 2 % 2
        labels = {name: SampleFormat.label(("no", "yes")) for name in ("day", "noon")}
        self.items = ArrayItems(
            {"sample": tinted(self.blotches, self.day, self.noon).byte(), "day": self.day, "noon": self.noon},
            {"sample": stored_picture(3, SIDE), **labels},
        )


@pytest.fixture(scope="module")
def shown() -> Blotches:
    return Blotches(160, 1)


@pytest.fixture(scope="module")
def context(shown: Blotches) -> MetricContext:
    opened = {"train": Blotches(400, 0).items, "heldout": shown.items}
    game = Translate(TranslateConfig(domains=("day",), classifier=4), Formats(shown.items.formats))
    learning = ExtractorContext(
        game=game, items=opened.__getitem__, keep=lambda learn: learn(), device=torch.device("cpu")
    )
    features = Features(lambda name: extractors.classifier(Config(), learning), torch.device("cpu"))
    return MetricContext(config=Config(), game=game, items=opened.__getitem__, features=features)


@pytest.fixture(scope="module")
def asked(shown: Blotches, context: MetricContext) -> Batch:
    """Every picture is its own source, and day is to become night and the other way round."""
    source = shown.items.tensors["sample"].float() / 127.5 - 1
    wanted = {"day": 1 - shown.day}
    return Batch(source, {"source": source, **wanted}, wanted, {"source_day": shown.day})


def judged(samples: Tensor, asked: Batch, context: MetricContext) -> dict[str, float]:
    return dict(translation(Sides(asked.with_real(samples), asked, asked), context))


def test_one_classifier_learns_every_label(shown, context):
    counts = class_counts(shown.items.formats)
    assert counts == {"day": 2, "noon": 2}
    found = by_label(context.features("classes", Batch(shown.items.tensors["sample"].float() / 127.5 - 1)), counts)
    for name, logits in found.items():
        assert (logits.argmax(1) == shown.items.tensors[name]).double().mean() >= 0.97


def test_the_source_as_it_is_keeps_all_and_reaches_nothing(asked, context):
    found = judged(asked.context["source"], asked, context)
    assert found["content"] == pytest.approx(1)
    assert found["kept_noon"] == 1
    assert found["target"] == found["target_day"] <= 0.03
    assert found["unchanged_day"] >= 0.97
    assert found["target_and_content"] <= 0.06


def test_the_right_translation_reaches_and_keeps(shown, asked, context):
    right = tinted(shown.blotches, 1 - shown.day, shown.noon) / 127.5 - 1
    found = judged(right, asked, context)
    assert found["target"] >= 0.97
    assert found["kept_noon"] >= 0.97
    assert found["content"] >= 0.98
    assert found["target_and_content"] >= 0.97


def test_another_picture_of_the_domain_keeps_little(asked, context):
    found = judged(asked.real.roll(1, 0), asked, context)
    assert found["target"] >= 0.97
    assert found["content"] < 0.6


def test_what_was_not_to_change_counts_for_nothing(shown, asked, context):
    few = shown.day == 0
    wanted = {"day": torch.where(few, 1 - shown.day, shown.day)}
    partly = Batch(asked.real, {"source": asked.real, **wanted}, wanted, asked.known)
    assert judged(asked.real, partly, context)["target"] <= 0.03
    same = {"day": shown.day}
    assert judged(asked.real, Batch(asked.real, {"source": asked.real, **same}, same, asked.known), context) == {}
    assert judged(asked.real, Batch(asked.real, same, same), context) == {}


def test_a_dataset_without_labels_has_no_classifier(context):
    bare = ArrayItems({"sample": torch.zeros(4, 3, SIDE, SIDE).byte()}, {"sample": stored_picture(3, SIDE)})
    with pytest.raises(DataError, match="this one names none"):
        extractors.classifier(
            Config(),
            ExtractorContext(
                game=context.game, items=lambda split: bare, keep=lambda learn: learn(), device=torch.device("cpu")
            ),
        )


@given(gain=st.sampled_from([-1.0, -0.4, 0.3, 1.0]), shift=st.floats(0, 0.3), seed=st.integers(0, 99))
def test_structure_does_not_mind_light_contrast_or_inversion(gain, shift, seed):
    picture = torch.rand(2, 3, 20, 12, generator=rng(seed))
    made = gain * picture * 0.6 + (0.6 if gain < 0 else 0) + shift
    torch.testing.assert_close(kept_structure(picture, made), torch.ones(2, dtype=torch.float64), atol=1e-3, rtol=0)


@given(seed=st.integers(0, 99))
def test_structure_lies_between_nothing_and_all(seed):
    one, other = torch.rand(2, 4, 1, 16, 16, generator=rng(seed)).unbind()
    kept = kept_structure(one, other)
    assert (kept >= 0).all()
    assert (kept < 0.4).all()
    assert torch.equal(kept_structure(one, torch.full_like(one, 0.5)), torch.zeros(4, dtype=torch.float64))


def test_structure_of_two_halves_in_closed_form():
    """Windows over the edge alone count: there the correlation is 1 where the edge stayed, 0 where it is gone."""
    picture = torch.zeros(1, 1, 14, 7)
    picture[..., 7:, :] = 1
    assert kept_structure(picture, picture).item() == pytest.approx(1)
    assert kept_structure(picture, picture.flip(3)).item() == pytest.approx(1)
    across = torch.zeros(1, 1, 14, 7)
    across[..., 3:] = 1
    assert kept_structure(picture, across).item() == pytest.approx(0, abs=1e-6)


def test_smaller_pictures_than_the_window_and_those_without_structure():
    small = torch.rand(1, 3, 4, 5, generator=rng())
    assert kept_structure(small, small).item() == pytest.approx(1)
    assert kept_structure(torch.full((1, 3, 9, 9), 0.5), torch.rand(1, 3, 9, 9)).item() == 1
