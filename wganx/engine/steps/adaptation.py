"""The strength of augmentation, kept where the critic's overfitting is what it may be."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx.augmentation import AdaptiveAugmentation
from wganx.batch import Batch
from wganx.engine.modes import evaluating
from wganx.engine.steps.updates import Steps
from wganx.errors import CheckpointError, UsageError

_DECAY = 0.9  # of the running means, from one reading to the next
_MOST_ROWS = 256


class Adaptation:
    """Moves ``steps.strength``, in its place, by the rule of `AdaptiveAugmentation`; nothing waits for the device.

    All that it knows is in tensors, which travel with the checkpoints.
    """

    def __init__(self, rule: AdaptiveAugmentation, steps: Steps) -> None:
        self.rule, self._steps = rule, steps
        steps.strength.zero_()
        self._gaps = torch.zeros(2, device=steps.strength.device)  # running sums on training and on held-out samples
        self._read = steps.critic_updates // rule.every

    @property
    def due(self) -> bool:
        """Whether it is time for another reading."""
        return self._steps.critic_updates // self.rule.every > self._read

    def check(self, heldout: Batch | None) -> None:
        """
        Raises:
            UsageError: there are no held-out samples to read the critic on, or fewer than it takes at once.
        """
        have = 0 if heldout is None else len(heldout)
        need = self._steps.rows or self._steps.pack
        if have < need:
            raise UsageError(
                f"adaptive augmentation follows the critic's reading on held-out samples; it needs {need} or more and "
                f"there are {have}: hold samples out, or choose how strong it is yourself"
            )

    def follow(self, batch: Batch, heldout: Batch | None, draws: torch.Generator) -> None:
        """Read the critic, on the first rank, and move the strength; every rank ends with the first one's."""
        steps, rule = self._steps, self.rule
        self._read = steps.critic_updates // rule.every
        if heldout is not None and steps.ranks.first:
            read = self._read_gaps(batch, heldout, draws)
            # A reading that is no number, which may be gone with the next step, would stay in the means for good.
            self._gaps.lerp_(torch.where(read.isfinite().all(), read, self._gaps), 1 - _DECAY)
            push = ((self._overfit() - rule.target) / rule.target).clamp(-1, 1)
            steps.strength.add_(push, alpha=rule.every / rule.over).clamp_(0, rule.most)
        steps.ranks.copy_from_first(self.tensors().values())

    def scalars(self) -> dict[str, float]:
        """What is logged of it."""
        strength, overfit = torch.stack([self._steps.strength, self._overfit()]).tolist()
        return {"augment_overfit": overfit, "augment_strength": strength}

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a continuation needs."""
        return {"strength": self._steps.strength, "gaps": self._gaps}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave; of a training that had none of it, start at 0.

        Raises:
            CheckpointError: they are of another shape.
        """
        for name, own in self.tensors().items():
            if name in tensors and tensors[name].shape != own.shape:
                raise CheckpointError(f"the checkpoint is damaged: {name} of its augmentation is of another shape")
            own.copy_(tensors[name]) if name in tensors else own.zero_()
        self._read = self._steps.critic_updates // self.rule.every

    def _overfit(self) -> Tensor:
        """Between 0 and 1; 0 as long as the critic does not tell training samples from made ones."""
        train, heldout = self._gaps
        return torch.where(train > 0, 1 - heldout / train, 0.0).clamp(0, 1)

    def _read_gaps(self, batch: Batch, heldout: Batch, draws: torch.Generator) -> Tensor:
        """The critic's readings on rows of the batch and, in turn, on as many of the held-out samples."""
        steps = self._steps
        rows = steps.rows or min(len(batch), len(heldout), max(_MOST_ROWS, steps.pack)) // steps.pack * steps.pack
        start = self._read % (len(heldout) // rows) * rows
        own, other = batch[:rows], heldout[start : start + rows]
        noise = steps.draw_noise(own, draws)  # the same for both, so that it cancels
        with torch.no_grad(), evaluating(steps.generator.module, steps.critic.module), steps.precision.autocast():
            return torch.stack([self._gap(each, noise) for each in (own, other)])

    def _gap(self, batch: Batch, noise: Tensor | None) -> Tensor:
        steps, condition = self._steps, self._steps.packed_condition(batch)
        made = steps.judged(steps.make_fake(batch, noise))
        gap: Tensor = steps.score(steps.packed(batch.real), condition).mean() - steps.score(made, condition).mean()
        return gap.float()
