"""Sending files through a generator: a source is read as a stream, and what is made of it is written as one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from wganx.data.layout import a_few
from wganx.engine import Sampler
from wganx.errors import DataError, UsageError, WganxError
from wganx.plugins.contracts import Game, Make, Source
from wganx.plugins.descriptors import Modality, Task
from wganx.plugins.guard import call, calling


def apply_to(
    source: Path,
    out: Path,
    *,
    sampler: Sampler,
    modality: Modality,
    task: Task,
    game: Game,
    given: Mapping[str, str | float],
    seed: int,
    warn: Callable[[str], None],
    overwrite: bool = False,
) -> list[Path]:
    """Send a file, or every file of a folder, through the generator; returns what was written.

    Of a folder, a file that fails is named through `warn`, and the others are done.

    Raises:
        UsageError: the modality's files are no streams, the source is not there, or the output is there already.
        DataError: the file cannot be read, or no file of the folder.
    """
    if modality.open is None or modality.create is None:
        raise UsageError(f"{modality} has no files that can be read and written as a stream; leave --source out")
    if not source.exists():
        raise UsageError(f"there is no file or folder at {source}; check the spelling")

    def one(path: Path, target: Path) -> Path:
        return _apply(path, target, sampler, modality, task, game, given, seed, warn, overwrite)

    if source.is_file():
        return [one(source, out / source.name if out.is_dir() else out)]
    out.mkdir(parents=True, exist_ok=True)
    files = [path for path in sorted(source.iterdir()) if path.is_file() and not path.name.startswith(".")]
    written, failures = [], []
    for path in files:
        try:
            written.append(one(path, out / path.name))
        except WganxError as error:
            failures.append(f"{path.name}: {error}")
            warn(failures[-1])
    if not written:
        why = f"none of its {len(files)} files could be used; {failures[0]}" if failures else "it holds no file"
        raise DataError(f"{source}: {why}")
    return written


def _apply(
    path: Path,
    target: Path,
    sampler: Sampler,
    modality: Modality,
    task: Task,
    game: Game,
    given: Mapping[str, str | float],
    seed: int,
    warn: Callable[[str], None],
    overwrite: bool,
) -> Path:
    if target.is_dir() or (target.exists() and not overwrite):
        raise UsageError(f"{target} is there already; give another --out, or --overwrite to put it in place of a file")
    if target.exists() and target.samefile(path):
        raise UsageError(f"{target} is the source itself; give another --out")
    target.parent.mkdir(parents=True, exist_ok=True)
    source: Source = call(modality, "open", path)
    if not game.takes_any_rate and (told := _other_rate(source, sampler)):
        warn(f"{path} {told}")
    calls = 0

    def make(context: Mapping[str, Tensor]) -> Tensor:
        # Windows of one file draw noise of their own, and the whole follows from the seed.
        nonlocal calls
        calls += 1
        for name, format in sampler.context.items():
            # Left to the sampler, each window would be of another class.
            unsaid = format.is_label and len(format.classes) > 1 and name not in given and name not in context
            if unsaid and given.keys() <= sampler.context.keys():
                classes = a_few("", "", format.classes)
                raise UsageError(f"say which {name} is wanted: --given {name}=..., and there are: {classes}")
        rows = len(next(iter(context.values()))) if context else 1
        return sampler.draw(rows, seed=seed + calls - 1, given=given, context=context)

    try:
        _write_aside(source, path, target, modality, task, game, make)
    finally:
        # Of a folder of films, each would stay open until the interpreter cleans up.
        if callable(close := getattr(source, "close", None)):
            with calling(modality, "close"):
                close()
    return target


def _write_aside(
    source: Source, path: Path, target: Path, modality: Modality, task: Task, game: Game, make: Make
) -> None:
    """What is made of `source`, under its final name once it is whole and not before."""
    # With the ending that encoders go by, and hidden until it is whole.
    aside = target.with_name(f".{target.stem}.writing{target.suffix}")
    _remove(aside)
    sink = call(modality, "create", aside, source)
    try:
        with calling(task, "apply"):
            game.apply(source, make, sink)
        with calling(modality, "close"):
            sink.close()
        if not aside.exists():
            raise DataError(f"{modality} wrote nothing for {path}")
        aside.replace(target)
    except BaseException:
        with suppress(Exception):
            sink.close()
        _remove(aside)
        raise


def _other_rate(source: Source, sampler: Sampler) -> str | None:
    """That a file runs at another rate than all the generator knows, which makes of it something else."""
    formats = [format for format in (sampler.sample, *sampler.context.values()) if format is not None]
    known = sorted({format.rate_hz for format in formats if format.rate_hz is not None})
    if not known or source.format.rate_hz is None or source.format.rate_hz in known:
        return None
    trained = " or ".join(f"{rate:g}" for rate in known)
    return f"has {source.format.rate_hz:g} a second, and the generator was trained on {trained}; resample it first"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
