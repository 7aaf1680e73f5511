"""The projection head against ``w.h + b + <embed(label), h>``."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wganx.nn import ProjectionHead


@given(seed=st.integers(0, 2**16), rows=st.integers(1, 6), features=st.integers(1, 7), classes=st.integers(1, 5))
def test_the_score_is_linear_plus_the_inner_product_with_the_class(
    seed: int, rows: int, features: int, classes: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    h = torch.randn(rows, features, generator=rng, dtype=torch.float64)
    label = torch.randint(classes, (rows,), generator=rng)
    head = ProjectionHead(features, classes).double()
    score = head(h, label)
    assert score.shape == (rows,)
    assert head.embed is not None
    for row in range(rows):
        expected = h[row] @ head.linear.weight[0] + head.linear.bias[0] + h[row] @ head.embed.weight[label[row]]
        torch.testing.assert_close(score[row], expected)


def test_without_classes_the_score_is_linear() -> None:
    head = ProjectionHead(3)
    h = torch.randn(4, 3)
    torch.testing.assert_close(head(h), h @ head.linear.weight[0] + head.linear.bias)
    assert sum(parameter.numel() for parameter in head.parameters()) == 4


def test_a_class_vector_starts_about_as_long_as_the_linear_weight() -> None:
    torch.manual_seed(0)
    head = ProjectionHead(1000, 50)
    assert head.embed is not None
    assert head.embed.weight.norm(dim=1).mean().item() == pytest.approx(head.linear.weight.norm().item(), rel=0.1)


def test_a_label_is_given_exactly_where_there_are_classes() -> None:
    with pytest.raises(TypeError, match="with classes needs the label of every row"):
        ProjectionHead(3, 2)(torch.zeros(1, 3))
    with pytest.raises(TypeError, match="without classes takes no label"):
        ProjectionHead(3)(torch.zeros(1, 3), torch.zeros(1, dtype=torch.int64))


def test_of_several_labels_the_vectors_are_summed_and_start_as_long_as_one() -> None:
    torch.manual_seed(0)
    head = ProjectionHead(2000, 9, labels=4)
    label = torch.stack([torch.randperm(9)[:4] for _ in range(50)])
    h = torch.randn(50, 2000)
    assert head.embed is not None
    summed = head.embed.weight[label].sum(1)
    torch.testing.assert_close(head(h, label), head.linear(h).squeeze(1) + (summed * h).sum(1))
    assert summed.norm(dim=1).mean().item() == pytest.approx(head.linear.weight.norm().item(), rel=0.1)
