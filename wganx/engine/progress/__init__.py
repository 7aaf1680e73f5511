"""What a person sees of a training: lines, a bar in a terminal, a bar in a notebook."""

from wganx.engine.progress.choosing import Wanted, in_a_cell, showing
from wganx.engine.progress.lines import Progress

__all__ = ["Progress", "Wanted", "in_a_cell", "showing"]
