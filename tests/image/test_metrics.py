"""The scores on real digits, where the answers are known, and on made-up pictures."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor
from wganx_image import extractors
from wganx_image.configs.datasets import DigitsConfig
from wganx_image.configs.tasks import GenerateConfig
from wganx_image.datasets.arrays import open_digits
from wganx_image.datasets.pictures import stored_picture
from wganx_image.metrics import class_score, sliced_w1
from wganx_image.tasks.generate import Generate, mean_picture, uniform_pixels

from wganx import Batch, Config, DataContext, ExtractorContext, Formats, Items, MetricContext, Sides, Split
from wganx.data import ArrayItems
from wganx.evaluation import Features


@pytest.fixture(scope="module")
def opened() -> dict[Split, Items]:
    return {split: open_digits(DigitsConfig(), split, DataContext()) for split in ("train", "heldout")}


@pytest.fixture(scope="module")
def context(opened: dict[Split, Items]) -> MetricContext:
    return context_of(opened)


def context_of(opened: dict[Split, Items], seed: int = 0) -> MetricContext:
    """As an evaluation makes it, with features by the plugin's own classifier, whose weights are not kept on disk."""
    game = Generate(GenerateConfig(), Formats(opened["train"].formats))
    given = ExtractorContext(
        game=game, items=opened.__getitem__, keep=lambda learn: learn(), device=torch.device("cpu"), seed=seed
    )
    features = Features(lambda name: extractors.classifier(Config(), given), torch.device("cpu"))
    return MetricContext(config=Config(), game=game, items=opened.__getitem__, features=features, seed=seed)


@pytest.fixture(scope="module")
def heldout(opened: dict[Split, Items], context: MetricContext) -> Batch:
    items = opened["heldout"]
    assert isinstance(items, ArrayItems)
    batch = context.game.batch(items.tensors, torch.Generator(), training=False)
    return Batch(batch.real, context={"label": items.tensors["label"]})


class TestClassScore:
    def test_real_digits_score_nearly_ten_and_the_classifier_is_right(
        self, heldout: Batch, context: MetricContext
    ) -> None:
        found = class_score(Sides(heldout, heldout, heldout), context)
        assert found["classifier_accuracy"] >= 0.99
        assert found["class_score"] >= 9.6
        assert found["least_class_share"] == pytest.approx(0.1, abs=0.01)
        assert found["label_match"] == pytest.approx(found["classifier_accuracy"])

    def test_worse_samples_score_less(self, heldout: Batch, context: MetricContext) -> None:
        rng = torch.Generator().manual_seed(0)
        few = heldout.context["label"] < 4
        noisy = heldout.real + 0.7 * torch.randn(heldout.real.shape, generator=rng)
        score = {
            name: class_score(Sides(Batch(samples), heldout, heldout), context)
            for name, samples in {
                "real": heldout.real,
                "four classes": heldout.real[few],
                "noisy": noisy.clamp(-1, 1),
                "mean": mean_picture(heldout, rng),
                "noise": uniform_pixels(heldout, rng),
            }.items()
        }
        value = {name: found["class_score"] for name, found in score.items()}
        assert value["real"] > value["noisy"] > value["noise"]
        assert value["four classes"] == pytest.approx(4, abs=0.2)
        assert score["four classes"]["least_class_share"] == 0
        assert value["mean"] == pytest.approx(1)
        assert value["noise"] < 3
        assert "label_match" not in score["real"]

    def test_the_classifier_is_trained_once_an_evaluation(
        self, heldout: Batch, context: MetricContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class_score(Sides(heldout, heldout, heldout), context)
        monkeypatch.setattr(extractors, "_fit", lambda *_: pytest.fail("trained again"))
        class_score(Sides(Batch(-heldout.real), heldout, heldout), context)

    def test_the_random_streams_of_the_program_are_left_alone(
        self, heldout: Batch, opened: dict[Split, Items], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(extractors, "_UPDATES", 20)
        found = []
        for start in (0, 1):
            torch.manual_seed(start)
            np.random.seed(start)
            random.seed(start)
            before = (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate())  # type: ignore[index]
            found.append(class_score(Sides(heldout, heldout, heldout), context_of(opened, seed=3)))
            assert torch.equal(torch.get_rng_state(), before[0])
            assert np.random.get_state()[1].tolist() == before[1]  # type: ignore[index]
            assert random.getstate() == before[2]
        assert found[0] == found[1]

    def test_nothing_is_said_without_classes(self) -> None:
        plain = ArrayItems({"sample": torch.zeros(4, 3, 8, 8, dtype=torch.uint8)}, {"sample": stored_picture(3, 8)})
        context = context_of({"train": plain, "heldout": plain})
        samples = Batch(torch.zeros(4, 3, 8, 8))
        assert class_score(Sides(samples, samples, samples), context) == {}


class TestSlicedW1:
    def test_of_the_same_samples_it_is_zero(self, heldout: Batch, context: MetricContext) -> None:
        shuffled = Batch(heldout.real.flip(0))
        assert sliced_w1(Sides(shuffled, heldout, heldout), context)["sliced_w1"] == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 4)])
    def test_a_shift_costs_the_mean_length_of_its_projection(
        self, context: MetricContext, shape: tuple[int, ...]
    ) -> None:
        """E|<θ, t>| = |t| Γ(d/2) / (√π Γ((d+1)/2)) for θ uniform on the sphere in d dimensions."""
        x = torch.randn(200, *shape, generator=torch.Generator().manual_seed(0))
        shift = torch.full(shape, 0.25)
        dimension = shift.numel()
        log_ratio = torch.lgamma(torch.tensor(dimension / 2)) - torch.lgamma(torch.tensor((dimension + 1) / 2))
        expected = shift.norm().item() * log_ratio.exp().item() / torch.pi**0.5
        found = sliced_w1(Sides(Batch(x + shift), Batch(x), Batch(x)), context)["sliced_w1"]
        assert found == pytest.approx(expected, rel=0.12)  # 256 directions

    def test_it_orders_real_noise_and_mean(self, heldout: Batch, context: MetricContext) -> None:
        rng = torch.Generator().manual_seed(0)
        reference = Batch(heldout.real[180:])

        def other(samples: Tensor) -> float:
            return sliced_w1(Sides(Batch(samples), reference, reference), context)["sliced_w1"]

        real, mean = other(heldout.real[:180]), other(mean_picture(reference, rng))
        assert real < 0.25 * mean
        assert mean < other(uniform_pixels(reference, rng))
