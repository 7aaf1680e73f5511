"""Outputs on the pages hold to the digits that they show: 0.27 is right for 0.2651 and for 0.2749.

Networks that were trained, and sums in another order, differ in late digits from one processor to the next. A number
with a decimal point matches if it is within one unit of its last printed digit; everything else must be equal.
"""

from __future__ import annotations

import doctest
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

_NUMBER = re.compile(r"-?\d+\.(\d+)(?:e([+-]\d+))?")


def settle(want: str, got: str) -> str:
    """`got`, with every number that agrees with its partner in `want` to the printed digits written as there."""
    expected = list(_NUMBER.finditer(want))
    if len(expected) != len(_NUMBER.findall(got)):
        return got
    partners = iter(expected)

    def partner(number: re.Match[str]) -> str:
        shown = next(partners)
        unit = 10.0 ** (int(shown[2] or 0) - len(shown[1]))
        return shown[0] if abs(float(number[0]) - float(shown[0])) <= 1.001 * unit else number[0]

    return _NUMBER.sub(partner, got)


class TolerantChecker(doctest.OutputChecker):
    """Compares what is left after `settle`."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return super().check_output(want, settle(want, got), optionflags)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make it the checker of ``sphinx.ext.doctest``, which takes the standard library's."""
    doctest.OutputChecker = TolerantChecker  # type: ignore[misc]
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
