"""Who is told, of what, and that looking changes nothing."""

import copy
import json
import logging

import pytest
import torch
from torch import nn

import wganx
from wganx.data import ArrayItems, BatchStream, choose_feed
from wganx.engine import CheckpointStore, Every, Observer
from wganx.health import HealthCheck


class Listener(Observer):
    def __init__(self):
        self.notes = []

    def noted(self, message):
        self.notes.append(message)


def diverge(trainer, at):
    """A critic's loss that is not a number in its update number `at`."""
    calls = []

    def losses(networks, fake, batch, step):
        calls.append(step)
        return {"poison": fake.sum() * (float("nan") if len(calls) == at else 0.0)}

    trainer.steps.critic_losses = losses
    return trainer


def test_a_roll_back_is_noted_once_beside_the_event(make_trainer, data, tmp_path, caplog):
    listener, other, store = Listener(), Listener(), CheckpointStore(tmp_path)
    trainer = diverge(make_trainer(critic_steps=1), 6)

    settings = {"steps": 8, "log_every": 2, "checkpoints": store, "checkpoint_every": 2}
    trainer.fit(data, observers=[listener, other], **settings)
    assert listener.notes == other.notes
    assert len(listener.notes) == 1
    assert "WX021" in listener.notes[0]
    assert listener.notes[0].endswith("rolled back to the checkpoint of step 4, once, on another random course")
    assert caplog.records == []


def test_a_damaged_checkpoint_is_noted_when_it_is_passed_over(make_trainer, data, tmp_path):
    listener, store = Listener(), CheckpointStore(tmp_path)
    trainer = diverge(make_trainer(critic_steps=1), 6)

    class Damaging(Observer):
        def saved(self, step, path):
            if step == 4:
                (path / "state.json").unlink()

    trainer.fit(data, steps=8, log_every=2, observers=[Damaging(), listener], checkpoints=store, checkpoint_every=2)
    passed, back = listener.notes
    assert passed.startswith("passing over a damaged checkpoint: ")
    assert "step 2, once" in back


@pytest.mark.parametrize("observers", [[], [Observer()]], ids=["nobody", "nobody who listens"])
def test_without_a_listener_the_logger_warns(make_trainer, data, tmp_path, caplog, observers):
    trainer = diverge(make_trainer(critic_steps=1), 6)
    trainer.fit(data, steps=8, log_every=2, observers=observers, checkpoints=CheckpointStore(tmp_path), progress=False)
    (record,) = [record for record in caplog.records if "WX021" in record.message]
    assert (record.name, record.levelno) == ("wganx", logging.WARNING)
    assert "rolled back to the checkpoint of step 0" in record.message


def test_a_batch_taken_in_parts_is_noted_and_told_afterwards(make_trainer, data, monkeypatch):
    listener, trainer = Listener(), make_trainer(micro_batch="auto")
    monkeypatch.setattr("wganx.engine.planning.memory.free_memory", lambda device: 6_000)
    trainer.fit(data, steps=1, observers=[listener])
    trainer.fit(data, steps=1, observers=[listener])
    (note,) = listener.notes
    rows = trainer.training.facts()["micro_batch"]
    assert note.startswith(f"{rows} rows at once, the whole batch of 8 in ")


def test_what_was_given_up_is_part_of_the_facts(make_trainer):
    trainer = make_trainer()
    assert trainer.training.facts() == {"capture": trainer.way, "micro_batch": None, "fallbacks": {}}
    json.dumps(trainer.training.facts())
    trainer.training.fallbacks["critic"] = "it asks"
    assert trainer.way == "one operation after another; the critic's updates not recorded (it asks)"
    assert trainer.training.facts()["fallbacks"] == {"critic": "it asks"}


def test_a_compile_given_up_is_noted_and_told(make_trainer, data):
    class Undecided(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x):
            return self.layer(x).squeeze(1) * (1.0 if x.sum().item() > -1e9 else 0.5)

    listener, trainer = Listener(), make_trainer(critic=Undecided(), capture="compile")
    trainer.fit(data, steps=2, observers=[listener])
    (note,) = listener.notes
    assert note.startswith("the critic's loss is not compiled and runs eagerly: ")
    assert trainer.training.facts()["fallbacks"].keys() == {"compile"}
    assert trainer.way.startswith("one operation after another; not compiled (")


class Meddling(Listener):
    """Overwrites whatever it can reach, and draws from every stream there is."""

    def logged(self, step, scalars):
        scalars.clear()
        self.meddle()

    def found(self, finding):
        self.meddle()

    def timed(self, step, shares):
        shares.clear()
        self.meddle()

    def saved(self, step, path):
        self.meddle()

    def noted(self, message):
        self.meddle()

    def meddle(self):
        torch.manual_seed(0)
        torch.randn(9)


def spoil(vitals):
    vitals.real.zero_()
    vitals.fake.zero_()
    torch.randn(3)
    vitals.scalars.clear()
    return "spoilt"


def test_looking_changes_nothing(make_trainer, data, tmp_path):
    """Observers, actions and health checks that overwrite and draw; checkpoints taken by actions are whole."""

    def train(meddle):
        torch.manual_seed(0)
        critic = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.3), nn.LeakyReLU(), nn.Linear(8, 1), nn.Flatten(0))
        trainer = make_trainer(critic=critic)
        items = ArrayItems(
            {"sample": torch.cat(data)}, {"sample": wganx.SampleFormat(axes=("coordinate",), shape=(2,))}
        )
        feed = choose_feed(items, batch_size=8, seed=0, device="cpu")
        observer, taken = Meddling(), []

        def act():
            observer.meddle()
            taken.append(copy.deepcopy(trainer.checkpoint()))

        check = HealthCheck(name="spoil", code="WX999", summary="", mend="", inspect=spoil)
        more = {"observers": [observer], "actions": [Every(1, act)], "checks": [check]} if meddle else {}
        stream = BatchStream(feed, lambda item: wganx.Batch(item["sample"]))
        result = trainer.fit(stream, steps=6, log_every=2, checkpoints=CheckpointStore(tmp_path / str(meddle)), **more)
        return trainer, result, taken, feed

    (quiet, expected, _, _), (disturbed, found, taken, feed) = train(False), train(True)
    ours, theirs = (each.checkpoint() for each in (disturbed, quiet))
    for kind in ("weights", "training"):
        for name, tensor in getattr(theirs, kind).items():
            assert torch.equal(getattr(ours, kind)[name], tensor), name
    assert [set(row) for row in found.history] == [set(row) for row in expected.history]
    assert found.history[0]["w1_raw"] == expected.history[0]["w1_raw"]
    # A training that goes on from one of the action's checkpoints takes the same course.
    middle = taken[2]
    assert middle.facts["step"] == 3
    resumed = train(False)[0]
    resumed.restore(middle)
    feed = choose_feed(
        ArrayItems({"sample": torch.cat(data)}, {"sample": wganx.SampleFormat(axes=("coordinate",), shape=(2,))}),
        batch_size=8, seed=0, device="cpu",
    )  # fmt: skip
    resumed.fit(BatchStream(feed, lambda item: wganx.Batch(item["sample"])), steps=3, log_every=2)
    for name, tensor in theirs.weights.items():
        assert torch.equal(resumed.checkpoint().weights[name], tensor), name


def test_what_the_caller_keeps_in_checkpoints(make_trainer, networks, data, tmp_path):
    trainer = make_trainer()
    trainer.training.about = {"generator": {"name": "dcgan", "width": 8}}
    trainer.save(tmp_path / "x")
    loaded = wganx.Trainer.load(tmp_path / "x", *networks(), device="cpu")
    assert loaded.training.about == trainer.training.about
    older = trainer.checkpoint()
    facts = {name: fact for name, fact in older.facts.items() if name not in ("about", "stage")}
    facts["settings"] = {name: value for name, value in facts.pop("rules").items() if name != "pack"}
    fresh = make_trainer()
    fresh.restore(wganx.engine.Checkpoint(older.weights, older.training, facts))
    assert fresh.training.about == {}
