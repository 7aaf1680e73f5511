"""What a drawn picture shows: labels that can be told from it, and what chance adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

Shares = Mapping[str, float]
"""How often each class of a label is drawn, by its name; together 1."""


@dataclass(frozen=True)
class Traits:
    """What several pictures show.

    Attributes:
        shares: of every label.
        labels: index ``(N,)`` of the class of every label.
        chance_NK: numbers in 0 .. 1, evenly spread, which whoever draws takes one after the other.
    """

    shares: Mapping[str, Shares]
    labels: Mapping[str, Tensor]
    chance_NK: Tensor

    def __len__(self) -> int:
        return len(self.chance_NK)

    def is_(self, label: str, *classes: str) -> Tensor:
        """Whether each is of one of some classes of a label, ``(N,)``."""
        wanted = torch.tensor([name in classes for name in self.shares[label]])
        return wanted[self.labels[label]]

    def by(self, label: str, values: Mapping[str, Sequence[float] | float]) -> Tensor:
        """A value for each by its class, ``(N,)``, or ``(N, K)`` where values have `K` numbers."""
        return torch.tensor([values[name] for name in self.shares[label]], dtype=torch.float32)[self.labels[label]]

    def of(self, rows: Tensor) -> Traits:
        """Those of some of the pictures."""
        labels = {name: label[rows] for name, label in self.labels.items()}
        return replace(self, labels=labels, chance_NK=self.chance_NK[rows])

    def but(self, **labels: str | Tensor) -> Traits:
        """The same pictures with other labels, each one class for all by name, or indices ``(N,)``.

        Raises:
            KeyError, ValueError: there is no such label, or no such class of it.
        """
        changed = {
            name: torch.full((len(self),), list(self.shares[name]).index(value)) if isinstance(value, str) else value
            for name, value in labels.items()
        }
        return replace(self, labels={**self.labels, **changed})


class Chance:
    """Hands out what chance decided, number after number."""

    def __init__(self, columns: Iterator[Tensor], rows: Tensor | None = None) -> None:
        self._columns, self._rows = columns, rows

    @classmethod
    def of_all(cls, traits: Traits) -> Chance:
        """From the first number on."""
        return cls(iter(traits.chance_NK.unbind(1)))

    def of(self, rows: Tensor) -> Chance:
        """For some of the pictures; what it hands out is gone for all."""
        return Chance(self._columns, rows)

    def _next(self) -> Tensor:
        numbers = next(self._columns)
        return numbers if self._rows is None else numbers[self._rows]

    def between(self, low: float, high: float) -> Tensor:
        """Evenly spread, ``(N,)``."""
        return low + (high - low) * self._next()

    def about(self, middle: float, spread: float) -> Tensor:
        """Spread around a middle, ``(N,)``: dense there, and never farther off than `spread`."""
        # The sum of two even numbers has the shape of a triangle.
        return middle + spread * (self._next() + self._next() - 1)

    def happens(self, share: float) -> Tensor:
        """1 for so many of all, 0 for the others, ``(N,)``."""
        return (self._next() < share).float()

    def colour(self, *colours: Sequence[float]) -> Tensor:
        """One of some colours, ``(N, 3)``."""
        place = (self._next() * len(colours)).long().clamp_(max=len(colours) - 1)
        return torch.tensor(colours, dtype=torch.float32)[place]

    def vary(self, colour_N3: Tensor, by: float) -> Tensor:
        """Colours a little lighter or darker, and warmer or colder, than given."""
        warmth = torch.tensor([0.5, 0.0, -0.5])
        light, warm = self.about(0, by), self.about(0, by)
        return (colour_N3 + light[:, None] + warm[:, None] * warmth).clamp_(0, 1)


def draw_traits(shares: Mapping[str, Shares], chances: int, indices: Sequence[int], stream: Sequence[int]) -> Traits:
    """What pictures show, each from a stream of its own, which `stream` and its number fix."""
    drawn_NK = torch.from_numpy(
        np.stack([np.random.default_rng([*stream, index]).random(len(shares) + chances) for index in indices])
    ).float()
    labels = {}
    for column, (name, share_of) in enumerate(shares.items()):
        borders = torch.tensor(list(share_of.values())).cumsum(0)[:-1]
        labels[name] = torch.bucketize(drawn_NK[:, column].contiguous(), borders, right=True)
    return Traits(shares, labels, drawn_NK[:, len(shares) :])
