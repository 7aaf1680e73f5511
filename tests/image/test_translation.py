"""Translations whose outcome is known: the source as it is, another of the domain, the right one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from wganx_image import extractors
from wganx_image.configs.tasks import TranslateConfig
from wganx_image.datasets.pictures import stored_picture
from wganx_image.extractors import by_label, class_counts
from wganx_image.tasks.translate import Translate
from wganx_image.translation import domain_distance, structure, translation

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
def test_structure_does_not_mind_light_contrast_or_inversion_but_says_what_is_inverted(gain, shift, seed):
    picture = torch.rand(2, 3, 20, 12, generator=rng(seed))
    made = gain * picture * 0.6 + (0.6 if gain < 0 else 0) + shift
    kept, turned = structure(picture, made)
    torch.testing.assert_close(kept, torch.ones(2, dtype=torch.float64), atol=1e-3, rtol=0)
    torch.testing.assert_close(turned, kept * (gain < 0), atol=1e-3, rtol=0)


@given(seed=st.integers(0, 99))
def test_structure_lies_between_nothing_and_all(seed):
    one, other = torch.rand(2, 4, 1, 16, 16, generator=rng(seed)).unbind()
    kept, turned = structure(one, other)
    assert (turned >= 0).all()
    assert (turned <= kept).all()
    assert (kept < 0.4).all()
    for part in structure(one, torch.full_like(one, 0.5)):
        assert torch.equal(part, torch.zeros(4, dtype=torch.float64))


def test_structure_of_two_halves_in_closed_form():
    """Windows over the edge alone count: there the correlation is 1 where the edge stayed, 0 where it is gone."""
    picture = torch.zeros(1, 1, 14, 7)
    picture[..., 7:, :] = 1
    across = torch.zeros(1, 1, 14, 7)
    across[..., 3:] = 1
    for made, kept, turned in ((picture, 1, 0), (picture.flip(3), 1, 0), (1 - picture, 1, 1), (across, 0, 0)):
        assert [part.item() for part in structure(picture, made)] == pytest.approx([kept, turned], abs=1e-6)


def test_smaller_pictures_than_the_window_and_those_without_structure():
    small = torch.rand(1, 3, 4, 5, generator=rng())
    assert structure(small, small)[0].item() == pytest.approx(1)
    flat = torch.full((1, 3, 9, 9), 0.5)
    assert [part.item() for part in structure(flat, torch.rand(1, 3, 9, 9))] == [1, 0]


def channels_moments(samples: Tensor) -> Tensor:
    """Features that need no learning: mean light of each channel, and of its four quarters."""
    return torch.cat([samples.mean((2, 3)), F.adaptive_avg_pool2d(samples, 2).flatten(1)], 1).double()


def distances(made: Batch, real: Batch, context: MetricContext) -> dict[str, float]:
    plain = replace(context, features=lambda name, side: channels_moments(side.real))
    return dict(domain_distance(Sides(made, real, real), plain))


def test_a_translation_is_near_to_its_domain_and_the_source_is_not(shown, asked, context):
    others = Blotches(160, 7)
    real = Batch(others.items.tensors["sample"].float() / 127.5 - 1, known={"real_day": others.day})
    right = tinted(shown.blotches, 1 - shown.day, shown.noon) / 127.5 - 1
    moved, stayed = (distances(asked.with_real(each), real, context) for each in (right, asked.real))
    assert moved.keys() == {"domain_frechet", "frechet_day_no", "frechet_day_yes"}
    assert moved["domain_frechet"] == pytest.approx((moved["frechet_day_no"] + moved["frechet_day_yes"]) / 2)
    for name, distance in stayed.items():
        assert distance > 20 * moved[name]


def test_a_cast_is_no_inversion_and_far_from_the_domain(shown, asked, context):
    """White on black in another light is not black on colour, whatever a classifier sees in it."""
    paper, ink = torch.tensor([1.0, 0.7, 0.2])[:, None, None], (shown.blotches > 0.6).float()
    plain, coloured = ink.expand(-1, 3, -1, -1) * 2 - 1, paper * (1 - ink) * 2 - 1
    day = torch.ones_like(shown.day)
    asked = Batch(coloured, {"source": plain, "day": day}, {"day": day}, {"source_day": 1 - day})
    real = Batch(coloured.flip(0), known={"real_day": day})
    cast = (plain + paper).clamp(-1, 1)
    far, near = (distances(asked.with_real(each), real, context)["frechet_day_yes"] for each in (cast, coloured))
    assert near < 0.1 * far
    found = {name: judged(each, asked, context) for name, each in (("cast", cast), ("right", coloured))}
    assert found["cast"]["inverted"] < 0.05 < 0.95 < found["right"]["inverted"]
    assert min(each["content"] for each in found.values()) > 0.95


def test_a_domain_of_few_pictures_has_no_distance(shown, asked, context):
    few = asked[:20]
    assert distances(few, Batch(asked.real, known={"real_day": shown.day}), context) == {}
    assert distances(Batch(asked.real, {"day": shown.day}), asked, context) == {}
