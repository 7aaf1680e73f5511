"""What is checked before the first step: that the two networks can be trained as given.

Every check runs on copies and on a stream of its own, so a training that passes is the same as one never checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.engine.copying import copy_of
from wganx.engine.device import arranged, as_judged
from wganx.engine.modes import evaluating, train
from wganx.engine.planning.calls import NetworkFails, call, noise_for, way_to_scores
from wganx.engine.planning.constraints import check_constraint
from wganx.engine.planning.derivatives import check_gradients, check_second_derivative
from wganx.engine.randomness import apart
from wganx.engine.sample_features import SampleFeatures
from wganx.engine.steps.packs import in_packs
from wganx.engine.steps.player import flatten_scores
from wganx.errors import PreflightError
from wganx.wasserstein import Constraint, interpolate

_ROWS = 4
_BOUNDED = {
    "SigmoidBackward0": ("sigmoid", 0.0, 1.0),
    "TanhBackward0": ("tanh", -1.0, 1.0),
    "SoftmaxBackward0": ("softmax", 0.0, 1.0),
    "HardtanhBackward0": ("hardtanh", -1.0, 1.0),
    "HardsigmoidBackward0": ("hardsigmoid", 0.0, 1.0),
    "ReluBackward0": ("relu", 0.0, float("inf")),
}
# Operations that keep the bounds of what they are given.
_BOUND_KEEPING = (
    "View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Select", "Slice", "Clone", "Transpose",
    "Permute", "AsStrided", "ToCopy", "Alias", "Expand", "Mean",
)  # fmt: skip
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class Checked(NamedTuple):
    """What a sound pair of networks asks of the steps, and what a person should know of it.

    Attributes:
        rows_apart: the critic scores each row (or pack) of a batch by itself.
        rows: of a batch, where the networks take no other number.
        column: the critic returns its scores as ``(N, 1)`` or ``(N, 1, 1, 1)``.
        attention: the critic's attention has a second derivative in one kernel only.
        notes: each a sentence.
    """

    rows_apart: bool
    rows: int | None
    column: bool
    attention: bool
    notes: list[str]


def check_networks(
    generator: nn.Module,
    critic: nn.Module,
    batch: Batch,
    *,
    noise: tuple[int, ...] | None,
    constraint: Constraint,
    format: SampleFormat | None = None,
    pack: int = 1,
    layout: torch.memory_format = torch.contiguous_format,
    extras: bool = False,
) -> Checked:
    """Refuse what cannot be trained, with the mend.

    A row is a pack of `pack` samples. Where no critic is trained, `SampleFeatures` stand in its place. Rows that
    influence each other are no error where the constraint takes no gradient for each of them. `layout` is the order in
    memory the critic gets samples in; with `extras`, weights may have their gradient from other losses.

    Raises:
        PreflightError: samples outside their range; a generator whose output does not fit the samples; a critic with
            scores of a wrong shape, bounded scores, rows of a batch that influence each other although the constraint
            needs them apart, or no second derivative, or a wrong one, although it needs one; a player that no gradient
            reaches; a constraint that does nothing.
    """
    if len(batch) < 2 * pack:
        least = "2 samples" if pack == 1 else f"2 packs of {pack} samples"
        raise PreflightError(f"a batch needs at least {least}, got {len(batch)}; raise the batch size")
    _check_samples(batch.real, format)
    for role, network in (("generator", generator), ("critic", critic)):
        _check_kind(role, network, batch.real)

    def attempt(batch: Batch) -> Checked:
        with apart(0, batch.real.device):
            return _check(generator, critic, batch, noise, constraint, format, pack, layout, extras)

    few = batch[: _ROWS * pack]
    try:
        checked = attempt(few)
        _check_another_count(generator, critic, batch, noise, pack, layout)
        return checked
    except NetworkFails:
        if len(batch) == len(few):
            raise
        try:  # it may be built for one number of rows
            checked = attempt(batch)
        except PreflightError:
            checked = None
        if checked is None:
            raise
    notes = [*checked.notes, f"the networks take batches of {len(batch)} rows only; other batches are left out"]
    return checked._replace(rows=len(batch), notes=notes)


def _check(
    generator: nn.Module,
    critic: nn.Module,
    batch: Batch,
    noise: tuple[int, ...] | None,
    constraint: Constraint,
    format: SampleFormat | None,
    pack: int,
    layout: torch.memory_format,
    extras: bool,
) -> Checked:
    fake = _check_generator(copy_of(generator, "generator"), batch, noise, format)
    given = batch
    if pack > 1:
        condition = {name: in_packs(rows, pack) for name, rows in batch.condition.items()}
        batch, fake = Batch(in_packs(batch.real, pack), condition=condition), in_packs(fake, pack)
    batch, fake = batch.with_real(arranged(batch.real, layout)), as_judged(fake, layout)
    if isinstance(critic, SampleFeatures):
        critic.check(batch)
        checked = Checked(True, None, False, False, [])
    else:
        checked = _check_critic(copy_of(critic, "critic"), batch, fake, constraint, pack)
        check_constraint(constraint, batch, fake, copy_of(critic, "critic"))
    if not extras:
        checked.notes.extend(check_gradients(generator, critic, given, batch, noise, pack, layout))
    return checked


def _check_another_count(
    generator: nn.Module,
    critic: nn.Module,
    batch: Batch,
    noise: tuple[int, ...] | None,
    pack: int,
    layout: torch.memory_format,
) -> None:
    """Fail where the networks fail on one row more: a view of rows as many as a batch has takes some other numbers too.

    A view of 8 rows x 6 takes 4 rows x 12 for half as many, and gives what is none of them.
    """
    rows = (_ROWS + 1) * pack
    batch = batch.each(lambda tensor: tensor[torch.arange(rows, device=tensor.device) % len(tensor)])
    player, judge = copy_of(generator, "generator"), copy_of(critic, "critic")
    with apart(0, batch.real.device), torch.no_grad(), evaluating(player, judge):
        fake = call("generator", player, noise_for(batch, noise), batch.context)
        condition = {name: in_packs(given, pack) if pack > 1 else given for name, given in batch.condition.items()}
        call("critic", judge, [as_judged(in_packs(fake, pack) if pack > 1 else fake, layout)], condition)


def _check_samples(real: Tensor, format: SampleFormat | None) -> None:
    if not real.is_floating_point():
        raise PreflightError(
            f"WX005 samples arrive as {real.dtype}; the task must turn them into floating point in the networks' range "
            "(pixels: x.float() / 127.5 - 1)"
        )
    if real.ndim < 2:
        raise PreflightError(
            f"samples of a batch of shape {tuple(real.shape)} have no axis of their own; "
            "give single numbers as (N, 1): samples[:, None]"
        )
    if not bool(torch.isfinite(real).all()):
        raise PreflightError("WX005 samples hold NaN or infinite values; clean the dataset")
    if format is None:
        return
    if not format.fits(tuple(real.shape[1:])):
        raise PreflightError(f"samples have shape {tuple(real.shape[1:])}, their format says {format.shape} ({format})")
    if format.value_range is not None:
        low, high = format.value_range
        seen_low, seen_high = real.min().item(), real.max().item()
        slack = 1e-3 * (high - low)
        if seen_low < low - slack or seen_high > high + slack:
            raise PreflightError(
                f"WX005 samples reach from {seen_low:.4g} to {seen_high:.4g}, their format says {low:g} to {high:g}; "
                "mend the normalisation of the task"
            )


def _check_kind(role: str, network: nn.Module, real: Tensor) -> None:
    kind = next((weight.dtype for weight in network.parameters() if weight.is_floating_point()), real.dtype)
    if kind != real.dtype:
        raise PreflightError(
            f"samples are {real.dtype} and the {role}'s weights {kind}; bring them to one: "
            "samples.float(), or the networks' .double()"
        )


def _check_generator(
    generator: nn.Module, batch: Batch, noise: tuple[int, ...] | None, format: SampleFormat | None
) -> Tensor:
    fake = call("generator", generator, noise_for(batch, noise), batch.context)
    if fake.ndim and len(fake) != len(batch) and fake.shape[1:] == batch.real.shape[1:]:
        raise NetworkFails(f"the generator makes {len(fake)} samples where {len(batch)} are asked for")
    if fake.shape != batch.real.shape:
        raise PreflightError(
            f"the generator makes samples of shape {tuple(fake.shape[1:])}, "
            f"the data has {tuple(batch.real.shape[1:])}; build it for the dataset's size and channels"
        )
    low, high = (format.value_range if format is not None else None) or (None, None)
    if low is None or high is None:
        low, high = batch.real.min().item(), batch.real.max().item()
    elif (seen := (fake.min().item(), fake.max().item())) and (seen[0] < low - 1e-3 or seen[1] > high + 1e-3):
        raise PreflightError(
            f"WX005 the generator makes values from {seen[0]:.4g} to {seen[1]:.4g}, "
            f"the samples' range is {low:g} to {high:g}; end it in the matching activation (tanh for -1 to 1)"
        )
    bound = last_bounded(fake)
    if bound is not None and (bound[1] > low + 1e-6 or bound[2] < high - 1e-6):
        raise PreflightError(
            f"the generator ends in {bound[0]}, which reaches {bound[1]:g} to {bound[2]:g}; the samples reach from "
            f"{low:.4g} to {high:.4g}: choose an activation that covers them (none for unbounded data)"
        )
    return fake.detach()


def _check_critic(critic: nn.Module, batch: Batch, fake: Tensor, constraint: Constraint, pack: int) -> Checked:
    train(critic, ())
    points = batch.real.detach().clone(memory_format=torch.preserve_format).requires_grad_(True)
    scores = call("critic", critic, [points], batch.condition)
    row, notes, column = "sample" if pack == 1 else "pack", [], False
    if scores.ndim > 1 and scores.shape == (len(batch), *[1] * (scores.ndim - 1)):
        column = True
        notes.append(f"the critic's scores of shape {tuple(scores.shape)} are taken as ({len(batch)},)")
        critic.register_forward_hook(flatten_scores)
        scores = scores.flatten()
    if scores.shape != (len(batch),):
        raise PreflightError(
            f"the critic returns shape {tuple(scores.shape)} for {len(batch)} {row}s, expected ({len(batch)},): "
            f"one score a {row}, {way_to_scores(scores, batch.real, pack)}"
        )
    if (bound := last_bounded(scores)) is not None:
        raise PreflightError(
            f"WX004 the critic ends in {bound[0]}: its scores are bounded and the reading of W1 is void; "
            f"remove the {bound[0]}"
        )
    with torch.no_grad():  # fakes, and points between, lie in memory as the generator leaves them
        for samples in (fake, interpolate(batch.real, fake)):
            call("critic", critic, [samples], batch.condition)
    rows_apart, attention = _rows_apart(critic, batch), False
    if constraint.needs_gradients:
        if not rows_apart:
            norms = [name for name, module in critic.named_modules() if isinstance(module, _BATCH_NORMS)]
            culprit = f"batch norm in {', '.join(norms)}" if norms else "a layer that mixes the rows of a batch"
            raise PreflightError(
                f"WX003 the critic couples the samples of a batch ({culprit}): the penalty needs a gradient per "
                "sample; use layer norm, instance norm or none"
            )
        attention = check_second_derivative(critic, points, batch.condition)
    if attention:
        notes.append(
            "the critic's attention runs with the plain kernel (math), the only one that can be differentiated twice"
        )
    return Checked(rows_apart, None, column, attention, notes)


def _rows_apart(critic: nn.Module, batch: Batch) -> bool:
    """Whether one sample changed leaves the other samples' scores as they were."""
    changed = batch.real.clone(memory_format=torch.preserve_format)
    changed[0] = changed[0].flip(0) * -0.5 + 0.25
    with torch.no_grad():
        before, after = (_repeatable(critic, samples, batch.condition) for samples in (batch.real, changed))
    drift: float = (before[1:] - after[1:]).abs().max().item()
    return drift <= 1e-4 * (1 + before.abs().max().item())


def _repeatable(critic: nn.Module, samples: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
    """Scores from a fresh copy and fixed streams, so that dropout or running statistics cannot differ."""
    with apart(0, samples.device):
        scores: Tensor = copy_of(critic, "critic")(samples, **condition)
    return scores.float()


def last_bounded(output: Tensor) -> tuple[str, float, float] | None:
    """Name and limits of the bounded function an output ends in, looked up in its autograd graph."""
    node = output.grad_fn
    while node is not None and node.name().removesuffix("Backward0").removesuffix("Backward1") in _BOUND_KEEPING:
        node = node.next_functions[0][0] if node.next_functions else None
    return _BOUNDED.get(node.name()) if node is not None else None
