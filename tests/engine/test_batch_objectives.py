"""Trainings by a distance of batches: without a critic, and on the features of one."""

import pytest
import torch
from torch import nn

import wganx
from wganx.batch import SampleFormat
from wganx.engine.planning.memory import plan_memory
from wganx.engine.sample_features import SampleFeatures
from wganx.errors import PreflightError, UsageError

QUICK = {"optimizer": wganx.Optimizer(lr=5e-3), "ema": 0.9}
ALONE = [wganx.Energy(), wganx.Sliced(projections=32), wganx.Sinkhorn(iterations=10)]
ON_FEATURES = [wganx.Energy(features="critic"), wganx.Sliced(features="critic", projections=32)]


def named(objective):
    return f"{objective.name} of {objective.features}"


@pytest.fixture
def train(make_trainer):
    def train(objective=ALONE[0], **settings):
        alone = {} if objective.features == "critic" else {"critic": None}
        return make_trainer(**{"objective": objective, **alone, **settings})

    return train


@pytest.mark.parametrize("objective", [*ALONE, *ON_FEATURES], ids=named)
def test_learns_a_shifted_cloud(train, data, objective):
    on_features = {"constraint": wganx.LipschitzPenalty(), "critic_steps": 1} if objective.trains_critic else {}
    trainer = train(objective, **on_features, **QUICK)
    start = (trainer.sample(200).mean(0) - torch.tensor([1.0, -1.0])).norm()
    trainer.fit(data, steps=60)
    assert (trainer.sample(200).mean(0) - torch.tensor([1.0, -1.0])).norm() < 0.5 * start


def test_what_is_logged_without_a_critic(train, data):
    heldout = wganx.Batch(torch.cat(data[:3]))
    result = train(**QUICK).fit(data, steps=60, log_every=20, heldout=heldout)
    last = result.history[-1]
    assert set(last) == {"step", "distance", "distance_heldout", "vital/spread_real", "vital/spread_fake", "lr"}
    assert last["distance"] < 0.5 * result.history[0]["distance"]
    assert last["distance_heldout"] < result.history[0]["distance_heldout"]


def test_what_is_logged_on_features(train, data):
    result = train(ON_FEATURES[0]).fit(data, steps=2, log_every=1, heldout=wganx.Batch(torch.cat(data[:3])))
    last = result.history[-1]
    assert {"distance", "distance_heldout", "critic_loss", "penalty", "gradient_norm", "lipschitz"} <= set(last)
    assert not {"w1_raw", "score_gap", "generator_loss", "vital/gap", "vital/score_offset"} & set(last)


@pytest.mark.parametrize("constraint", [wganx.GradientPenalty, wganx.WeightClipping, wganx.SpectralNorm, wganx.R1])
def test_features_are_held_by_any_constraint(train, data, constraint):
    result = train(ON_FEATURES[0], constraint=constraint()).fit(data, steps=2, log_every=1)
    assert ("penalty" in result.history[-1]) == constraint.penalises


def test_the_critics_last_layer_learns_nothing(train, data):
    trainer = train(ON_FEATURES[0], constraint=wganx.LipschitzPenalty())
    body, head = trainer.critic[0], trainer.critic[2]
    before = body.weight.detach().clone(), head.weight.detach().clone()
    trainer.fit(data, steps=3)
    assert not torch.equal(body.weight, before[0])
    assert torch.equal(head.weight, before[1])


@pytest.mark.parametrize("objective", [*ALONE, ON_FEATURES[0]], ids=named)
def test_a_resumed_training_ends_with_the_same_bits(train, data, tmp_path, objective):
    whole = train(objective)
    whole.fit(data, steps=7)
    half = train(objective)
    half.fit(data, steps=3)
    half.save(tmp_path / "half")
    fresh = train(objective)
    again = wganx.Trainer.load(tmp_path / "half", fresh.generator, fresh.critic if objective.trains_critic else None)
    seen = 3 * max(again.training.rules.critic_steps, 1) % len(data)
    again.fit(data[seen:] + data[:seen], steps=4)
    ours, theirs = whole.checkpoint(), again.checkpoint()
    assert ours.weights.keys() == theirs.weights.keys()
    assert all(torch.equal(ours.weights[name], theirs.weights[name]) for name in ours.weights)
    if not objective.trains_critic:
        assert {name.split("/")[0] for name in ours.weights} == {"generator", "average"}
        assert {name.split("/")[0] for name in ours.training} == {"generator_optimizer", "random", "readings"}
        assert ours.facts["critic_updates"] == 0


def test_each_update_takes_a_batch(train, data):
    taken = []

    def source():
        for x in data * 3:
            taken.append(x)
            yield x

    train(accumulate=2).fit(source(), steps=3)
    assert len(taken) == 3 * 2


def test_parts_of_a_batch_are_compared_by_themselves(train, data):
    trainer = train(micro_batch=4, noise=None, generator=_Still())
    trainer.steps.update_generator([wganx.Batch(data[0], {"like": data[1]})], 0)
    halves = [wganx.Energy().distance(data[0][rows], data[1][rows] + 0.5) for rows in (slice(4), slice(4, 8))]
    assert trainer.steps.readings.read()["generator_loss"] == pytest.approx(float(sum(halves)) / 2, rel=1e-5)


class _Still(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.full((2,), 0.5))

    def forward(self, like):
        return like + self.shift


FORMATS = {"label": SampleFormat.label(("left", "right")), "past": SampleFormat(axes=("value",), shape=(2,))}


class TestConditions:
    def test_each_counts_for_as_much_as_the_sample(self):
        rows = SampleFeatures(FORMATS)(
            torch.ones(2, 1, 4), label=torch.tensor([1, 0]), past=torch.tensor([[1.0, 2], [3, 4]])
        )
        root = 2**0.5
        assert rows.tolist() == [
            pytest.approx([1, 1, 1, 1, 0, 2, root, 2 * root]), pytest.approx([1, 1, 1, 1, 2, 0, 3 * root, 4 * root])
        ]  # fmt: skip

    @pytest.mark.parametrize("objective", ALONE[::2], ids=named)
    def test_a_generator_learns_its_labels(self, train, objective):
        """Left and right are told apart by the condition alone: without it both clouds are made for either label."""

        class Generator(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 2))

            def forward(self, noise, label):
                return self.layers(torch.cat([noise, label[:, None].float()], 1))

        rng = torch.Generator().manual_seed(0)
        labels = torch.randint(2, (10, 64), generator=rng)
        batches = []
        for label in labels:
            x = torch.randn(64, 2, generator=rng) * 0.1 + (2.0 * label[:, None] - 1)
            batches.append(wganx.Batch(x, {"label": label}, {"label": label}))
        torch.manual_seed(0)
        trainer = train(objective, generator=Generator(), critic=SampleFeatures(FORMATS), **QUICK)
        trainer.fit(batches, steps=150)
        label = torch.arange(2).repeat(50)
        made = trainer.sample(100, context={"label": label})
        assert ((made[:, 0] > 0) == (label == 1)).float().mean() > 0.9

    def test_what_has_no_distance_is_refused(self, train, data):
        text = SampleFormat.text(("a", "b"), 2)
        for given, formats, said in (
            (
                torch.zeros(8, dtype=torch.int64),
                {},
                r"condition 'c' holds whole numbers \(torch.int64\), between which",
            ),
            (torch.zeros(8, 2), {"c": text}, "condition 'c' is a text, between which there is no distance to compare"),
        ):
            trainer = train(critic=SampleFeatures(formats))
            with pytest.raises(PreflightError, match=said):
                trainer.check(wganx.Batch(data[0], condition={"c": given}))

    def test_features_of_a_critic_are_compared_without_any(self, train, data):
        with pytest.raises(PreflightError, match="features are compared by themselves, and this task also shows it c;"):
            train(ON_FEATURES[0]).check(wganx.Batch(data[0], condition={"c": data[0]}))


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"constraint": wganx.GradientPenalty()}, "constraint 'gradient-penalty' has no effect: objective 'energy' "
             r"compares samples and trains no critic; leave it out, or let the critic's features be compared"),
            ({"constraint": wganx.NoConstraint(drift=0.1)}, "the constraint's drift has no effect"),
            ({"critic_steps": 2, "pack": 2}, r"critic_steps=2, pack=2 have no effect"),
            ({"optimizer": wganx.Optimizer(critic_lr=1e-3)}, r"critic_lr=0.001 has no effect"),
            ({"capture": "compile"}, r"capture='compile' has no effect"),
            ({"critic": nn.Linear(2, 1)}, "a critic has no effect: objective 'energy' compares samples"),
            ({"helpers": {"a": wganx.Helper(nn.Linear(2, 2), "critic")}}, "a helper that learns with the critic, or"),
            ({"micro_batch": 1}, "micro_batch must be at least 2 where batches are compared, got 1"),
            ({"accumulate": 0}, "accumulate must be at least 1, got 0"),
        ],
    )  # fmt: skip
    def test_what_is_asked_of_a_critic(self, train, settings, said):
        with pytest.raises(UsageError, match=said):
            train(**settings)

    def test_an_objective_that_trains_one_has_one(self, make_trainer):
        with pytest.raises(UsageError, match="objective 'wasserstein' trains a critic, and there is none; give one"):
            make_trainer(critic=None)
        with pytest.raises(UsageError, match="critic_steps and accumulate must be at least 1, got 0 and 1"):
            make_trainer(critic_steps=0)

    def test_losses_of_a_critic_that_are_there(self, train, data):
        train(critic_losses=lambda networks, fake, batch, step: {}).fit(data, steps=1)
        trainer = train(critic_losses=lambda networks, fake, batch, step: {"class": fake.mean()})
        with pytest.raises(PreflightError, match="the critic's loss class has no effect: objective 'energy'"):
            trainer.fit(data, steps=1)

    def test_a_generator_that_no_gradient_reaches(self, train, data):
        class Cut(nn.Linear):
            def forward(self, noise):
                return super().forward(noise).detach()

        with pytest.raises(PreflightError, match="no gradient of the distance reaches the generator's weights"):
            train(generator=Cut(4, 2)).check(wganx.Batch(data[0]))

    def test_a_critic_without_features(self, train, data):
        class Flat(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(1, 1)

            def forward(self, x):
                return self.layer(x.reshape(-1, 1)).reshape(len(x), -1).sum(1)

        trainer = train(ON_FEATURES[0], critic=Flat())
        with pytest.raises(
            PreflightError, match="the critic has no features to compare: what enters its last layer is"
        ):
            trainer.check(wganx.Batch(data[0]))


def test_losses_of_the_generator_come_beside(train, data):
    def pull_to_origin(networks, fake, batch, step):
        assert networks.critic(fake).shape == fake.shape  # rows
        return {"size": 100.0 * fake.square().mean()}

    trainer = train(generator_losses=pull_to_origin, optimizer=wganx.Optimizer(lr=1e-2), ema=0.0)
    trainer.fit(data, steps=60)
    assert trainer.sample(100).abs().mean() < 0.1


def test_what_is_planned(train, data):
    plan = plan_memory(train().training, wganx.Batch(data[0]))
    assert (plan.critic, plan.critic_step, plan.constraint) == (0, 0, 0)
    assert plan.generator_step > 0
    assert plan.followed


def test_a_generator_that_repeats_itself_is_found(train, data):
    class Point(nn.Module):
        def __init__(self):
            super().__init__()
            self.at = nn.Parameter(torch.zeros(2))

        def forward(self, noise):
            return self.at + 0 * noise[:, :2]

    result = train(generator=Point()).fit(data, steps=124, log_every=4)
    (found,) = [finding for finding in result.findings if finding.code == "WX030"]
    assert found.mend.startswith("raise train.batch_size")
