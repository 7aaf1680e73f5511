"""Runs: from configuration and catalog to a trainer; the run folder; resuming, sampling, evaluating."""

from wganx.runs.applying import Passage
from wganx.runs.assembly import Assembly
from wganx.runs.drawing import load_generator
from wganx.runs.folder import RunFolder
from wganx.runs.run import Run
from wganx.runs.samples import open_pair, open_samples
from wganx.runs.sliding import Sliding, keep_chosen, keep_sliders
from wganx.runs.training import train_run
from wganx.runs.walk import keep_walk

__all__ = [
    "Assembly",
    "Passage",
    "Run",
    "RunFolder",
    "Sliding",
    "keep_chosen",
    "keep_sliders",
    "keep_walk",
    "load_generator",
    "open_pair",
    "open_samples",
    "train_run",
]
