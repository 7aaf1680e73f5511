"""The activation that keeps the length of a gradient."""

from __future__ import annotations

from torch import Tensor, nn


class GroupSort(nn.Module):
    """Sorts the channels within each group of neighbours, position by position.

    ``y[n, g * group : (g + 1) * group] = sort(x[n, g * group : (g + 1) * group])``, ascending; ``group=2`` is MaxMin.
    A sort permutes its inputs, so it is 1-Lipschitz and its gradient has the length of the one it is given, where
    ReLU drops what is negative. Anil, Lucas, Grosse, "Sorting out Lipschitz function approximation", 2019.

    Shapes:
        ``x (N, channels, *)`` -> the same; `channels` is a multiple of `group`.

    Raises:
        ValueError: `group` is below 2, or does not divide the channels.
    """

    def __init__(self, group: int = 2) -> None:
        super().__init__()
        if group < 2:
            raise ValueError(f"GroupSort sorts groups of at least 2 channels, got group={group}")
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[1] % self.group:
            found = f"{x.shape[1]} channels" if x.ndim > 1 else f"an input of shape {tuple(x.shape)} without channels"
            raise ValueError(
                f"GroupSort cannot sort {found} in groups of {self.group}; "
                f"give the layer before it a multiple of {self.group} channels"
            )
        groups = x.reshape(x.shape[0], x.shape[1] // self.group, self.group, *x.shape[2:])
        return groups.sort(dim=2).values.reshape(x.shape)

    def extra_repr(self) -> str:
        return f"group={self.group}"
