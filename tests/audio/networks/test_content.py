"""Texts: spread over time by their own length, and read in order."""

from __future__ import annotations

import torch
from wganx_audio.networks.content import ContentEncoder, spread

from wganx import SampleFormat


def test_symbols_share_the_time_evenly() -> None:
    """Twice as many places as symbols: places lie at -1/4, 1/4, 3/4, ... of the symbols, held at both ends."""
    ramp = torch.tensor([[[0.0, 1, 2, 99]]])
    made = spread(ramp, torch.tensor([3]), 6)
    torch.testing.assert_close(made, torch.tensor([[[0.0, 0.25, 0.75, 1.25, 1.75, 2]]]))


def test_as_many_places_as_symbols_are_the_symbols() -> None:
    x = torch.randn(2, 5, 4)
    torch.testing.assert_close(spread(x, torch.tensor([4, 4]), 4), x)


def test_what_lies_behind_a_text_is_not_read() -> None:
    x = torch.randn(2, 3, 5)
    beyond = x.clone()
    beyond[0, :, 2:] = 7
    assert torch.equal(spread(x, torch.tensor([2, 5]), 9), spread(beyond, torch.tensor([2, 5]), 9))


def test_an_empty_text_is_no_error() -> None:
    assert spread(torch.randn(1, 3, 5), torch.tensor([0]), 4).isfinite().all()


def test_order_counts() -> None:
    torch.manual_seed(0)
    encode = ContentEncoder(SampleFormat.text(tuple("abc"), 3), 4)
    made = encode(torch.tensor([[1, 2, 3], [3, 2, 1]]), 6)
    assert made.shape == (2, 4, 6)
    assert not torch.allclose(made[0], made[1])
