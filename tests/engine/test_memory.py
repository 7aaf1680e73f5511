"""The plan of a training's memory: against what is then used, and what follows from it."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

import wganx
from tests.allocations import peak
from wganx.engine.planning.memory import choose_micro_batch, explain_micro_batch, free_memory, plan_memory

ROWS = 24


def convolutional(norm=False, dropout=0.0, width=16):
    torch.manual_seed(0)
    between = [*([nn.GroupNorm(1, width)] if norm else []), nn.LeakyReLU(0.2), *([nn.Dropout(0.3)] if dropout else [])]
    critic = nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1), *between,
        nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(2 * width * 16, 1), nn.Flatten(0),
    )  # fmt: skip
    generator = nn.Sequential(
        nn.Linear(8, 2 * width * 16), nn.Unflatten(1, (2 * width, 4, 4)), nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU(),
        nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    return generator, critic, (3, 16, 16)


def linear(dropout=0.0, width=128):
    torch.manual_seed(0)
    hidden = [nn.LeakyReLU(0.2), *([nn.Dropout(0.3)] if dropout else []), nn.Linear(width, width), nn.LeakyReLU(0.2)]
    critic = nn.Sequential(nn.Linear(2, width), *hidden, nn.Linear(width, 1), nn.Flatten(0))
    generator = nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 2))
    return generator, critic, (2,)


def training(networks, constraint=None, device="cpu", rows=ROWS, **settings):
    generator, critic, shape = networks
    constraint = constraint or wganx.GradientPenalty()
    trainer = wganx.Trainer(generator, critic, noise=(8,), constraint=constraint, device=device, **settings)
    return trainer, wganx.Batch(torch.rand(rows, *shape) * 2 - 1).to(trainer.device)


def planned(trainer, batch):
    return plan_memory(trainer.training, batch)


def used(trainer, batch):
    """Peaks of the two updates, once the optimizers have their state."""

    def critic():
        trainer.steps.critic_updates = 0
        trainer.steps.update_critic([batch], 0)

    def generator():
        trainer.steps.update_generator([batch], 0)

    critic()
    generator()
    return peak(critic), peak(generator)


CONSTRAINTS = {
    "gradient-penalty": wganx.GradientPenalty(),
    "r1+r2": wganx.R1R2(1.0),
    "consistency": wganx.Consistency(),
    "gradient-normalization": wganx.GradientNormalization(),
    "spectral-norm": wganx.SpectralNorm(),
    "max-gradient-penalty": wganx.MaxGradientPenalty(),
    "none": wganx.NoConstraint(),
}


@pytest.mark.parametrize("constraint", CONSTRAINTS.values(), ids=CONSTRAINTS)
@pytest.mark.parametrize("build", [linear, convolutional])
def test_the_plan_is_what_is_then_used(build, constraint):
    trainer, batch = training(build(dropout=isinstance(constraint, wganx.Consistency)), constraint)
    plan = plan_memory(trainer.training, batch)
    assert plan.followed
    critic, generator = used(trainer, batch)
    assert plan.critic_step == pytest.approx(critic, rel=0.15)
    assert plan.generator_step == pytest.approx(generator, rel=0.15)


@pytest.mark.parametrize("settings", [{"precision": "bf16"}, {"constant_mask": False}, {"ema": 0.0}], ids=str)
def test_the_plan_knows_the_settings(settings):
    trainer, batch = training(convolutional(norm=True), **settings)
    plan = plan_memory(trainer.training, batch)
    critic, generator = used(trainer, batch)
    assert plan.critic_step == pytest.approx(critic, rel=0.15)
    assert plan.generator_step == pytest.approx(generator, rel=0.15)
    assert (plan.average == 0) == (trainer.average.decay == 0)


def test_what_stays_is_counted_exactly():
    trainer, batch = training(linear(), accumulate=3)
    plan = plan_memory(trainer.training, batch, dataset=1000)
    weights = {
        role: sum(parameter.nbytes for parameter in getattr(trainer, role).parameters())
        for role in ("generator", "critic")
    }
    assert (plan.generator, plan.critic, plan.average) == (weights["generator"], weights["critic"], plan.generator)
    moments = 2 * sum(weights.values())
    assert moments <= plan.optimizer == plan.pending <= moments + 100  # and a count of steps for each parameter
    assert sum(weights.values()) == plan.gradients - 4 * sum(
        player.gradient.untyped_storage().nbytes() // 4 - player.gradient.numel()
        for player in (trainer.steps.generator, trainer.steps.critic)
    )
    assert plan.batches == 4 * batch.real.nbytes
    assert plan.total == plan.kept + max(plan.critic_step, plan.generator_step)
    used(trainer, batch)
    assert plan_memory(trainer.training, batch).pending == 0


def test_planning_leaves_no_trace():
    trainer, batch = training(convolutional(dropout=0.3), wganx.Consistency())
    before = copy.deepcopy((trainer.generator.state_dict(), trainer.critic.state_dict()))
    states = trainer.random.draws.get_state(), torch.get_rng_state()
    plan_memory(trainer.training, batch)
    for old, network in zip(before, (trainer.generator, trainer.critic)):
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, old[name])
            assert type(tensor) is torch.Tensor
    assert torch.equal(trainer.random.draws.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])
    assert trainer.steps.critic_updates == 0
    assert not trainer.steps.critic.optimizer.state
    assert not trainer.steps.readings.sums


class LooksAtValues(nn.Module):
    """Does what cannot be followed without values."""

    def forward(self, x):
        return x if x.sum().item() == x.sum().item() else -x


def test_networks_that_ask_for_values_are_run_on_few_rows():
    generator, critic, shape = convolutional(norm=True)
    critic.insert(2, LooksAtValues())
    trainer, batch = training((generator, critic, shape))
    before = copy.deepcopy(critic.state_dict())
    states = trainer.random.draws.get_state(), torch.get_rng_state()
    plan = plan_memory(trainer.training, batch)
    assert not plan.followed
    assert all(torch.equal(tensor, before[name]) for name, tensor in critic.state_dict().items())
    assert torch.equal(trainer.random.draws.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])
    peaks = used(trainer, batch)
    assert (plan.critic_step, plan.generator_step) == pytest.approx(peaks, rel=0.15)


def test_a_network_that_fails_says_so_itself():
    trainer, _ = training(linear())
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        plan_memory(trainer.training, wganx.Batch(torch.zeros(8, 5)))


def test_the_constraint_has_its_part():
    plans = {
        name: planned(*training(convolutional(), constraint))
        for name, constraint in CONSTRAINTS.items()
        if name in ("none", "gradient-penalty", "gradient-normalization")
    }
    assert plans["none"].constraint == 0
    for name in ("gradient-penalty", "gradient-normalization"):
        added = plans[name].critic_step - plans["none"].critic_step
        assert plans[name].constraint == pytest.approx(added, rel=0.01)
        assert added > 0
    rare = planned(*training(convolutional(), wganx.GradientPenalty(every=4)))
    assert rare == plans["gradient-penalty"]


def test_a_batch_that_does_not_fit_is_taken_in_even_parts():
    trainer, batch = training(convolutional(), rows=48)
    plan = plan_memory(trainer.training, batch)
    assert choose_micro_batch(plan, 10 * plan.total, 48) is None
    for free in (plan.to_come(48), plan.to_come(30), plan.to_come(13)):
        rows = choose_micro_batch(plan, free, 48)
        assert 48 % rows == 0 or 48 // rows < 48 / rows
        assert plan.to_come(rows) <= 0.9 * free
        parts = -(-48 // rows)
        assert plan.to_come(-(-48 // (parts - 1))) > 0.9 * free  # a part less would not fit
        trainer.steps.micro_batch = rows
        critic, generator = used(trainer, batch)
        assert plan.pending + plan.batches + max(critic, generator) <= free
        taken = plan_memory(trainer.training, batch, micro_batch=rows)
        assert (taken.critic_step, taken.generator_step) == pytest.approx((critic, generator), rel=0.15)


def test_what_cannot_fit_is_refused_with_the_numbers():
    plan = dataclasses.replace(planned(*training(convolutional())), critic_step_fewest=5_000_000, critic_step=9_000_000)
    with pytest.raises(wganx.PreflightError, match=r"a step takes .* MB with 2 rows at once, and 1\.0 MB are free"):
        choose_micro_batch(plan, 1_000_000, ROWS)


def test_the_sentence_says_what_was_chosen_why_and_what_it_changes():
    trainer, batch = training(convolutional(), wganx.MaxGradientPenalty())
    plan = plan_memory(trainer.training, batch)
    whole = explain_micro_batch(trainer.training, plan, 10**9, None)
    assert whole.startswith("the whole batch of 24 at once: it takes")
    assert "batch norm" not in whole
    parts = explain_micro_batch(
        trainer.training, plan, plan.to_come(24), choose_micro_batch(plan, plan.to_come(24), 24)
    )
    assert "12 rows at once, the whole batch of 24 in 2 parts" in parts
    assert "the generator's batch norm (4) takes its statistics of each part by itself" in parts
    assert "max-gradient-penalty takes the steepest points of each part by itself" in parts
    trainer, batch = training(linear())
    plan = plan_memory(trainer.training, batch)
    assert "by itself" not in explain_micro_batch(trainer.training, plan, plan.to_come(24), 12)


def test_free_memory():
    assert free_memory(torch.device("cpu")) > 2**20


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("constraint", [wganx.GradientPenalty(), wganx.R1R2(1.0), wganx.NoConstraint()])
def test_the_plan_is_what_is_then_used_on_a_gpu(constraint, precision):
    # Large enough that the workspaces of cuBLAS and cuDNN, which no plan sees, do not decide.
    trainer, batch = training(convolutional(width=128), constraint, "cuda", rows=2048, precision=precision)
    plan = plan_memory(trainer.training, batch)
    used_before = torch.cuda.memory_allocated()
    for _ in range(2):
        trainer.steps.update_critic([batch], 0)
        trainer.steps.update_generator([batch], 0)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    trainer.steps.update_critic([batch], 0)
    trainer.steps.update_generator([batch], 1)
    torch.cuda.synchronize()
    expected = plan.total - plan.kept + plan.pending
    assert torch.cuda.max_memory_allocated() - used_before == pytest.approx(expected, rel=0.15)
