"""Modes of networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(*networks: nn.Module) -> Iterator[None]:
    """Inside, every module is in evaluation mode; afterwards each is what it was, and so is its state.

    There are layers that move their state in every pass, in evaluation too: spectral norms that people wrote
    themselves keep the vectors of their power iteration so.
    """
    modules = [module for network in networks for module in network.modules()]
    before = [module.training for module in modules]
    state = _State(networks)
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for module, training in zip(modules, before):
            module.training = training
        state.put_back()


class _State:
    """What networks keep beside what they learn: buffers, and parameters without a gradient.

    Of the latter, a network that learns nothing, as an average does, has all its weights among them. These are not
    copied: what was put in their place is taken away again.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        copied, self._held = [], []
        for network in networks:
            parameters = list(network.parameters())
            frozen = [parameter for parameter in parameters if not parameter.requires_grad]
            copied += [*network.buffers(), *(frozen if len(frozen) < len(parameters) else ())]
            self._held += [(tensor, tensor.data) for tensor in (*network.buffers(), *frozen)]
        self._copied = [(tensor, tensor.detach().clone()) for tensor in copied]

    @torch.no_grad()
    def put_back(self) -> None:
        for tensor, held in self._held:
            if tensor.data_ptr() != held.data_ptr():
                tensor.data = held
        for tensor, before in self._copied:
            if not torch.equal(tensor, before):
                tensor.copy_(before)


def held_in_evaluation(network: nn.Module) -> list[nn.Module]:
    """The parts in evaluation mode of a network in training mode: its owner put them there, and there they stay.

    A network that is in evaluation mode as a whole has only been drawn from, and holds none.
    """
    return [part for part in network.modules() if not part.training] if network.training else []


def train(network: nn.Module, held: Sequence[nn.Module]) -> None:
    """Put `network` into training mode, all but what was `held_in_evaluation`; one that is in it stays as it is."""
    if network.training:
        return
    network.train()
    for part in held:
        part.training = False
