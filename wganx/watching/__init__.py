"""Looking at runs while they train: the report, rewritten and served to this machine alone, and TensorBoard."""

from wganx.watching.board import board
from wganx.watching.following import follow

__all__ = ["board", "follow"]
