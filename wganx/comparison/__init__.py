"""Comparisons: several variants with several seeds each, at one budget, and what their numbers allow to be said."""

from wganx.comparison.comparison import Comparison, compare_asked, compare_found
from wganx.comparison.conducting import conduct, left_to_do
from wganx.comparison.folder import ComparisonFolder
from wganx.comparison.question import Question, ask, read_question
from wganx.comparison.variants import Variant, parse_variants

__all__ = [
    "Comparison",
    "ComparisonFolder",
    "Question",
    "Variant",
    "ask",
    "compare_asked",
    "compare_found",
    "conduct",
    "left_to_do",
    "parse_variants",
    "read_question",
]
