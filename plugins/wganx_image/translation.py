"""What became of a translated picture: the domain that it is seen in, and how much of its source is still there."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import MetricContext, Sides
from wganx.evaluation.metrics import frechet_distance
from wganx_image.extractors import by_label, class_counts

_WINDOW = 7
_FLAT = 1e-4
"""Variances below this, of values in [0, 1], are no structure: a third of a grey level squared is 2e-6."""

_FEWEST_ROWS = 16
"""Of a domain, on either side, for a distance: of fewer it says more of their number than of the pictures."""


def translation(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Shares of translated pictures, of those rows alone that were asked to change, and the structure they keep.

    The extractor ``classes``, which learnt the real training pictures, says what is seen. ``target_<label>``: seen as
    the class asked for; ``unchanged_<label>``: still seen as the source's, where the two differ; ``kept_<label>``, of
    labels that are no domains: seen as in the source. ``target`` is the mean over labels, ``content`` that of
    `kept_structure`, and ``target_and_content`` their harmonic mean: the source as it is has no target, another
    picture of the domain little content. ``inverted`` is the share of that structure that was turned from light to
    dark. Empty without a source, or where nothing was to change.
    """
    candidate = sides.candidate
    source = candidate.context.get("source")
    counts = class_counts(context.items("heldout").formats)
    asked = {name: rows.cpu() for name, rows in candidate.condition.items() if name in counts}
    before = {name: candidate.known[f"source_{name}"].cpu() for name in asked if f"source_{name}" in candidate.known}
    if source is None or not asked or before.keys() != asked.keys():
        return {}
    differs = {name: rows != before[name] for name, rows in asked.items()}
    changed = torch.stack(list(differs.values())).any(0)
    if not changed.any():
        return {}
    seen, seen_before = (
        {name: logits.argmax(1).cpu() for name, logits in by_label(context.features("classes", side), counts).items()}
        for side in (candidate, candidate.with_real(source))
    )
    found = {f"target_{name}": _share(seen[name] == rows, changed) for name, rows in asked.items()}
    target = sum(found.values()) / len(found)
    for name, rows in differs.items():
        if rows.any():
            found[f"unchanged_{name}"] = _share(seen[name] == before[name], rows)
    for name in counts.keys() - asked.keys():
        found[f"kept_{name}"] = _share(seen[name] == seen_before[name], changed)
    low, high = context.game.sample.value_range or (-1.0, 1.0)
    made_NCHW, source_NCHW = ((each.float() - low) / (high - low) for each in (candidate.real, source))
    kept_N, turned_N = (part.cpu()[changed] for part in structure(source_NCHW, made_NCHW.to(source_NCHW.device)))
    content = kept_N.mean().item()
    both = target + content
    return {
        **found,
        "target": target,
        "content": content,
        "inverted": (turned_N.sum() / kept_N.sum().clamp(min=1e-12)).item(),
        "target_and_content": 2 * target * content / both if both else 0.0,
    }


def domain_distance(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Whether what was made looks like real pictures of the domain asked for, of rows that were asked to change.

    ``frechet_<label>_<class>`` is the Fréchet distance of the features of the pictures that were made into a class to
    those of held-out ones of it, by the extractor `own`; ``domain_frechet`` the mean over all of them. The same number
    of other real pictures is the floor, and the source as it is stands beside it as the baseline ``unconverted``: what
    a classifier takes for the domain and no person would shows here. Classes with fewer than 16 pictures on a side are
    left out.
    """
    known = sides.candidate.known
    asked = {name: rows.cpu() for name, rows in sides.candidate.context.items() if f"source_{name}" in known}
    if not asked:
        return {}
    made, real = (context.features("own", side) for side in (sides.candidate, sides.reference))
    formats = context.items("heldout").formats
    found: dict[str, float] = {}
    for name, rows in asked.items():
        changed = rows != known[f"source_{name}"].cpu()
        there = sides.reference.known[f"real_{name}"].cpu()
        for index, called in enumerate(formats[name].classes):
            ours, theirs = made[changed & (rows == index)], real[there == index]
            if min(len(ours), len(theirs)) >= _FEWEST_ROWS:
                found[f"frechet_{name}_{called}"] = frechet_distance(ours, theirs)
    return {"domain_frechet": sum(found.values()) / len(found), **found} if found else {}


def structure(source_NCHW: Tensor, made_NCHW: Tensor) -> tuple[Tensor, Tensor]:
    """How far the structure of pictures in [0, 1] is still the source's; and what of it is inverted: ``(N,)`` each.

    The size of the correlation of grey values in every window of 7 x 7 px (the structure term of SSIM, Wang et al.
    2004), weighted by the source's deviation there. So the first is 1 for a picture made lighter, flatter or inverted,
    which a style may do, and falls as edges move. Pictures that have nothing to do with each other have 0.2 to 0.4. A
    source without any structure has 1. The second is the part of it where the correlation is negative: all of it for a
    negative of the source.
    """
    x, y = (each.double().mean(1, keepdim=True) for each in (source_NCHW, made_NCHW))
    side = min(_WINDOW, *x.shape[2:])

    def mean(of: Tensor) -> Tensor:
        return F.avg_pool2d(of, side, stride=1)

    mean_x, mean_y = mean(x), mean(y)
    vary_x, vary_y = ((mean(each * each) - m * m).clamp(min=0) for each, m in ((x, mean_x), (y, mean_y)))
    alike = (mean(x * y) - mean_x * mean_y) / (vary_x * vary_y).sqrt().clamp(min=_FLAT)
    weight = torch.where(vary_x > _FLAT, vary_x.sqrt(), 0.0)
    total = weight.sum((1, 2, 3))
    kept, turned = (
        torch.where(total > 0, (weight * part).sum((1, 2, 3)) / total.clamp(min=1e-12), none)
        for part, none in ((alike.abs(), 1.0), ((-alike).clamp(min=0), 0.0))
    )
    return kept, turned


def _share(holds: Tensor, rows: Tensor) -> float:
    return holds[rows].double().mean().item()
