"""Numbers about a generator on held-out data, each beside its floor and the task's trivial baselines."""

from wganx.evaluation.batches import heldout_batch, with_labels
from wganx.evaluation.distance import DistanceReport, DistanceRow, measure_distances
from wganx.evaluation.evaluate import ChosenMetric, Evaluation, Evaluator, Row
from wganx.evaluation.features import Features
from wganx.evaluation.kept import Kept
from wganx.evaluation.protocol import Interval
from wganx.evaluation.samples import SampleSet

__all__ = [
    "ChosenMetric",
    "DistanceReport",
    "DistanceRow",
    "Evaluation",
    "Evaluator",
    "Features",
    "Interval",
    "Kept",
    "Row",
    "SampleSet",
    "heldout_batch",
    "measure_distances",
    "with_labels",
]
