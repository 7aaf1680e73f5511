"""Numbers about points: modes covered, exact W1, and what a translation costs."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from wganx import MetricContext, Sides, exact_w1
from wganx_points.datasets import ModeItems

NEAR = 3.0
COVERED_SHARE = 0.2


def modes(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """How a sample of a Gaussian mixture is spread over its modes; nothing for other datasets.

    ``high_quality`` is the share of samples within 3 sigma of a mode (of real samples in the plane 98.9 %). A mode
    counts among ``modes`` when it holds at least 20 % of its fair share of all samples, counting only those within
    3 sigma of it. With labels, ``label_match`` is the share of samples whose nearest mode is the one asked for.
    """
    items = context.items("heldout")
    if not isinstance(items, ModeItems):
        return {}
    candidate = sides.candidate
    centres = items.centres.to(candidate.real)
    distance, nearest = torch.cdist(candidate.real, centres).min(dim=1)
    near = distance <= NEAR * items.sigma
    held = torch.bincount(nearest[near], minlength=len(centres))
    values = {
        "modes": float((held >= COVERED_SHARE * len(candidate) / len(centres)).sum()),
        "modes_total": float(len(centres)),
        "high_quality": near.float().mean().item(),
    }
    if "label" in candidate.context:
        values["label_match"] = (nearest == candidate.context["label"]).float().mean().item()
    return values


def w1(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Exact W1 between the samples and the held-out points, in the units of the points."""
    return {"w1": exact_w1(sides.candidate.real, sides.reference.real).value}


def transport_cost(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """What the map costs, ``cost`` = mean ||G(x) - x||, beside the least that any map onto the target can.

    ``optimal_cost`` is the exact W1 between the source points and the held-out target; ``excess`` is by how much
    `cost` lies above it, as a fraction. A negative excess means that the target was not reached: read it with W1.
    """
    source = sides.candidate.context["source"]
    cost = (sides.candidate.real - source).norm(dim=1).mean().item()
    optimal = exact_w1(source, sides.reference.real).value
    values = {"cost": cost, "optimal_cost": optimal}
    return {**values, "excess": cost / optimal - 1} if optimal > 0 else values
