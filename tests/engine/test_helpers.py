"""Networks beside the players, and the losses that need them."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import wganx
from wganx import Helper
from wganx.engine.planning.memory import plan_memory
from wganx.errors import CheckpointError, PreflightError, UsageError

CLASSES = 3


class Mover(nn.Module):
    """A generator that is told where to go."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2 + CLASSES, 2)

    def forward(self, noise, label):
        return self.layer(torch.cat([noise, F.one_hot(label, CLASSES).to(noise)], 1))


def classifier(norm=False):
    layers = [nn.Linear(2, 8), *([nn.BatchNorm1d(8)] if norm else []), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, nn.Linear(8, CLASSES))


def classify_real(networks, fake, batch, step):
    assert not fake.requires_grad
    return {"class": F.cross_entropy(networks.helpers["classifier"](batch.real), batch.context["label"])}


def classify_fake(networks, fake, batch, step):
    return {"class": 0.5 * F.cross_entropy(networks.helpers["classifier"](fake), batch.context["label"])}


def with_classifier(norm=False):
    """As StarGAN has it: a classifier that learns with the critic what is real, and tells the generator."""
    torch.manual_seed(0)
    return {
        "generator": Mover(),
        "critic": nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Flatten(0)),
        "noise": (2,),
        "helpers": {"classifier": Helper(classifier(norm), "critic")},
        "critic_losses": classify_real,
        "generator_losses": classify_fake,
    }


@pytest.fixture
def labelled():
    rng = torch.Generator().manual_seed(1)
    batches = []
    for _ in range(5):
        label = torch.randint(CLASSES, (8,), generator=rng)
        batches.append(wganx.Batch(torch.randn(8, 2, generator=rng) * 0.1 + label[:, None], {"label": label}))
    return batches


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).clone()


def same(one, other):
    ours, theirs = ({**each.checkpoint().weights, **each.checkpoint().training} for each in (one, other))
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_a_helper_learns_with_its_player_and_is_frozen_for_the_other(make_trainer, labelled):
    trainer = make_trainer(**with_classifier())
    helper, seen = trainer.training.helpers["classifier"], []
    trainer.steps.generator_losses = lambda *given: (
        seen.append({parameter.requires_grad for parameter in helper.parameters()}) or classify_fake(*given)
    )
    before, critic, generator = weights(helper), weights(trainer.critic), weights(trainer.generator)
    trainer.steps.update_critic(labelled[:1], 0)
    assert not torch.equal(weights(helper), before)
    assert not torch.equal(weights(trainer.critic), critic)
    assert torch.equal(weights(trainer.generator), generator)
    before = weights(helper)
    trainer.steps.update_generator(labelled[:1], 0)
    assert seen == [{False}]
    assert torch.equal(weights(helper), before)
    assert not torch.equal(weights(trainer.generator), generator)


def test_a_helper_gets_the_gradient_of_its_players_losses_alone(make_trainer, labelled):
    settings = with_classifier()
    twin = copy.deepcopy(settings["helpers"]["classifier"].module).eval()
    settings["helpers"]["classifier"].module.eval()
    trainer = make_trainer(**settings)
    trainer.steps.update_critic(labelled[:1], 0)
    F.cross_entropy(twin(labelled[0].real), labelled[0].context["label"]).backward()
    for ours, theirs in zip(trainer.training.helpers["classifier"].parameters(), twin.parameters()):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-7)


def test_it_helps(make_trainer, labelled):
    trainer = make_trainer(**with_classifier(), optimizer=wganx.Optimizer(lr=1e-2), ema=0.5)
    result = trainer.fit(labelled, steps=150, log_every=50)
    label = torch.arange(300) % CLASSES
    found = trainer.training.helpers["classifier"].eval()(trainer.sample(300, context={"label": label})).argmax(1)
    assert (found == label).float().mean() > 0.9
    assert result.history[-1]["extra/critic/class"] < 0.5
    assert result.history[-1]["extra/class"] < 0.5


def test_a_frozen_helper_is_in_evaluation_mode_and_stays_as_it_is(make_trainer, data):
    look = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    trainer = make_trainer(
        helpers={"look": Helper(look)},
        generator_losses=lambda networks, fake, batch, step: {"look": networks.helpers["look"](fake).square().mean()},
    )
    before = copy.deepcopy(look.state_dict())
    trainer.fit(data, steps=3)
    assert all(torch.equal(value, before[name]) for name, value in look.state_dict().items())
    assert not look.training
    assert not look[1].training


def test_helpers_are_saved_and_go_on_as_if_never_stopped(make_trainer, labelled, tmp_path):
    whole, first = make_trainer(**with_classifier(True)), make_trainer(**with_classifier(True))
    whole.fit(labelled, steps=10)
    first.fit(labelled, steps=5)
    first.save(tmp_path / "x")
    settings = with_classifier(True)
    nn.init.zeros_(settings["helpers"]["classifier"].module[0].weight)
    generator, critic = settings.pop("generator"), settings.pop("critic")
    second = wganx.Trainer.load(tmp_path / "x", generator, critic, device="cpu", **settings)
    assert "helper/classifier/0.weight" in second.checkpoint().weights
    assert "critic_optimizer/helper/classifier/0.weight/exp_avg" in second.checkpoint().training
    second.fit(labelled, steps=5)
    same(whole, second)
    with pytest.raises(CheckpointError, match="holds the helper 'classifier', which this training lacks"):
        wganx.Trainer.load(tmp_path / "x", Mover(), with_classifier()["critic"], device="cpu")


def test_without_helpers_a_checkpoint_holds_what_it_always_did(make_trainer, data):
    trainer = make_trainer()
    trainer.fit(data, steps=1)
    checkpoint = trainer.checkpoint()
    assert {name.split("/")[0] for name in checkpoint.weights} == {"generator", "critic", "average"}
    assert {name.split("/")[0] for name in checkpoint.training} == {
        "generator_optimizer", "critic_optimizer", "random", "readings",
    }  # fmt: skip


def test_a_head_on_the_critics_body_learns_there_once(make_trainer, labelled):
    settings = with_classifier()
    body = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2))
    settings["critic"] = nn.Sequential(body, nn.Linear(8, 1), nn.Flatten(0))
    settings["helpers"] = {"classifier": Helper(nn.Sequential(body, nn.Linear(8, CLASSES)), "critic")}
    trainer = make_trainer(**settings)
    assert trainer.steps.critic.names == [
        "0.0.weight", "0.0.bias", "1.weight", "1.bias", "helper/classifier/1.weight", "helper/classifier/1.bias",
    ]  # fmt: skip
    trainer.fit(labelled, steps=3)
    for role in ("generator", None):
        with pytest.raises(PreflightError, match="helper 'classifier' shares weights with what learns with the critic"):
            make_trainer(**{**settings, "helpers": {"classifier": Helper(settings["critic"], role)}})


def test_what_cannot_be_is_refused(make_trainer):
    with pytest.raises(UsageError, match="a helper's name must be a word without '/', got 'a/b'"):
        make_trainer(helpers={"a/b": Helper(classifier())})
    with pytest.raises(UsageError, match="helper 'a' learns with 'both'; it must be 'generator', 'critic' or None"):
        make_trainer(helpers={"a": Helper(classifier(), "both")})
    for settings in ({"critic_losses": classify_real}, {"helpers": {"a": Helper(classifier(), "critic")}}):
        with pytest.raises(UsageError, match=r"capture compile knows no critic_losses and no helper that .*; use auto"):
            make_trainer(capture="compile", **settings)


def test_memory_is_planned_with_helpers_and_on_copies(make_trainer, labelled):
    trainer = make_trainer(**with_classifier(norm=True))
    before = copy.deepcopy(trainer.training.helpers["classifier"].state_dict())
    plan = plan_memory(trainer.training, labelled[0])
    helper = trainer.training.helpers["classifier"]
    assert plan.helpers == sum(tensor.nbytes for tensor in (*helper.parameters(), *helper.buffers()))
    assert plan.followed
    assert all(torch.equal(value, before[name]) for name, value in helper.state_dict().items())
    players = (trainer.steps.generator, trainer.steps.critic)
    assert plan.gradients == sum(player.gradient.untyped_storage().nbytes() for player in players)
    assert trainer.steps.critic.gradient.numel() == sum(
        parameter.numel() for network in (trainer.critic, helper) for parameter in network.parameters()
    )
