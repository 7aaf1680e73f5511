"""Numbers about a generator on held-out data, each beside its floor and the task's trivial baselines."""

from wganx.evaluation.batches import heldout_batch, with_labels
from wganx.evaluation.comparison import ChosenMetric
from wganx.evaluation.distance import DistanceReport, DistanceRow, measure_distances
from wganx.evaluation.evaluate import Evaluator
from wganx.evaluation.features import Features
from wganx.evaluation.kept import Kept
from wganx.evaluation.planning import plan_rows, rows_in_time
from wganx.evaluation.protocol import Interval
from wganx.evaluation.record import Evaluation, Row, as_csv, check_comparable
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
    "as_csv",
    "check_comparable",
    "heldout_batch",
    "measure_distances",
    "plan_rows",
    "rows_in_time",
    "with_labels",
]
