"""A vector for every class, and the sum of several, against one-hot vectors."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from wganx.nn import ClassEmbedding


@given(seed=st.integers(0, 2**16), rows=st.integers(1, 5), counts=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_it_is_the_table_times_all_one_hot_vectors_together(seed: int, rows: int, counts: list[int]) -> None:
    rng = torch.Generator().manual_seed(seed)
    layer = ClassEmbedding(sum(counts), 3).double()
    own = [torch.randint(count, (rows,), generator=rng) for count in counts]
    together = torch.cat([functional.one_hot(label, count) for label, count in zip(own, counts)], 1).double()
    before = torch.tensor([sum(counts[:place]) for place in range(len(counts))])
    torch.testing.assert_close(layer(torch.stack(own, 1) + before), together @ layer.weight)


def test_of_one_label_it_is_an_ordinary_embedding_to_the_bit() -> None:
    label = torch.tensor([2, 0, 2])
    torch.manual_seed(0)
    layer = ClassEmbedding(3, 4)
    torch.manual_seed(0)
    plain = nn.Embedding(3, 4)
    assert torch.equal(layer(label), plain(label))
    assert torch.equal(layer(label[:, None]), plain(label))
    assert list(layer.state_dict()) == list(plain.state_dict())
