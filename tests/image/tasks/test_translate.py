"""The game `translate`: whose domains a source is given, what is known of a row, its losses and baselines."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from wganx_image.configs.networks import TranslatorCriticConfig, TranslatorGeneratorConfig
from wganx_image.configs.tasks import TranslateConfig
from wganx_image.networks.translator import Critic, Translator
from wganx_image.tasks.translate import Translate

from wganx import BuildContext, ConfigError, Formats, Networks, SampleFormat

PICTURE = SampleFormat(axes=("channel", "height", "width"), shape=(3, 16, 16), value_range=(0, 255))
STYLE, SMILE = SampleFormat.label(("summer", "winter", "night")), SampleFormat.label(("no", "yes"))


def translate(formats: dict[str, SampleFormat] | None = None, **options) -> Translate:
    formats = {"sample": PICTURE, "style": STYLE} if formats is None else formats
    return Translate(TranslateConfig.model_validate({"classifier": 4, **options}), Formats(formats))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def items(*styles: int) -> dict[str, torch.Tensor]:
    pictures = torch.randint(0, 256, (len(styles), 3, 16, 16), generator=rng(5), dtype=torch.uint8)
    return {"sample": pictures, "style": torch.tensor(styles)}


def networks_for(game: Translate) -> Networks:
    torch.manual_seed(0)
    generator = Translator(
        TranslatorGeneratorConfig(width=4, blocks=1, embedding=4),
        BuildContext(sample=game.sample, inputs=game.context),
    )
    torch.nn.init.normal_(generator.last.weight, std=0.1)
    critic = Critic(
        TranslatorCriticConfig(width=2, halvings=3), BuildContext(sample=game.sample, inputs=game.condition)
    )
    return Networks(generator, critic, {name: helper.module for name, helper in game.helpers.items()})


def test_real_pictures_and_what_is_asked_for_are_of_one_row_and_the_source_of_another():
    game, shown = translate(), items(0, 1, 2, 0, 1, 2, 2)
    batch = game.batch(shown, rng(), training=True)
    assert torch.equal(batch.real, shown["sample"].float() / 127.5 - 1)
    assert torch.equal(batch.context["style"], shown["style"])
    assert torch.equal(batch.condition["style"], shown["style"])
    assert (batch.known["source_style"] != shown["style"]).all()
    for row, source in enumerate(batch.context["source"]):
        (found,) = [index for index, real in enumerate(batch.real) if torch.equal(real, source)]
        assert shown["style"][found] == batch.known["source_style"][row]


def test_every_other_domain_is_a_source_and_the_draws_are_of_the_generator_that_is_given():
    game, shown = translate(), items(*[0, 1, 2] * 20)
    batch = game.batch(shown, rng(), training=False)
    pairs = set(zip(batch.known["source_style"].tolist(), batch.context["style"].tolist()))
    assert pairs == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)}
    assert torch.equal(batch.context["source"], game.batch(shown, rng(), training=False).context["source"])
    assert not torch.equal(batch.context["source"], game.batch(shown, rng(1), training=False).context["source"])


def test_rows_of_one_domain_alone_are_their_own_sources():
    batch = translate().batch(items(1, 1, 1), rng(), training=True)
    assert batch.known["source_style"].tolist() == [1, 1, 1]


def test_of_several_labels_a_source_differs_in_one_at_least():
    game = translate({"sample": PICTURE, "style": STYLE, "smile": SMILE})
    shown = {**items(0, 0, 1, 1), "smile": torch.tensor([0, 1, 0, 0])}
    batch = game.batch(shown, rng(), training=True)
    assert set(game.context) == {"source", "style", "smile"}
    same = (batch.known["source_style"] == shown["style"]) & (batch.known["source_smile"] == shown["smile"])
    assert not same.any()


def test_what_a_batch_has_is_what_the_game_says():
    game = translate(flip=True)
    batch = game.batch(items(0, 1, 2), rng(), training=True)
    for place in ("context", "condition", "known"):
        assert set(getattr(batch, place)) == set(getattr(game, place))


def test_mirroring_is_for_training_and_a_source_is_mirrored_as_it_is_shown_to_the_critic():
    shown = items(*[0, 1] * 8)
    plain = translate(flip=True).batch(shown, rng(), training=False)
    turned = translate(flip=True).batch(shown, rng(), training=True)
    mirrored = [torch.equal(one, other.flip(2)) for one, other in zip(turned.real, plain.real)]
    assert 2 < sum(mirrored) < 14
    assert all(any(torch.equal(source, real) for real in turned.real) for source in turned.context["source"])


def test_the_losses_have_names_and_weights():
    game, shown = translate(), items(0, 1, 2, 1)
    networks, batch = networks_for(game), game.batch(shown, rng(), training=True)
    fake = networks.generator(**batch.context)
    losses = game.generator_losses(networks, fake, batch, 0)
    assert set(losses) == {"target_style", "cycle", "identity"}
    assert all(loss.ndim == 0 and loss.requires_grad and loss > 0 for loss in losses.values())
    doubled = translate(target=2.0, cycle=20.0, identity=10.0).generator_losses(networks, fake, batch, 0)
    for name, loss in losses.items():
        torch.testing.assert_close(doubled[name], 2 * loss)


def test_the_way_back_is_to_the_source_and_its_domains():
    game = translate(target=0.0, identity=0.0)
    batch = game.batch(items(0, 1, 2, 1), rng(), training=True)
    asked = []

    class Kept(torch.nn.Module):
        def forward(self, source, style):
            asked.append(style)
            return source

    fake = batch.context["source"] + 0.25
    networks = Networks(Kept(), torch.nn.Identity())
    losses = game.generator_losses(networks, fake, batch, 0)
    torch.testing.assert_close(losses["cycle"], torch.tensor(10 * 0.25))
    assert torch.equal(asked[0], batch.known["source_style"])


def test_a_loss_that_weighs_nothing_is_not_computed():
    game = translate(target=0.0, cycle=0.0, identity=0.0)
    assert not game.helpers
    networks, batch = networks_for(game), game.batch(items(0, 1), rng(), training=True)
    fake = networks.generator(**batch.context)
    assert game.generator_losses(networks, fake, batch, 0) == {}
    assert game.critic_losses(networks, fake, batch, 0) == {}


def test_the_classifier_learns_of_real_pictures_alone():
    game = translate()
    assert game.helpers["classifier"].learns_with == "critic"
    networks, batch = networks_for(game), game.batch(items(0, 1, 2), rng(), training=True)
    first, second = (
        game.critic_losses(networks, fake, batch, 0)["classifier_style"] for fake in (batch.real, -batch.real)
    )
    assert torch.equal(first, second)
    first.backward()
    assert all(weights.grad is not None for weights in networks.helpers["classifier"].parameters())


def test_the_baselines_change_nothing_or_show_another_of_the_domain():
    game = translate()
    batch = game.batch(items(0, 1, 0, 1, 2, 2), rng(), training=False)
    found = {name: make(batch, rng()) for name, make in game.baselines().items()}
    assert torch.equal(found["unconverted"], batch.context["source"])
    for row, picture in enumerate(found["real-target"]):
        (same,) = [index for index, real in enumerate(batch.real) if torch.equal(real, picture)]
        assert same != row
        assert batch.condition["style"][same] == batch.condition["style"][row]


@pytest.mark.parametrize(
    ("formats", "options", "message"),
    [
        ({"sample": PICTURE}, {}, "this one names none: sort the pictures into one folder a domain"),
        ({"sample": PICTURE, "style": STYLE}, {"domains": ["age"]}, "names age, and the labels .* are: style"),
        ({"sample": PICTURE, "style": SampleFormat.label(("a",))}, {}, "one class of style, a, so there is nothing"),
        ({"style": STYLE}, {}, "needs items with 'sample'"),
    ],
)  # fmt: skip
def test_what_a_dataset_lacks_is_told(formats, options, message):
    with pytest.raises(ConfigError, match=message):
        translate(formats, **options)


@pytest.mark.parametrize("domains", [(), ("style", "style")])
def test_domains_are_named_once(domains):
    with pytest.raises(ValidationError, match=r"named once|a label to choose anew"):
        translate(domains=domains)
