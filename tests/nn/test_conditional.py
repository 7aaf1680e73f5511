"""The conditional norm against its formula."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from wganx.nn import ConditionalNorm

NORMS = {
    1: (nn.BatchNorm1d, nn.InstanceNorm1d),
    2: (nn.BatchNorm2d, nn.InstanceNorm2d),
    3: (nn.BatchNorm3d, nn.InstanceNorm3d),
}


@pytest.mark.parametrize("rank", NORMS)
@pytest.mark.parametrize("which", [0, 1])
def test_a_new_layer_is_the_plain_norm(rank: int, which: int) -> None:
    kind = NORMS[rank][which]
    x = torch.randn(5, 4, *[6] * rank)
    layer = ConditionalNorm(kind(4, affine=False), channels=4, classes=3)
    torch.testing.assert_close(layer(x, torch.tensor([0, 1, 2, 0, 1])), kind(4, affine=False)(x))


@given(seed=st.integers(0, 2**16), classes=st.integers(1, 5), rank=st.integers(1, 3))
def test_every_row_gets_the_scale_and_shift_of_its_class(seed: int, classes: int, rank: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(4, 3, *[5] * rank, generator=rng)
    label = torch.randint(classes, (4,), generator=rng)
    layer = ConditionalNorm(NORMS[rank][1](3), channels=3, classes=classes)
    with torch.no_grad():
        layer.scale.weight.copy_(torch.randn(classes, 3, generator=rng))
        layer.shift.weight.copy_(torch.randn(classes, 3, generator=rng))
    y = layer(x, label)

    places = tuple(range(2, 2 + rank))
    mean = x.mean(dim=places, keepdim=True)
    variance = x.var(dim=places, unbiased=False, keepdim=True)
    normal = (x - mean) / torch.sqrt(variance + 1e-5)
    for row, own in enumerate(label.tolist()):
        for channel in range(3):
            expected = layer.scale.weight[own, channel] * normal[row, channel] + layer.shift.weight[own, channel]
            torch.testing.assert_close(y[row, channel], expected, rtol=1e-4, atol=1e-5)


def test_only_the_classes_in_the_batch_learn_from_it() -> None:
    layer = ConditionalNorm(nn.BatchNorm2d(2, affine=False), channels=2, classes=4)
    layer(torch.randn(3, 2, 4, 4), torch.tensor([1, 1, 3])).square().sum().backward()
    assert layer.scale.weight.grad is not None
    assert (layer.scale.weight.grad.abs().sum(dim=1) > 0).tolist() == [False, True, False, True]


def test_of_several_labels_scales_and_shifts_are_summed() -> None:
    torch.manual_seed(0)
    x, label = torch.randn(3, 4, 5, 5), torch.tensor([[0, 2], [1, 4], [0, 3]])
    layer = ConditionalNorm(nn.InstanceNorm2d(4), channels=4, classes=5, labels=2)
    torch.testing.assert_close(layer(x, label), nn.InstanceNorm2d(4)(x))
    with torch.no_grad():
        layer.scale.weight.normal_()
        layer.shift.weight.normal_()
    scale, shift = (table.weight[label].sum(1)[..., None, None] for table in (layer.scale, layer.shift))
    torch.testing.assert_close(layer(x, label), scale * nn.InstanceNorm2d(4)(x) + shift)
