"""What is checked of the constraint before the first step: that it does something, and the right thing."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.errors import PreflightError
from wganx.wasserstein import ByConstruction, Combined, Constraint, Penalty, PenaltyTerms, gradient_norms, interpolate

_ONE = 1 + 1e-3
_PASSES = 50


def check_constraint(constraint: Constraint, batch: Batch, fake: Tensor, critic: nn.Module) -> None:
    """
    Raises:
        PreflightError: it has no weight, the critic is not what it takes for granted, or a penalty from elsewhere is
            wrong.
    """
    parts = constraint.parts if isinstance(constraint, Combined) else (constraint,)
    for part in parts:
        if isinstance(part, Penalty) and part.weight == 0:
            raise PreflightError(
                f"constraint {part.name!r} has weight 0 and does nothing; raise constraint.weight, "
                "or say so with constraint.name=none"
            )
        if isinstance(part, Penalty) and not type(part).__module__.startswith("wganx."):
            _check_penalty(part, batch, fake, critic)
    if isinstance(constraint, ByConstruction):
        points = torch.cat([batch.real, interpolate(batch.real, fake)])
        steepest = _steepest(critic, points, batch.condition)
        if steepest > _ONE:  # spectral norms begin with vectors drawn at random, and find theirs over the passes
            with torch.no_grad():
                critic.train()
                for _ in range(_PASSES):
                    critic(points, **_twice(batch.condition))
            steepest = _steepest(critic, points, batch.condition)
        if steepest > _ONE:
            raise PreflightError(
                f"the critic is said to be 1-Lipschitz by construction and has slope {steepest:.4g}; build it from "
                "1-Lipschitz layers (wganx.nn.LipschitzMLP), or choose another constraint"
            )


def _steepest(critic: nn.Module, points: Tensor, condition: Mapping[str, Tensor]) -> float:
    """The largest slope at twice as many points as `condition` has rows."""
    return gradient_norms(critic.eval(), points, _twice(condition)).max().item()


def _twice(condition: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: torch.cat([tensor, tensor]) for name, tensor in condition.items()}


def _check_penalty(penalty: Penalty, batch: Batch, fake: Tensor, given: nn.Module) -> None:
    """A penalty from elsewhere on a linear critic of slope 3: one norm a sample, with a gradient for the weights."""
    real, name = batch.real, f"WX001 the penalty of constraint {penalty.name!r}"
    linear = nn.Linear(real[0].numel(), 1)
    critic = nn.Sequential(nn.Flatten(), linear, nn.Flatten(0)).to(real)
    with torch.no_grad():
        linear.weight.mul_(3 / linear.weight.norm())

    def loss(critic: nn.Module, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
        found = penalty.terms(critic, real, fake, condition, torch.Generator(real.device).manual_seed(0))
        if not isinstance(found, PenaltyTerms):
            raise PreflightError(
                f"{name} returns {type(found).__name__}; return wganx.wasserstein.PenaltyTerms(loss, gradient_norm)"
            )
        return found.loss

    try:
        shaped = loss(critic, real, fake, {})
        flat = loss(critic, real.flatten(1), fake.flatten(1), {})
    except PreflightError:
        raise
    except Exception:  # it asks more of a critic than this one has: then it has to work on the one that is there
        try:
            loss(given, real, fake, batch.condition)
        except PreflightError:
            raise
        except Exception as error:
            raise PreflightError(f"{name} fails on the critic: {type(error).__name__}: {error}") from error
        return
    if shaped.shape != ():
        raise PreflightError(f"{name} has shape {tuple(shaped.shape)}; reduce it to a scalar, its mean over samples")
    if abs(shaped.item() - flat.item()) > 1e-3 * (1 + abs(flat.item())):
        raise PreflightError(
            f"{name} is {shaped.item():.4g} for samples of shape {tuple(real.shape[1:])} and {flat.item():.4g} for the "
            "same samples flattened; take one norm a sample, over all its axes: gradient.flatten(1).norm(dim=1)"
        )
    if not shaped.requires_grad:
        raise PreflightError(
            f"{name} carries no gradient for the critic's weights; create the input gradient with create_graph=True "
            "and detach nothing (wganx.wasserstein.gradient_norms does this)"
        )
