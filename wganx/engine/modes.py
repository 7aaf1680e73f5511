"""Modes of networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(*networks: nn.Module) -> Iterator[None]:
    """Inside, every module is in evaluation mode; afterwards each is what it was."""
    modules = [module for network in networks for module in network.modules()]
    before = [module.training for module in modules]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for module, training in zip(modules, before):
            module.training = training


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
