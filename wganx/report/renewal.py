"""The page of a run written anew, with what may still be missing in the run folder drawn first."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from wganx.errors import WganxError
from wganx.report.page import write_report


def renew_report(folder: Path, warn: Callable[[str], None]) -> Path:
    """Write the HTML page of a run anew and return its path; what ``wganx report`` does.

    The walk through the noise is drawn first, and the sliders, where the newest checkpoint has none and the run's
    plugin is at hand; `warn` hears why not.

    Raises:
        DataError: there is no run.
        WganxError: the page cannot be written.
    """
    if _lacks_walk(folder):
        # Torch and the plugin, only where there is something to draw.
        from wganx.runs import Run, keep_sliders, keep_walk

        try:
            run = Run.load(folder, warn=warn, only_looked_at=True)
            keep_walk(run, warn)
            keep_sliders(run, warn)
        except WganxError as error:
            warn(f"no walk through the noise: {error}")
    return write_report(folder)


def _lacks_walk(folder: Path) -> bool:
    """By the names of files alone."""
    found = (re.fullmatch(r"step-([0-9]+)", path.name) for path in folder.glob("checkpoints/step-*"))
    steps = [int(match[1]) for match in found if match]
    return bool(steps) and not any(folder.glob(f"samples/walk-{max(steps):06d}-*.png"))
