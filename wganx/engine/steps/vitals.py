"""What is measured at a logging point, on networks in evaluation mode and a random stream of its own.

Nothing here changes a weight, a buffer or a stream of the training, so that measuring leaves its course as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.engine.modes import evaluating
from wganx.engine.steps.updates import Steps
from wganx.wasserstein import BatchDistance, Combined, Constraint, WeightClipping, gradient_norms, interpolate

_MOST_ROWS = 256


def measure(
    steps: Steps, batch: Batch, heldout: Batch | None, draws: torch.Generator
) -> tuple[Tensor, dict[str, float]]:
    """Samples of the generator for `batch`, and numbers about both players.

    ``gradient_norm_real``, ``_fake``, ``_interpolated``: mean norm of the critic's input gradient there; ``lipschitz``:
    the largest of all, a lower bound of the critic's Lipschitz constant. ``heldout``: mean score of the held-out
    samples minus that of fakes made for them, with its standard error under ``vital/``, as all that only the health
    checks look at. Where the objective compares batches, ``heldout`` is that of the held-out samples and these fakes.
    """
    batch = batch[: steps.rows or max(_MOST_ROWS // steps.pack, 1) * steps.pack]
    if heldout is not None:
        # A spread, and so an error, takes two; networks of one batch size take that and no other.
        rows = steps.rows or len(heldout) // steps.pack * steps.pack
        heldout = heldout[:rows] if 2 * steps.pack <= rows <= len(heldout) else None
    critic, objective = steps.critic.module, steps.objective
    found: dict[str, Tensor] = {}
    with evaluating(steps.generator.module, critic), steps.precision.autocast(), steps.kernels():
        with torch.no_grad():
            fake = steps.make_fake(batch, steps.draw_noise(batch, draws))
        real, judged, condition = steps.packed(batch.real), steps.judged(fake), steps.packed_condition(batch)
        if objective.trains_critic:
            found |= _slopes(steps, real, judged, condition, draws)
        with torch.no_grad():
            if not isinstance(objective, BatchDistance):
                real_scores, fake_scores = steps.score(real, condition), steps.score(judged, condition)
                found["vital/gap"] = real_scores.mean() - fake_scores.mean()
                found["vital/score_offset"] = torch.cat([real_scores, fake_scores]).mean()
                found["vital/score_spread"] = torch.cat([real_scores, fake_scores]).std()
            found["vital/spread_real"], found["vital/spread_fake"] = _spread(batch.real), _spread(fake)
            if heldout is not None:
                held = steps.packed_condition(heldout)
                theirs = steps.score(steps.packed(heldout.real), held)
                ours = steps.score(steps.judged(steps.make_fake(heldout, steps.draw_noise(heldout, draws))), held)
                if isinstance(objective, BatchDistance):
                    found["heldout"] = objective.distance(theirs, ours)
                else:
                    found["heldout"] = theirs.mean() - ours.mean()
                    found["vital/heldout_error"] = ((theirs.var() + ours.var()) / len(theirs)).sqrt()
            found |= _context_effects(steps, batch, fake, draws)
        found |= _saturation(steps.constraint, critic)
    values = torch.stack([value.float() for value in found.values()]).tolist()
    return fake, dict(zip(found, values))


def _slopes(
    steps: Steps, real: Tensor, judged: Tensor, condition: Mapping[str, Tensor], draws: torch.Generator
) -> dict[str, Tensor]:
    """How steep the critic is at samples of both kinds and between them."""
    critic = steps.one_score()

    def scores(samples: Tensor, **condition: Tensor) -> Tensor:
        return steps.constraint.scores(critic, samples, condition)

    norms = {
        "gradient_norm_real": gradient_norms(scores, real, condition),
        "gradient_norm_fake": gradient_norms(scores, judged, condition),
        "gradient_norm_interpolated": gradient_norms(scores, interpolate(real, judged, draws), condition),
    }
    with torch.no_grad():
        found = {name: norm.detach().mean() for name, norm in norms.items()}
        found["lipschitz"] = torch.stack([norm.detach().max() for norm in norms.values()]).max()
    return found


def _spread(samples: Tensor) -> Tensor:
    """Mean distance between each sample and the next one of the batch, in which order has no meaning."""
    apart: Tensor = (samples - samples.roll(1, 0)).float().flatten(1).norm(dim=1)
    return apart.mean()


def _context_effects(steps: Steps, batch: Batch, fake: Tensor, draws: torch.Generator) -> Mapping[str, Tensor]:
    """How far samples move when only their context changes, and how far they lie from a context of their own shape."""
    if not batch.context:
        return {}
    found = {}
    if steps.noise is not None and (differing := _differing(batch)).any():
        twin = torch.Generator(draws.device)
        twin.set_state(draws.get_state())
        moved = Batch(batch.real, {name: context.roll(1, 0) for name, context in batch.context.items()})
        noise, same = steps.draw_noise(batch, draws), steps.draw_noise(moved, twin)
        change = (steps.make_fake(batch, noise) - steps.make_fake(moved, same)).float().flatten(1).norm(dim=1)
        found["vital/context_effect"] = change[differing].mean() / _spread(fake).clamp_min(1e-12)
    for context in batch.context.values():
        if context.shape == batch.real.shape:
            moved_by = (fake - context).float().flatten(1).norm(dim=1).mean()
            apart = (batch.real - context).float().flatten(1).norm(dim=1).mean()
            found["vital/copied"] = moved_by / apart.clamp_min(1e-12)
    return found


def _differing(batch: Batch) -> Tensor:
    """Rows whose context differs from the row before."""
    rows = [(context != context.roll(1, 0)).reshape(len(batch), -1).any(1) for context in batch.context.values()]
    return torch.stack(rows).any(0)


def _saturation(constraint: Constraint, critic: nn.Module) -> Mapping[str, Tensor]:
    """Share of the critic's weights at the limit they are clipped to."""
    parts = constraint.parts if isinstance(constraint, Combined) else (constraint,)
    for part in parts:
        if isinstance(part, WeightClipping):
            weights = torch.cat([weight.detach().flatten() for weight in critic.parameters()])
            return {"vital/saturation": (weights.abs() >= 0.99 * part.limit).float().mean()}
    return {}
