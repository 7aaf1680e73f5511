"""Which classes samples are of, as a network reads them that was trained on the data's own classes."""

from __future__ import annotations

import torch
from torch import Tensor

COVERED = 0.2
"""The share of its due by which a class counts as covered."""


def class_shares(logits: Tensor) -> Tensor:
    """The share ``(K,)`` of rows that are seen as each class, from logits ``(n, K)``."""
    counts = logits.argmax(dim=1).bincount(minlength=logits.shape[1])
    return counts.double() / len(logits)


def class_coverage(made: Tensor, real: Tensor) -> dict[str, float]:
    """How the classes of made rows are spread, beside those of real ones.

    ``classes`` counts the classes that hold at least a fifth of the share they have among real rows;
    ``class_distance`` is the total variation ``½ Σ_k |p_k - q_k|`` of the shares, 0 to 1.

    Args:
        made, real: logits ``(n, K)`` and ``(m, K)``.
    """
    shares, due = class_shares(made), class_shares(real)
    covered = (shares >= COVERED * due) & (shares > 0)
    return {"classes": float(covered.sum()), "class_distance": float((shares - due).abs().sum() / 2)}


def label_agreement(logits: Tensor, asked: Tensor) -> tuple[float, list[float]]:
    """The share of rows that are seen as the class they were asked for, of all and class by class.

    A class that nobody asked for has NaN.

    Args:
        logits: ``(n, K)``.
        asked: the classes asked for, ``(n,)``.
    """
    asked = asked.to(logits.device)
    right = (logits.argmax(dim=1) == asked).double()
    by_class = [float(right[asked == each].mean()) for each in range(logits.shape[1])]
    return float(right.mean()), by_class


def inception_score(logits: Tensor) -> float:
    """``exp(E_x KL(p(y|x) ‖ p(y)))`` (Salimans et al. 2016) from logits ``(n, K)``: 1 at worst, K at best."""
    log_p = logits.double().log_softmax(dim=1)
    p = log_p.exp()
    log_marginal = p.mean(dim=0).clamp(min=torch.finfo(torch.float64).tiny).log()
    return float((p * (log_p - log_marginal)).sum(dim=1).mean().exp())
