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
from wganx.engine.carrying.execution import Recorded, describe
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
    """Stands for `wganx.engine.carrying.execution.CudaGraphs` on a CPU."""

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


def run(make_trainer, batches, tape=None, steps=9, **settings):
    trainer = make_trainer(**settings)
    for player in (trainer.steps.critic, trainer.steps.generator):
        player.optimizer = trainer.optimizer.build(player.parameters, player.rate, capturable=True)
    with pytest.MonkeyPatch.context() as patch:
        if tape is not None:
            patch.setattr(
                "wganx.engine.trainer.choose_execution",
                lambda capture, device, steps, stream, stopwatch: Recorded(steps, stream, stopwatch, tape),
            )
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
    items = ArrayItems({"sample": torch.randint(0, 255, (40, 2), dtype=torch.uint8, generator=rng)}, SampleFormat(
        axes=("d",), shape=(2,)
    ))  # fmt: skip

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


def test_extra_losses_know_the_number_of_the_step(make_trainer, data, caplog):
    def growing(generator, fake, batch, step):
        return {"pull": 0.01 * step * fake.square().mean()}

    settings = {"extra_losses": growing, "steps": 12}
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

    monkeypatch.setattr("wganx.engine.carrying.execution._ROUNDING", float("inf"))
    calls = []
    eager, _ = run(make_trainer, data, generator=Counting(nn.Linear(4, 2)))
    calls.clear()
    recorded, _ = run(make_trainer, data, Tape(), generator=Counting(nn.Linear(4, 2)))
    with pytest.raises(AssertionError):
        same(eager, recorded)


@pytest.mark.parametrize(
    "scenario",
    ["points/ring", "points/ring-labels", "points/moons-to-ring", "points/swiss-roll", "image/digits"],
)
def test_built_in_scenarios_are_recorded_from_feed_to_update(scenario):
    """Sampling, augmentation and the task's own losses included."""
    trained, tapes = [], []
    for recorded in (False, True):
        plugin, name = scenario.split("/")
        assembly = Assembly(resolve(plugin=plugin, scenario=name, settings=["train.batch_size=8"]))
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
