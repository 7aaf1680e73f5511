"""The translator's networks: any size, every domain, and each place by its neighbourhood alone."""

from __future__ import annotations

import pytest
import torch
from wganx_image.configs.networks import TranslatorCriticConfig, TranslatorGeneratorConfig
from wganx_image.networks.classifier import DomainClassifier
from wganx_image.networks.translator import Critic, Translator

from wganx import BuildContext, ConfigError, SampleFormat

PICTURE = SampleFormat(axes=("channel", "height", "width"), shape=(3, 32, 32))
LABELS = {"season": SampleFormat.label(("summer", "winter", "fog")), "night": SampleFormat.label(("no", "yes"))}
CHOSEN = {"season": torch.tensor([0, 2]), "night": torch.tensor([1, 0])}


def translator(noise: tuple[int, ...] = (), inputs: dict[str, SampleFormat] | None = None, **options) -> Translator:
    torch.manual_seed(0)
    config = TranslatorGeneratorConfig.model_validate({"width": 4, "blocks": 2, "embedding": 4, **options})
    inputs = {"source": PICTURE, **LABELS} if inputs is None else inputs
    return Translator(config, BuildContext(sample=PICTURE, noise=noise, inputs=inputs))


def critic(sample: SampleFormat = PICTURE, **options) -> Critic:
    torch.manual_seed(0)
    config = TranslatorCriticConfig.model_validate({"width": 4, "halvings": 3, **options})
    return Critic(config, BuildContext(sample=sample, inputs=LABELS))


def pictures(height: int = 32, width: int = 32) -> torch.Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


def stirred(network: Translator) -> Translator:
    """With weights everywhere, as after some training."""
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.2, generator=torch.Generator().manual_seed(weights.numel()))
    return network


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 40), (61, 8), (1, 1)])
@pytest.mark.parametrize("halvings", [0, 2, 3])
def test_a_picture_of_any_size_keeps_its_size(height, width, halvings):
    made = stirred(translator(halvings=halvings))(source=pictures(height, width), **CHOSEN)
    assert made.shape == (2, 3, height, width)
    assert made.abs().max() <= 1


def test_labels_may_be_called_as_members_of_a_module_are():
    """Folders are named by people: `type` and `half` are modules' own words, and no module's name has a dot."""
    labels = dict(zip(("type", "half.day"), LABELS.values()))
    given = dict(zip(labels, CHOSEN.values()))
    network = stirred(translator(inputs={"source": PICTURE, **labels}))
    made = network(source=pictures(), **given)
    other = network(source=pictures(), **{**given, "type": torch.tensor([1, 1])})
    assert not torch.allclose(made, other)
    torch.manual_seed(0)
    judge = Critic(TranslatorCriticConfig(width=4, halvings=3), BuildContext(sample=PICTURE, inputs=labels))
    assert judge(made, **given).shape == (2,)


def test_a_translation_begins_with_no_change():
    torch.testing.assert_close(translator()(source=pictures(), **CHOSEN), pictures())
    assert not torch.allclose(translator(residual=False)(source=pictures(), **CHOSEN), pictures())


@pytest.mark.parametrize("level", [-1.0, 0.0, 1.0])
def test_black_and_white_change_as_readily_as_grey(level):
    """Behind a tanh, what lies at the ends of the range has next to no gradient, and stays while the rest moves."""
    network, source = translator(), torch.full((2, 3, 8, 8), level)
    network(source=source, **CHOSEN).sum().backward()
    of_matrix, of_added = network.last.bias.grad.split([9, 3])
    torch.testing.assert_close(of_added, torch.full((3,), 2.0 * 2 * 8 * 8))
    torch.testing.assert_close(of_matrix, torch.full((9,), level * 2.0 * 2 * 8 * 8))


def test_what_is_the_same_everywhere_can_invert_a_picture_and_exchange_its_colours():
    network, source = translator(), pictures()
    changed = torch.zeros(3, 4)
    changed[:, :3] = -torch.eye(3) - torch.eye(3).roll(1, 1)  # c + A c = -c of the next channel
    changed[0, 3] = 0.5
    half = torch.atanh(changed / 2)
    network.last.bias.data = torch.cat([half[:, :3].flatten(), half[:, 3]])
    wanted = -source.roll(-1, 1)
    wanted[:, 0] += 0.5
    torch.testing.assert_close(network(source=source, **CHOSEN), wanted.clamp(-1, 1))


def test_white_can_become_black_and_nothing_leaves_the_range():
    network, white = translator(), torch.ones(2, 3, 8, 8)
    for bias, made in ((-9.0, -1.0), (9.0, 1.0)):
        torch.nn.init.constant_(network.last.bias, bias)
        torch.testing.assert_close(network(source=white, **CHOSEN), torch.full_like(white, made))


def test_a_plain_picture_stays_plain_to_its_borders():
    made = stirred(translator())(source=torch.full((2, 3, 24, 31), 0.2), **CHOSEN)
    torch.testing.assert_close(made, made[..., :1, :1].expand_as(made))


@pytest.mark.parametrize("label", LABELS)
def test_every_label_changes_what_is_made(label):
    network, source = stirred(translator()), pictures()
    other = {**CHOSEN, label: 1 - CHOSEN[label] // 2}
    assert not torch.equal(other[label], CHOSEN[label])
    assert not torch.allclose(network(source=source, **CHOSEN), network(source=source, **other))


def test_what_is_made_of_a_place_depends_on_its_neighbourhood_alone():
    """So tiles of a large picture, that overlap enough, have no seams."""
    network, source = stirred(translator()), pictures(32, 160)
    changed = source.clone()
    changed[..., 120:] = -0.9
    one, other = network(source=source, **CHOSEN), network(source=changed, **CHOSEN)
    assert torch.equal(one[..., :72], other[..., :72])
    assert not torch.equal(one[..., 72:], other[..., 72:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": LABELS}, "makes pictures of a source; it is for task.name=translate"),
        ({"inputs": {"source": PICTURE}}, "needs a label to choose"),
        ({"noise": (8,)}, "takes a source and no noise; set generator.noise=0"),
        ({"inputs": {"source": PICTURE, "low": PICTURE, **LABELS}}, "takes labels, and this task gives it low"),
    ],
)
def test_what_it_cannot_be_built_for_is_told(options, message):
    with pytest.raises(ConfigError, match=message):
        translator(**options)


def test_the_score_does_not_grow_with_the_size():
    network = critic()
    plain = torch.full((2, 3, 64, 64), 0.3)
    inner = network.patches(plain)[..., 3, 3]
    assert network(pictures(64, 48), **CHOSEN).shape == (2,)
    scores = [network(plain[..., :side, :side], **CHOSEN) for side in (32, 64)]
    flat = network.score(inner).squeeze(1) + sum(
        (embed(CHOSEN[name]) * inner).sum(1) for name, embed in network.labels.items()
    )
    assert ((scores[1] - flat).abs() < (scores[0] - flat).abs()).all()  # the edges count less and less


def test_the_critic_is_told_every_label():
    network = critic()
    for name in LABELS:
        other = {**CHOSEN, name: 1 - CHOSEN[name] // 2}
        assert not torch.allclose(network(pictures(), **CHOSEN), network(pictures(), **other))


def test_the_critic_has_room_for_its_halvings():
    with pytest.raises(ConfigError, match=r"halves 6 times, which needs pictures of 64 px.*lower critic.halvings"):
        critic(halvings=6)
    with pytest.raises(ConfigError, match="works on pictures"):
        critic(SampleFormat(axes=("feature",), shape=(2,)))


@pytest.mark.parametrize(("height", "width"), [(8, 8), (32, 21)])
def test_the_classifier_answers_for_every_label_row_by_row(height, width):
    torch.manual_seed(0)
    network, shown = DomainClassifier(3, LABELS, 4), pictures(height, width)
    found = network(shown)
    assert {name: tuple(logits.shape) for name, logits in found.items()} == {"season": (2, 3), "night": (2, 2)}
    torch.testing.assert_close(network(shown[:1])["season"], found["season"][:1])
