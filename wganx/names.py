"""Names of files, on which systems differ."""

from __future__ import annotations

import re
import unicodedata

_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


def composed(name: str) -> str:
    """`name` with its accents on their letters (NFC), as it is typed; a Mac may have kept them beside them (NFD)."""
    return unicodedata.normalize("NFC", name)


def is_device(name: str) -> bool:
    """Whether Windows takes `name`, with any ending, for a device: ``nul``, ``con.txt``."""
    return _DEVICE.match(name) is not None
