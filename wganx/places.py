"""Where things lie that belong to no run."""

from __future__ import annotations

import os
from pathlib import Path

from wganx.names import at_home


def cache_folder() -> Path:
    """``$WGANX_CACHE``, or else ``wganx`` in ``$XDG_CACHE_HOME`` or ``~/.cache``; need not exist.

    Raises:
        OSError: the user has no home.
    """
    if given := os.environ.get("WGANX_CACHE"):
        return at_home(given).absolute()
    if (general := os.environ.get("XDG_CACHE_HOME", "")) and Path(general).is_absolute():
        return Path(general) / "wganx"
    try:
        return Path.home() / ".cache" / "wganx"
    except RuntimeError as error:
        raise OSError("there is no home folder; set WGANX_CACHE") from error
