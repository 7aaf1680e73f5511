"""Names of files, and commands as they are typed, on which systems differ; and text of strangers, shown as it is."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import unicodedata
from collections.abc import Sequence
from pathlib import Path

_WINDOWS = os.name == "nt"
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and newline, the marks that turn text around, line breaks of Unicode, half characters."""

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def visible(text: str) -> str:
    """`text` with what a terminal would obey, or hide, as it is written in Python: ``\\x1b[31m``, ``\\u202e``.

    Names of files, of plugins and of classes, keys of YAML and stored notes are a stranger's, and may hold anything.
    """
    return _OBEYED.sub(lambda sign: repr(sign[0])[1:-1], text)


def on_a_line(text: str) -> str:
    """`text` with control characters and line breaks of every kind, tab and newline too, as they are written in Python.

    A file's name that holds a newline would begin a line of its own, and say there what it likes.
    """
    return _BREAKS.sub(lambda sign: repr(sign[0])[1:-1], text)


def shortened(text: str, most: int = 200) -> str:
    """`text`, or its beginning and its length where it has more than `most` characters."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def at_home(path: str | os.PathLike[str]) -> Path:
    """`path` with ``~`` and ``~user`` spelt out, and as it is where nobody is called so, as a shell does it."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's raises where there is no such user


def composed(name: str) -> str:
    """`name` with its accents on their letters (NFC), as it is typed; a Mac may have kept them beside them (NFD)."""
    return unicodedata.normalize("NFC", name)


def is_device(name: str) -> bool:
    """Whether Windows takes `name`, with any ending, for a device: ``nul``, ``con.txt``."""
    return _DEVICE.match(name) is not None


def as_typed(words: Sequence[str]) -> str:
    """A command as this system's shell takes it: words with spaces in quotes, which are not the same everywhere."""
    return subprocess.list2cmdline(words) if _WINDOWS else shlex.join(words)
