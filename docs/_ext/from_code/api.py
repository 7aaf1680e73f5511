"""The names of the package itself; those of its parts have sections of their own."""

from __future__ import annotations

import textwrap

import wganx
import wganx.wasserstein

PLAIN = {"__version__", "WGANX_API"}
"""Names without a docstring, which the page explains itself."""


def api() -> str:
    """An ``automodule`` of every public name that is not told under ``wganx.wasserstein``."""
    names = [name for name in wganx.__all__ if name not in {*wganx.wasserstein.__all__, *PLAIN}]
    listed = textwrap.fill(", ".join(names), width=110, subsequent_indent=" " * 13)
    options = f"   :members: {listed}\n   :imported-members:\n   :ignore-module-all:"
    return f"```{{eval-rst}}\n.. automodule:: wganx\n{options}\n```"
