"""A row of the data that is no number is named, and not the learning rate."""

import pytest
import torch

import wganx
from wganx import Batch, SampleFormat
from wganx.data import ArrayItems, BatchStream, ShuffledOrder, choose_feed
from wganx.engine import CheckpointStore
from wganx.errors import DataError


def batches(broken=None, count=6):
    made = [torch.randn(8, 2, generator=torch.Generator().manual_seed(number)) for number in range(count)]
    if broken is not None:
        number, row = broken
        made[number][row, 1] = float("inf")
    return made


def test_of_a_list_by_batch_and_row(make_trainer, tmp_path):
    trainer = make_trainer(critic_steps=1)
    with pytest.raises(DataError, match=r"WX021 .* before step 6, by the data: row 5 of batch 4 \(counted from 0\) is "
                       r"not finite \(real: inf at place 1 of 2\)"):  # fmt: skip
        trainer.fit(batches((4, 5)), steps=20, log_every=6, checkpoints=CheckpointStore(tmp_path))
    assert all(torch.isfinite(value).all() for value in trainer.generator.parameters())


def test_of_what_cannot_be_started_again_the_last_batch_is_looked_at(make_trainer, tmp_path):
    with pytest.raises(DataError, match=r"by the data: row 5 of the last batch"):
        make_trainer(critic_steps=1).fit(iter(batches((5, 5))), steps=20, log_every=6,
                                         checkpoints=CheckpointStore(tmp_path))  # fmt: skip


class Rows(ArrayItems):
    def name_of_row(self, row):
        return f"a.csv, row {row}"


def test_of_a_feed_by_the_name_of_the_item(make_trainer, tmp_path):
    row = int(ShuffledOrder(40, 8, 0).indices(3)[2])
    values = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    values[row] = float("nan")
    items = Rows({"sample": values}, {"sample": SampleFormat(axes=("value",), shape=(2,), value_range=None)})
    feed = choose_feed(items, batch_size=8, seed=0, device="cpu")
    stream = BatchStream(feed, lambda item: Batch(item["sample"]))
    with pytest.raises(DataError, match=rf"by the data: a.csv, row {row} is not finite \(real: nan at place 0 of 2\), "
                       r"which is row 2 of batch 3 .* set dataset.not_finite=skip"):  # fmt: skip
        make_trainer(critic_steps=1).fit(stream, steps=20, log_every=10, checkpoints=CheckpointStore(tmp_path))


def test_what_is_not_the_data_s_fault_is_not_put_on_it(make_trainer):
    trainer = make_trainer(critic_steps=1)
    trainer.steps.critic_losses = lambda networks, fake, batch, step: {"poison": fake.sum() * float("nan")}
    with pytest.raises(wganx.TrainingDiverged, match="lower the learning rate"):
        trainer.fit(batches(), steps=4, log_every=2)
