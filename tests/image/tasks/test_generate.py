"""The game `generate`: pixels to batches and back, labels, mirroring, baselines."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from wganx_image.configs.tasks import GenerateConfig
from wganx_image.tasks.generate import Generate

from wganx import Batch, ConfigError, Formats, Networks, SampleFormat


def stored(channels: int = 3, size: int = 4) -> SampleFormat:
    return SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size), value_range=(0, 255))


def formats_with(classes: int) -> Formats:
    names = tuple(f"class {index}" for index in range(classes))
    return Formats({"sample": stored(), **({"label": SampleFormat.label(names)} if classes else {})})


def items(rows: int = 6) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    sample = torch.randint(0, 256, (rows, 3, 4, 4), generator=rng, dtype=torch.uint8)
    return {"sample": sample, "label": torch.arange(rows) % 3}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_byte_has_its_place_between_minus_one_and_one() -> None:
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    game = Generate(GenerateConfig(), Formats({"sample": stored(1, 16)}))
    real = game.batch({"sample": every}, rng(), training=True).real
    torch.testing.assert_close(real.flatten(), torch.linspace(-1, 1, 256))
    assert (real.min().item(), real.max().item()) == (-1, 1)
    assert real.dtype == torch.float32


def test_without_labels_nothing_but_the_picture_travels() -> None:
    game = Generate(GenerateConfig(), formats_with(3))
    batch = game.batch(items(), rng(), training=True)
    assert game.context == game.condition == batch.context == batch.condition == {}
    assert game.sample == replace(stored(), value_range=(-1, 1))


def test_labels_go_to_both_players() -> None:
    game = Generate(GenerateConfig(labels=True), formats_with(3))
    batch = game.batch(items(), rng(), training=True)
    for side in (batch.context, batch.condition):
        assert list(side) == ["label"]
        assert side["label"].tolist() == [0, 1, 2, 0, 1, 2]
    assert game.context["label"].classes == game.condition["label"].classes == formats_with(3)["label"].classes


@pytest.mark.parametrize(("classes", "given"), [(3, ["label"]), (0, [])])
def test_automatic_labels_go_where_there_are_classes(classes: int, given: list[str]) -> None:
    game = Generate(GenerateConfig(labels="auto"), formats_with(classes))
    assert (
        list(game.context) == list(game.condition) == list(game.batch(items(), rng(), training=True).context) == given
    )


def test_labels_need_classes() -> None:
    with pytest.raises(ConfigError) as refusal:
        Generate(GenerateConfig(labels=True), formats_with(0))
    assert str(refusal.value) == (
        "task.labels=true needs a dataset with classes, and this one names none: "
        "sort the pictures into one folder a class, or set task.labels=false"
    )


def test_about_half_of_the_training_pictures_are_mirrored_as_a_whole() -> None:
    game = Generate(GenerateConfig(flip=True), formats_with(0))
    given = items(400)
    plain = game.batch(given, rng(), training=False).real
    real = game.batch(given, rng(), training=True).real
    kept = (real == plain).flatten(1).all(dim=1)
    mirrored = (real == plain.flip(3)).flatten(1).all(dim=1)
    assert (kept ^ mirrored).all()
    assert 150 < mirrored.sum() < 250
    assert torch.equal(real, game.batch(given, rng(), training=True).real)
    assert not torch.equal(real, game.batch(given, rng(1), training=True).real)


@pytest.mark.parametrize(("flip", "training"), [(True, False), (False, True)])
def test_nothing_is_mirrored_unasked_or_outside_training(flip: bool, training: bool) -> None:
    game = Generate(GenerateConfig(flip=flip), formats_with(0))
    real = game.batch(items(), rng(), training=training).real
    torch.testing.assert_close(real, items()["sample"] / 127.5 - 1)


def test_baselines() -> None:
    real = torch.rand(50, 3, 8, 8) * 2 - 1
    made = {
        name: baseline(Batch(real), rng())
        for name, baseline in Generate(GenerateConfig(), formats_with(0)).baselines().items()
    }
    assert list(made) == ["noise", "mean"]
    assert all(samples.shape == real.shape for samples in made.values())
    assert -1 <= made["noise"].min() < -0.99 < 0.99 < made["noise"].max() <= 1
    assert made["noise"].std().item() == pytest.approx(1 / 3**0.5, rel=0.02)
    torch.testing.assert_close(made["mean"], real.mean(dim=0).repeat(50, 1, 1, 1))


FACES = {
    "sample": stored(),
    "smile": SampleFormat.label(("no", "yes")),
    "glasses": SampleFormat.label(("none", "clear", "dark")),
    "hair": SampleFormat.label(("dark", "fair")),
}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (("hair", "smile"), ["hair", "smile"]),
        (True, ["smile", "glasses", "hair"]),
        ("auto", ["smile", "glasses", "hair"]),
        (False, []),
        ((), []),
    ],
)
def test_several_labels_go_to_both_players(chosen: object, names: list[str]) -> None:
    game = Generate(GenerateConfig.model_validate({"labels": chosen}), Formats(FACES))
    given = {**items(), **{name: torch.arange(6) % 2 for name in ("smile", "glasses", "hair")}}
    batch = game.batch(given, rng(), training=True)
    assert list(game.context) == list(batch.context) == names
    assert {name: format.classes for name, format in game.context.items()} == {
        name: FACES[name].classes for name in names
    }
    assert batch.condition.keys() == set(names)


def test_labels_that_are_not_there_list_those_that_are() -> None:
    with pytest.raises(ConfigError) as refusal:
        Generate(GenerateConfig(labels=("smile", "beard")), Formats(FACES))
    assert str(refusal.value) == (
        "task.labels names beard, and the labels of this dataset are: smile, glasses, hair; name some of these, "
        "or set task.labels=auto for all"
    )
    with pytest.raises(ValueError, match="each is to be named once"):
        GenerateConfig(labels=("smile", "smile"))


class TestClassifier:
    """Labels that a classifier has to find, in place of a critic that is told them."""

    @staticmethod
    def played(**options: object) -> tuple[Generate, Networks, Batch]:
        told = {"conditioning": "classifier", "labels": ["smile", "glasses"], "classifier": 4, **options}
        large = {**FACES, "sample": stored(3, 16)}
        game = Generate(GenerateConfig.model_validate(told), Formats(large))
        pictures = torch.randint(0, 256, (6, 3, 16, 16), generator=rng(), dtype=torch.uint8)
        given = {"sample": pictures, "smile": torch.arange(6) % 2, "glasses": torch.arange(6) % 3}
        helpers = {name: helper.module for name, helper in game.helpers.items()}
        return game, Networks(nn.Identity(), nn.Identity(), helpers), game.batch(given, rng(), training=True)

    def test_the_generator_alone_is_told_the_labels(self) -> None:
        game, _, batch = self.played()
        assert game.context.keys() == batch.context.keys() == {"smile", "glasses"}
        assert game.condition == batch.condition == {}
        assert game.helpers["classifier"].learns_with == "critic"

    def test_it_learns_of_real_pictures_alone(self) -> None:
        game, networks, batch = self.played()
        first, second = (game.critic_losses(networks, fake, batch, 0) for fake in (batch.real, -batch.real))
        assert first.keys() == {"classifier_smile", "classifier_glasses"}
        assert all(torch.equal(first[name], second[name]) for name in first)
        sum(first.values(), torch.zeros(())).backward()  # type: ignore[no-untyped-call]
        assert all(weight.grad is not None for weight in networks.helpers["classifier"].parameters())

    def test_the_generator_is_pulled_to_what_was_asked_for_by_the_weight(self) -> None:
        game, networks, batch = self.played()
        fake = batch.real.clone().requires_grad_()
        losses = game.generator_losses(networks, fake, batch, 0)
        wanted = game.critic_losses(networks, fake, batch.with_real(fake), 0)
        assert losses.keys() == {"target_smile", "target_glasses"}
        for name in ("smile", "glasses"):
            torch.testing.assert_close(losses[f"target_{name}"], 0.1 * wanted[f"classifier_{name}"])
        doubled = self.played(target=0.2)[0].generator_losses(networks, fake, batch, 0)
        torch.testing.assert_close(doubled["target_smile"], 2 * losses["target_smile"])
        losses["target_smile"].backward()  # type: ignore[no-untyped-call]
        assert fake.grad is not None
        assert fake.grad.abs().sum((1, 2, 3)).gt(0).all()

    def test_of_two_classes_it_is_binary_cross_entropy(self) -> None:
        game, networks, batch = self.played()
        logits = networks.helpers["classifier"](batch.real)["smile"]
        binary = functional.binary_cross_entropy_with_logits(
            logits[:, 1] - logits[:, 0], batch.context["smile"].float()
        )
        torch.testing.assert_close(game.critic_losses(networks, batch.real, batch, 0)["classifier_smile"], binary)

    def test_a_label_may_have_any_name(self) -> None:
        odd = {"type": FACES["smile"], "hair.colour": FACES["hair"]}
        game = Generate(
            GenerateConfig(labels=True, conditioning="classifier"), Formats({"sample": stored(3, 16), **odd})
        )
        found = game.helpers["classifier"].module(torch.zeros(2, 3, 16, 16))
        assert {name: logits.shape for name, logits in found.items()} == {"type": (2, 2), "hair.colour": (2, 2)}

    def test_where_there_are_no_labels_it_is_left_out(self) -> None:
        game = Generate(GenerateConfig(labels="auto", conditioning="classifier"), formats_with(0))
        assert game.helpers == game.context == {}
        networks, batch = Networks(nn.Identity(), nn.Identity()), Batch(torch.zeros(2, 3, 4, 4))
        assert game.critic_losses(networks, batch.real, batch, 0) == {}
        assert game.generator_losses(networks, batch.real, batch, 0) == {}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"conditioning": "classifier"}, "conditioning=classifier needs labels that it can find; set labels=auto"),
            ({"labels": "auto", "target": 1.0}, "target has a meaning for conditioning=classifier alone"),
            ({"labels": "auto", "classifier": 8}, "classifier has a meaning for conditioning=classifier alone"),
        ],
    )
    def test_options_that_would_do_nothing_are_refused(self, options: dict[str, object], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            GenerateConfig.model_validate(options)


def test_one_name_is_a_list_of_one() -> None:
    assert GenerateConfig.model_validate({"labels": "smile"}).labels == ("smile",)
    assert GenerateConfig.model_validate({"labels": "auto"}).labels == "auto"
