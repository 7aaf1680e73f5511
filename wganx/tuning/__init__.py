"""Searches: named settings tried within a budget, by a held-out metric, with Optuna."""

from wganx.tuning.folder import SearchFolder, Tried
from wganx.tuning.search import Search, ask_search, read_search
from wganx.tuning.searching import carry_out_search
from wganx.tuning.space import Axis, parse_axes

__all__ = [
    "Axis",
    "Search",
    "SearchFolder",
    "Tried",
    "ask_search",
    "carry_out_search",
    "parse_axes",
    "read_search",
]
