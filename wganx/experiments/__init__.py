"""Many runs for one question: each in a process of its own, within a budget, stopped and continued together."""

from wganx.experiments.clock import Clock, SecondsBudget, training_clock
from wganx.experiments.errand import PaceErrand, RunErrand
from wganx.experiments.processes import Ending, Watch, carry_out_all

__all__ = [
    "Clock",
    "Ending",
    "PaceErrand",
    "RunErrand",
    "SecondsBudget",
    "Watch",
    "carry_out_all",
    "training_clock",
]
