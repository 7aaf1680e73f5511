"""The labels that a network is given, as numbers of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx import BuildContext, ConfigError


@dataclass(frozen=True)
class Labels:
    """The labels that `network` takes, and how many classes each has, in the order of their names.

    Their classes are numbered one after the other, label by label, as `wganx.nn.ClassEmbedding` wants them.
    """

    network: str
    counts: Mapping[str, int]

    @classmethod
    def of(cls, context: BuildContext, network: str) -> Labels:
        """
        Raises:
            ConfigError: the game hands over an input that is no label.
        """
        if others := sorted(name for name, format in context.inputs.items() if not format.is_label):
            raise ConfigError(f"the {network} takes labels at most, and this task gives it {', '.join(others)}")
        return cls(network, {name: len(context.inputs[name].classes) for name in sorted(context.inputs)})

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def classes(self) -> int:
        """All labels' classes together, 0 without labels."""
        return sum(self.counts.values())

    def numbers(self, given: Mapping[str, Tensor]) -> Tensor | None:
        """The class numbers of every row: ``(N,)`` of one label, ``(N, labels)`` of several, None of none.

        Raises:
            TypeError: a label is missing, or given to a network without it.
        """
        if given.keys() != self.counts.keys():
            wanted = ", ".join(self.counts) or "no label"
            raise TypeError(f"the {self.network} takes {wanted}, and it was given {', '.join(given) or 'none'}")
        if len(self) < 2:
            return next(iter(given.values()), None)
        columns, before = [], 0
        for name, count in self.counts.items():
            columns.append(given[name] + before)
            before += count
        return torch.stack(columns, 1)
