"""Checkpoints: whole or not there, and exact."""

import json
import os
import shutil
import signal
import threading

import pytest
import torch
from torch import nn

import wganx
from wganx import storage
from wganx.data import ArrayItems, BatchStream, choose_feed
from wganx.engine import Checkpoint, CheckpointStore, Every, read_checkpoint, write_checkpoint
from wganx.errors import CheckpointError


def one(step=0, value=1.0):
    return Checkpoint({"generator/w": torch.full((2, 3), value)}, {"random/draws": torch.arange(4)}, {"step": step})


def state_of(trainer):
    checkpoint = trainer.checkpoint()
    return {**checkpoint.weights, **checkpoint.training}


def assert_equal_states(one, other):
    left, right = state_of(one), state_of(other)
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


def test_what_is_written_is_read(tmp_path):
    write_checkpoint(tmp_path / "x", one(5))
    found = read_checkpoint(tmp_path / "x")
    assert torch.equal(found.weights["generator/w"], torch.ones(2, 3))
    assert torch.equal(found.training["random/draws"], torch.arange(4))
    assert found.facts["step"] == 5
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == [
        "state.json", "training.safetensors", "weights.safetensors",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_writing_again_replaces(tmp_path):
    write_checkpoint(tmp_path / "x", one(value=1.0))
    write_checkpoint(tmp_path / "x", one(value=2.0))
    assert read_checkpoint(tmp_path / "x").weights["generator/w"].max() == 2.0


@pytest.mark.parametrize("name", ["weights.safetensors", "training.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "missing", "altered"])
def test_a_damaged_checkpoint_is_refused_and_passed_over(tmp_path, name, damage):
    told = []
    store = CheckpointStore(tmp_path, warn=told.append)
    store.save(one(1, value=1.0), 1)
    store.save(one(2, value=2.0), 2)
    file = store.path(2) / name
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "missing":
        file.unlink()
    else:
        # Near the end of a tensor, or in the digests that stand at the top of state.json.
        place = -9 if name != "state.json" else content.index(b"digests") + 40
        file.write_bytes(content[:place] + b"#" + content[place:][1:])
    with pytest.raises(CheckpointError, match="step-000002"):
        read_checkpoint(store.path(2))
    assert store.latest().weights["generator/w"].max() == 1.0
    assert len(told) == 1
    assert "passing over a damaged checkpoint" in told[0]


def test_a_torn_write_is_never_picked_up(tmp_path, monkeypatch):
    """Killed at any of the steps of writing, the store still gives the checkpoint before."""
    store = CheckpointStore(tmp_path)
    store.save(one(1), 1)
    calls = []

    def killed(descriptor):
        calls.append(descriptor)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        store.save(one(2), 2)
    assert calls
    assert store.steps() == [1]
    monkeypatch.undo()
    store.save(one(2), 2)
    assert store.latest().facts["step"] == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_killed_writers_left_is_never_taken_and_goes_with_the_next_save(tmp_path):
    store = CheckpointStore(tmp_path)
    store.save(one(1), 1)
    for left in (".step-000002.abc.writing", ".step-000000.removing", ".step-000001.replaced"):
        write_checkpoint(tmp_path / left, one(9))
    (tmp_path / ".best.json.xyz.writing").write_text("{")
    assert (store.steps(), store.best()) == ([1], None)
    assert store.latest().facts["step"] == 1
    store.save(one(2), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000001", "step-000002"]


def test_the_only_checkpoint_survives_a_kill_between_two_renames(tmp_path, monkeypatch):
    """Where folders cannot be exchanged, neither bears the name for an instant."""
    monkeypatch.setattr(storage, "_system_exchange", lambda: None)
    store = CheckpointStore(tmp_path, keep=1)
    store.save(one(1), 1)
    rename, done = os.rename, []

    def killed(source, target):
        done.append(target)
        if len(done) == 1:
            raise OSError("in the way")
        if len(done) == 3:
            raise KeyboardInterrupt
        return rename(source, target)

    monkeypatch.setattr(os, "rename", killed)
    monkeypatch.setattr(shutil, "rmtree", lambda path: None)
    with pytest.raises(KeyboardInterrupt):
        store.save(one(1), 1)
    assert store.steps() == []
    monkeypatch.undo()
    store.tidy()
    assert store.latest().facts["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]


def test_going_on_from_a_checkpoint_its_best_one_is_the_best(tmp_path):
    store = CheckpointStore(tmp_path, keep=1)
    store.save(one(1), 1, ("w1", 0.5))
    store.save(one(2), 2, ("w1", 0.4))
    mark = {"step": 2, "metric": "w1", "value": 0.4}
    for left in ("nothing", '{"step": 1, "metric": "w1", "value": 0.5}', '{"st'):
        (tmp_path / "best.json").write_text(left) if left != "nothing" else (tmp_path / "best.json").unlink()
        store.settle(store.latest().facts)
        assert store.best() == mark
    assert store.steps() == [2]
    store.settle({"step": 2})  # of an earlier version, which kept no such word
    assert store.best() == mark
    store.settle({"step": 2, "best": {"step": 1, "metric": "w1", "value": 0.5}})  # and it is not there any more
    assert store.best() is None


def test_a_roll_back_discards_what_came_after(tmp_path):
    store = CheckpointStore(tmp_path)
    for step in range(3):
        store.save(one(step), step)
    store.discard_after(1)
    assert store.steps() == [0, 1]


def test_an_unknown_format_is_refused(tmp_path):
    write_checkpoint(tmp_path / "x", one())
    state = json.loads((tmp_path / "x/state.json").read_text())
    (tmp_path / "x/state.json").write_text(json.dumps({**state, "format": 99}))
    with pytest.raises(CheckpointError, match="has checkpoint format 99, this wganx reads 1"):
        read_checkpoint(tmp_path / "x")


def test_the_last_and_the_best_are_kept(tmp_path):
    store = CheckpointStore(tmp_path, keep=2)
    for step in range(1, 7):
        store.save(one(step), step, ("w1", 0.5) if step == 2 else None)
    assert store.steps() == [2, 5, 6]
    assert store.best() == {"step": 2, "metric": "w1", "value": 0.5}
    store.save(one(6), 6, ("w1", 0.4))
    store.save(one(7), 7)
    assert store.steps() == [6, 7]


def resumable(data, trainer):
    items = ArrayItems({"sample": torch.cat(data)}, {"sample": wganx.SampleFormat(axes=("coordinate",), shape=(2,))})
    feed = choose_feed(items, batch_size=8, seed=0, device="cpu")
    # The batch draws from the trainer's stream, as augmentation does.
    return BatchStream(
        feed,
        lambda item: wganx.Batch(item["sample"] + 0.01 * torch.rand(8, 1, generator=trainer.random.draws)),
    )


SETTINGS = {
    "plain": {},
    "lazy penalty, accumulation, cosine": {
        "constraint": wganx.GradientPenalty(every=3),
        "accumulate": 2,
        "optimizer": wganx.Optimizer(lr=1e-3, schedule="cosine"),
    },
    "spectral norm": {"constraint": wganx.SpectralNorm()},
    "rmsprop and clipping": {
        "constraint": wganx.WeightClipping(),
        "optimizer": wganx.Optimizer(name="rmsprop", lr=5e-4, betas=(0.5, 0.9)),
    },
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("pause", [3, 5])
def test_a_resumed_training_equals_one_never_stopped(make_trainer, data, tmp_path, settings, pause):
    def fresh():
        torch.manual_seed(0)
        critic = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.3), nn.LeakyReLU(), nn.Linear(8, 1), nn.Flatten(0))
        generator = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
        return make_trainer(generator=generator, critic=critic, **settings)

    whole, first, second = fresh(), fresh(), fresh()
    expected = whole.fit(resumable(data, whole), steps=9, log_every=4)
    # The first part is told of all nine steps, as a run is, and stops on the way.
    store = CheckpointStore(tmp_path)

    def stop_here():
        if first.step == pause:
            signal.raise_signal(signal.SIGINT)

    assert (
        first.fit(resumable(data, first), steps=9, log_every=4, actions=[Every(1, stop_here)], checkpoints=store).status
        == "interrupted"
    )
    assert first.step == pause + 1  # the request arrives when step `pause` is being finished
    second.restore(store.latest())
    result = second.fit(resumable(data, second), steps=9 - first.step, log_every=4)
    assert_equal_states(whole, second)
    assert result.history == expected.history[-len(result.history) :]


def test_a_checkpoint_that_an_action_saves_is_as_good_as_any_other(make_trainer, data, tmp_path):
    """The best one is saved so; its position in the data is that of its step, too."""

    def train(name, every, act_every):
        trainer, store = make_trainer(), CheckpointStore(tmp_path / name, keep=9)
        save = Every(act_every, lambda: store.save(trainer.checkpoint(), trainer.step))
        given = {"checkpoints": store, "checkpoint_every": every, "actions": [save], "log_every": 2}
        trainer.fit(resumable(data, trainer), steps=7, **given)
        return read_checkpoint(store.path(3))

    by_action, by_itself = train("one", 100, 3), train("other", 3, 100)
    assert by_action.facts == by_itself.facts
    assert by_action.facts["position"]["batches"] > 0
    for part in ("weights", "training"):
        one, other = getattr(by_action, part), getattr(by_itself, part)
        assert all(torch.equal(one[name], other[name]) for name in one | other)


def test_sigterm_saves_and_ends_cleanly(make_trainer, data, tmp_path):
    trainer, store = make_trainer(), CheckpointStore(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    result = trainer.fit(
        data, steps=50, checkpoints=store, actions=[Every(5, lambda: signal.raise_signal(signal.SIGTERM))]
    )
    assert result.status == "interrupted"
    # The request arrives while step 5 is being finished; step 6 is the last.
    assert store.latest().facts["step"] in (5, 6)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_what_batch_systems_warn_by_saves_too(make_trainer, data, tmp_path, name):
    """Lightning-AI/pytorch-lightning#1455: other signals of preemption; they come again, and never end it at once."""
    trainer, store, number = make_trainer(), CheckpointStore(tmp_path), getattr(signal, name)

    def warn():
        signal.raise_signal(number)
        signal.raise_signal(number)

    result = trainer.fit(data, steps=50, checkpoints=store, actions=[Every(5, warn)])
    assert (result.status, store.latest().facts["step"] in (5, 6)) == ("interrupted", True)
    assert signal.getsignal(number) is signal.SIG_DFL
    heard = []
    signal.signal(number, lambda *_: heard.append(number))  # whose handler is there already keeps it
    try:
        assert make_trainer().fit(data, steps=1, actions=[Every(1, warn)]).status == "finished"
    finally:
        signal.signal(number, signal.SIG_DFL)
    assert heard == [number, number]


def test_training_in_a_thread_takes_no_signals(make_trainer, data):
    trainer = make_trainer()
    thread = threading.Thread(target=trainer.fit, args=(data,), kwargs={"steps": 1})
    thread.start()
    thread.join()
    assert trainer.step == 1


def test_save_and_load(make_trainer, networks, data, tmp_path):
    settings = {"critic_steps": 2, "ema": 0.9, "constraint": wganx.LipschitzPenalty(7.0), "seed": 4}
    trainer = make_trainer(**settings)
    trainer.fit(data, steps=3)
    trainer.save(tmp_path / "x")
    loaded = wganx.Trainer.load(tmp_path / "x", *networks(seed=9), device="cpu")
    assert (loaded.constraint, loaded.training.rules.critic_steps, loaded.step) == (wganx.LipschitzPenalty(7.0), 2, 3)
    assert torch.equal(loaded.sample(5), trainer.sample(5))
    for each in (trainer, loaded):
        each.fit(data, steps=2)
    assert_equal_states(trainer, loaded)


def test_networks_that_do_not_fit_are_named(make_trainer, networks, tmp_path):
    make_trainer().save(tmp_path / "x")
    with pytest.raises(CheckpointError, match=r"does not fit the generator: 0.bias \(16,\) instead of \(5,\)"):
        wganx.Trainer.load(tmp_path / "x", *networks(width=5), device="cpu")
    generator, critic = networks()
    generator.append(nn.Linear(2, 2))
    with pytest.raises(CheckpointError, match=r"does not fit the generator: 3.bias is missing, 3.weight is missing"):
        wganx.Trainer.load(tmp_path / "x", generator, critic, device="cpu")


def test_state_outside_of_tensors_is_refused(make_trainer, networks, tmp_path):
    class Odd(nn.Linear):
        def get_extra_state(self):
            return {"anything": 1}

        def set_extra_state(self, state):
            pass

    _, critic = networks()
    trainer = make_trainer(generator=Odd(4, 2), critic=critic)
    with pytest.raises(CheckpointError, match="the generator keeps _extra_state outside of tensors"):
        trainer.save(tmp_path / "x")


def test_a_missing_checkpoint_is_named(networks, tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere is no complete checkpoint: state.json is missing"):
        wganx.Trainer.load(tmp_path / "nowhere", *networks())
