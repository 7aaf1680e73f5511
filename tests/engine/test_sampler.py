"""Drawing from a generator, with a trainer around it or without."""

import pytest
import torch
from torch import nn

import wganx
from wganx.batch import SampleFormat
from wganx.engine import load_average, read_weights
from wganx.errors import CheckpointError, UsageError

DIGITS = SampleFormat.label(tuple("0123456789"))
MOODS = SampleFormat.label(("glad", "sad"))


class Echo(nn.Module):
    """Gives back the labels it was given, beside its noise."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.drop = nn.Dropout(0.5)

    def forward(self, noise, **labels):
        columns = [label[:, None].to(noise) for label in labels.values()]
        return torch.cat([self.drop(noise) * self.scale, *columns], 1)


def sampler(**context):
    return wganx.Sampler(Echo(), noise=(2,), device="cpu", context=context)


def test_it_draws_what_the_trainer_always_drew(make_trainer, data):
    trainer = make_trainer(seed=5)
    trainer.fit(data, steps=2)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        draws = torch.Generator().manual_seed(5)
        noise = [torch.randn(rows, 4, generator=draws) for rows in (3, 3, 1)]
        expected = torch.cat([trainer.average.module(part) for part in noise])
    assert torch.equal(trainer.sample(7, chunk=3), expected)
    assert torch.equal(trainer.sampler().draw(7, chunk=3), expected)


def test_the_generator_is_in_evaluation_mode_and_every_layer_is_put_back():
    draw = sampler()
    draw.module.drop.eval()
    draw.module.scale.requires_grad_(True)
    before, state = [module.training for module in draw.module.modules()], torch.get_rng_state()
    one, other = draw.draw(5), draw.draw(5)
    assert torch.equal(one, other)
    assert not one.requires_grad
    assert (one != 0).all()
    assert [module.training for module in draw.module.modules()] == before == [True, False]
    assert torch.equal(torch.get_rng_state(), state)


def test_labels_come_in_turn_all_combinations_by():
    label = sampler(label=DIGITS).draw(25)[:, 2]
    assert label.tolist() == [i % 10 for i in range(25)]
    both = sampler(label=DIGITS, mood=MOODS).draw(20)[:, 2:].int().tolist()
    assert len({tuple(row) for row in both}) == 20
    assert [row[0] for row in both] == [i % 10 for i in range(20)]


def test_labels_are_given_by_name_or_number():
    assert sampler(label=DIGITS).draw(3, given={"label": "7"})[:, 2].tolist() == [7] * 3
    rows = sampler(label=DIGITS, mood=MOODS).draw(4, given={"label": 3})[:, 2:].tolist()
    assert rows == [[3, 0], [3, 1], [3, 0], [3, 1]]
    rows = sampler(label=DIGITS, mood=MOODS).draw(2, given={"mood": "sad"}, context={"label": torch.tensor([4, 5])})
    assert sorted(map(sorted, rows[:, 2:].tolist())) == [[1, 4], [1, 5]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"label": "x"}, "no class 'x'; classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9$"),
        ({"label": 10}, "no class 10; classes: 0, 1"),
        ({"mood": "gladd"}, "no class 'gladd'; classes: glad, sad; did you mean 'glad'?"),
        ({"mod": "sad"}, r"this generator takes no label 'mod'; labels: label, mood; did you mean 'mood'\?"),
    ],
)
def test_choices_that_are_not_there_list_those_that_are(given, message):
    with pytest.raises(UsageError, match=message):
        sampler(label=DIGITS, mood=MOODS).draw(2, given=given)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UsageError, match="this generator takes no label, so a class cannot be chosen"):
        sampler().draw(1, given={"label": "1"})
    past = SampleFormat(axes=("time",), shape=(None,))
    with pytest.raises(UsageError, match="the generator needs 'past' from data: give --source FILE, or sample with"):
        sampler(past=past).draw(1)
    with pytest.raises(UsageError, match="context 'label' has 2 rows for 3 samples"):
        sampler(label=DIGITS).draw(3, context={"label": torch.zeros(2)})
    with pytest.raises(UsageError, match="at least one sample can be drawn, not 0"):
        sampler().draw(0)


def test_weights_alone_are_enough(make_trainer, networks, data, tmp_path):
    trainer = make_trainer(ema=0.9)
    trainer.training.about = {"formats": {"sample": SampleFormat(axes=("d",), shape=(2,)).to_json()}}
    trainer.fit(data, steps=3)
    trainer.save(tmp_path / "x")
    (tmp_path / "x" / "training.safetensors").unlink()
    weights = read_weights(tmp_path / "x")
    assert SampleFormat.from_json(weights.facts["about"]["formats"]["sample"]).sizes == (2,)
    module = load_average(networks(seed=9)[0], weights)
    assert not module.training
    assert torch.equal(wganx.Sampler(module, noise=(4,), device="cpu").draw(5), trainer.sample(5))
    with pytest.raises(CheckpointError, match="does not fit the generator"):
        load_average(networks(width=3)[0], weights)


def test_damaged_weights_are_refused(make_trainer, tmp_path):
    make_trainer().save(tmp_path / "x")
    file = tmp_path / "x" / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"#")
    with pytest.raises(CheckpointError, match=r"is damaged: its content does not match state\.json"):
        read_weights(tmp_path / "x")
    file.unlink()
    with pytest.raises(CheckpointError, match=r"is no complete checkpoint: weights.safetensors is missing"):
        read_weights(tmp_path / "x")


class Told(nn.Module):
    """Gives back the text and the number it was given."""

    def forward(self, text, intensity, label):
        return torch.cat([text.float(), intensity[:, None], label[:, None].float()], 1)


def told():
    text, intensity = SampleFormat.text(tuple("abc"), 3), SampleFormat.number(0.0, 1.5, usual=1.0)
    return wganx.Sampler(
        Told(), noise=None, device="cpu", context={"text": text, "intensity": intensity, "label": MOODS}
    )


def test_texts_and_numbers_are_chosen_by_name():
    drawn = told().draw(2, given={"text": "cab", "intensity": "0.5", "label": "sad"})
    assert drawn.tolist() == [[3, 1, 2, 0.5, 1], [3, 1, 2, 0.5, 1]]
    usual = told().draw(2, given={"text": "a"})
    assert usual.tolist() == [[1, 0, 0, 1, 0], [1, 0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"the generator needs a text: --given text=\.\.\."),
        ({"text": "abx"}, r"text: 'x' of 'abx' is not in the alphabet: abc"),
        ({"text": "a", "intensity": "2"}, r"intensity is a number in 0 \.\. 1.5, not '2'"),
        ({"text": "a", "intensity": "loud"}, r"intensity is a number in 0 \.\. 1.5, not 'loud'"),
        ({"text": "a", "intensity": "nan"}, r"intensity is a number in 0 \.\. 1.5, not 'nan'"),
    ],
)
def test_what_cannot_be_said_is_a_wrong_call(given, said):
    with pytest.raises(UsageError, match=said):
        told().draw(1, given=given)
