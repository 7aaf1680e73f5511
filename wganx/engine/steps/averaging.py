"""The weight average of the generator, which makes the samples people look at."""

from __future__ import annotations

import copy

import torch
from torch import nn


class WeightAverage:
    """Exponential moving average of a network's weights, ``a ← d a + (1 - d) w``.

    The decay of update number t is ``min(decay, (1 + t) / (10 + t))``, so that early averages follow the weights
    instead of remembering their initial values. Floating buffers (running statistics) are averaged as the weights
    are, others copied. A decay of 0 makes the average the network itself.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = network
        self.module = network if decay == 0 else copy.deepcopy(network).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after generator update number `step`, counted from 0."""
        if self.decay == 0:
            return
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        averaged, current = _tensors(self.module), _tensors(self.network)
        floating = [index for index, tensor in enumerate(averaged) if tensor.is_floating_point()]
        torch._foreach_lerp_([averaged[i] for i in floating], [current[i] for i in floating], weight)
        for index in set(range(len(averaged))) - set(floating):
            averaged[index].copy_(current[index])


def _tensors(module: nn.Module) -> list[torch.Tensor]:
    return [*module.parameters(), *module.buffers()]
