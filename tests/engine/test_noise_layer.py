"""The first layer that noise passes: found whatever lies before it, and drawn from nearer to its mean."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import wganx
from wganx.batch import SampleFormat
from wganx.engine.noise_layer import NoiseLayer
from wganx.errors import UsageError

MOODS = SampleFormat.label(("glad", "sad"))


class Labelled(nn.Module):
    """An embedding of the label comes before the noise meets a layer, and the noise is normalised if so wished."""

    def __init__(self, normalised=False):
        super().__init__()
        self.normalised = normalised
        self.embed = nn.Embedding(2, 3)
        self.first, self.last = nn.Linear(4 + 3, 6), nn.Linear(6, 2)

    def forward(self, noise, mood):
        if self.normalised:
            noise = noise / (noise.square().mean(1, keepdim=True) + 1e-8).sqrt()
        return self.last(torch.tanh(self.first(torch.cat([noise, self.embed(mood)], 1))))


def plain():
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))


def sampler(module, **context):
    return wganx.Sampler(module, noise=(4,), device="cpu", context=context)


@pytest.mark.parametrize("truncation", [0.25, 0.7, 1.5])
def test_under_an_affine_layer_it_is_noise_scaled_by_the_truncation(truncation):
    torch.manual_seed(0)
    for drawn in (sampler(plain()), sampler(Labelled(), mood=MOODS)):
        noise = torch.randn(7, 4)
        expected = drawn.draw(7, noise=truncation * noise)
        torch.testing.assert_close(drawn.draw(7, noise=noise, truncation=truncation), expected)
        torch.testing.assert_close(drawn.draw(7, noise=noise, truncation=truncation, chunk=3), expected)


def test_one_leaves_samples_as_they_are_to_the_bit():
    drawn = sampler(plain())
    assert torch.equal(drawn.draw(5), drawn.draw(5, truncation=1))


def test_normalised_noise_is_pulled_to_the_mean_where_scaling_it_does_nothing():
    torch.manual_seed(0)
    drawn = sampler(Labelled(normalised=True), mood=MOODS)
    noise = torch.randn(400, 4)
    full, given = drawn.draw(400, noise=noise), {"mood": "sad"}
    torch.testing.assert_close(drawn.draw(400, noise=0.5 * noise), full)
    spread = [drawn.draw(400, noise=noise, given=given, truncation=t).std(0).sum().item() for t in (1, 0.7, 0.4, 0.1)]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < 0.15 * spread[0]


def test_what_each_number_of_the_noise_adds_is_the_layer_s_weight():
    torch.manual_seed(0)
    module = plain()
    torch.testing.assert_close(sampler(module).noise_layer({}).responses().float(), module[0].weight.detach().T)
    module = Labelled()
    found = NoiseLayer(module, (4,), {"mood": torch.tensor([1])})
    assert found.layer is module.first
    torch.testing.assert_close(found.responses().float(), module.first.weight.detach()[:, :4].T)


def test_convolutions_and_parametrised_layers_are_layers():
    convolution = nn.Sequential(nn.ConvTranspose2d(2, 3, 4), nn.ReLU())
    found = NoiseLayer(convolution, (2, 1, 1), {})
    torch.testing.assert_close(found.responses().float(), convolution[0].weight.detach().flatten(1))
    orthogonal = nn.Sequential(parametrizations.orthogonal(nn.Linear(4, 4)), nn.Linear(4, 2))
    found = NoiseLayer(orthogonal, (4,), {})
    assert found.layer is orthogonal[0]
    torch.testing.assert_close(found.responses().float(), orthogonal[0].weight.detach().T)


def test_no_hook_is_left_behind():
    module = plain()
    drawn = sampler(module)
    before = drawn.draw(3)
    drawn.draw(3, truncation=0.5)
    with pytest.raises(RuntimeError, match="on purpose"), drawn.noise_layer({}).pulled(0.5, torch.zeros(1, 4), {}):
        raise RuntimeError("on purpose")
    assert not any(part._forward_hooks for part in module.modules())
    assert torch.equal(drawn.draw(3), before)


@pytest.mark.parametrize("truncation", [0, -0.7, float("nan"), float("inf"), True])
def test_a_truncation_is_a_number_above_zero(truncation):
    with pytest.raises(UsageError, match="truncation is a number above 0, where 1 leaves samples as they are"):
        sampler(plain()).draw(2, truncation=truncation)


def test_what_has_no_noise_or_no_layers_is_told():
    silent = wganx.Sampler(nn.Linear(1, 1), noise=None, device="cpu")
    with pytest.raises(UsageError, match="takes no noise, so there is nothing to truncate"):
        silent.draw(2, truncation=0.5)
    with pytest.raises(UsageError, match="takes no noise, so there is no layer that it passes first"):
        silent.noise_layer({})

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, noise):
            return noise * self.weight

    with pytest.raises(UsageError, match="not made of layers that can be told apart"):
        sampler(Whole()).draw(2, truncation=0.5)
