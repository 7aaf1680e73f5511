"""A vector for every class."""

from __future__ import annotations

from torch import Tensor, nn


class ClassEmbedding(nn.Embedding):
    """A learnt vector for every class; of a row with several classes, one a label, their sum.

    Several labels share one table: their classes are numbered one after the other, so that smile ``{no, yes}`` and hair
    ``{dark, fair, red}`` have the numbers 0 to 1 and 2 to 4. The sum is the product of the table with all one-hot
    vectors put together.

    Args:
        classes: rows of the table, all labels' classes together.
        width: length of a vector.

    Shapes:
        ``label (N,)`` or ``(N, labels)``, integers in ``[0, classes)`` -> ``(N, width)``.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__(classes, width)

    def forward(self, label: Tensor) -> Tensor:
        rows = super().forward(label)
        return rows.sum(1) if label.ndim == 2 else rows
