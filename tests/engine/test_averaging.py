"""The weight average against its formula."""

import pytest
import torch
from torch import nn

import wganx
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


def test_running_means_of_batch_norms_are_averaged_and_their_counters_copied():
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


def spectral_generator(normalise):
    torch.manual_seed(0)
    return nn.Sequential(
        normalise(nn.Linear(8, 64)), nn.ReLU(), normalise(nn.Linear(64, 64)), nn.ReLU(), nn.Linear(64, 2)
    )


NORMS = {
    "spectral_norm": nn.utils.parametrizations.spectral_norm,
    "old spectral_norm": nn.utils.spectral_norm,
    "weight_norm": nn.utils.parametrizations.weight_norm,
    "old weight_norm": nn.utils.weight_norm,
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated")
@pytest.mark.parametrize("norm", NORMS)
def test_the_average_of_a_generator_under_a_norm_samples_where_the_data_lie(norm):
    generator = spectral_generator(NORMS[norm])
    critic = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Flatten(0)
    )
    trainer = wganx.Trainer(
        generator, critic, noise=(8,), device="cpu", critic_steps=2, optimizer=wganx.Optimizer(lr=1e-3)
    )
    data = [torch.randn(64, 2, generator=torch.Generator().manual_seed(k)) * 0.3 + 3 for k in range(8)]
    trainer.fit(data, steps=300)
    assert (trainer.sample(512).mean(0) - 3).abs().max() < 1.5  # 16 and more, while directions were averaged
    if norm == "spectral_norm":
        assert torch.linalg.svdvals(trainer.average.module[2].weight)[0].item() == pytest.approx(1.0, abs=0.1)


class Codebook(nn.Module):
    """State of its own: a codebook that follows the data, as a buffer and as a parameter without a gradient."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.register_buffer("codes", torch.zeros(2))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.codes_too = nn.Parameter(torch.zeros(2), requires_grad=False)


def test_state_is_copied_and_weights_are_averaged():
    network = Codebook()
    average = WeightAverage(network, 0.9)
    with torch.no_grad():
        for tensor in (network.weight, network.codes, network.codes_too):
            tensor.fill_(11.0)
        network.seen.fill_(3)
    average.update(1000)
    assert torch.allclose(average.module.weight, torch.full((2,), 2.0))
    assert average.module.codes.tolist() == average.module.codes_too.tolist() == [11.0, 11.0]
    assert average.module.seen.item() == 3


def test_tied_weights_are_averaged_once():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[1].weight = network[0].weight
    average = WeightAverage(network, 0.5)
    before = network[0].weight.detach().clone()
    with torch.no_grad():
        network[0].weight.add_(1.0)
    average.update(1000)
    assert torch.allclose(average.module[0].weight, before + 0.5)
