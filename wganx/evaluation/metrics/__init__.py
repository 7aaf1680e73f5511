"""Metrics of any modality on any extractor's features: pure functions on tensors ``(n, d)``, and their descriptors."""

from wganx.evaluation.metrics.classes import class_coverage, class_shares, inception_score, label_agreement
from wganx.evaluation.metrics.frechet import frechet_distance
from wganx.evaluation.metrics.kernel import kernel_distance
from wganx.evaluation.metrics.manifold import DensityCoverage, PrecisionRecall, density_coverage, precision_recall
from wganx.evaluation.metrics.neighbours import closer, diversity, memorising
from wganx.evaluation.metrics.pairs import nearest, nearest_other
from wganx.evaluation.metrics.standard import STANDARD
from wganx.evaluation.metrics.transport import exact_transport, sliced_transport, transport_bracket

__all__ = [
    "STANDARD",
    "DensityCoverage",
    "PrecisionRecall",
    "class_coverage",
    "class_shares",
    "closer",
    "density_coverage",
    "diversity",
    "exact_transport",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "label_agreement",
    "memorising",
    "nearest",
    "nearest_other",
    "precision_recall",
    "sliced_transport",
    "transport_bracket",
]
