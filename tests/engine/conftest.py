"""Two small networks, data they can learn, and a trainer around them."""

import pytest
import torch
from torch import nn

import wganx


def make_networks(seed=0, width=16):
    torch.manual_seed(seed)
    generator = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))
    critic = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, 1), nn.Flatten(0))
    return generator, critic


@pytest.fixture
def networks():
    return make_networks


@pytest.fixture
def data():
    rng = torch.Generator().manual_seed(3)
    return [torch.randn(8, 2, generator=rng) * 0.1 + torch.tensor([1.0, -1.0]) for _ in range(7)]


@pytest.fixture
def make_trainer(networks):
    def make(**settings):
        generator, critic = networks()
        settings = {"noise": (4,), "optimizer": wganx.Optimizer(lr=1e-3), "device": "cpu", **settings}
        return wganx.Trainer(settings.pop("generator", generator), settings.pop("critic", critic), **settings)

    return make
