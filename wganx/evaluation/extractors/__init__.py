"""Networks whose features metrics compare, for every modality: none of them is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping

from wganx.batch import SampleFormat
from wganx.evaluation.extractors.files import is_file, network_of_file
from wganx.evaluation.extractors.inception import INCEPTION, InceptionConfig, inception, weights_file
from wganx.evaluation.extractors.own import OwnConfig, label_to_learn, own
from wganx.evaluation.extractors.pretext import is_point
from wganx.evaluation.extractors.values import values
from wganx.plugins.descriptors import DataCard, Extractor

__all__ = [
    "INCEPTION",
    "STANDARD_EXTRACTORS",
    "InceptionConfig",
    "default_extractor",
    "is_file",
    "label_to_learn",
    "network_of_file",
    "weights_file",
]


def default_extractor(format: SampleFormat) -> str:
    """The extractor of a metric that names none: the values of points, the network `own` for all else."""
    return "values" if is_point(format) else "own"


_TRAINED_HERE = DataCard(source="trained here", licence="the dataset's", offline=True)

STANDARD_EXTRACTORS: Mapping[str, Extractor] = {
    extractor.name: extractor
    for extractor in (
        Extractor(
            name="own",
            modality="",
            summary="a small network that learnt the training split: its classes, or how samples were turned",
            load=own,
            config=OwnConfig,
            card=_TRAINED_HERE,
            origin="wganx",
        ),
        Extractor(
            name="values",
            modality="",
            summary="samples as they are, on the scale of the training split",
            load=values,
            card=_TRAINED_HERE,
            origin="wganx",
        ),
        Extractor(
            name=INCEPTION,
            modality="",
            summary="InceptionV3 of 2015, by a weights file of yours",
            load=inception,
            config=InceptionConfig,
            card=DataCard(
                source="Szegedy et al. 2015, converted by torch-fidelity", licence="Apache-2.0", offline=False
            ),
            origin="wganx",
        ),
    )
}
