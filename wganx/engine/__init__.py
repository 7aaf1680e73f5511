"""The engine: the training loop, its two steps, and what surrounds them. It never asks which modality it trains."""

from wganx.engine.checkpoint import (
    Checkpoint,
    CheckpointStore,
    Weights,
    read_checkpoint,
    read_networks,
    read_weights,
    write_checkpoint,
)
from wganx.engine.device import choose_device, place
from wganx.engine.loop import Every, TrainResult
from wganx.engine.observer import Observer, Warnings
from wganx.engine.progress import Progress, Wanted, showing
from wganx.engine.randomness import apart
from wganx.engine.ranks import Ranks, join
from wganx.engine.sampler import Sampler
from wganx.engine.standard_checks import slow_data
from wganx.engine.state import load_average, load_tensors
from wganx.engine.steps.optimizer import Optimizer
from wganx.engine.stopping import Interrupted
from wganx.engine.trainer import Trainer
from wganx.engine.training import Training

__all__ = [
    "Checkpoint",
    "CheckpointStore",
    "Every",
    "Interrupted",
    "Observer",
    "Optimizer",
    "Progress",
    "Ranks",
    "Sampler",
    "TrainResult",
    "Trainer",
    "Training",
    "Wanted",
    "Warnings",
    "Weights",
    "apart",
    "choose_device",
    "join",
    "load_average",
    "load_tensors",
    "place",
    "read_checkpoint",
    "read_networks",
    "read_weights",
    "showing",
    "slow_data",
    "write_checkpoint",
]
