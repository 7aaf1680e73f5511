"""From a run folder to plain values: whatever is missing, torn or damaged is named, never fatal.

Every text that comes out of here is a stranger's (labels, paths, plugin messages): it is cut to a readable length,
valid UTF-8, and names no home folder.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from wganx.errors import DataError

LONGEST_TEXT = 1_000
HUGE = 1e39  # beyond float32: such a reading is as unusable as an infinite one

_HOME = re.compile(r"(?i)(?:/home/|/Users/|[A-Z]:\\+Users\\+)[^/\\\s\"']+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PREVIEW = re.compile(r"step-(\d{1,15})\.png")


@dataclass(frozen=True)
class Curve:
    """One quantity over the steps: rising `steps` (K,) and `values` (K,), NaN where a reading was not finite."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def finite(self) -> NDArray[np.float64]:
        """The readings that are numbers."""
        return self.values[np.isfinite(self.values)]


@dataclass(frozen=True)
class FileGroup:
    """A file of the run folder, or everything below one of its folders; sizes in bytes."""

    path: str
    count: int
    size: int


@dataclass(frozen=True)
class Run:
    """What a run folder holds, as plain values.

    Attributes:
        folder: where it lies; only its name is ever shown.
        facts: run.json, empty if there is none.
        config: config.yaml as nested mappings, empty if there is none.
        curves: every logged quantity by name, in the order of first appearance.
        evaluation: evaluation.json, or None.
        findings: what the health checks found, as it was logged: ``step``, ``code``, ``level``, ``text``, ``mend``.
        shares: mean share of the time by part of the training.
        previews: step and path of every ``samples/step-*.png``, by step.
        files: what else lies in the folder.
        problems: what could not be read, one sentence each.
    """

    folder: Path
    facts: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    evaluation: Mapping[str, Any] | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    previews: tuple[tuple[int, Path], ...] = ()
    files: tuple[FileGroup, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return printable(self.folder.name) or "run"


def read_run(folder: Path) -> Run:
    """Reads a run folder, finished or not.

    Raises:
        DataError: the folder does not exist, or holds neither config.yaml nor run.json.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise DataError(f"no run folder at {folder}: give the folder that `wganx train` wrote")
    if not any((folder / name).is_file() for name in ("config.yaml", "run.json")):
        raise DataError(
            f"{folder} is no run folder: it holds neither config.yaml nor run.json; "
            "give the folder that `wganx train` wrote"
        )
    problems: list[str] = []
    metrics = list(_lines(folder / "metrics.jsonl", problems))
    curves = _curves(metrics)
    timings = _curves(_lines(folder / "timings.jsonl", problems))
    if "steps_per_second" in timings:
        curves.setdefault("steps_per_second", timings["steps_per_second"])
    return Run(
        folder=folder,
        facts=_document(folder / "run.json", problems) or {},
        config=_document(folder / "config.yaml", problems) or {},
        curves=curves,
        evaluation=_document(folder / "evaluation.json", problems, expected=False),
        findings=tuple(_findings(metrics)),
        shares={name[5:]: float(curve.finite.mean()) for name, curve in timings.items() if _is_share(name, curve)},
        previews=_previews(folder / "samples"),
        files=_files(folder),
        problems=tuple(problems),
    )


def printable(value: object) -> str:
    """`value` as text fit for a page: no control characters, no home folder, at most `LONGEST_TEXT` long."""
    text = str(value)
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + " …"
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return _HOME.sub("~", text).encode("utf-8", "replace").decode("utf-8")


def number(value: object) -> float | None:
    """`value` if it is a finite number (a bool is none), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < HUGE:
        return None
    return float(value)


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one: half-written facts must not stop the page."""
    return value if isinstance(value, dict) else {}


def _document(path: Path, problems: list[str], *, expected: bool = True) -> dict[str, Any] | None:
    """A JSON or YAML file that holds one mapping, or None with the reason among `problems`."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except FileNotFoundError:
        if expected:
            problems.append(f"{path.name} is missing: the parts of this page that need it stay empty.")
        return None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        problems.append(f"{path.name} cannot be read ({_first_line(error)}): what it says is not shown.")
        return None
    if not isinstance(content, dict):
        problems.append(f"{path.name} does not hold a mapping: what it says is not shown.")
        return None
    return content


def _lines(path: Path, problems: list[str]) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file; a torn last line is the mark of a killed run and only noted."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(f"{path.name} cannot be read ({_first_line(error)}).")
        return
    damaged = 0
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if isinstance(entry, dict):
            yield entry
        elif place == len(lines):
            problems.append(f"The last line of {path.name} is cut off, as when a run is killed; it is left out.")
        else:
            damaged += 1
    if damaged:
        problems.append(f"{damaged} damaged line{'s' * (damaged > 1)} of {path.name} left out.")


def _findings(entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        step, found = number(entry.get("step")), mapping(entry.get("health"))
        if step is not None and found.get("code"):
            yield {"step": int(step), **found}


def _is_share(name: str, curve: Curve) -> bool:
    return name.startswith("time/") and len(curve.finite) > 0


def _curves(entries: Iterable[dict[str, Any]]) -> dict[str, Curve]:
    """Readings by name. After a roll-back steps come twice: the later reading is the one that counts."""
    readings: dict[str, dict[int, float]] = defaultdict(dict)
    for entry in entries:
        step = number(entry.get("step"))
        if step is None or step < 0:
            continue
        for name, value in entry.items():
            if name == "step" or isinstance(value, bool):
                continue
            if value is None or isinstance(value, int | float):
                readings[printable(name)][int(step)] = _reading(value)
    curves = {}
    for name, by_step in readings.items():
        steps = np.array(sorted(by_step), dtype=np.int64)
        curves[name] = Curve(steps, np.array([by_step[int(step)] for step in steps], dtype=np.float64))
    return curves


def _reading(value: float | None) -> float:
    finite = number(value)
    return float("nan") if finite is None else finite


def _previews(folder: Path) -> tuple[tuple[int, Path], ...]:
    if not folder.is_dir():
        return ()
    found = ((_PREVIEW.fullmatch(path.name), path) for path in folder.iterdir())
    return tuple(sorted((int(match[1]), path) for match, path in found if match))


def _files(folder: Path) -> tuple[FileGroup, ...]:
    """Top-level files, and one entry a folder. Event files carry the machine's name, so they are grouped."""
    groups: dict[str, list[int]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.name.startswith((".", "report.html")):
            continue
        inside = path.relative_to(folder).parts
        if path.name.startswith("events.out.tfevents."):
            name = "/".join((*inside[:-1][:1], "events.out.tfevents.*"))
        else:
            name = inside[0] if len(inside) == 1 else f"{inside[0]}/"
        groups[printable(name)].append(path.stat().st_size)
    return tuple(FileGroup(name, len(sizes), sum(sizes)) for name, sizes in sorted(groups.items()))


def _first_line(error: BaseException) -> str:
    """What went wrong, without the path that an OSError repeats."""
    text = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return printable(text.splitlines()[0])
