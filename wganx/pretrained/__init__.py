"""Generators that were trained elsewhere: files of other projects, checkpoints of wganx, tensors by name."""

from wganx.pretrained.opening import Opened, listed, open_pretrained
from wganx.pretrained.starting import begin_with, starting_values

__all__ = ["Opened", "begin_with", "listed", "open_pretrained", "starting_values"]
