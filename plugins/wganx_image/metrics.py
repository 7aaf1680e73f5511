"""Numbers about pictures: what a classifier of the real ones makes of them, and how far their pixels lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from wganx import Batch, MetricContext, Sides
from wganx_image.extractors import by_label, class_counts, labelled

_MOST_HELDOUT_ITEMS = 5_000
_PROJECTIONS = 256


def class_score(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """How clearly the samples belong to classes, and to how many: ``exp(E_x KL(p(y|x) || p(y)))``.

    The inception score of Salimans et al. 2016, read by a classifier of this dataset's own classes, which is trained
    on its real training split: 1 for samples of one kind or of none, the number of classes at best. Numbers compare
    only between runs on the same dataset, size and seed. Empty without classes.

    Returns:
        ``class_score``; ``least_class_share``, the share of samples in the class that the classifier sees least; and
        ``classifier_accuracy`` on held-out real pictures, which says how far to trust both; ``label_match``, the
        share of samples that are seen as the class they were asked for, where the generator is given one. Where the
        dataset has labels of other names, there are the ``label_match_<label>`` of those that the generator is given,
        and ``label_match`` is their mean; the floor says how often the classifier is right about real pictures.
    """
    heldout = context.items("heldout")
    if "label" not in heldout.formats:
        return _matches(sides.candidate, context)
    classes = len(heldout.formats["label"].classes)
    log_share_NK = _log_shares(context, sides.candidate)
    share_NK = log_share_NK.exp()
    log_marginal_K = share_NK.mean(dim=0).clamp(min=torch.finfo(torch.float64).tiny).log()
    divergence_N = (share_NK * (log_share_NK - log_marginal_K)).sum(dim=1)
    seen_N = share_NK.argmax(dim=1)
    real, label_N = _real_pictures(context)
    found = {
        "class_score": divergence_N.mean().exp().item(),
        "least_class_share": seen_N.bincount(minlength=classes).min().item() / len(seen_N),
        "classifier_accuracy": (_log_shares(context, real).argmax(dim=1) == label_N).double().mean().item(),
    }
    if "label" in sides.candidate.context:
        found["label_match"] = (seen_N == sides.candidate.context["label"]).double().mean().item()
    return found


def sliced_w1(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Sliced Wasserstein distance of the pixels: the mean W1 of both sets' projections on 256 random directions.

    ``E_θ W1(θ·x, θ·y)`` with θ uniform on the unit sphere (Bonneel et al. 2015); in units of pixel value, 0 at best,
    the floor of finite samples in practice.
    """
    import ot

    distance = ot.sliced_wasserstein_distance(
        sides.candidate.real.flatten(1).double().cpu().numpy(),
        sides.reference.real.flatten(1).double().cpu().numpy(),
        n_projections=_PROJECTIONS,
        p=1,
        seed=context.seed,
    )
    return {"sliced_w1": float(distance)}


def _matches(candidate: Batch, context: MetricContext) -> Mapping[str, float]:
    """How often samples made of noise are seen as what they were asked to be, label by label."""
    counts = class_counts(context.items("heldout").formats)
    asked = {name: rows for name, rows in candidate.context.items() if name in counts}
    if not asked or "source" in candidate.context:  # what became of a source says the metric `translation`
        return {}
    seen = by_label(context.features("classes", candidate), counts)
    found = {
        f"label_match_{name}": (seen[name].argmax(dim=1).cpu() == rows.cpu()).double().mean().item()
        for name, rows in asked.items()
    }
    return {"label_match": sum(found.values()) / len(found), **found}


@lru_cache(maxsize=1)  # the same held-out pictures for samples, floor and baselines, whose features are then kept
def _real_pictures(context: MetricContext) -> tuple[Batch, Tensor]:
    real_NCHW, label_N = labelled(
        context.game, context.items("heldout"), _MOST_HELDOUT_ITEMS, torch.Generator().manual_seed(context.seed)
    )
    return Batch(real_NCHW), label_N["label"]


def _log_shares(context: MetricContext, side: Batch) -> Tensor:
    """``log p(y|x)`` of every sample for the label ``label``, ``(N, classes)`` in float64."""
    logits = by_label(context.features("classes", side), class_counts(context.items("heldout").formats))
    return logits["label"].double().log_softmax(dim=1)
