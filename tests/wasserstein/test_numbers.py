"""Results are numbers, and tensors where they carry a gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from wganx.wasserstein import Divergence, batched, exact_w1
from wganx.wasserstein.transport import Distance

PLAIN = Distance(2.0, (3, 3), 1, 0.1)


def graphed():
    leaf = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    return leaf, Distance(2.0, (3, 3), 1, 0.1, tensor=1 * leaf)


def test_arithmetic_is_that_of_numbers():
    assert (-3 * PLAIN, PLAIN**2, 2**PLAIN, 1 - PLAIN, PLAIN - 1, 1 / PLAIN, PLAIN / 4) == (-6, 4, 4, -1, 1, 0.5, 0.5)
    assert (abs(-PLAIN), +PLAIN, PLAIN + PLAIN, PLAIN + 1, 1 + PLAIN, PLAIN * PLAIN) == (2, 2, 4, 3, 3, 4)
    assert all(type(found) is float for found in (-3 * PLAIN, PLAIN**2, abs(PLAIN)))
    assert PLAIN < 3 <= 1 + PLAIN
    assert Divergence(1.0, None, "by hand") < PLAIN
    assert PLAIN >= 2 >= PLAIN <= 2
    assert PLAIN == 2 == Distance(2.0, (9, 9), 2, 7.0)
    assert PLAIN != 3
    assert hash(PLAIN) == hash(2.0)
    assert PLAIN != "2"
    assert sum([PLAIN, PLAIN]) == 4
    assert max([PLAIN, Distance(5.0, (1, 1), 1, 0.0)]) == 5
    assert round(Distance(2.345, (1, 1), 1, 0.0), 1) == 2.3


def test_it_is_written_as_a_number():
    assert f"{PLAIN:.3f} {PLAIN:8.1e}" == "2.000  2.0e+00"
    assert f"{PLAIN}" == str(PLAIN)
    assert "value=2.0" in repr(PLAIN)
    assert f"{exact_w1([0.0], [3.0]):g}" == "3"


def test_numpy_takes_it():
    assert np.sqrt(Distance(4.0, (1, 1), 1, 0.0)) == 2
    assert np.float64(3) * PLAIN == 6
    assert np.asarray([PLAIN, PLAIN], dtype=float).tolist() == [2, 2]
    assert math.isclose(math.sqrt(PLAIN), math.sqrt(2))


def test_torch_takes_it():
    assert float(torch.sqrt(PLAIN)) == math.sqrt(2)
    assert float(torch.tensor(3.0) * PLAIN) == 6
    assert torch.stack([torch.tensor(1.0, dtype=torch.float64), PLAIN]).tolist() == [1, 2]


def test_with_a_graph_arithmetic_keeps_it():
    leaf, distance = graphed()
    assert distance.requires_grad
    assert not PLAIN.requires_grad
    loss = 3 * distance**2 - torch.log(distance) + 1 / distance
    loss.backward()
    assert float(leaf.grad) == pytest.approx(6 * 2 - 1 / 2 - 1 / 4)
    leaf, distance = graphed()
    distance.backward()
    assert float(leaf.grad) == 1
    leaf, distance = graphed()
    assert torch.autograd.grad(torch.stack([distance, distance]).sum(), leaf)[0] == 2
    assert (distance.item(), float(distance), f"{distance:.1f}") == (2, 2, "2.0")
    assert "tensor" not in repr(distance)


def test_without_a_graph_backward_is_refused():
    with pytest.raises(ValueError, match="nothing to differentiate: no samples or weights that this was computed from"):
        PLAIN.backward()


def test_a_batch_keeps_every_digit():
    x, y = torch.rand(2, 3, 7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).unbind(0)
    assert batched(exact_w1, x, y).tolist() == [exact_w1(x[k], y[k]).value for k in range(3)]
