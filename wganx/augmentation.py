"""How strongly samples are changed before the critic sees them, where that follows from how much it overfits."""

from __future__ import annotations

from dataclasses import dataclass

from wganx.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveAugmentation:
    """As strong an augmentation as the critic's overfitting asks for, and no stronger.

    How much it overfits is the part of its reading that it does not have on samples it never saw::

        overfit = 1 - gap(held-out) / gap(train)         gap = mean score of real samples - mean score of made ones

    0 where it judges both alike, 1 where it knows the training samples by heart; both gaps are running means, read
    in evaluation mode on samples as they are. Where made samples are the same, this is ``(f(train) - f(held-out)) /
    (f(train) - f(made))``, the `r_v` of Karras et al. 2020, "Training generative adversarial networks with limited
    data". Every `every` updates of the critic the strength moves by ``every / over`` times ``(overfit - target) /
    target``, which is limited to 1 in size.

    Attributes:
        target: overfitting that is left as it is, over 0 and under 1.
        most: the largest strength, over 0 and at most 1. At 1 a generator may learn the changes themselves; where the
            strength is the share of samples that are changed, no change whatever is learnt below 0.5.
        every: updates of the critic between two readings.
        over: updates of the critic that it takes from 0 to 1, at least.

    Raises:
        UsageError: a number is out of its range.
    """

    target: float = 0.2
    most: float = 0.7
    every: int = 16
    over: int = 1000

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise UsageError(f"target must lie between 0 and 1, got {self.target}")
        if not 0 < self.most <= 1:
            raise UsageError(f"most must be over 0 and at most 1, got {self.most}")
        for name in ("every", "over"):
            if not isinstance(number := getattr(self, name), int) or number < 1:
                raise UsageError(f"{name} must be a whole number of at least 1, got {number!r}")
