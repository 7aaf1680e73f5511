"""The loop: what is updated when, and what is left alone."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import wganx
from wganx.engine import Every, Observer
from wganx.errors import DataError, TrainingDiverged, UsageError
from wganx.wasserstein import OBJECTIVES, BatchDistance, Constraint


class Counting(nn.Module):
    """Wraps a network and notes for every call whether gradients were on and its weights trainable."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.calls = []

    def forward(self, *inputs, **keywords):
        trainable = all(parameter.requires_grad for parameter in self.network.parameters())
        self.calls.append((torch.is_grad_enabled(), trainable))
        return self.network(*inputs, **keywords)


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).clone()


@pytest.mark.parametrize("critic_steps", [1, 3, 5])
def test_critic_steps_counts_critic_updates(make_trainer, data, critic_steps):
    class Recording(wganx.WeightClipping):
        def after_update(self, critic):
            updates.append(weights(critic))

    updates = []
    trainer = make_trainer(critic_steps=critic_steps, constraint=Recording())
    trainer.fit(data, steps=4)
    assert trainer.steps.critic_updates == len(updates) == 4 * critic_steps
    assert all(not torch.equal(one, other) for one, other in pairwise(updates))


def test_the_generator_is_updated_once_a_step(make_trainer, data):
    trainer, seen = make_trainer(), []
    trainer.fit(data, steps=5, actions=[Every(1, lambda: seen.append(weights(trainer.generator)))])
    assert trainer.step == 5
    assert len(seen) == 5
    assert all(not torch.equal(one, other) for one, other in pairwise(seen))


def test_fakes_have_no_graph_in_critic_steps_and_the_critic_is_frozen_in_generator_steps(make_trainer, networks, data):
    generator, critic = (Counting(network) for network in networks())
    make_trainer(generator=generator, critic=critic, critic_steps=2, ema=0.0).fit(data, steps=1)
    # Two critic steps without a graph, then the generator's own step; the logging point looks without a graph.
    assert [grad for grad, _ in generator.calls] == [False, False, True, False]
    # Each critic step scores both kinds of samples at once and points between them, with trainable weights; the
    # generator's step has none of its own.
    assert [trainable for _, trainable in critic.calls][:5] == [True] * 4 + [False]


def test_each_player_leaves_the_other_alone(make_trainer, data):
    trainer = make_trainer()
    batch = [wganx.Batch(data[0])]
    before = weights(trainer.generator)
    trainer.steps.update_critic(batch, 0)
    assert torch.equal(weights(trainer.generator), before)
    before = weights(trainer.critic)
    trainer.steps.update_generator(batch, 0)
    assert torch.equal(weights(trainer.critic), before)
    assert all(parameter.requires_grad for parameter in trainer.critic.parameters())


def test_accumulated_batches_make_the_update_of_their_mean_gradient(make_trainer, networks, data):
    """With a constraint that draws nothing, k batches and their concatenation give the critic the same update."""
    data = [x.double() for x in data]
    joined, parted = (
        make_trainer(
            constraint=wganx.NoConstraint(), noise=None, generator=Still().double(), critic=networks()[1].double()
        )
        for _ in range(2)
    )
    joined.steps.update_critic([wganx.Batch(torch.cat(data[:3]), {"like": torch.cat(data[:3])})], 0)
    parted.steps.update_critic([wganx.Batch(x, {"like": x}) for x in data[:3]], 0)
    # Without the last bias: it moves both scores alike, so its gradient is zero but for rounding.
    assert torch.allclose(weights(joined.critic)[:-1], weights(parted.critic)[:-1], atol=1e-10)


@pytest.mark.parametrize("micro_batch", [1, 3, 4, 8, 100])
def test_a_batch_in_parts_makes_the_update_of_the_whole(make_trainer, networks, data, micro_batch):
    trained = []
    for rows in (None, micro_batch):
        generator, critic = (network.double() for network in networks())
        trainer = make_trainer(generator=generator, critic=critic, micro_batch=rows)
        result = trainer.fit([batch.double() for batch in data], steps=3, log_every=1)
        trained.append((weights(trainer.critic)[:-1], weights(trainer.generator), result.history))
    (critic, generator, expected), (critic_parted, generator_parted, found) = trained
    assert torch.allclose(critic_parted, critic, rtol=0, atol=1e-9)
    assert torch.allclose(generator_parted, generator, rtol=0, atol=1e-9)
    for ours, theirs in zip(found, expected):
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)


def test_accumulate_takes_that_many_batches_an_update(make_trainer, data):
    taken = []

    def source():
        for x in data * 10:
            taken.append(x)
            yield x

    make_trainer(accumulate=2, critic_steps=3).fit(source(), steps=2)
    assert len(taken) == 2 * 3 * 2


class Still(nn.Module):
    """A generator that moves what it is given by a learned shift."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.full((2,), 0.5))

    def forward(self, like):
        return like + self.shift


def test_learns_a_shifted_cloud(make_trainer, data):
    trainer = make_trainer(optimizer=wganx.Optimizer(lr=5e-3, betas=(0.0, 0.9)), ema=0.9)
    start = (trainer.sample(200).mean(0) - torch.tensor([1.0, -1.0])).norm()
    trainer.fit(data, steps=150)
    end = (trainer.sample(200).mean(0) - torch.tensor([1.0, -1.0])).norm()
    assert end < 0.25 * start


@pytest.mark.parametrize(
    "objective",
    [kind for _, kind in sorted(OBJECTIVES.items()) if not issubclass(kind, BatchDistance)],
)
@pytest.mark.parametrize(
    "constraint",
    [wganx.GradientPenalty, wganx.LipschitzPenalty, wganx.WeightClipping, wganx.SpectralNorm, wganx.NoConstraint],
)
def test_every_objective_runs_under_every_constraint(make_trainer, data, objective, constraint):
    trainer = make_trainer(objective=objective(), constraint=constraint())
    result = trainer.fit(data, steps=2, log_every=1)
    scalars = result.history[-1]
    assert ("w1_raw" in scalars) == (objective.reads_w1 and constraint.reads_w1)
    assert ("penalty" in scalars) == constraint.penalises
    assert ("w1_corrected" in scalars) == (objective.reads_w1 and constraint.penalises)
    assert torch.isfinite(trainer.sample(3)).all()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_precisions(make_trainer, data, precision):
    trainer = make_trainer(precision=precision)
    trainer.fit(data, steps=3)
    assert {parameter.dtype for parameter in trainer.generator.parameters()} == {torch.float32}
    assert torch.isfinite(weights(trainer.critic)).all()


def test_generator_losses_reach_the_generator_and_the_log(make_trainer, data):
    def pull_to_origin(networks, fake, batch, step):
        return {"size": 100.0 * fake.square().mean()}

    trainer = make_trainer(generator_losses=pull_to_origin, optimizer=wganx.Optimizer(lr=1e-2), ema=0.0)
    result = trainer.fit(data, steps=60, log_every=60)
    assert trainer.sample(100).abs().mean() < 0.1
    assert result.history[-1]["extra/size"] > 0


def test_scalars_leave_the_device_at_logging_points_only(make_trainer, data, monkeypatch):
    class Syncs(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            if function.name().split("::")[1].split(".")[0] in ("_local_scalar_dense", "nonzero", "equal"):
                counted.append(function.name())
            return function(*args, **(kwargs or {}))

    def counting_tolist(tensor, tolist=torch.Tensor.tolist):
        counted.append("tolist")
        return tolist(tensor)

    monkeypatch.setattr(torch.Tensor, "tolist", counting_tolist)  # which the dispatcher does not see on the CPU
    counted = []
    trainer = make_trainer()
    trainer.fit(data, steps=1)
    counted.clear()
    batches = [wganx.Batch(x) for x in data]
    with Syncs():
        for step in range(3):
            trainer.steps.update_critic(batches[:1], 0)
            trainer.steps.update_generator(batches[:1], step)
            trainer.average.update(step)
        assert counted == []
        trainer.steps.readings.read()
        assert counted == ["tolist"]
        float(data[0].sum())
        assert counted[1:], "the counter must see a synchronisation where there is one"


def test_observers_hear_at_logging_points_only(make_trainer, data):
    class Listener(Observer):
        def logged(self, step, scalars):
            heard.append((step, scalars))

    heard = []
    make_trainer().fit(data, steps=7, log_every=3, observers=[Listener()])
    assert [step for step, _ in heard] == [3, 6, 7]
    assert all({"w1_raw", "w1_corrected", "penalty", "gradient_norm", "lr"} <= scalars.keys() for _, scalars in heard)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [("constant", [1, 1, 1, 1]), ("linear", [1, 0.75, 0.5, 0.25]), ("cosine", [1, 0.85355339, 0.5, 0.14644661])],
)
def test_schedules(make_trainer, data, schedule, factors):
    trainer = make_trainer(optimizer=wganx.Optimizer(lr=0.01, critic_lr=0.02, schedule=schedule))
    rates = []

    def note():
        groups = [player.optimizer.param_groups[0]["lr"] for player in (trainer.steps.generator, trainer.steps.critic)]
        rates.append(groups)

    trainer.fit(data, steps=4, actions=[Every(1, note)])
    assert rates == [[pytest.approx(0.01 * factor), pytest.approx(0.02 * factor)] for factor in factors]


def test_the_callers_random_stream_is_left_alone(make_trainer, data):
    trainer = make_trainer(critic=nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1), nn.Flatten(0)))
    torch.manual_seed(11)
    before = torch.get_rng_state()
    trainer.fit(data, steps=2)
    trainer.sample(5)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("dropout", [False, True])
def test_the_seed_fixes_the_training(make_trainer, data, dropout):
    def run(seed, disturbance):
        torch.manual_seed(0)
        layers = [nn.Linear(2, 8), *([nn.Dropout(0.5)] if dropout else []), nn.Linear(8, 1), nn.Flatten(0)]
        trainer = make_trainer(critic=nn.Sequential(*layers), seed=seed)
        torch.manual_seed(disturbance)
        trainer.fit(data, steps=3)
        return weights(trainer.generator)

    assert torch.equal(run(1, 5), run(1, 6))
    assert not torch.equal(run(1, 5), run(2, 5))


def test_sampling_is_repeatable_and_disturbs_nothing(make_trainer, data):
    disturbed, quiet = make_trainer(), make_trainer()
    disturbed.fit(data, steps=2, actions=[Every(1, lambda: disturbed.sample(9))])
    quiet.fit(data, steps=2)
    assert torch.equal(weights(disturbed.generator), weights(quiet.generator))
    assert torch.equal(quiet.sample(5), quiet.sample(5))
    assert not torch.equal(quiet.sample(5), quiet.sample(5, seed=9))
    assert quiet.sample(7, chunk=3).shape == (7, 2)


def test_context_reaches_the_generator_and_condition_the_critic():
    class Shift(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, noise, label):
            return self.layer(torch.cat([noise, label[:, None].float()], 1))

    class Scorer(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 1)

        def forward(self, x, label):
            return self.layer(torch.cat([x, label[:, None].float()], 1)).squeeze(1)

    label = torch.arange(6) % 2
    batch = wganx.Batch(torch.randn(6, 2), {"label": label}, {"label": label})
    trainer = wganx.Trainer(Shift(), Scorer(), noise=(2,), device="cpu")
    trainer.fit([batch], steps=2)
    one, other = (trainer.sample(4, context={"label": torch.full((4,), value)}) for value in (0, 1))
    assert not torch.equal(one, other)


class Poison(Constraint):
    """A penalty that turns non-finite in the given critic updates."""

    penalises = True

    def __init__(self, bad):
        object.__setattr__(self, "bad", bad)
        object.__setattr__(self, "calls", [0])
        object.__setattr__(self, "name", "none")

    def due(self, update):
        return [(1.0, self)]

    def terms(self, critic, real, fake, condition, rng=None):
        terms = wganx.GradientPenalty().terms(critic, real, fake, condition, rng)
        self.calls[0] += 1
        return terms._replace(loss=terms.loss * float("nan")) if self.calls[0] in self.bad else terms


class TestNonFinite:
    def test_never_reaches_the_weights_and_fails_without_a_checkpoint(self, make_trainer, data):
        trainer = make_trainer(constraint=Poison({8}))
        with pytest.raises(TrainingDiverged, match="the critic's loss or gradient became non-finite before step 4; "
                           "there is no checkpoint to return to"):  # fmt: skip
            trainer.fit(data, steps=10, log_every=4)
        assert torch.isfinite(weights(trainer.critic)).all()
        assert torch.isfinite(weights(trainer.generator)).all()

    def test_rolls_back_once_and_says_so(self, make_trainer, data, tmp_path):
        class Listener(Observer):
            def rolled_back(self, step, reason):
                heard.append((step, reason))

        heard = []
        trainer = make_trainer(constraint=Poison({27}))
        store = wganx.engine.CheckpointStore(tmp_path)
        result = trainer.fit(data, steps=8, log_every=2, observers=[Listener()], checkpoints=store, checkpoint_every=4)
        assert heard == [(4, "WX021 the critic's loss or gradient became non-finite before step 6")]
        assert (result.status, trainer.step, trainer.training.rollbacks) == ("finished", 8, 1)
        assert torch.isfinite(weights(trainer.critic)).all()

    def test_fails_when_it_happens_again(self, make_trainer, data, tmp_path):
        trainer = make_trainer(constraint=Poison({27, 33}))
        with pytest.raises(TrainingDiverged, match=r"again after a roll-back. lower the learning rate"):
            trainer.fit(data, steps=12, log_every=2, checkpoints=wganx.engine.CheckpointStore(tmp_path),
                        checkpoint_every=4)  # fmt: skip

    def test_a_checkpoint_is_never_written_after_it(self, make_trainer, data, tmp_path):
        trainer = make_trainer(constraint=Poison({8, 18}))
        store = wganx.engine.CheckpointStore(tmp_path)
        with pytest.raises(TrainingDiverged):
            trainer.fit(data, steps=10, log_every=10, checkpoints=store, checkpoint_every=2)
        assert store.steps() == [0]


def test_batches_that_run_out_are_named(make_trainer, data):
    with pytest.raises(DataError, match="the batches ran out; give an iterable that can be started again"):
        make_trainer().fit(iter(data), steps=50)


def test_a_loader_whose_worker_died_is_named_wherever_torch_says_it(make_trainer, data):
    """As in pytorch's issue 22136: the signal of the worker's end raises in the midst of anything."""

    def struck():
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")

    with pytest.raises(
        wganx.DataError, match=r"DataLoader died \(DataLoader worker \(pid 7\) .* fewer workers, or none"
    ):
        make_trainer().fit(data, steps=3, actions=[Every(2, struck)])
    with pytest.raises(RuntimeError, match="another"):
        make_trainer().fit(data, steps=3, actions=[Every(2, lambda: (_ for _ in ()).throw(RuntimeError("another")))])


def test_batches_of_another_kind_are_named(make_trainer, data):
    with pytest.raises(DataError, match=r"batches must be tensors or wganx.Batch, got tuple"):
        make_trainer().fit([(data[0], 1)], steps=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"critic_steps": 0}, "critic_steps and accumulate must be at least 1, got 0 and 1"),
        ({"ema": 1.0}, r"ema must lie in \[0, 1\), got 1.0"),
        ({"capture": "fast"}, "capture must be one of auto, graph, compile, off, got 'fast'"),
        ({"capture": "graph"}, "capture graph needs a CUDA device, and training runs on cpu; use auto, compile or off"),
        ({"micro_batch": 0}, "micro_batch must be at least 1, 'auto' or None, got 0"),
        ({"precision": "fp8"}, "precision must be one of auto, fp32, tf32, bf16, got 'fp8'"),
        ({"precision": "tf32"}, "precision tf32 needs a CUDA device, and training runs on cpu"),
        ({"device": "cuda:99"}, "device 'cuda:99' cannot be used"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
        ({"device": "meta"}, "device 'meta' cannot be used: it holds shapes and no values; name one that can"),
        ({"device": "cpu:7"}, "device 'cpu:7' cannot be used: all processors are one device, cpu; name one that can"),
        ({"seed": 10**30}, "a seed lies between -9223372036854775808 and 9223372036854775807, got 1000000000"),
        ({"seed": 17982163893102248868}, "a seed lies between "),  # that of pytorch/torchtitan#746
    ],
)
def test_settings_that_cannot_be_are_refused(make_trainer, settings, message):
    with pytest.raises(UsageError, match=message):
        make_trainer(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "sgd"}, "name must be 'adam' or 'rmsprop', got 'sgd'"),
        ({"lr": 0.0}, "lr must be more than 0, got 0.0"),
        ({"schedule": "step"}, "schedule must be one of constant, linear, cosine, got 'step'"),
        ({"betas": (0.0, 1.0)}, r"betas must lie in \[0, 1\), got \(0.0, 1.0\)"),
    ],
)
def test_optimizer_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        wganx.Optimizer(**settings)


def test_integer_betas_are_taken(make_trainer, data):
    """torch refuses a mixed pair such as (0, 0.9); people write it all the same."""
    for optimizer in (wganx.Optimizer(betas=(0, 0.9)), wganx.Optimizer(name="rmsprop", lr=5e-5)):
        assert make_trainer(optimizer=optimizer).fit(data, steps=1).step == 1


def test_only_objectives_that_ask_for_real_scores_pay_for_them(make_trainer, networks, data):
    for objective, passes in ((wganx.Hinge(), 1), (wganx.Relativistic(), 2)):
        critic = Counting(networks()[1])
        trainer = make_trainer(critic=critic, objective=objective, constraint=wganx.NoConstraint())
        trainer.steps.update_generator([wganx.Batch(data[0])], 0)
        assert [grad for grad, _ in critic.calls] == [True, False][:passes]


def test_the_generators_gradient_under_relativistic_is_autograds(make_trainer, networks, data):
    trainer = make_trainer(objective=wganx.Relativistic())
    generator, critic = networks()
    noise = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    scores, real = critic(generator(noise)), critic(data[0])
    torch.nn.functional.softplus(-(scores - real)).mean().backward()
    trainer.steps.update_generator([wganx.Batch(data[0])], 0)
    for ours, theirs in zip(trainer.generator.parameters(), generator.parameters()):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-7)


def test_relativistic_under_r1_and_r2_finds_every_mode_of_a_ring():
    rng = torch.Generator().manual_seed(0)
    angles = torch.arange(8) * (2 * torch.pi / 8)
    modes = torch.stack([angles.cos(), angles.sin()], 1)
    data = modes[torch.randint(8, (64, 128), generator=rng)] + 0.05 * torch.randn(64, 128, 2, generator=rng)
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    critic = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Flatten(0)
    )
    trainer = wganx.Trainer(
        generator, critic, noise=(4,), objective=wganx.Relativistic(), constraint=wganx.R1R2(0.1), critic_steps=1,
        optimizer=wganx.Optimizer(lr=1e-3, betas=(0.0, 0.99)), ema=0.99, device="cpu",
    )  # fmt: skip
    trainer.fit(list(data), steps=1200)
    apart = torch.cdist(trainer.sample(800), modes)
    nearest = apart.argmin(1).bincount(minlength=8)
    assert nearest.min() > 40
    assert (apart.min(1).values < 0.3).float().mean() > 0.8
