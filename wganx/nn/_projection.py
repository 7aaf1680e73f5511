"""The last layer of a critic, with or without classes."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from wganx.nn._classes import ClassEmbedding


class ProjectionHead(nn.Module):
    """From features to one score a row: ``score = w.h + b + <embed(label), h>``.

    The inner product is how a critic takes a class into account (Miyato & Koyama 2018, "cGANs with projection
    discriminator"); with ``classes=0`` the score is the linear part alone. Of a row with several labels the vectors of
    its classes are summed. What is added starts with about the length that the linear part's weight has, so that
    neither drowns the other.

    Args:
        features: length of a row of `h`.
        classes: number of classes, all labels' together (`ClassEmbedding`); 0 for none.
        labels: how many labels a row has, where there are classes.

    Shapes:
        ``h (N, features)``, ``label (N,)``, of several ``(N, labels)``, integers in ``[0, classes)`` -> ``(N,)``,
        unbounded.

    Raises:
        TypeError: a label is missing for a head with classes, or given to one without.
    """

    def __init__(self, features: int, classes: int = 0, labels: int = 1) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 1)
        self.embed = ClassEmbedding(classes, features) if classes else None
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=(3 * features * max(labels, 1)) ** -0.5)

    def forward(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        if (self.embed is None) != (label is None):
            raise TypeError(
                "a ProjectionHead without classes takes no label"
                if self.embed is None
                else "a ProjectionHead with classes needs the label of every row"
            )
        score = cast(Tensor, self.linear(h)).squeeze(1)
        if self.embed is None:
            return score
        return score + cast(Tensor, self.embed(label) * h).sum(dim=1)
