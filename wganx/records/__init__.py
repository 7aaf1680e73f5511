"""The records of a training, ``metrics.jsonl`` and ``timings.jsonl``: a line a reading, and curves of a million lines.

`read_lines` goes through a record, `last_line` and `cut_after` look at its end alone, and `read_log` makes of it what
charts show, in memory that stays small. What it read of a long one is remembered: `ReadAlong` has it read while it is
written.
"""

from wganx.records.lines import cut_after, known_line, last_line, read_lines
from wganx.records.remembered import ReadAlong, read_log
from wganx.records.thinning import Curve

__all__ = ["Curve", "ReadAlong", "cut_after", "known_line", "last_line", "read_lines", "read_log"]
