"""The engine: the training loop, its two steps, and what surrounds them. It never asks which modality it trains."""

from wganx.engine.checkpoint import Checkpoint, CheckpointStore, read_checkpoint, write_checkpoint
from wganx.engine.device import choose_device
from wganx.engine.health import slow_data
from wganx.engine.loop import Every, TrainResult
from wganx.engine.observer import Observer
from wganx.engine.optimizer import Optimizer
from wganx.engine.ranks import Ranks, join
from wganx.engine.trainer import Trainer

__all__ = [
    "Checkpoint",
    "CheckpointStore",
    "Every",
    "Observer",
    "Optimizer",
    "Ranks",
    "TrainResult",
    "Trainer",
    "choose_device",
    "join",
    "read_checkpoint",
    "slow_data",
    "write_checkpoint",
]
