"""Numbers about a generator on held-out data, each beside its floor and the task's trivial baselines."""

from wganx.evaluation.batches import heldout_batch, with_class, with_classes_in_turn
from wganx.evaluation.distance import DistanceReport, DistanceRow, Interval, measure_distances
from wganx.evaluation.evaluate import Evaluation, Row, evaluate
from wganx.evaluation.samples import SampleSet

__all__ = [
    "DistanceReport",
    "DistanceRow",
    "Evaluation",
    "Interval",
    "Row",
    "SampleSet",
    "evaluate",
    "heldout_batch",
    "measure_distances",
    "with_class",
    "with_classes_in_turn",
]
