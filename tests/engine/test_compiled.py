"""The compiled critic step: the same numbers as the eager one, or the eager one with a note."""

import copy
import re
import shutil
import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode

import wganx
from wganx.engine.carrying.compiled import CompiledLoss
from wganx.engine.ranks import Ranks
from wganx.errors import PreflightError, UsageError
from wganx.nn import constant_masks
from wganx.wasserstein import CONSTRAINTS

BUILT_IN = sorted(name for name, kind in CONSTRAINTS.items() if kind.__module__.startswith("wganx."))


def conv_critic(norm=None):
    """4x4 pictures after two strided convolutions; activations in place and not, as module and as function."""
    torch.manual_seed(0)
    norms = {
        None: nn.Identity(),
        "layer": nn.GroupNorm(1, 6),
        "instance": nn.InstanceNorm2d(6, affine=True),
    }
    layers = [nn.Conv2d(2, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 6, 4, 2, 1), norms[norm]]
    return nn.Sequential(*layers, nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(24, 1), nn.Flatten(0)).double()


def mlp_critic():
    torch.manual_seed(0)
    layers = [nn.Flatten(), nn.Linear(128, 8), nn.LeakyReLU(0.2), nn.Dropout(0.5), nn.Linear(8, 8), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(8, 1), nn.Flatten(0)).double()


class Scaled(nn.Module):
    """A critic whose scores depend on a number, a condition and a functional activation."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.scale = nn.Linear(128, 8), nn.Linear(8, 1), 1.0
        self.double()

    def forward(self, x, label):
        hidden = nn.functional.leaky_relu(self.first(x.flatten(1)), 0.1)
        return self.scale * self.last(hidden).squeeze(1) * (1 + label)


def samples(seed, rows=5, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(2, rows, 2, 8, 8, generator=rng, dtype=dtype).unbind(0)


def make_loss(critic, constraint, rng, objective=None):
    """The critic's loss of the training, in short; `variant` is the number of the update."""
    objective = objective or wganx.Wasserstein()

    def loss(real, fake, condition, variant):
        with parametrize.cached():
            scores = [constraint.scores(critic, x, condition) for x in (real, fake)]
            total = objective.critic_loss(*scores)
            readings = {"score_gap": scores[0].mean() - scores[1].mean()}
            for factor, penalty in constraint.due(variant or 0):
                with constant_masks():
                    terms = penalty.terms(critic, real, fake, condition, rng)
                readings["penalty"] = terms.loss
                total = total + factor * terms.loss
        return total, readings

    return loss


def flat(gradients):
    return torch.cat([gradient.flatten() for gradient in gradients])


def eager_gradient(critic, loss, *inputs):
    total, readings = loss(*inputs)
    gradients = torch.autograd.grad(total, list(critic.parameters()), allow_unused=True, materialize_grads=True)
    return flat(gradients), total.detach(), readings


class Pair:
    """A critic compiled and its twin that is not, each with streams of its own."""

    def __init__(self, critic, constraint, backend="eager", **settings):
        self.critic, self.twin = critic, copy.deepcopy(critic)
        self.rng, self.twin_rng = (torch.Generator().manual_seed(1) for _ in range(2))
        self.twin_loss = make_loss(self.twin, constraint, self.twin_rng, **settings)
        self.notes = []
        loss = make_loss(critic, constraint, self.rng, **settings)
        self.compiled = CompiledLoss(critic, loss, backend=backend, note=self.notes.append)

    def compare(self, real, fake, condition=None, variant=None, tolerance=1e-12):
        condition = condition or {}
        state = torch.get_rng_state()
        found = self.compiled.gradients(real, fake, condition, variant)
        after = torch.get_rng_state()
        torch.set_rng_state(state)
        gradient, loss, readings = eager_gradient(self.twin, self.twin_loss, real, fake, condition, variant)
        assert (flat(found.gradients) - gradient).norm() <= tolerance * gradient.norm()
        assert found.loss.item() == pytest.approx(loss.item(), rel=tolerance, abs=tolerance)
        assert found.readings.keys() == readings.keys()
        for name, value in readings.items():
            assert found.readings[name].item() == pytest.approx(value.item(), rel=tolerance, abs=tolerance)
        assert torch.equal(self.rng.get_state(), self.twin_rng.get_state())
        assert torch.equal(torch.get_rng_state(), after)
        for one, other in zip(self.critic.buffers(), self.twin.buffers()):
            assert torch.allclose(one, other, rtol=1e-9)


def move_weights(*critics):
    """As an update does: in place, the same for each."""
    for critic in critics:
        with torch.no_grad():
            for number, weight in enumerate(critic.parameters()):
                weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(number)), alpha=0.1)


@pytest.mark.parametrize("make_critic", [mlp_critic, conv_critic])
@pytest.mark.parametrize("name", BUILT_IN)
def test_equals_the_eager_step_under_every_constraint(name, make_critic):
    constraint, critic = CONSTRAINTS[name](), make_critic()
    try:
        constraint.prepare(critic)
    except PreflightError:
        pytest.skip(f"{name} refuses this critic")
    pair = Pair(critic, constraint)
    for seed in range(3):
        pair.compare(*samples(seed))
        move_weights(pair.critic, pair.twin)
    assert pair.compiled.reason is None
    assert pair.compiled.seconds > 0
    assert len(pair.compiled._graphs) == 1


@pytest.mark.parametrize("norm", ["layer", "instance"])
@pytest.mark.parametrize("objective", [wganx.Wasserstein(), wganx.Hinge()], ids=lambda each: each.name)
def test_equals_the_eager_step_with_normalisation_and_functionalised_by_aot(norm, objective):
    pair = Pair(conv_critic(norm), wganx.GradientPenalty(), backend="aot_eager", objective=objective)
    for seed in range(2):
        pair.compare(*samples(seed))
    assert pair.compiled.reason is None


def test_power_iterations_go_on_inside_the_graph():
    critic = conv_critic()
    constraint = wganx.SpectralNorm()
    constraint.prepare(critic)
    before = [buffer.clone() for buffer in critic.buffers()]
    pair = Pair(critic, constraint, backend="aot_eager")
    for seed in range(3):
        pair.compare(*samples(seed))
    assert pair.compiled.reason is None
    assert any(not torch.equal(*each) for each in zip(before, critic.buffers()))


def test_in_bf16_rounding_is_allowed_for():
    critic = mlp_critic().float().eval()

    def loss(real, fake, condition, variant):
        with torch.autocast("cpu", torch.bfloat16):
            gap = critic(fake).float().mean() - critic(real).float().mean()
            terms = wganx.GradientPenalty().terms(critic, real, fake, condition)
            return gap + terms.loss, {}

    compiled = CompiledLoss(critic, loss, backend="aot_eager")
    for seed in range(2):
        found = compiled.gradients(*samples(seed, dtype=torch.float32), {})
    assert compiled.reason is None
    assert flat(found.gradients).dtype == torch.float32


def test_a_lazy_penalty_a_short_batch_and_a_condition_have_graphs_of_their_own():
    pair = Pair(Scaled(), wganx.R1(every=2))
    for update in range(4):
        for rows in (5, 3):
            label = torch.arange(rows, dtype=torch.float64)
            pair.compare(*samples(update, rows), {"label": label}, update % 2)
    assert pair.compiled.reason is None
    assert len(pair.compiled._graphs) == 4


def test_a_changed_attribute_of_the_critic_is_seen():
    pair = Pair(Scaled(), wganx.GradientPenalty())
    label = {"label": torch.ones(5, dtype=torch.float64)}
    for scale in (1.0, 1.0, 3.0, 3.0, 1.0):
        pair.critic.scale = pair.twin.scale = scale
        pair.compare(*samples(0), label)
    pair = Pair(mlp_critic(), wganx.GradientPenalty())
    for training in (True, False, True, False):
        pair.critic.train(training)
        pair.twin.train(training)
        pair.compare(*samples(0))
    assert pair.compiled.reason is None
    assert len(pair.compiled._graphs) == 2


def test_frozen_weights_get_no_gradient():
    critic = conv_critic()
    critic[0].requires_grad_(False)
    compiled = CompiledLoss(critic, make_loss(critic, wganx.R1(), None), backend="eager")
    trained = [parameter for parameter in critic.parameters() if parameter.requires_grad]
    for seed in range(2):
        found = compiled.gradients(*samples(seed), {})
    loss, _ = make_loss(critic, wganx.R1(), None)(*samples(1), {}, None)
    expected = flat(torch.autograd.grad(loss, trained))
    assert torch.allclose(flat(found.gradients), expected, rtol=1e-12)
    assert compiled.reason is None


def test_nothing_is_read_back_from_the_device_after_the_first_use():
    class NoReading(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            assert func is not torch.ops.aten._local_scalar_dense.default
            return func(*args, **(kwargs or {}))

    critic = conv_critic()
    compiled = CompiledLoss(critic, make_loss(critic, wganx.GradientPenalty(), None), backend="eager")
    compiled.gradients(*samples(0), {})
    with NoReading():
        compiled.gradients(*samples(1), {})
    assert compiled.reason is None


def wrong_backend(module, inputs):
    def run(*tensors):
        first, *others = module(*tensors)
        return (first * 1.1, *others)

    return run


def failing_backend(module, inputs):
    raise RuntimeError("no compiler on this machine")


class Undecided(nn.Module):
    """What it computes depends on the values it is given."""

    def __init__(self):
        super().__init__()
        self.inner = mlp_critic().eval()

    def forward(self, x):
        return self.inner(x) * (2 if x.mean() > 0 else 1)


class Gambling(Undecided):
    def forward(self, x):
        return self.inner(x) * (1 + torch.bernoulli(torch.sigmoid(x[:, 0, 0, 0]).detach()))


class Replacing(Undecided):
    """Keeps a mean by putting another tensor in the buffer's place: no graph sees that."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros((), dtype=torch.float64))

    def forward(self, x):
        self.seen = self.seen + 1
        return self.inner(x) * self.seen


class Unregistered(Undecided):
    """Its factor can be replaced at any time."""

    def __init__(self):
        super().__init__()
        self.factor = torch.tensor(2.0, dtype=torch.float64)

    def forward(self, x):
        return self.inner(x) * self.factor


@pytest.mark.parametrize(
    ("make_critic", "backend", "why"),
    [
        (mlp_critic, wrong_backend, "its gradient is off by a relative"),
        (mlp_critic, failing_backend, "no compiler on this machine"),
        (Undecided, "eager", "data-dependent|DataDependent"),
        (Gambling, "eager", "aten.bernoulli.default draws numbers whose distribution depends on a tensor"),
        (Replacing, "eager", "it leaves other values in the buffer 'seen' than the eager one"),
        (Unregistered, "eager", "the critic's tensor 'factor' is neither weight nor buffer; use register_buffer"),
    ],
)
def test_what_cannot_be_compiled_runs_eagerly_with_one_note(make_critic, backend, why):
    pair = Pair(make_critic(), wganx.GradientPenalty(), backend=backend)
    for seed in range(3):
        pair.compare(*samples(seed))
    (note,) = pair.notes
    assert re.match(f"the critic's loss is not compiled and runs eagerly: .*({why})", note)
    assert pair.compiled.reason
    assert not pair.compiled._graphs


def test_too_many_kinds_of_batches_end_in_eager_steps():
    pair = Pair(mlp_critic(), wganx.NoConstraint())
    for rows in range(1, 9):
        pair.compare(*samples(0, rows))
    assert pair.notes == []
    pair.compare(*samples(0, 9))
    pair.compare(*samples(0, 1))
    (note,) = pair.notes
    assert "more than 8 kinds" in note


def test_a_first_batch_without_a_finite_gradient_decides_nothing():
    critic = mlp_critic()
    compiled = CompiledLoss(critic, make_loss(critic, wganx.NoConstraint(), None), backend="eager")
    real, fake = samples(0)
    assert not torch.isfinite(flat(compiled.gradients(real * torch.inf, fake, {}).gradients)).all()
    assert compiled.reason is None
    assert not compiled._graphs
    compiled.gradients(real, fake, {})
    assert len(compiled._graphs) == 1


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler on this machine")
def test_inductor_on_the_cpu():
    pair = Pair(mlp_critic(), wganx.GradientPenalty(), backend="inductor")
    for seed in range(3):
        pair.compare(*samples(seed))
        move_weights(pair.critic, pair.twin)
    assert pair.compiled.reason is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_runs_inside_a_cuda_graph():
    critic = conv_critic().float().cuda()
    rng = torch.Generator("cuda").manual_seed(1)
    compiled = CompiledLoss(critic, make_loss(critic, wganx.GradientPenalty(), rng))
    real, fake = (x.float().cuda() for x in samples(0))
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            compiled.gradients(real, fake, {})
    torch.cuda.current_stream().wait_stream(side)
    assert compiled.reason is None
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(rng)
    with torch.cuda.graph(graph):
        found = compiled.gradients(real, fake, {})
    for seed in range(1, 3):
        for place, new in zip((real, fake), samples(seed)):
            place.copy_(new)
        state = rng.get_state()
        graph.replay()
        after = rng.get_state()
        rng.set_state(state)
        gradient, _, _ = eager_gradient(critic, compiled.loss, real, fake, {}, None)
        assert (flat(found.gradients) - gradient).norm() <= 1e-3 * gradient.norm()
        rng.set_state(after)


class Remembering(nn.Module):
    """Keeps its last hidden layer, as hooks for visualisation do, and takes a constant of its own."""

    def __init__(self):
        super().__init__()
        self.inner = mlp_critic().eval()

    def forward(self, x):
        self.last = self.inner[:3](x)
        return self.inner[3:](self.last) * torch.tensor(2.0, dtype=x.dtype)


def test_tracing_leaves_nothing_behind_in_the_critic():
    pair = Pair(Remembering(), wganx.GradientPenalty(), backend="aot_eager")
    for seed in range(2):
        pair.compare(*samples(seed))
        assert type(pair.critic.last) is torch.Tensor
    assert pair.compiled.reason is None


def test_old_style_spectral_norm_goes_the_same_way():
    critic = conv_critic()
    for layer in (critic[0], critic[2], critic[6]):
        torch.nn.utils.spectral_norm(layer)
    compiled = CompiledLoss(critic, make_loss(critic, wganx.R1(), None), backend="aot_eager")
    real, fake = samples(0)
    compiled.gradients(real, fake, {})
    critic.eval()  # no power iteration: the same weights every time
    for _ in range(2):
        found = compiled.gradients(real, fake, {})
    gradient, _, _ = eager_gradient(critic, compiled.loss, real, fake, {}, None)
    assert torch.allclose(flat(found.gradients), gradient, rtol=1e-10)
    assert compiled.reason is None


def test_there_is_no_warning_where_all_goes_well():
    critic = mlp_critic()
    compiled = CompiledLoss(critic, make_loss(critic, wganx.LipschitzPenalty(), None), backend="aot_eager")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(2):
            compiled.gradients(*samples(seed), {})
    assert compiled.reason is None


def test_a_training_with_a_compiled_loss_takes_the_course_of_an_eager_one(make_trainer, data, monkeypatch):
    """In float64, with lazy penalties, micro-batches and accumulated batches."""
    monkeypatch.setattr(CompiledLoss.__init__, "__kwdefaults__", {"backend": "aot_eager"})
    trained = []
    for capture in ("off", "compile"):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).double()
        critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Flatten(0)).double()
        trainer = make_trainer(
            generator=generator, critic=critic, capture=capture, constraint=wganx.GradientPenalty(every=2, drift=0.01),
            accumulate=2, micro_batch=5, critic_steps=3,
        )  # fmt: skip
        result = trainer.fit([batch.double() for batch in data], steps=6, log_every=3)
        trained.append((trainer, result.history))
    (eager, expected), (compiled, found) = trained
    assert compiled.steps.compiled.reason is None
    for ours, theirs in zip(compiled.generator.parameters(), eager.generator.parameters()):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-9)
    for ours, theirs in zip(found, expected):
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)


def test_compiling_is_refused_among_several_processes(make_trainer, monkeypatch):
    monkeypatch.setattr("wganx.engine.training.join", lambda: Ranks(0, 2))
    with pytest.raises(UsageError, match="capture compile trains in one process; use auto with several"):
        make_trainer(capture="compile")
