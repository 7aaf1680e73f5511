"""The bracket around W1: its order, its labels, its refusals."""

from __future__ import annotations

import pytest
import torch

from wganx.wasserstein import bracket_w1


def shifted(n: int, m: int, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(n, dim, generator=rng), torch.randn(m, dim, generator=rng)
    y[:, 0] += 2
    return x, y


@pytest.fixture(scope="module")
def bracket():
    return bracket_w1(*shifted(3000, 2000, 8), steps=300, transported=300)


def test_the_four_numbers_stand_in_order(bracket):
    assert bracket.lower.value <= 2 + bracket.lower.error
    assert float(bracket) == bracket.point.value == pytest.approx(2, rel=0.08)
    # In eight dimensions 300 samples overestimate by far, and the floor says so.
    assert bracket.upper.value > 2.1 > 2 > bracket.floor.value > 0.8


def test_how_many_samples_were_transported(bracket):
    assert bracket.lower.n == bracket.point.n == (3000, 2000)
    assert bracket.upper.n == bracket.floor.n == (300, 300)
    few = bracket_w1(*shifted(60, 41, 2), steps=5)
    assert few.upper.n == few.floor.n == (30, 30)


def test_each_number_says_what_it_guarantees(bracket):
    assert list(bracket.guarantees) == ["lower", "point", "upper", "floor"]
    assert bracket.guarantees["lower"].startswith("lower bound of W1 up to the sampling error")
    assert bracket.guarantees["point"].startswith("point estimate, no bound")
    assert bracket.guarantees["upper"] == (
        "upper bound in expectation only: exact W1 of 300 samples a side, biased upwards"
    )
    assert bracket.guarantees["floor"] == ("no bound: exact W1 of two sets of 300 samples of x, 0 but for that bias")


def test_it_prints_as_a_table(bracket):
    heading, *lines = str(bracket).splitlines()
    assert heading == "W1 of 3000 and 2000 samples of 8 numbers"
    assert [line.split()[0] for line in lines] == ["lower", "point", "upper", "floor"]
    assert "±" in lines[0]
    assert "±" not in lines[2]
    assert all(line.endswith(guarantee) for line, guarantee in zip(lines, bracket.guarantees.values()))


def test_a_seed_fixes_everything():
    pair = shifted(100, 100, 2)
    first, second = (bracket_w1(*pair, steps=5, seed=3) for _ in range(2))
    assert [float(getattr(first, name)) for name in first.guarantees] == [
        float(getattr(second, name)) for name in second.guarantees
    ]


def test_nothing_to_transport_is_refused():
    with pytest.raises(ValueError, match="transported must be at least 1, got 0"):
        bracket_w1(*shifted(50, 50, 2), transported=0)
