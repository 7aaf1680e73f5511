"""What is compared where no critic is trained: the samples themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.engine.rules import Rules
from wganx.errors import PreflightError, UsageError


class SampleFeatures(nn.Module):
    """Stands in the critic's place and has nothing to learn: ``(x (N, ...), **condition) -> (N, d)``.

    A row is the sample, flattened, and beside it each condition, so that a distance between rows is one between the
    joint distributions: a generator that leaves its labels aside does not bring it down. A label has one axis a class;
    all else is flattened. Each condition is scaled by ``(d_x / d_c)^½``, for samples of ``d_x`` values and a condition
    of ``d_c`` (a label of 1), so that it counts for as much as the sample.

    Args:
        condition: the formats of what is seen beside the sample; those of labels are needed, for their classes.
    """

    def __init__(self, condition: Mapping[str, SampleFormat] | None = None) -> None:
        super().__init__()
        formats = condition or {}
        self._classes = {name: len(format.classes) for name, format in formats.items() if format.is_label}
        self._texts = [name for name, format in formats.items() if format.is_text]

    def forward(self, x: Tensor, /, **condition: Tensor) -> Tensor:
        rows = x.flatten(1)
        parts = [rows]
        for name, given in condition.items():
            if name in self._classes:
                # Not one_hot: on a CPU it looks at the labels, and a step must not wait for values.
                beside = (given[:, None] == torch.arange(self._classes[name], device=given.device)).to(rows.dtype)
                size = 1
            else:
                beside = given.reshape(len(given), -1).to(rows.dtype)
                size = beside.shape[1]
            parts.append(beside * math.sqrt(rows.shape[1] / size))
        return rows if len(parts) == 1 else torch.cat(parts, 1)

    def check(self, batch: Batch) -> None:
        """
        Raises:
            PreflightError: a condition that has no distance.
        """
        for name, given in batch.condition.items():
            whole = not given.is_floating_point()
            if name in self._texts or (whole and name not in self._classes):
                what = "is a text" if name in self._texts else f"holds whole numbers ({given.dtype})"
                raise PreflightError(
                    f"condition {name!r} {what}, between which there is no distance to compare; give labels as "
                    "floating point, one axis a class, or take an objective that trains a critic"
                )


def critic_of(rules: Rules, critic: nn.Module | None, followed: bool) -> nn.Module:
    """The critic that a training under `rules` is given, or what stands in its place.

    Args:
        followed: whether a helper learns with the critic, or augmentation follows it.

    Raises:
        UsageError: there is one and it would have nothing to do, or there is none and the objective trains it.
    """
    if rules.objective.trains_critic:
        if critic is None or isinstance(critic, SampleFeatures):
            raise UsageError(
                f"objective {rules.objective.name!r} trains a critic, and there is none; give one, or an objective "
                "that compares samples: wganx.Energy()"
            )
        return critic
    if critic is not None and not isinstance(critic, SampleFeatures):
        raise UsageError(f"a critic has no effect: {rules.no_critic}")
    if followed:
        raise UsageError(f"a helper that learns with the critic, or adapt, has no effect: {rules.no_critic}")
    if rules.micro_batch == 1:
        raise UsageError("micro_batch must be at least 2 where batches are compared, got 1")
    return SampleFeatures() if critic is None else critic


def samples_themselves(config: Any, context: Any) -> SampleFeatures:
    """The part ``critic.name=none`` of a configuration."""
    return SampleFeatures(context.inputs)
