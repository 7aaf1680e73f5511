"""Critics that judge several samples together, and critics whose rows know of each other."""

import pytest
import torch
from torch import nn

import wganx
from wganx.engine.planning.memory import choose_micro_batch, plan_memory
from wganx.errors import PreflightError, UsageError
from wganx.wasserstein import CONSTRAINTS


class PackCritic(nn.Module):
    """Scores packs ``(N, k, 2)`` under labels ``(N, k)``."""

    def __init__(self, pack, labels=False):
        super().__init__()
        self.labels = labels
        self.layers = nn.Sequential(
            nn.Linear(pack * (3 if labels else 2), 16), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(16, 1)
        )
        self.shapes = set()

    def forward(self, x, label=None):
        self.shapes.add(tuple(x.shape[1:]))
        if self.labels:
            assert label.shape == x.shape[:2]
            x = torch.cat([x, label[..., None].to(x)], 2)
        return self.layers(x.flatten(1)).squeeze(1)


@pytest.mark.parametrize("name", sorted(set(CONSTRAINTS) - {"by-construction", "orthogonal"}))
def test_a_pack_is_one_row_for_every_constraint(make_trainer, data, name):
    critic = PackCritic(4)
    trainer = make_trainer(critic=critic, pack=4, constraint=CONSTRAINTS[name](), critic_steps=1)
    result = trainer.fit(data, steps=3, log_every=1, heldout=wganx.Batch(torch.randn(9, 2)))
    assert critic.shapes == {(4, 2)}
    assert all(torch.isfinite(torch.tensor(value)) for value in result.history[-1].values())
    assert trainer.sample(3).shape == (3, 2)


def test_the_penalty_takes_one_norm_a_pack(make_trainer, data):
    """A linear critic of slope s on each sample has slope s √k on a pack."""

    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([3.0, 4.0]))

        def forward(self, x):
            return (x @ self.weight).sum(1)

    trainer = make_trainer(critic=Linear(), pack=4, constraint=wganx.GradientPenalty(1.0))
    trainer.steps.update_critic([wganx.Batch(data[0])], 0)
    assert trainer.steps.readings.read()["penalty"] == pytest.approx((5 * 2 - 1) ** 2)


def test_conditions_come_in_packs_and_losses_by_samples(make_trainer, data):
    def look(networks, fake, batch, step):
        shapes.add((tuple(fake.shape), tuple(batch.condition["label"].shape)))
        return {"size": fake.square().mean()}

    shapes = set()
    batches = [wganx.Batch(x, {}, {"label": torch.arange(8) % 2}) for x in data]
    trainer = make_trainer(critic=PackCritic(2, labels=True), pack=2, generator_losses=look, critic_losses=look)
    trainer.fit(batches, steps=2)
    assert shapes == {((8, 2), (8,))}


def test_parts_of_a_batch_are_whole_packs_and_make_the_update_of_the_whole(make_trainer, networks, data):
    trained = []
    for rows in (None, 2, 4, 6):
        torch.manual_seed(0)
        critic = PackCritic(2).double()
        critic.layers[2].p = 0.0  # which draws for as many packs as there are at once
        trainer = make_trainer(
            generator=networks()[0].double(), critic=critic, pack=2, micro_batch=rows, constraint=wganx.R1()
        )
        trainer.fit([batch.double() for batch in data], steps=3)
        trained.append(torch.cat([parameter.detach().flatten() for parameter in trainer.generator.parameters()]))
    for parted in trained[1:]:
        assert torch.allclose(parted, trained[0], rtol=0, atol=1e-9)


def test_a_shorter_last_batch_is_cut_to_whole_packs_and_said_once(make_trainer, data, caplog):
    make_trainer(critic=PackCritic(2), pack=2).fit([*data[:2], data[2][:5]], steps=9)
    notes = [record.getMessage() for record in caplog.records]
    assert notes == ["a batch has 5 rows, too few for these networks or no whole number of packs: its first 4 are used"]


def test_whole_packs_or_nothing(make_trainer, data):
    with pytest.raises(UsageError, match=r"a batch of 8 samples is not made of whole packs of 3; make the batch size"):
        make_trainer(critic=PackCritic(3), pack=3).fit(data, steps=1)
    with pytest.raises(UsageError, match="micro_batch of 3 rows is not made of whole packs of 2"):
        make_trainer(critic=PackCritic(2), pack=2, micro_batch=3)
    with pytest.raises(UsageError, match="pack must be at least 1, got 0"):
        make_trainer(pack=0)
    with pytest.raises(PreflightError, match="a batch needs at least 2 packs of 8 samples, got 8"):
        make_trainer(critic=PackCritic(8), pack=8).fit(data, steps=1)
    with pytest.raises(PreflightError, match=r"returns shape \(4, 2\) for 4 packs, expected \(4,\): one score a pack"):
        make_trainer(critic=nn.Sequential(nn.Linear(2, 1), nn.Flatten(1)), pack=2).fit(data, steps=1)


def test_packs_are_saved_with_the_rules(make_trainer, networks, data, tmp_path):
    trainer = make_trainer(critic=PackCritic(2), pack=2)
    trainer.fit(data, steps=1)
    trainer.save(tmp_path / "x")
    loaded = wganx.Trainer.load(tmp_path / "x", networks()[0], PackCritic(2), device="cpu")
    assert loaded.training.rules == trainer.training.rules
    for each in (trainer, loaded):
        each.fit(data, steps=2)
    assert torch.equal(trainer.sample(4), loaded.sample(4))


def test_memory_is_planned_in_packs(make_trainer):
    trainer = make_trainer(critic=PackCritic(4), pack=4)
    plan = plan_memory(trainer.training, wganx.Batch(torch.randn(48, 2)))
    assert (plan.rows, plan.fewest, plan.followed) == (48, 8, True)
    for free in (plan.to_come(24) / 0.9, plan.to_come(8) / 0.9 + 1):
        assert choose_micro_batch(plan, int(free), 48) % 4 == 0


def normed(width=16):
    torch.manual_seed(0)
    layers = [nn.Linear(2, width), nn.BatchNorm1d(width), nn.LeakyReLU(0.2), nn.Linear(width, 1), nn.Flatten(0)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("constraint", [wganx.WeightClipping(), wganx.SpectralNorm(), wganx.NoConstraint()])
def test_rows_may_know_of_each_other_where_no_gradient_is_taken_for_each(make_trainer, data, constraint):
    critic = normed()
    trainer = make_trainer(critic=critic, constraint=constraint)
    assert trainer.steps.joined
    seen = []
    critic[1].register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])) if module.training else None)
    trainer.fit(data, steps=2)
    assert not trainer.steps.joined
    assert set(seen[-10:]) == {8}  # real and fake samples apart


@pytest.mark.parametrize(
    "constraint", [wganx.GradientPenalty(), wganx.R1(), wganx.GradientNormalization(), wganx.LipschitzPenalty()]
)
def test_rows_must_be_apart_where_a_gradient_is_taken_for_each(make_trainer, data, constraint):
    with pytest.raises(PreflightError, match=r"WX003 the critic couples the samples of a batch \(batch norm in 1\)"):
        make_trainer(critic=normed(), constraint=constraint).fit(data, steps=1)


def test_rows_that_are_apart_stay_joined(make_trainer, data):
    trainer = make_trainer()
    trainer.fit(data, steps=1)
    assert trainer.steps.joined
