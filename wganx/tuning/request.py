"""What ``wganx tune`` was asked to do, checked, and done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wganx.errors import UsageError
from wganx.experiments import Watch
from wganx.tuning.folder import SearchFolder, Tried
from wganx.tuning.search import Search, ask_search, read_search
from wganx.tuning.searching import carry_out_search
from wganx.tuning.space import parse_axes


def carry_out_request(
    *,
    searched: Sequence[str] = (),
    metric: str | None = None,
    trials: int | None = None,
    seconds: float | None = None,
    out: Path | None = None,
    resume: Path | None = None,
    watch: Watch | None = None,
    command: str = "",
    **choice: Any,
) -> tuple[Path, Search, list[Tried], bool]:
    """The search's folder, what is searched, its trials, and whether it was stopped before its budget was spent.

    Raises:
        UsageError: what is asked contradicts itself, or cannot be done.
        MissingExtra: Optuna is not installed.
    """
    if resume is not None:
        options = {"--search": searched, "--metric": metric, "--trials": trials, "--seconds": seconds, "--out": out}
        given = [name for name, value in options.items() if value]
        given += ["--set" if name == "settings" else f"--{name}" for name, value in choice.items() if value]
        if given:
            raise UsageError(f"--resume goes on with what was asked: leave {', '.join(given)} out")
        folder = SearchFolder(resume)
        search = read_search(folder.question)
    else:
        axes = parse_axes(searched)
        if out is None:
            raise UsageError("--out names the search's folder, in which its trials are kept and can be gone on with")
        folder = SearchFolder(out)
        asked = ask_search(axes, metric=metric, trials=trials, seconds=seconds, command=command, **choice)
        search = folder.begin(asked)
    found, stopped = carry_out_search(folder, search, watch=watch)
    return folder.path, search, found, stopped
