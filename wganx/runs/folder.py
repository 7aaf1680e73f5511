"""The run folder: what lies where, and how it is written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from wganx.errors import UsageError
from wganx.storage import json_text, write_whole


class RunFolder:
    """Paths and records of one run.

    ``config.yaml`` (resolved, a valid input), ``run.json`` (facts and status), ``metrics.jsonl`` (a line a logging
    step, the same however often the run was resumed), ``timings.jsonl`` (what depends on the machine),
    ``fitted.safetensors`` (what was fitted to the data), ``samples/``, ``checkpoints/``, ``evaluation.json``,
    ``report.html``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.facts_file = path / "run.json"
        self.metrics = path / "metrics.jsonl"
        self.timings = path / "timings.jsonl"
        self.fitted = path / "fitted.safetensors"
        self.samples = path / "samples"
        self.checkpoints = path / "checkpoints"
        self.evaluation = path / "evaluation.json"
        self.report = path / "report.html"

    @classmethod
    def fresh(cls, plugin: str, scenario: str, parent: Path = Path("runs")) -> RunFolder:
        """A folder name that says when and what, not taken yet."""
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{Path(plugin).stem.replace(':', '-')}-{scenario}"
        names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
        return cls(next(parent / name for name in names if not (parent / name).exists()))

    def holds_run(self) -> bool:
        """Whether a run was begun here."""
        return self.config.is_file()

    def begin(self, config: str) -> None:
        """Make the folder and store the configuration.

        Raises:
            UsageError: the folder cannot be made, or holds something already.
        """
        if self.holds_run():
            raise UsageError(
                f"{self.path} holds a run already; continue it with wganx resume {self.path}, or give another --out"
            )
        try:
            if self.path.is_dir() and any(self.path.iterdir()):
                raise UsageError(f"{self.path} is not empty; give another --out")
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the run folder {self.path}: {error.strerror or error}") from error
        self.store_config(config)

    def store_config(self, config: str) -> None:
        """Write ``config.yaml``."""
        write_whole(self.config, config)

    def facts(self) -> dict[str, Any]:
        """What ``run.json`` says; empty when it is missing."""
        try:
            facts: dict[str, Any] = json.loads(self.facts_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return facts

    def record(self, **facts: Any) -> None:
        """Add to ``run.json``."""
        write_whole(self.facts_file, json_text({**self.facts(), **facts}, indent=2, readable=True) + "\n")

    def note(self, message: str) -> None:
        """Add to the notes of ``run.json``, once."""
        notes = self.facts().get("notes", [])
        if message not in notes:
            self.record(notes=[*notes, message])

    def truncate_after(self, step: int) -> None:
        """Drop what the records say about later steps, and a line that was cut short."""
        for path in (self.metrics, self.timings):
            if path.exists():
                kept = [json_text(line) for line in read_lines(path) if line["step"] <= step]
                write_whole(path, "".join(f"{line}\n" for line in kept))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a ``.jsonl`` file, without a last line that was cut short; nothing when it is missing.

    A ``null`` is a reading that was no finite number, and comes back as NaN.
    """
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield {name: math.nan if value is None else value for name, value in json.loads(line).items()}
        except ValueError:
            return
