"""Modules under names that data chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


class ByName(nn.Module, Generic[M]):
    """Modules under any names, such as one for each label of somebody's folder.

    `torch.nn.ModuleDict` refuses names that modules have themselves (``type``, ``half``, ``train``) and those with a
    dot. Here they are stored under others, which only a state dict shows (``type_``, ``skin_tone``); all the rest as
    they are, so that a state dict fits either.

    Args:
        modules: what is found under each name, in this order.
    """

    def __init__(self, modules: Mapping[str, M]) -> None:
        super().__init__()
        self._stored: dict[str, str] = {}
        for name, module in modules.items():
            stored = name.replace(".", "_")
            while hasattr(self, stored) or stored in modules.keys() - {name}:
                stored += "_"
            self._stored[name] = stored
            self.add_module(stored, module)

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __getitem__(self, name: str) -> M:
        return self._modules[self._stored[name]]  # type: ignore[return-value]

    def items(self) -> Iterator[tuple[str, M]]:
        """Each name with its module."""
        return ((name, self[name]) for name in self)

    def values(self) -> Iterator[M]:
        """The modules."""
        return (self[name] for name in self)
