"""Numbers about a generator on held-out data, each beside its floor and the task's trivial baselines."""

from wganx.evaluation.batches import heldout_batch, with_class
from wganx.evaluation.evaluate import Evaluation, Row, evaluate

__all__ = ["Evaluation", "Row", "evaluate", "heldout_batch", "with_class"]
