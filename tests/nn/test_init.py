"""How weights start: their spread, and what is left alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wganx.nn
from wganx.nn import init_he, init_normal


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(32, 64, 3),
        nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 32, 4),
        nn.Conv1d(40, 50, 5, bias=False),
        nn.Linear(200, 100),
        nn.Embedding(10, 10),
    )


@pytest.mark.parametrize("layer", [0, 2, 3, 4])
def test_normal_start(layer: int) -> None:
    torch.manual_seed(0)
    made = network()
    init_normal(made, std=0.02)
    weight = made[layer].weight
    assert weight.mean().item() == pytest.approx(0, abs=1e-3)
    assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    if made[layer].bias is not None:
        assert not made[layer].bias.any()


@pytest.mark.parametrize(("layer", "fan_in"), [(0, 32 * 9), (3, 40 * 5), (4, 200)])
def test_he_start(layer: int, fan_in: int) -> None:
    torch.manual_seed(0)
    made = network()
    init_he(made)
    assert made[layer].weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)


def test_he_keeps_the_size_of_activations_through_rectified_layers() -> None:
    torch.manual_seed(0)
    made = nn.Sequential(*[layer for _ in range(6) for layer in (nn.Linear(400, 400), nn.ReLU())])
    init_he(made)
    x = torch.randn(200, 400)
    assert made(x).detach().square().mean().sqrt().item() == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("start", [init_normal, init_he])
def test_norms_and_embeddings_keep_theirs(start: object) -> None:
    made = network()
    before = {name: made[name].weight.clone() for name in (1, 5)}
    assert callable(start)
    start(made)
    assert all(torch.equal(made[name].weight, kept) for name, kept in before.items())


def test_he_leaves_transposed_convolutions() -> None:
    made = network()
    before = made[2].weight.clone()
    init_he(made)
    assert torch.equal(made[2].weight, before)


def test_public_names() -> None:
    assert wganx.nn.__all__ == [
        "BjorckOrthogonal", "ByName", "ClassEmbedding", "ConditionalNorm", "GroupSort", "LipschitzMLP",
        "ProjectionHead", "constant_masks", "init_he", "init_normal", "orthonormalise",
    ]  # fmt: skip
    assert all(hasattr(wganx.nn, name) for name in wganx.nn.__all__)
