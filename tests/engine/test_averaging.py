"""The weight average against its formula."""

import pytest
import torch
from torch import nn

from wganx.engine.steps.averaging import WeightAverage


def test_the_average_of_a_constant_is_the_constant():
    network = nn.Linear(3, 2)
    average = WeightAverage(network, 0.999)
    for step in range(20):
        average.update(step)
    assert torch.allclose(average.module.weight, network.weight, atol=1e-7)


def test_the_formula_with_its_warm_up():
    network = nn.Linear(1, 1, bias=False).double()
    average = WeightAverage(network, 0.5)
    expected = network.weight.item()
    for step in range(12):
        nn.init.constant_(network.weight, float(step**2))
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step**2
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-12)


def test_floating_buffers_are_averaged_and_others_copied():
    network = nn.BatchNorm1d(2)
    average = WeightAverage(network, 0.9)
    network.running_mean.fill_(1.0)
    network.num_batches_tracked.fill_(7)
    average.update(1000)
    assert torch.allclose(average.module.running_mean, torch.full((2,), 0.1))
    assert average.module.num_batches_tracked.item() == 7


def test_no_decay_is_the_network_itself():
    network = nn.Linear(2, 2)
    assert WeightAverage(network, 0.0).module is network


def test_the_average_is_never_trained():
    average = WeightAverage(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), 0.9)
    assert not average.module.training
    assert not any(parameter.requires_grad for parameter in average.module.parameters())
