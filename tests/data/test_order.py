import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.data import ShuffledOrder
from wganx.errors import DataError

counts = st.integers(1, 40)
batch_sizes = st.integers(1, 100)
seeds = st.integers(0, 2**32)


@settings(deadline=None)
@given(counts, batch_sizes, seeds)
def test_every_epoch_sees_every_item_once(count, batch_size, seed):
    order = ShuffledOrder(count, batch_size, seed)
    epochs = 3
    batches = -(-epochs * count // batch_size)
    visited = torch.cat([order.indices(k) for k in range(batches)])
    for epoch in range(epochs):
        assert sorted(visited[epoch * count : (epoch + 1) * count].tolist()) == list(range(count))


@settings(max_examples=50, deadline=None)
@given(counts, batch_sizes, seeds, st.lists(st.integers(0, 200), min_size=1, max_size=20))
def test_a_batch_depends_on_its_number_alone(count, batch_size, seed, numbers):
    order = ShuffledOrder(count, batch_size, seed)
    for k in numbers:
        indices = order.indices(k)
        assert indices.shape == (batch_size,)
        assert indices.dtype == torch.int64
        assert torch.equal(indices, ShuffledOrder(count, batch_size, seed).indices(k))


@settings(deadline=None)
@given(st.integers(5, 30), st.integers(1, 20), st.integers(1, 20), seeds)
def test_the_batch_size_only_cuts_the_sequence(count, one, other, seed):
    first = torch.cat([ShuffledOrder(count, one, seed).indices(k) for k in range(other)])
    second = torch.cat([ShuffledOrder(count, other, seed).indices(k) for k in range(one)])
    assert torch.equal(first, second)


@settings(deadline=None)
@given(counts, batch_sizes, seeds, st.integers(0, 50), st.integers(1, 5))
def test_several_batches_are_those_one_after_another(count, batch_size, seed, first, batches):
    order = ShuffledOrder(count, batch_size, seed)
    expected = torch.cat([ShuffledOrder(count, batch_size, seed).indices(first + k) for k in range(batches)])
    assert torch.equal(order.indices(first, batches), expected)
    assert torch.equal(order.indices(first + 1), ShuffledOrder(count, batch_size, seed).indices(first + 1))


def test_epochs_and_seeds_differ():
    order = ShuffledOrder(1000, 1000, 0)
    epochs = [order.indices(k) for k in range(3)] + [ShuffledOrder(1000, 1000, 1).indices(0)]
    for i, one in enumerate(epochs):
        for other in epochs[:i]:
            assert (one == other).float().mean() < 0.02  # 1 in 1000 agree by chance


def test_global_randomness_is_left_alone():
    before = torch.get_rng_state()
    ShuffledOrder(10, 3, 0).indices(5)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 0), "no items to train on"),
        ((1, 0, 0), "at least 1 item, got a batch size of 0"),
        ((1, 1, -1), "seed must be 0 or more, got -1"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(DataError, match=message):
        ShuffledOrder(*arguments)
