"""What the evaluator hears in generated sounds: the labels that were asked for, and everything that real ones have."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx import Batch, MetricContext, Sides
from wganx.evaluation.metrics import class_coverage, frechet_distance, inception_score, label_agreement
from wganx_audio.judges.evaluator import classes_of

_MOST_BINS, _ROWS_A_BIN = 100, 10
_SIGNIFICANT = 1.96

Numbers = dict[str, float | dict[str, float]]


def heard_labels(context: MetricContext, side: Batch) -> dict[str, Tensor]:
    """Logits ``(n, K)`` of what the evaluator hears in a side, for every label that it tells well enough."""
    found = classes_of(context.items("heldout").formats)
    if not found:
        return {}
    logits = context.features("labels#logits", side)
    parts = zip(found, torch.split(logits, [len(classes) for classes in found.values()], dim=1))
    return {name: part for name, part in parts if bool(part.any())}


def label_scores(sides: Sides, context: MetricContext) -> Numbers:
    """Label by label: is it heard as it was asked for, how clearly, and how many of its classes.

    ``<label>_accuracy`` is the share of samples that are heard as the class they were asked for, where the generator is
    given one; its floor says how often the evaluator is right about real sounds. ``<label>_score`` is the inception
    score of Salimans et al. 2016 by this evaluator, 1 at worst and the number of classes at best; ``<label>_classes``
    counts the classes that hold at least a fifth of their share among real sounds. Nothing without labels.
    """
    classes = classes_of(context.items("heldout").formats)
    real = heard_labels(context, sides.reference)
    found: Numbers = {}
    for name, logits in heard_labels(context, sides.candidate).items():
        if name in sides.candidate.context:
            share, by_class = label_agreement(logits, sides.candidate.context[name])
            found[f"{name}_accuracy"] = share
            found[f"{name}_accuracies"] = dict(zip(classes[name], by_class))
        found[f"{name}_score"] = inception_score(logits)
        found[f"{name}_classes"] = class_coverage(logits, real[name])["classes"]
    return found


def frechet_ratio(sides: Sides, context: MetricContext) -> Numbers:
    """``frechet_ratio``: the Fréchet distance of samples to real sounds, over that of other real sounds to them.

    For as many rows on every side, since the distance grows as rows get fewer: 1 for an honest generator. By the
    features of the evaluator, or of the extractor `own` where there are no labels.
    """
    candidate, truth, reference = _features(sides, context)
    rows = min(len(candidate), len(truth), len(reference))
    floor = frechet_distance(truth[:rows], reference[:rows])
    return {"frechet_ratio": frechet_distance(candidate[:rows], reference[:rows]) / floor} if floor > 0 else {}


def different_bins(sides: Sides, context: MetricContext) -> Numbers:
    """NDB of Richardson and Weiss 2018: the share of k-means bins of real sounds that samples fill otherwise.

    The bins are those of the training items, or of `reference` where there are none to be had: one for every ten rows,
    100 at most. A bin counts where the two shares differ by more than chance lets them, one time in twenty:
    ``|p - q| > 1.96 sqrt(r (1 - r) (1/n + 1/m))`` with r the share of both together. ``different_bins`` is 0.05 at
    best; ``bins_divergence`` is the Jensen-Shannon divergence of the shares, 0 to ln 2.
    """
    from sklearn.cluster import KMeans

    extractor = _extractor(context)
    candidate, truth, reference = _features(sides, context)
    rows = min(len(candidate), len(truth), len(reference))
    real = reference if context.training is None else context.training(extractor)
    count = min(max(rows // _ROWS_A_BIN, 2), _MOST_BINS)
    if len(real) < count:
        return {}
    bins = KMeans(count, n_init=1, random_state=context.seed).fit(real.double().numpy())
    place = torch.from_numpy(bins.predict(candidate[:rows].double().numpy())).long()
    return bin_numbers(place.bincount(minlength=count), torch.from_numpy(bins.labels_).long().bincount(minlength=count))


def bin_numbers(made_K: Tensor, real_K: Tensor) -> Numbers:
    """``different_bins`` and ``bins_divergence`` of the counts of made and of real rows in every bin."""
    n, m = made_K.sum(), real_K.sum()
    p, q = made_K.double() / n, real_K.double() / m
    both = (made_K + real_K).double() / (n + m)
    error = (both * (1 - both) * (1 / n + 1 / m)).sqrt()
    different = (p - q).abs() > _SIGNIFICANT * error
    middle = (p + q) / 2
    divergence = sum(torch.special.xlogy(side, side / middle).nan_to_num().sum() / 2 for side in (p, q))
    return {"different_bins": float(different.double().mean()), "bins_divergence": float(divergence)}


def _extractor(context: MetricContext) -> str:
    return "labels" if classes_of(context.items("heldout").formats) else "own"


def _features(sides: Sides, context: MetricContext) -> tuple[Tensor, Tensor, Tensor]:
    name = _extractor(context)
    candidate, truth, reference = (
        context.features(name, side) for side in (sides.candidate, sides.truth, sides.reference)
    )
    return candidate, truth, reference


def asked_and_kept(side: Batch, real: bool = False) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor], Tensor]:
    """Of a conversion's side: the labels that are asked for, those that are to stay, and which rows are to change.

    A row is to change where one of the labels that are asked for is another in its source.

    Args:
        real: whether the side holds recordings of the targets themselves, which say what is known of them and not what
            their sources said.
    """
    asked = {name: rows for name, rows in side.context.items() if rows.ndim == 1 and not rows.is_floating_point()}
    kept = {
        name: side.known.get(f"real_{name}", rows) if real else rows
        for name, rows in side.known.items()
        if not name.startswith(("source_", "real_")) and name not in asked
    }
    changed = torch.zeros(len(side), dtype=torch.bool)
    for name, rows in asked.items():
        source = side.known.get(f"source_{name}")
        changed |= torch.ones_like(changed) if source is None else (rows != source).cpu()
    return asked, kept, changed
