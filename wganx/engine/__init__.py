"""The engine: the training loop, its two steps, and what surrounds them. It never asks which modality it trains."""

from wganx.engine.checkpoint import Checkpoint, CheckpointStore, read_checkpoint, write_checkpoint
from wganx.engine.observer import Observer
from wganx.engine.optimizer import Optimizer
from wganx.engine.trainer import Every, Trainer, TrainResult, choose_device

__all__ = [
    "Checkpoint",
    "CheckpointStore",
    "Every",
    "Observer",
    "Optimizer",
    "TrainResult",
    "Trainer",
    "choose_device",
    "read_checkpoint",
    "write_checkpoint",
]
