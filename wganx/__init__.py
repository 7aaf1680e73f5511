"""wganx: Wasserstein GANs for any kind of sample.

Everything public is a name of this package or of `wganx.nn`, `wganx.data`, `wganx.wasserstein` and
`wganx.evaluation.metrics`. Names are loaded
on first use, so that ``import wganx`` (and a plugin that declares itself) costs no torch import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wganx.api import load_run as load_run
    from wganx.api import resume as resume
    from wganx.api import train as train
    from wganx.augmentation import AdaptiveAugmentation as AdaptiveAugmentation
    from wganx.batch import Batch as Batch
    from wganx.batch import SampleFormat as SampleFormat
    from wganx.engine import CheckpointStore as CheckpointStore
    from wganx.engine import Every as Every
    from wganx.engine import Interrupted as Interrupted
    from wganx.engine import Observer as Observer
    from wganx.engine import Optimizer as Optimizer
    from wganx.engine import Progress as Progress
    from wganx.engine import Sampler as Sampler
    from wganx.engine import Trainer as Trainer
    from wganx.engine import TrainResult as TrainResult
    from wganx.errors import CheckpointError as CheckpointError
    from wganx.errors import ConfigError as ConfigError
    from wganx.errors import DataError as DataError
    from wganx.errors import MissingExtra as MissingExtra
    from wganx.errors import PluginError as PluginError
    from wganx.errors import PluginFailed as PluginFailed
    from wganx.errors import PreflightError as PreflightError
    from wganx.errors import TrainingDiverged as TrainingDiverged
    from wganx.errors import Unavailable as Unavailable
    from wganx.errors import UsageError as UsageError
    from wganx.errors import WganxError as WganxError
    from wganx.health import Finding as Finding
    from wganx.health import HealthCheck as HealthCheck
    from wganx.health import Vitals as Vitals
    from wganx.networks import Helper as Helper
    from wganx.networks import Networks as Networks
    from wganx.options import option as option
    from wganx.plugins.contracts import WGANX_API as WGANX_API
    from wganx.plugins.contracts import Baseline as Baseline
    from wganx.plugins.contracts import BuildContext as BuildContext
    from wganx.plugins.contracts import DataContext as DataContext
    from wganx.plugins.contracts import ExtractorContext as ExtractorContext
    from wganx.plugins.contracts import Formats as Formats
    from wganx.plugins.contracts import Game as Game
    from wganx.plugins.contracts import Items as Items
    from wganx.plugins.contracts import Make as Make
    from wganx.plugins.contracts import MetricContext as MetricContext
    from wganx.plugins.contracts import Outcome as Outcome
    from wganx.plugins.contracts import Pretrained as Pretrained
    from wganx.plugins.contracts import Preview as Preview
    from wganx.plugins.contracts import RunInfo as RunInfo
    from wganx.plugins.contracts import Sides as Sides
    from wganx.plugins.contracts import Sink as Sink
    from wganx.plugins.contracts import Source as Source
    from wganx.plugins.contracts import Split as Split
    from wganx.plugins.descriptors import Architecture as Architecture
    from wganx.plugins.descriptors import Config as Config
    from wganx.plugins.descriptors import ConstraintPart as ConstraintPart
    from wganx.plugins.descriptors import DataCard as DataCard
    from wganx.plugins.descriptors import Dataset as Dataset
    from wganx.plugins.descriptors import Extractor as Extractor
    from wganx.plugins.descriptors import Layout as Layout
    from wganx.plugins.descriptors import Metric as Metric
    from wganx.plugins.descriptors import Modality as Modality
    from wganx.plugins.descriptors import ObjectivePart as ObjectivePart
    from wganx.plugins.descriptors import OptimizerPart as OptimizerPart
    from wganx.plugins.descriptors import Scenario as Scenario
    from wganx.plugins.descriptors import Task as Task
    from wganx.plugins.hookspecs import hookimpl as hookimpl
    from wganx.runs import load_generator as load_generator
    from wganx.wasserstein import R1 as R1
    from wganx.wasserstein import R1R2 as R1R2
    from wganx.wasserstein import R2 as R2
    from wganx.wasserstein import Banach as Banach
    from wganx.wasserstein import ByConstruction as ByConstruction
    from wganx.wasserstein import Combined as Combined
    from wganx.wasserstein import Consistency as Consistency
    from wganx.wasserstein import Dragan as Dragan
    from wganx.wasserstein import Energy as Energy
    from wganx.wasserstein import GradientNormalization as GradientNormalization
    from wganx.wasserstein import GradientPenalty as GradientPenalty
    from wganx.wasserstein import Hinge as Hinge
    from wganx.wasserstein import LeastSquares as LeastSquares
    from wganx.wasserstein import LipschitzPenalty as LipschitzPenalty
    from wganx.wasserstein import MaxGradientPenalty as MaxGradientPenalty
    from wganx.wasserstein import NoConstraint as NoConstraint
    from wganx.wasserstein import NonSaturating as NonSaturating
    from wganx.wasserstein import Orthogonal as Orthogonal
    from wganx.wasserstein import Relativistic as Relativistic
    from wganx.wasserstein import Sinkhorn as Sinkhorn
    from wganx.wasserstein import Sliced as Sliced
    from wganx.wasserstein import SpectralNorm as SpectralNorm
    from wganx.wasserstein import Wasserstein as Wasserstein
    from wganx.wasserstein import WeightClipping as WeightClipping
    from wganx.wasserstein import WganDiv as WganDiv
    from wganx.wasserstein import bracket_w1 as bracket_w1
    from wganx.wasserstein import estimate_w1 as estimate_w1
    from wganx.wasserstein import exact_w1 as exact_w1
    from wganx.wasserstein import sinkhorn_divergence as sinkhorn_divergence
    from wganx.wasserstein import sliced_w1 as sliced_w1

__version__ = "0.2.0"

_HOME_OF = {
    "wganx.api": ("load_run", "resume", "train"),
    "wganx.augmentation": ("AdaptiveAugmentation",),
    "wganx.batch": ("Batch", "SampleFormat"),
    "wganx.engine": (
        "CheckpointStore", "Every", "Interrupted", "Observer", "Optimizer", "Progress", "Sampler", "TrainResult",
        "Trainer",
    ),
    "wganx.errors": (
        "CheckpointError", "ConfigError", "DataError", "MissingExtra", "PluginError", "PluginFailed",
        "PreflightError",
        "TrainingDiverged", "Unavailable", "UsageError", "WganxError",
    ),
    "wganx.health": ("Finding", "HealthCheck", "Vitals"),
    "wganx.networks": ("Helper", "Networks"),
    "wganx.plugins.contracts": (
        "WGANX_API", "Baseline", "BuildContext", "DataContext", "ExtractorContext", "Formats", "Game", "Items", "Make",
        "MetricContext", "Outcome", "Pretrained", "Preview", "RunInfo", "Sides", "Sink", "Source", "Split",
    ),
    "wganx.plugins.descriptors": (
        "Architecture", "Config", "ConstraintPart", "DataCard", "Dataset", "Extractor", "Layout", "Metric", "Modality",
        "ObjectivePart", "OptimizerPart", "Scenario", "Task",
    ),
    "wganx.plugins.hookspecs": ("hookimpl",),
    "wganx.runs": ("load_generator",),
    "wganx.options": ("option",),
    "wganx.wasserstein": (
        "Banach", "ByConstruction", "Combined", "Consistency", "Dragan", "Energy", "GradientNormalization",
        "GradientPenalty", "Hinge", "LeastSquares", "LipschitzPenalty", "MaxGradientPenalty", "NoConstraint",
        "NonSaturating",
        "Orthogonal", "R1", "R1R2", "R2", "Relativistic", "Sinkhorn", "Sliced", "SpectralNorm", "Wasserstein",
        "WeightClipping", "WganDiv",
        "bracket_w1", "estimate_w1", "exact_w1", "sinkhorn_divergence", "sliced_w1",
    ),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _HOME_OF.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE_OF)]


def __getattr__(name: str) -> Any:
    try:
        module = _MODULE_OF[name]
    except KeyError:
        raise AttributeError(f"module 'wganx' has no attribute {name!r}") from None
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return __all__
