"""Lines of docs/reference/determinism.md that no other test holds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wganx
from wganx.data import ArrayItems, BatchStream, choose_feed
from wganx.engine import CheckpointStore


def networks(width):
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))
    critic = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(width, 1), nn.Flatten(0))
    return generator, critic


def stream(rows, kind=torch.float32):
    samples = torch.randn(4 * rows, 2, generator=torch.Generator().manual_seed(1)).to(kind)
    items = ArrayItems({"sample": samples}, {"sample": wganx.SampleFormat(axes=("coordinate",), shape=(2,))})
    feed = choose_feed(items, batch_size=rows, seed=0, device="cpu")
    return BatchStream(feed, lambda item: wganx.Batch(item["sample"]))


def state(trainer):
    checkpoint = trainer.checkpoint()
    training = {name: value for name, value in checkpoint.training.items() if not name.startswith("readings")}
    return {**checkpoint.weights, **training}


@pytest.mark.parametrize("log_every", [1, 2, 5])
def test_logging_and_saving_leave_the_course_as_it_is(tmp_path, log_every):
    trained = []
    for every, saved in ((7, None), (log_every, CheckpointStore(tmp_path))):
        trainer = wganx.Trainer(*networks(8), noise=(4,), device="cpu", critic_steps=2, ema=0.9)
        trainer.fit(stream(8), steps=7, log_every=every, checkpoints=saved, checkpoint_every=log_every)
        trained.append(state(trainer))
    quiet, logged = trained
    assert quiet.keys() == logged.keys()
    for name, value in quiet.items():
        assert torch.equal(value, logged[name]), name


def test_another_number_of_threads_takes_the_same_course():
    """Large enough that torch shares the work out."""
    before, trained = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            players = [network.double() for network in networks(192)]
            trainer = wganx.Trainer(*players, noise=(4,), device="cpu", critic_steps=2)
            trainer.fit(stream(256, torch.float64), steps=6, log_every=6)
            trained.append(trainer.checkpoint().weights)
    finally:
        torch.set_num_threads(before)
    one, two = trained
    for name, value in one.items():
        assert torch.allclose(value.double(), two[name].double(), rtol=0, atol=1e-9), name
