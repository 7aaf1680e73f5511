"""Modes of networks."""

from __future__ import annotations

from collections.abc import Iterator
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
