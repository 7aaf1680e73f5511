"""Draws recorded, made again, and given back in place of new ones."""

import pytest
import torch
from torch.nn import functional as F

from wganx.engine.carrying.recorded_draws import RecordedDraws

RNG = torch.Generator()

DRAWING = {
    "rand": lambda x: x * torch.rand(len(x), 1, generator=RNG),
    "randn, changed in place": lambda x: x + torch.randn(x.shape, generator=RNG).mul_(2),
    "randn_like": lambda x: x + torch.randn_like(x),
    "randperm": lambda x: x[torch.randperm(len(x), generator=RNG)],
    "randint": lambda x: x + torch.randint(0, 9, x.shape, generator=RNG),
    "uniform_": lambda x: x * torch.empty_like(x).uniform_(-1, 1, generator=RNG),
    "bernoulli_": lambda x: x * torch.empty(x.shape).bernoulli_(0.3),
    "dropout": lambda x: F.dropout(x, 0.4) + F.dropout1d(x, 0.2),
    "dropout as CUDA has it": lambda x: torch.native_dropout(x, 0.4, True)[0],
    "several": lambda x: torch.rand(x.shape) * x + torch.randn(x.shape, generator=RNG),
}


def seed(number):
    RNG.manual_seed(number)
    torch.manual_seed(number + 1)


@pytest.mark.parametrize("function", DRAWING.values(), ids=DRAWING)
def test_replaying_what_was_drawn_gives_the_same_and_draws_nothing(function):
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    draws = RecordedDraws()
    with draws.recording() as values:
        expected = function(x)
    copies = [value.clone() for value in values]
    states = RNG.get_state(), torch.get_rng_state()
    for _ in range(2):
        with draws.replaying(values):
            assert torch.allclose(function(x), expected, rtol=1e-6)
    assert all(map(torch.equal, values, copies))
    assert torch.equal(RNG.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])


@pytest.mark.parametrize("function", DRAWING.values(), ids=DRAWING)
def test_new_draws_are_those_that_the_function_would_make(function):
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    draws = RecordedDraws()
    seed(1)
    with draws.recording():
        first = function(x)
    seed(3)
    expected = function(x)
    states = RNG.get_state(), torch.get_rng_state()
    assert not torch.equal(expected, first)
    seed(3)
    with draws.replaying(draws.again()):
        assert torch.allclose(function(x), expected, rtol=1e-6)
    assert torch.equal(RNG.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.bernoulli(x),
        lambda x: torch.empty_like(x).bernoulli_(x),
        lambda x: torch.multinomial(x, 2),
        lambda x: torch.normal(x, 1.0),
    ],
)
def test_a_draw_that_depends_on_values_is_a_fault(function):
    draws = RecordedDraws()
    with draws.recording():
        function(torch.rand(4, 3))
    assert "distribution depends on a tensor" in draws.fault


def test_attention_without_dropout_draws_nothing():
    inputs = torch.randn(3, 1, 2, 4, 8)
    draws = RecordedDraws()
    with draws.recording() as values:
        F.scaled_dot_product_attention(*inputs)
    assert values == []
    assert draws.fault is None
    with draws.recording() as values:
        F.scaled_dot_product_attention(*inputs, dropout_p=0.5)
    assert draws.fault or values


def test_other_draws_than_those_recorded_are_refused():
    draws = RecordedDraws()
    with draws.recording() as values:
        torch.rand(3)
    with pytest.raises(RuntimeError, match=r"aten\.randn\.default draws where it did not"), draws.replaying(values):
        torch.randn(3)
    with pytest.raises(RuntimeError, match=r"aten\.rand\.default draws where it did not"), draws.replaying(values):
        torch.rand(3) + torch.rand(3)
    with pytest.raises(RuntimeError, match=r"aten\.rand\.default does not draw where it did"), draws.replaying(values):
        pass
