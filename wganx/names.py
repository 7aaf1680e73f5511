"""Names of files, and commands as they are typed, on which systems differ."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import unicodedata
from collections.abc import Sequence

_WINDOWS = os.name == "nt"
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


def composed(name: str) -> str:
    """`name` with its accents on their letters (NFC), as it is typed; a Mac may have kept them beside them (NFD)."""
    return unicodedata.normalize("NFC", name)


def is_device(name: str) -> bool:
    """Whether Windows takes `name`, with any ending, for a device: ``nul``, ``con.txt``."""
    return _DEVICE.match(name) is not None


def as_typed(words: Sequence[str]) -> str:
    """A command as this system's shell takes it: words with spaces in quotes, which are not the same everywhere."""
    return subprocess.list2cmdline(words) if _WINDOWS else shlex.join(words)
