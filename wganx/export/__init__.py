"""Networks of a run as files that need no wganx: weights, a program of `torch.export`, ONNX; each with a card.

ports -> subject (what is exported) -> sizes (which of them are free) -> formats (written, and read back) -> comparing
-> card -> exporting
"""

from wganx.export.exporting import Exported, export
from wganx.export.formats import FORMATS
from wganx.export.rebuilding import rebuild

__all__ = ["FORMATS", "Exported", "export", "rebuild"]
