"""The weight average of the generator, which makes the samples people look at."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from wganx.engine.copying import copy_of


class WeightAverage:
    """Exponential moving average of a network's weights, ``a ← d a + (1 - d) w``.

    The decay of update number t is ``min(decay, (1 + t) / (10 + t))``, so that early averages follow the weights
    instead of remembering their initial values. A decay of 0 makes the average the network itself.

    Averaged are weights, and the running mean and variance of batch norms, which are means themselves and belong to
    the weights they were taken under: on digits the samples are then closer to those under statistics taken anew from
    the averaged weights than with copied ones. All other buffers are state and copied: the vectors of a power
    iteration (the mean of two directions is neither), codebooks, masks, counters; so is a parameter without a
    gradient that moves.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = network
        self.module = network if decay == 0 else copy_of(network, "generator").requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after generator update number `step`, counted from 0."""
        if self.decay == 0:
            return
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        ours, theirs = [], []
        for own, current, is_weight in _pairs(self.module, self.network):
            if is_weight:
                ours.append(own)
                theirs.append(current)
            else:
                own.copy_(current)
        torch._foreach_lerp_(ours, theirs, weight)


def _pairs(average: nn.Module, network: nn.Module) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """Every tensor of both, once, and whether it is averaged."""
    seen = set()
    for own, current in zip(average.modules(), network.modules(), strict=True):
        norm = isinstance(current, nn.modules.batchnorm._NormBase)
        for name, tensor in (*current._parameters.items(), *current._buffers.items()):
            if tensor is None or id(tensor) in seen:
                continue
            seen.add(id(tensor))
            mean = norm and name in ("running_mean", "running_var")
            ours = own._parameters.get(name, own._buffers.get(name))
            assert ours is not None, f"the average lacks {name}"
            yield ours, tensor, tensor.requires_grad or mean
