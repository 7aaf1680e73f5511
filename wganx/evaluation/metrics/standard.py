"""The metrics that wganx brings for every modality, as plugins bring theirs: on the features of any extractor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from torch import Tensor

from wganx.batch import SampleFormat
from wganx.evaluation.extractors import INCEPTION, default_extractor, label_to_learn
from wganx.evaluation.metrics.classes import class_coverage, class_shares, inception_score, label_agreement
from wganx.evaluation.metrics.frechet import frechet_distance
from wganx.evaluation.metrics.kernel import kernel_distance
from wganx.evaluation.metrics.manifold import density_coverage, precision_recall
from wganx.evaluation.metrics.neighbours import diversity, memorising
from wganx.evaluation.metrics.transport import exact_transport, sliced_transport, transport_bracket
from wganx.plugins.contracts import MetricContext, Sides
from wganx.plugins.descriptors import Config, Metric, NoOptions

Numbers = Mapping[str, float | Mapping[str, float]]


class OnFeatures(Config):
    """A metric of any extractor's features."""

    extractor: str | None = Field(
        None, description="whose features: a name, or a TorchScript or ONNX file; null: own, or values for points"
    )


class OfNeighbours(OnFeatures):
    """A metric of balls that reach to a neighbour."""

    neighbours: int = Field(3, ge=1, description="the neighbour to which the ball of a sample reaches")


class OfFiveNeighbours(OfNeighbours):
    """Likewise, with the number of neighbours that its authors chose."""

    neighbours: int = Field(5, ge=1, description="the neighbour to which the ball of a sample reaches")


def frechet(sides: Sides, context: MetricContext) -> Numbers:
    """`frechet_distance` of the features."""
    return {"frechet_distance": frechet_distance(*_features(sides, context))}


def kernel(sides: Sides, context: MetricContext) -> Numbers:
    """`kernel_distance` of the features."""
    return {"kernel_distance": kernel_distance(*_features(sides, context))}


def precision_and_recall(sides: Sides, context: MetricContext) -> Numbers:
    """`precision_recall` of the features."""
    return precision_recall(*_features(sides, context), _option(context, "neighbours"))._asdict()


def density_and_coverage(sides: Sides, context: MetricContext) -> Numbers:
    """`density_coverage` of the features."""
    return density_coverage(*_features(sides, context), _option(context, "neighbours"))._asdict()


def nearest_training(sides: Sides, context: MetricContext) -> Numbers:
    """`memorising`, in the features."""
    if context.training is None:
        return {}
    made, real = _features(sides, context)
    return memorising(made, context.training(_extractor(context)), real)


def nearest_sample(sides: Sides, context: MetricContext) -> Numbers:
    """`diversity` of the features."""
    return diversity(*_features(sides, context))


def classes(sides: Sides, context: MetricContext) -> Numbers:
    """`class_coverage` and, where the generator is told a class, `label_agreement`; nothing without classes."""
    found = label_to_learn(context.items("heldout").formats)
    if found is None:
        return {}
    label, names = found
    made, real = (context.features("own#logits", side) for side in (sides.candidate, sides.reference))
    numbers: dict[str, float | Mapping[str, float]] = {**class_coverage(made, real)}
    numbers["class_share"] = _by_name(names, class_shares(made).tolist())
    if label in sides.candidate.context:
        agreement, by_class = label_agreement(made, sides.candidate.context[label])
        numbers |= {"label_agreement": agreement, "class_agreement": _by_name(names, by_class)}
    return numbers


def feature_w1(sides: Sides, context: MetricContext) -> Numbers:
    """`exact_transport` of the features."""
    return {"feature_w1": exact_transport(*_features(sides, context))}


def feature_sliced_w1(sides: Sides, context: MetricContext) -> Numbers:
    """`sliced_transport` of the features."""
    return {"feature_sliced_w1": sliced_transport(*_features(sides, context), seed=context.seed)}


def bracket(sides: Sides, context: MetricContext) -> Numbers:
    """`transport_bracket` of the features."""
    return transport_bracket(*_features(sides, context), seed=context.seed)


def fid(sides: Sides, context: MetricContext) -> Numbers:
    """`frechet_distance` of the features of Inception; nothing but pictures has them."""
    return {"fid": frechet_distance(*_of_inception(sides, context))} if _is_picture(context.game.sample) else {}


def kid(sides: Sides, context: MetricContext) -> Numbers:
    """`kernel_distance` of the features of Inception, likewise."""
    return {"kid": kernel_distance(*_of_inception(sides, context))} if _is_picture(context.game.sample) else {}


def inception(sides: Sides, context: MetricContext) -> Numbers:
    """`inception_score` of the logits of Inception, likewise."""
    if not _is_picture(context.game.sample):
        return {}
    return {"inception_score": inception_score(context.features(f"{INCEPTION}#logits", sides.candidate))}


def _features(sides: Sides, context: MetricContext) -> tuple[Tensor, Tensor]:
    name = _extractor(context)
    return context.features(name, sides.candidate), context.features(name, sides.reference)


def _of_inception(sides: Sides, context: MetricContext) -> tuple[Tensor, Tensor]:
    return context.features(INCEPTION, sides.candidate), context.features(INCEPTION, sides.reference)


def _extractor(context: MetricContext) -> str:
    return _option(context, "extractor") or default_extractor(context.game.sample)


def _option(context: MetricContext, name: str) -> Any:
    return getattr(context.config, name)


def _by_name(names: tuple[str, ...], numbers: list[float]) -> dict[str, float]:
    return dict(zip(names, numbers))


def _is_picture(format: SampleFormat) -> bool:
    return format.axes == ("channel", "height", "width")


def _metric(name: str, summary: str, compute: Any, better: Mapping[str, Any], **more: Any) -> Metric:
    more = {"config": OnFeatures, "when": "evaluation", **more}
    return Metric(
        name=name, summary=summary, modality="", compute=compute, better=better, looks_at="features",
        origin="wganx", **more,
    )  # fmt: skip


EXACT_ROWS, BRACKET_ROWS = 1000, 1000

STANDARD: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        _metric("frechet", "Fréchet distance of the features", frechet, {"frechet_distance": "lower"}),
        _metric("kernel", "unbiased kernel distance of the features", kernel, {"kernel_distance": "lower"}),
        _metric(
            "precision-recall",
            "are samples plausible, and is everything there",
            precision_and_recall,
            {"precision": "higher", "recall": "higher"},
            config=OfNeighbours,
        ),
        _metric(
            "density-coverage",
            "the same by balls around real samples alone",
            density_and_coverage,
            {"density": "higher", "coverage": "higher"},
            config=OfFiveNeighbours,
        ),
        _metric("memorising", "nearer to the training data than it should be", nearest_training, {"copies": "lower"}),
        _metric("diversity", "how far samples lie from each other", nearest_sample, {"duplicates": "lower"}),
        _metric(
            "classes",
            "classes covered, and whether they are those that were asked for",
            classes,
            {"classes": "higher", "class_distance": "lower", "label_agreement": "higher"},
            config=NoOptions,
        ),
        _metric(
            "feature-w1",
            "exact Wasserstein-1 distance of the features",
            feature_w1,
            {"feature_w1": "lower"},
            most_rows=EXACT_ROWS,
        ),
        _metric(
            "feature-sliced-w1",
            "sliced Wasserstein-1 distance of the features",
            feature_sliced_w1,
            {"feature_sliced_w1": "lower"},
        ),
        _metric(
            "bracket",
            "W1 of the features between a lower and an upper bound",
            bracket,
            {},
            most_rows=BRACKET_ROWS,
            when="request",
        ),
        _metric("fid", "Fréchet distance of Inception's features", fid, {"fid": "lower"}, config=NoOptions),
        _metric("kid", "kernel distance of Inception's features", kid, {"kid": "lower"}, config=NoOptions),
        _metric(
            "inception-score",
            "how clearly Inception sees things, and how many",
            inception,
            {"inception_score": "higher"},
            config=NoOptions,
        ),
    )
}  # fmt: skip
"""By name; those that are only computed on request among them."""
