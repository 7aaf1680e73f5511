"""Which rows of a batch belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

_OTHER_CLASS, _FIRST_KEPT, _FURTHER_KEPT = 8.0, 4.0, 2.0


def sources_for(
    labels: Mapping[str, Tensor], convert: Sequence[str], keep: Sequence[str], rng: torch.Generator
) -> Tensor:
    """For every row of a batch, the row that is to be converted into its classes, ``(N,)``.

    It has another class of what is converted wherever the batch has one; of these, one that has the same class of the
    first label that is kept; of these, as many further labels in common as there are. Among equals chance decides. So
    the critic compares real and converted sounds that differ in nothing but how they were made.
    """
    first = labels[convert[0]]
    rows, device = len(first), first.device
    likeness_NN = torch.rand(rows, rows, generator=rng, device=device)
    likeness_NN = likeness_NN + _OTHER_CLASS * ~_alike(labels, convert)
    if keep:
        likeness_NN = likeness_NN + _FIRST_KEPT * _alike(labels, keep[:1])
    for name in keep[1:]:
        likeness_NN = likeness_NN + _FURTHER_KEPT / (len(keep) - 1) * _alike(labels, [name])
    return likeness_NN.argmax(1)


def other_of_the_same(wanted: Mapping[str, Tensor], there: Mapping[str, Tensor], rng: torch.Generator) -> Tensor:
    """For every row what is most like `wanted` among the other rows, ``(N,)``; the first label counts most."""
    first = next(iter(wanted.values()))
    rows, device = len(first), first.device
    likeness_NN = torch.rand(rows, rows, generator=rng, device=device)
    for place, name in enumerate(reversed(list(wanted))):
        likeness_NN = likeness_NN + 2.0 ** (place + 1) * (wanted[name][:, None] == there[name][None])
    return (likeness_NN - 2.0 ** (len(wanted) + 2) * torch.eye(rows, device=device)).argmax(1)


def _alike(labels: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    """Whether two rows have the same class of all these labels, ``(N, N)``."""
    same = [labels[name][:, None] == labels[name][None] for name in names]
    return torch.stack(same).all(0)
