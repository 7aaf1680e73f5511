"""Values cut to the range of pictures, without the gradients' being cut off with them."""

from __future__ import annotations

from torch import Tensor


def cut_off(x: Tensor) -> Tensor:
    """`x` cut to [-1, 1], with the gradients of `x` itself (a straight-through estimator, Bengio et al. 2013).

    Black and white pixels would be stuck otherwise, and those beside the range never come back.
    """
    return x.clamp(-1, 1).detach() + (x - x.detach())
