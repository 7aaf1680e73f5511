"""From a run folder to plain values: whatever is missing, torn or damaged is named, never fatal.

Every text that comes out of here is a stranger's (labels, paths, plugin messages): it is cut to a readable length,
valid UTF-8, and names no home folder.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wganx.errors import DataError
from wganx.lock import as_they_are
from wganx.plain import first_line, number, printable
from wganx.records.remembered import read_log
from wganx.records.thinning import Curve
from wganx.stored import read_json, read_yaml

MOST_EVALUATIONS = 2_000

_SAMPLE = re.compile(r"(?:step-(\d{1,15})|real)(?:-(.+))?\.([a-z0-9]{3,4})", re.DOTALL)
_SLIDERS = re.compile(r"sliders-([0-9]{1,15})(-chosen)?\.(png|json)")
_FRAME = re.compile(r"walk-([0-9]{1,15})-([0-9]{2})(-.+)?\.([a-z0-9]{3,4})", re.DOTALL)
_STEP_RECORD = re.compile(r"step-([0-9]{1,15})\.json")
_WRITTEN_FROM_HERE = ("report.html", "listen.html", "MODEL_CARD.md")  # and so not of what a page tells
_MEDIA = frozenset(("wav", "flac", "ogg", "mp3", "mp4", "webm", "gif", "webp"))


@dataclass(frozen=True)
class FileGroup:
    """A file of the run folder, or everything below one of its folders; sizes in bytes."""

    path: str
    count: int
    size: int


@dataclass(frozen=True)
class WalkRecord:
    """Previews along a walk through the noise, ``samples/walk-STEP-FRAME.png``, and the sounds and clips beside them.

    Frames count from 0; `frames` is how many there are.
    """

    step: int
    frames: int
    previews: tuple[tuple[int, Path], ...]
    media: Mapping[int | None, tuple[Path, ...]]


@dataclass(frozen=True)
class SlidersRecord:
    """Sheets of sliders: ``samples/sliders-STEP.png``, and ``sliders-STEP-chosen.png`` of those that were asked for.

    What was measured along the latter stands in ``sliders-STEP-chosen.json``, a list of texts.
    """

    step: int
    ways: Path | None
    chosen: Path | None
    measured: tuple[str, ...]


@dataclass(frozen=True)
class RunRecord:
    """What a run folder holds, as plain values.

    Attributes:
        folder: where it lies; only its name is ever shown.
        facts: run.json, empty if there is none; a run that was killed counts as interrupted.
        config: config.yaml as nested mappings, empty if there is none.
        curves: every logged quantity by name, in the order of first appearance.
        evaluation: evaluation.json, or None.
        evaluations: those of single checkpoints, ``evaluations/step-*.json``, with their step, by step.
        findings: what the health checks found, as it was logged: ``step``, ``code``, ``level``, ``text``, ``mend``.
        shares: mean share of the time by part of the training.
        previews: step and path of every ``samples/step-*.png``, by step.
        real_picture: ``samples/real.png``, or None.
        media: the sounds and clips beside them (``samples/step-*-0000.wav``) by step; under None the real ones.
        walk: the latest walk through the noise, or None.
        sliders: the latest sliders, or None.
        files: what else lies in the folder.
        problems: what could not be read, one sentence each.
    """

    folder: Path
    facts: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    evaluation: Mapping[str, Any] | None = None
    evaluations: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    previews: tuple[tuple[int, Path], ...] = ()
    real_picture: Path | None = None
    media: Mapping[int | None, tuple[Path, ...]] = field(default_factory=dict)
    walk: WalkRecord | None = None
    sliders: SlidersRecord | None = None
    files: tuple[FileGroup, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return printable(self.folder.name) or "run"


def read_run(folder: Path) -> RunRecord:
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
    findings: list[dict[str, Any]] = []
    curves = read_log(folder / "metrics.jsonl", problems, findings)
    pictures, media = _samples(folder / "samples")
    timings = read_log(folder / "timings.jsonl", problems, [])
    if "steps_per_second" in timings:
        curves.setdefault("steps_per_second", timings["steps_per_second"])
    return RunRecord(
        folder=folder,
        facts=_up_to_now(as_they_are(_document(folder / "run.json", problems) or {}, folder), curves, timings),
        config=_document(folder / "config.yaml", problems) or {},
        curves=curves,
        evaluation=_document(folder / "evaluation.json", problems, expected=False),
        evaluations=tuple(_evaluations(folder / "evaluations", problems)),
        findings=tuple(findings),
        shares={
            name.removeprefix("time/"): float(curve.finite.mean())
            for name, curve in timings.items()
            if name.startswith("time/") and len(curve.finite)
        },
        previews=tuple(sorted((step, path) for step, path in pictures if step is not None)),
        real_picture=next((path for step, path in pictures if step is None), None),
        media=media,
        walk=_walk(folder / "samples"),
        sliders=_sliders(folder / "samples"),
        files=_files(folder),
        problems=tuple(problems),
    )


def _up_to_now(
    facts: Mapping[str, Any], curves: Mapping[str, Curve], timings: Mapping[str, Curve]
) -> Mapping[str, Any]:
    """The facts of a run that goes on, whose run.json is as old as its last checkpoint, by its newest records."""
    if facts.get("status") != "running":
        return facts
    steps = [int(curve.steps[-1]) for curve in curves.values() if len(curve.steps)]
    now = {"step": max([*steps, int(number(facts.get("step")) or 0)])}
    if "seconds" in timings and len(timings["seconds"].finite):
        now["seconds"] = timings["seconds"].finite[-1].item()
    return {**facts, **now}


def sample_number(name: str) -> int | None:
    """Which sample a file holds, from 1, by the number from 0 at the end of its name; None if there is no number."""
    return int(name) + 1 if re.fullmatch(r"[0-9]{1,9}", name) else None


def _document(path: Path, problems: list[str], *, expected: bool = True) -> dict[str, Any] | None:
    """A JSON or YAML file that holds one mapping, or None with the reason among `problems`."""
    try:
        content = read_json(path) if path.suffix == ".json" else read_yaml(path)
    except FileNotFoundError:
        if expected:
            problems.append(f"{path.name} is missing: the parts of this page that need it stay empty.")
        return None
    except (OSError, ValueError) as error:
        problems.append(f"{path.name} cannot be read ({first_line(error)}): what it says is not shown.")
        return None
    if not isinstance(content, dict):
        problems.append(f"{path.name} does not hold a mapping: what it says is not shown.")
        return None
    return content


def _evaluations(folder: Path, problems: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The records of single checkpoints, by the step in their name."""
    if not folder.is_dir() or folder.is_symlink():
        return
    named = ((_STEP_RECORD.fullmatch(path.name), path) for path in folder.iterdir())
    for step, path in sorted((int(match[1]), path) for match, path in named if match)[:MOST_EVALUATIONS]:
        if (record := _document(path, problems)) is not None:
            yield step, record


def _samples(folder: Path) -> tuple[list[tuple[int | None, Path]], dict[int | None, tuple[Path, ...]]]:
    """Pictures with their step, and the sounds and clips by step in the order of their numbers; real ones have None."""
    pictures: list[tuple[int | None, Path]] = []
    media: dict[int | None, list[_Placed]] = defaultdict(list)
    for match, path in _named(folder, _SAMPLE):
        step, name = None if match[1] is None else int(match[1]), match[2] or ""
        if match[3] == "png" and not name:
            pictures.append((step, path))
        elif match[3] in _MEDIA:
            media[step].append(_placed(name, path))
    return pictures, _in_order(media)


def _walk(folder: Path) -> WalkRecord | None:
    """The walk of the latest step."""
    found = [(int(match[1]), int(match[2]), match[3], match[4], path) for match, path in _named(folder, _FRAME)]
    if not found:
        return None
    step = max(step for step, *_ in found)
    previews: list[tuple[int, Path]] = []
    media: dict[int | None, list[_Placed]] = defaultdict(list)
    for _, frame, name, suffix, path in (each for each in found if each[0] == step):
        if suffix == "png" and not name:
            previews.append((frame, path))
        elif suffix in _MEDIA:
            media[frame].append(_placed(name or "", path))
    return WalkRecord(
        step,
        1 + max((frame for own, frame, *_ in found if own == step), default=0),
        tuple(sorted(previews)),
        _in_order(media),
    )


def _sliders(folder: Path) -> SlidersRecord | None:
    """The sheets of the latest step."""
    found = {(int(match[1]), match[2], match[3]): path for match, path in _named(folder, _SLIDERS)}
    if not found:
        return None
    step = max(step for step, *_ in found)
    told = found.get((step, "-chosen", "json"))
    try:
        lines = [] if told is None else read_json(told)
    except (OSError, ValueError):
        lines = []
    measured = tuple(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else ()
    return SlidersRecord(step, found.get((step, None, "png")), found.get((step, "-chosen", "png")), measured)


def _named(folder: Path, name: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Path]]:
    """Files of a folder by their names. Links are left out: what they lead to was not made by the run."""
    for path in folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ():
        match = name.fullmatch(path.name)
        if match is not None and not path.is_symlink() and path.is_file():
            yield match, path


_Placed = tuple[float, str, Path]


def _placed(name: str, path: Path) -> _Placed:
    """A file of a step with what orders it: the number of the sample, then its name."""
    return sample_number(name.removeprefix("-")) or math.inf, path.name, path


def _in_order(media: Mapping[int | None, Iterable[_Placed]]) -> dict[int | None, tuple[Path, ...]]:
    return {step: tuple(path for *_, path in sorted(found)) for step, found in media.items()}


def _files(folder: Path) -> tuple[FileGroup, ...]:
    """Top-level files, and one entry a folder. Event files carry the machine's name, so they are grouped."""
    groups: dict[str, list[int]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.name.startswith((".", *_WRITTEN_FROM_HERE)):
            continue
        inside = path.relative_to(folder).parts
        if path.name.startswith("events.out.tfevents."):
            name = "/".join((*inside[:-1][:1], "events.out.tfevents.*"))
        else:
            name = inside[0] if len(inside) == 1 else f"{inside[0]}/"
        groups[printable(name)].append(path.stat().st_size)
    return tuple(FileGroup(name, len(sizes), sum(sizes)) for name, sizes in sorted(groups.items()))
