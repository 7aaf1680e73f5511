"""Two small networks, data they can learn, and a trainer around them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wganx


def make_networks(seed: int = 0, width: int = 16) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(seed)
    generator = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))
    critic = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, 1), nn.Flatten(0))
    return generator, critic


@pytest.fixture
def networks() -> Callable[..., tuple[nn.Module, nn.Module]]:
    return make_networks


@pytest.fixture
def data() -> list[Tensor]:
    rng = torch.Generator().manual_seed(3)
    return [torch.randn(8, 2, generator=rng) * 0.1 + torch.tensor([1.0, -1.0]) for _ in range(7)]


@pytest.fixture
def make_trainer(networks: Callable[..., tuple[nn.Module, nn.Module]]) -> Callable[..., wganx.Trainer]:
    def make(**settings: Any) -> wganx.Trainer:
        generator, critic = networks()
        settings = {"noise": (4,), "optimizer": wganx.Optimizer(lr=1e-3), "device": "cpu", **settings}
        return wganx.Trainer(settings.pop("generator", generator), settings.pop("critic", critic), **settings)

    return make
