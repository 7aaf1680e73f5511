"""A critic that is 1-Lipschitz by construction needs nothing else, and its reading is a lower bound."""

import pytest
import torch
from torch import nn

import wganx
from wganx.nn import LipschitzMLP
from wganx.wasserstein import CONSTRAINTS, ByConstruction


def test_it_leaves_everything_alone():
    constraint, critic = ByConstruction(), nn.Linear(2, 1)
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    constraint.prepare(critic)
    constraint.after_update(critic)
    assert all(torch.equal(before[name], value) for name, value in critic.state_dict().items())
    assert list(constraint.due(0)) == []
    assert CONSTRAINTS["by-construction"] is ByConstruction


def test_the_reading_of_a_training_is_raw_and_never_exceeds_the_distance():
    class Still(nn.Module):
        """A generator whose one sample is the origin, so that W1 is the mean length of a real sample."""

        def __init__(self):
            super().__init__()
            self.zero = nn.Parameter(torch.zeros(2))

        def forward(self, noise):
            return 0.0 * (noise + self.zero)

    torch.manual_seed(0)
    real = torch.tensor([3.0, 4.0]).expand(16, 2)
    trainer = wganx.Trainer(
        Still(), LipschitzMLP(2, width=8, depth=2), noise=(2,), constraint=ByConstruction(), critic_steps=5,
        device="cpu", optimizer=wganx.Optimizer(lr=2e-2), ema=0.0,
    )  # fmt: skip
    history = trainer.fit([real] * 5, steps=30, log_every=5).history
    readings = [row["w1_raw"] for row in history]
    assert max(readings) <= 5 * (1 + 1e-5)
    assert readings[-1] == pytest.approx(5.0, rel=0.02)
    assert "w1_corrected" not in history[-1]
