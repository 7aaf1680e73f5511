"""Directions of the noise: those that change most, and the one that makes something more likely."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx.errors import DataError

_MOST_LOG_ODDS = 3.0
"""Up to 20 to 1, beyond which odds say no more."""
_NOISE = 0.02
"""Of the longest of the others' gradients; of what is fitted to some thousand samples, shorter ones are chance."""
_NEGLIGIBLE = 1e-3
"""Of a gradient; less is left of one that the others take out."""


def leading_directions(responses_DW: Tensor, count: int) -> Tensor:
    """The orthonormal directions in which a linear layer stretches noise most, ``(count, D)``, the longest first.

    Eigenvectors of ``A Aᵀ`` for the matrix A whose rows are what each unit of noise adds to the layer's output (Shen &
    Zhou 2021, "Closed-form factorization of latent semantics in GANs"). Of either sign that one is taken whose largest
    number is above 0.
    """
    vectors_DK = torch.linalg.svd(responses_DW.double(), full_matrices=False).U[:, :count]
    largest = vectors_DK.gather(0, vectors_DK.abs().argmax(0, keepdim=True))
    found: Tensor = (vectors_DK * largest.sign()).T
    return found


def direction_to(noise_ND: Tensor, log_odds_N: Tensor, others_NK: Tensor) -> Tensor:
    """The unit vector ``(D,)`` along which log odds rise most while those of others do not change at first.

    Log odds are fitted to the noise by least squares. For normal noise the coefficients are their mean gradients
    (Stein's lemma), whatever their shape, so no other direction raises them faster on average. What lies in the span
    of the others' gradients is taken out (Shen et al. 2020, "Interpreting the latent space of GANs for semantic face
    editing"). Log odds beyond ±3 count as these, so that few extreme ones do not decide; of what is rarer
    or commoner in most samples, that range begins or ends at the median.

    Args:
        noise_ND: standard normal.
        log_odds_N: of what is wanted.
        others_NK: of K other things, which may be none.

    Raises:
        DataError: the log odds do not depend on the noise, or on nothing that the others do not depend on.
    """
    wanted = torch.cat([log_odds_N[:, None], others_NK], 1).double()
    median = wanted.median(0).values
    wanted = (wanted - (median - median.clamp(-_MOST_LOG_ODDS, _MOST_LOG_ODDS))).clamp(-_MOST_LOG_ODDS, _MOST_LOG_ODDS)
    noise = noise_ND.double()
    gradients_DK = torch.linalg.lstsq(noise - noise.mean(0), wanted - wanted.mean(0)).solution
    found, others = gradients_DK[:, 0], gradients_DK[:, 1:]
    length = found.norm()
    if others.numel():
        span = torch.linalg.svd(others, full_matrices=False)
        basis = span.U[:, span.S.gt(_NOISE * span.S[0])]
        found = found - basis @ (basis.T @ found)
    if not found.norm() > max(_NEGLIGIBLE * float(length), 1e-9):
        raise DataError("it changes with nothing of the noise that does not change the other labels as much")
    unit: Tensor = found / found.norm()
    return unit


def placed(noise_ND: Tensor, direction_D: Tensor, at: float) -> Tensor:
    """The noise with another number along a direction, all else as it is; its own is normal with deviation 1."""
    direction = direction_D.to(noise_ND)
    return noise_ND + (at - noise_ND @ direction)[:, None] * direction


def log_odds(logits_NK: Tensor, index: int) -> Tensor:
    """``log p / (1 - p)`` of one class under the softmax of logits, ``(N,)``."""
    others = [column for column in range(logits_NK.shape[1]) if column != index]
    return logits_NK[:, index] - logits_NK[:, others].logsumexp(1)
