"""Steps that are recorded and replayed, against the same steps one operation after another.

No GPU is needed: a tape stands for its graphs. It holds the operations of a step and repeats them in the same memory.
Whatever host code ran between the operations is gone on replay, and every value that host code computed is what it was
while recording, so a step that depends on either shows here, to the last bit.
"""

from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

import wganx
from wganx.batch import SampleFormat
from wganx.config import resolve
from wganx.data import ArrayItems, BatchStream, ResidentFeed
from wganx.engine import load_average, read_weights
from wganx.engine.carrying.execution import describe
from wganx.engine.carrying.recorded import Recorded
from wganx.errors import UsageError
from wganx.runs.assembly import Assembly
from wganx.wasserstein import CONSTRAINTS

HOST_READS = ("_local_scalar_dense", "nonzero", "equal", "item", "is_nonzero")
HOST_WRITES = ("lift_fresh",)  # torch.tensor(...) of Python numbers


class Refused(RuntimeError):
    """What a GPU would refuse to record."""


class _Recording(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function.name().split("::")[1].split(".")[0]
        if name in HOST_READS or name in HOST_WRITES:
            raise Refused(f"{name} moves a value between host and device")
        result = function(*args, **kwargs)
        self.operations.append((function, args, kwargs, result))
        return result


class Tape:
    """Stands for `wganx.engine.carrying.cuda_graphs.CudaGraphs` on a CPU."""

    def __init__(self, milliseconds=10.0):
        self.recorded = self.replayed = 0
        self._milliseconds = milliseconds

    def active(self):
        return nullcontext()

    def milliseconds(self, work):
        work()
        return self._milliseconds

    def record(self, work):
        # Recording must compute nothing: the weights, the streams and everything else get their old values back.
        recording, untouched = _Recording(), _Untouched()
        try:
            with untouched, recording:
                work()
        finally:
            untouched.restore()
        self.recorded += 1

        def replay():
            self.replayed += 1
            with torch._C._AutoDispatchBelowAutograd():  # where they were recorded
                for function, args, kwargs, result in recording.operations:
                    _repeat(function, args, kwargs, result)

        return replay


def _repeat(function, args, kwargs, result):
    again = function(*args, **kwargs)
    for old, new in zip(tree_flatten(result)[0], tree_flatten(again)[0]):
        if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
            old.copy_(new)


class _Untouched(TorchDispatchMode):
    """Remembers what every operation that writes in place found, and the generators' states."""

    def __init__(self):
        super().__init__()
        self.before = {}
        self.generators = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        for place, argument in enumerate(function._schema.arguments):
            given = args[place] if place < len(args) else kwargs.get(argument.name)
            written = argument.alias_info is not None and argument.alias_info.is_write
            if written or "batch_norm" in function.name():  # whose schema does not say that it writes its statistics
                tree_map_only(torch.Tensor, self._remember, given)
            if isinstance(given, torch.Generator):
                self.generators.setdefault(id(given), (given, given.get_state()))
        return function(*args, **kwargs)

    def __enter__(self):
        self.layers = torch.get_rng_state()
        return super().__enter__()

    def restore(self):
        for place, value in self.before.values():
            place.copy_(value)
        for generator, state in self.generators.values():
            generator.set_state(state)
        torch.set_rng_state(self.layers)

    def _remember(self, tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in self.before:
            whole = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(storage)
            self.before[storage._cdata] = (whole, whole.clone())
        return tensor


def replaced(patch, tape):
    patch.setattr(
        "wganx.engine.training.choose_execution",
        lambda capture, device, steps, stream, stopwatch, failures, note: Recorded(
            steps, stream, stopwatch, tape, failures, note
        ),
    )


def run(make_trainer, batches, tape=None, steps=9, **settings):
    trainer = make_trainer(**settings)
    for player in (trainer.steps.critic, trainer.steps.generator):
        if not player.parameters:  # no critic
            continue
        player.optimizer = trainer.training.rules.optimizer.build(player.parameters, player.rate, capturable=True)
    with pytest.MonkeyPatch.context() as patch:
        if tape is not None:
            replaced(patch, tape)
        result = trainer.fit(batches, steps=steps, log_every=2)
    return trainer, result.history


def same(one, other):
    ours, theirs = (trainer.checkpoint() for trainer in (one, other))
    for kind in ("weights", "training"):
        tensors, others = getattr(ours, kind), getattr(theirs, kind)
        assert tensors.keys() == others.keys()
        for name in tensors:
            assert torch.equal(tensors[name], others[name]), name
    assert ours.facts == theirs.facts


def dropping_networks():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Dropout(0.5), nn.Linear(16, 1), nn.Flatten(0))
    generator = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    return {"generator": generator, "critic": critic}


@pytest.mark.parametrize("milliseconds", [10.0, 0.1], ids=["an update at a time", "a cycle at a time"])
@pytest.mark.parametrize("name", sorted(set(CONSTRAINTS) - {"by-construction"}))
def test_every_constraint_is_recorded_and_replays_to_the_bit(make_trainer, data, name, milliseconds):
    settings = {"constraint": CONSTRAINTS[name](), "critic_steps": 2, "steps": 14}
    tape = Tape(milliseconds)
    eager, expected = run(make_trainer, data, **settings, **dropping_networks())
    recorded, found = run(make_trainer, data, tape, **settings, **dropping_networks())
    same(eager, recorded)
    assert expected == found
    assert tape.recorded >= 2
    assert tape.replayed > tape.recorded


@pytest.mark.parametrize("objective", [wganx.Energy, wganx.Sliced, wganx.Sinkhorn])
@pytest.mark.parametrize("features", ["samples", "critic"])
def test_distances_of_batches_are_recorded_and_wait_for_no_value(make_trainer, data, objective, features):
    settings = {"objective": objective(features=features), **({"critic": None} if features == "samples" else {})}
    eager, _ = run(make_trainer, data, **settings)
    tape = Tape()
    recorded, _ = run(make_trainer, data, tape, **settings)
    same(recorded, eager)
    assert recorded.training.facts()["fallbacks"] == {}
    assert tape.recorded == (1 if features == "samples" else 2)
    assert tape.replayed >= 5


def test_schedules_and_averages_move_while_steps_are_replayed(make_trainer, data):
    settings = {"optimizer": wganx.Optimizer(lr=1e-3, schedule="linear"), "ema": 0.9}
    same(run(make_trainer, data, **settings)[0], run(make_trainer, data, Tape(), **settings)[0])


def test_penalties_that_are_due_now_and_then_have_recordings_of_their_own(make_trainer, data):
    settings = {"constraint": wganx.GradientPenalty(every=3), "critic_steps": 2, "steps": 20}
    tape = Tape()
    same(run(make_trainer, data, **settings)[0], run(make_trainer, data, tape, **settings)[0])
    assert tape.recorded == 3  # with and without the penalty, and the generator's


def test_batches_of_another_size_are_recorded_anew(make_trainer, data):
    uneven = [*data[:3], data[3][:5]]
    tape = Tape()
    settings = {"critic_steps": 1, "steps": 40}
    same(run(make_trainer, uneven, **settings)[0], run(make_trainer, uneven, tape, **settings)[0])
    assert tape.recorded == 4


def test_accumulated_batches_and_micro_batches_are_replayed(make_trainer, data):
    for settings in ({"accumulate": 3}, {"micro_batch": 3}, {"accumulate": 2, "micro_batch": 4}):
        same(run(make_trainer, data, **settings)[0], run(make_trainer, data, Tape(), **settings)[0])


def test_a_feed_is_gathered_inside_the_recording(make_trainer):
    rng = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 255, (40, 2), dtype=torch.uint8, generator=rng)
    items = ArrayItems({"sample": pixels}, {"sample": SampleFormat(axes=("d",), shape=(2,), value_range=(0, 255))})

    def batches(trainer):
        feed = ResidentFeed(items, batch_size=8, seed=0, device="cpu")

        def noisy(items):  # as a task that augments: it draws from the training's stream
            x = items["sample"].float() / 127.5 - 1
            return wganx.Batch(x + 0.01 * torch.rand(x.shape, generator=trainer.random.draws))

        return BatchStream(feed, noisy)

    def train(tape=None):
        holder = {}

        def make(**settings):
            holder["trainer"] = make_trainer(**settings)
            holder["batches"] = batches(holder["trainer"])
            return holder["trainer"]

        class Late:
            def __getattr__(self, name):
                return getattr(holder["batches"], name)

            def __iter__(self):
                return iter(holder["batches"])

        return run(make, Late(), tape, steps=12)[0]

    same(train(), train(Tape()))


def test_generator_losses_know_the_number_of_the_step(make_trainer, data, caplog):
    def growing(networks, fake, batch, step):
        return {"pull": 0.01 * step * fake.square().mean()}

    settings = {"generator_losses": growing, "steps": 12}
    tape = Tape()
    same(run(make_trainer, data, **settings)[0], run(make_trainer, data, tape, **settings)[0])
    assert tape.recorded == 1  # the critic's update
    assert caplog.text.count("the generator's updates run one operation after another") == 1
    assert "a loss depends on the number of the step" in caplog.text


def test_what_cannot_be_recorded_is_said_once_and_trained_all_the_same(make_trainer, data, caplog):
    class Asking(nn.Sequential):
        def forward(self, x):
            return super().forward(x) * (1.0 if x.sum().item() > -1e9 else 0.5)

    def networks():
        return {**dropping_networks(), "critic": Asking(*dropping_networks()["critic"])}

    tape = Tape()
    eager, _ = run(make_trainer, data, **networks())
    recorded, _ = run(make_trainer, data, tape, **networks())
    same(eager, recorded)
    assert tape.recorded == 0
    assert recorded.training.facts()["fallbacks"].keys() == {"critic", "generator"}
    assert recorded.way.startswith("one operation after another; the critic's updates not recorded (")
    with pytest.MonkeyPatch.context() as patch:
        replaced(patch, tape)
        recorded.fit(data, steps=6)  # known by now, and not said again
    for kind in ("critic", "generator"):
        assert caplog.text.count(f"the {kind}'s updates run one operation after another: recording failed (_local") == 1


@pytest.mark.parametrize(("factor", "said"), [(1.2, "2.0e-01"), (float("nan"), "nan")])
def test_a_recording_that_does_not_repeat_the_work_is_not_used(make_trainer, data, caplog, factor, said):
    class Deaf(Tape):
        """Replays, and spoils what comes of it, as if memory had been given to someone else."""

        def record(self, work):
            replay = super().record(work)

            def wrong():
                replay()
                for player in players:
                    player.gradient.mul_(factor)

            return wrong

    trainer = make_trainer()
    players = (trainer.steps.critic, trainer.steps.generator)
    recorded, _ = run(lambda **settings: trainer, data, Deaf())
    same(run(make_trainer, data)[0], recorded)
    assert caplog.text.count(f"replayed, the gradient is off by a relative {said}") == 2


def test_the_tape_notices_a_value_that_the_host_computed(make_trainer, data, monkeypatch):
    """The tests above must be able to fail: a generator that counts on the host is not replayed."""

    class Counting(nn.Sequential):
        def forward(self, noise):
            calls.append(1)
            return super().forward(noise) + 0.001 * len(calls)

    monkeypatch.setattr("wganx.engine.carrying.recorded._ROUNDING", float("inf"))
    calls = []
    eager, _ = run(make_trainer, data, generator=Counting(nn.Linear(4, 2)))
    calls.clear()
    recorded, _ = run(make_trainer, data, Tape(), generator=Counting(nn.Linear(4, 2)))
    with pytest.raises(AssertionError):
        same(eager, recorded)


@pytest.mark.parametrize("milliseconds", [10.0, 0.1], ids=["an update at a time", "a cycle at a time"])
def test_helpers_and_both_players_losses_are_recorded(make_trainer, data, milliseconds):
    """One helper learns with each player, with batch norm and dropout, and one is frozen."""

    def helper():
        return nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))

    def losses(networks, fake, batch, step):
        helpers = networks.helpers
        return {
            "near": sum(0.1 * (helpers[name](fake) - helpers[name](batch.real)).square().mean() for name in helpers)
        }

    def settings():
        torch.manual_seed(1)
        roles = {"one": "generator", "other": "critic", "still": None}
        helpers = {name: wganx.Helper(helper(), role) for name, role in roles.items()}
        both = {"generator_losses": losses, "critic_losses": losses}
        return {"steps": 14, "critic_steps": 2, "helpers": helpers, **both, **dropping_networks()}

    tape = Tape(milliseconds)
    eager, expected = run(make_trainer, data, **settings())
    recorded, found = run(make_trainer, data, tape, **settings())
    same(eager, recorded)
    assert expected == found
    assert tape.replayed > tape.recorded >= 2


class Growing(nn.Module):
    """Grows from step 6 on: all layers are there from the start, and the later one fades in."""

    START, FADE = 6, 4

    def __init__(self, *, inputs, outputs, last=()):
        super().__init__()
        self.depth = 0
        self.register_buffer("fade", torch.zeros(()))
        self.first = nn.Sequential(nn.Linear(inputs, 16), nn.LeakyReLU(0.2))
        self.more = nn.Sequential(nn.Linear(16, 16), nn.LeakyReLU(0.2))
        self.last = nn.Sequential(nn.Linear(16, outputs), *last)
        self.told = []

    def at(self, step):
        self.told.append(step)
        self.depth = int(step >= self.START)
        self.fade.fill_(min(max(step - self.START + 1, 0) / self.FADE, 1.0))
        return self.depth

    def forward(self, x):
        hidden = self.first(x)
        if self.depth:
            hidden = torch.lerp(hidden, self.more(hidden), self.fade)
        return self.last(hidden)


def growing_networks():
    torch.manual_seed(0)
    return {
        "generator": Growing(inputs=4, outputs=2),
        "critic": Growing(inputs=2, outputs=1, last=[nn.Flatten(0)]),
    }


class TestStages:
    @pytest.mark.parametrize("milliseconds", [10.0, 0.1], ids=["an update at a time", "a cycle at a time"])
    def test_a_network_that_grows_is_recorded_for_each_stage(self, make_trainer, data, milliseconds):
        tape, settings = Tape(milliseconds), {"steps": 24, "critic_steps": 2, "ema": 0.9}
        eager, expected = run(make_trainer, data, **settings, **growing_networks())
        recorded, found = run(make_trainer, data, tape, **settings, **growing_networks())
        same(eager, recorded)
        assert expected == found
        assert eager.generator.depth == eager.average.module.depth == 1
        assert eager.average.module.fade == 1
        assert torch.equal(eager.sample(5), recorded.sample(5))
        # Small and grown, the critic's and the generator's update; the small network does not last till a cycle is.
        assert tape.recorded == (4 if milliseconds > 1 else 5)
        assert tape.replayed > tape.recorded

    def test_they_are_told_before_every_step(self, make_trainer, data):
        trainer = make_trainer(**growing_networks())
        trainer.fit(data, steps=3)
        assert trainer.generator.told == trainer.critic.told == [0, 0, 1, 2]
        assert trainer.average.module.told[-3:] == [0, 1, 2]

    def test_losses_that_depend_on_the_stage_of_the_game(self, make_trainer, data):
        def settings():
            stage = [0]

            def at(step):
                stage[0] = step % 2
                return stage[0]

            def pull(networks, fake, batch, step):
                return {"pull": (0.5 if stage[0] else 0.1) * fake.square().mean()}

            return {"at": at, "generator_losses": pull, "steps": 20, "critic_steps": 1}

        tape = Tape()
        same(run(make_trainer, data, **settings())[0], run(make_trainer, data, tape, **settings())[0])
        assert tape.recorded == 4  # both updates, each for both

    def test_recordings_of_stages_that_are_past_are_let_go(self, make_trainer, data, monkeypatch):
        monkeypatch.setattr("wganx.engine.carrying.recorded._PAST", 2)
        trainer, _ = run(make_trainer, data, Tape(), steps=40, critic_steps=1, at=lambda step: step // 8)
        kept = trainer.training._execution._stages
        assert [key for (key,) in kept] == [3, 4]

    def test_a_restored_network_is_in_its_stage(self, make_trainer, data, tmp_path):
        trainer = make_trainer(**growing_networks(), ema=0.9)
        trainer.fit(data, steps=8)
        trainer.save(tmp_path / "x")
        assert trainer.checkpoint().facts["stage"] == "(1, 1)"
        loaded = wganx.Trainer.load(tmp_path / "x", **growing_networks(), device="cpu")
        assert loaded.average.module.depth == loaded.generator.depth == 1
        assert torch.equal(loaded.sample(5), trainer.sample(5))
        network = load_average(growing_networks()["generator"], read_weights(tmp_path / "x"))
        assert torch.equal(wganx.Sampler(network, noise=(4,), device="cpu").draw(5), trainer.sample(5))
        for each in (trainer, loaded):
            each.fit(data, steps=2)
        same(trainer, loaded)

    def test_what_recordings_cannot_follow_is_refused(self, make_trainer):
        class Replacing(Growing):
            def at(self, step):
                self.fade = torch.zeros(())
                return 0

        with pytest.raises(UsageError, match=r"at\(0\) replaced a buffer .* change it in place"):
            make_trainer(generator=Replacing(inputs=4, outputs=2))
        with pytest.raises(UsageError, match=r"at\(0\) returned \(\[0\],\), unhashable"):
            make_trainer(at=lambda step: [step])


@pytest.mark.parametrize(
    "scenario",
    ["points/ring", "points/ring-labels", "points/moons-to-ring", "points/swiss-roll", "image/digits", "image/growing"],
)
def test_built_in_scenarios_are_recorded_from_feed_to_update(scenario):
    """Sampling, augmentation and the task's own losses included."""
    trained, tapes = [], []
    for recorded in (False, True):
        plugin, name = scenario.split("/")
        # From the second step on, networks that grow are inside a fade.
        fades = ["task.first_steps=1", "generator.width=4", "critic.width=4"] if name == "growing" else []
        assembly = Assembly(resolve(plugin=plugin, scenario=name, settings=["train.batch_size=8", *fades]))
        trainer, tape = assembly.trainer, Tape()
        tapes.append(tape)

        def make(trainer=trainer, **settings):
            return trainer

        trained.append(run(make, assembly.stream, tape if recorded else None, steps=6)[0])
    same(*trained)
    assert tapes[1].recorded == 2
    assert tapes[1].replayed > tapes[1].recorded


def test_how_steps_are_carried_out_is_said(make_trainer):
    cuda = torch.device("cuda")
    plain = make_trainer()
    assert plain.way == "one operation after another"
    assert describe("auto", cuda, plain.steps) == "recorded as CUDA graphs"
    assert describe("off", cuda, plain.steps) == "one operation after another"
    assert make_trainer(capture="compile").way == "the critic's loss compiled, one operation after another"
