"""Sending files through a generator: a source is read as a stream, and what is made of it is written as one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wganx.data.layout import a_few
from wganx.engine import Sampler
from wganx.errors import DataError, UsageError, WganxError
from wganx.names import on_a_line
from wganx.plugins.contracts import Game, Make, Source
from wganx.plugins.descriptors import Modality, Task
from wganx.plugins.guard import call, calling
from wganx.storage import sync, take_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How far files are on their way through a generator.

    Attributes:
        file: the one that is read.
        number: which of `files` it is, from 1 on.
        done: frames or sound samples of it that were read and done with, of `length`.
    """

    file: Path
    number: int
    files: int
    done: int
    length: int


Watch = Callable[[Passage], None]


class Unsaid(UsageError):
    """A class that nobody chose; no file of a folder can do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """What files are sent through, and how.

    Attributes:
        seed: of the noise.
        warn: told of files that fail among others, and of those that are other than the training's.
        watch: told how far it is whenever a file is read.
        overwrite: put what is made in the place of files that are there.
    """

    sampler: Sampler
    modality: Modality
    task: Task
    game: Game
    given: Mapping[str, str | float]
    seed: int
    warn: Callable[[str], None]
    watch: Watch
    overwrite: bool = False

    def to(self, source: Path, out: Path) -> list[Path]:
        """Send a file, or every file of a folder, through the generator; returns what was written.

        Of a folder, a file that fails is named through `warn`, and the others are done.

        Raises:
            UsageError: the modality's files are no streams, there is no such label or class, one is left unsaid, the
                source is not there, or the output is there already.
            DataError: the file cannot be read, or no file of the folder.
        """
        if self.modality.open is None or self.modality.create is None:
            raise UsageError(
                f"{self.modality} has no files that can be read and written as a stream; leave --source out"
            )
        if not source.exists():
            raise UsageError(f"there is no file or folder at {source}; check the spelling")
        if not (source.is_file() or source.is_dir()):
            raise UsageError(f"{source} is a pipe or a device; give a file or a folder")
        self.sampler.check_given(self.given)
        if self._is_one(source):
            return [self._one(source, out / source.name if out.is_dir() else out, 1, 1)]
        _make_folder(out)
        files = [path for path in sorted(source.iterdir()) if not path.name.startswith(".") and self._is_one(path)]
        written, failures = [], []
        for number, path in enumerate(files, 1):
            try:
                written.append(self._one(path, out / path.name, number, len(files)))
            except Unsaid:
                raise
            except WganxError as error:
                failures.append(on_a_line(f"{path.name}: {error}"))
                self.warn(failures[-1])
        if not written:
            why = f"none of its {len(files)} files could be used; {failures[0]}" if failures else "it holds no file"
            if not failures and any(path.is_dir() for path in source.iterdir()):
                why += ", and the folders in it are not looked into; name one of them"
            raise DataError(f"{source}: {why}")
        return written

    def _is_one(self, path: Path) -> bool:
        if path.is_file():
            return True
        return self.modality.folder_is_one is not None and bool(call(self.modality, "folder_is_one", path))

    def _one(self, path: Path, target: Path, number: int, files: int) -> Path:
        if target.is_dir() or (target.exists() and not self.overwrite):
            raise UsageError(
                f"{target} is there already; give another --out, or --overwrite to put it in place of a file"
            )
        if target.exists() and target.samefile(path):
            raise UsageError(f"{target} is the source itself; give another --out")
        _make_folder(target.parent)
        source: Source = call(self.modality, "open", path)

        def passed(done: int) -> None:
            self.watch(Passage(file=path, number=number, files=files, done=done, length=source.length))

        try:
            if not self.game.takes_any_rate and (told := _other_rate(source, self.sampler)):
                self.warn(f"{path} {told}")
            self._write_aside(source, path, target, passed)
            passed(source.length)
        finally:
            # Of a folder of films, each would stay open until the interpreter cleans up.
            if callable(close := getattr(source, "close", None)):
                with calling(self.modality, "close"):
                    close()
        return target

    def _write_aside(self, source: Source, path: Path, target: Path, passed: Callable[[int], None]) -> None:
        """What is made of `source`, under its final name once it is whole and not before."""
        # With the ending that encoders go by, and hidden until it is whole.
        aside = target.with_name(f".{target.stem}.writing{target.suffix}")
        _remove(aside)
        sink = call(self.modality, "create", aside, source)
        try:
            with calling(self.task, "apply"):
                self.game.apply(_Watched(source, passed), self._make(), sink)
            with calling(self.modality, "close"):
                sink.close()
            if not aside.exists():
                raise DataError(f"{self.modality} wrote nothing for {path}")
            for written in (*(aside.rglob("*") if aside.is_dir() else ()), aside):
                sync(written)
            take_place(aside, target)
        except BaseException:
            with suppress(Exception):
                sink.close()
            _remove(aside)
            raise

    def _make(self) -> Make:
        """The generator for one file, whose windows draw noise of their own; the whole follows from the seed."""
        calls = 0

        def make(context: Mapping[str, Tensor], /, *, draw: int | None = None) -> Tensor:
            nonlocal calls
            self._refuse_unsaid(context)
            rows = len(next(iter(context.values()))) if context else 1
            noise = None
            if draw is None:
                calls += 1
            elif self.sampler.noise is not None:
                one = torch.randn(1, *self.sampler.noise, generator=torch.Generator().manual_seed(self.seed + draw))
                noise = one.expand(rows, *self.sampler.noise)
            seed = self.seed + (calls - 1 if draw is None else draw)
            return self.sampler.draw(rows, seed=seed, given=self.given, context=context, noise=noise)

        return make

    def _refuse_unsaid(self, context: Mapping[str, Tensor]) -> None:
        """Raises Unsaid where a class was left to the sampler: each window would be of another one."""
        unsaid = {
            name: a_few("", "", format.classes)
            for name, format in self.sampler.context.items()
            if format.is_label and len(format.classes) > 1 and name not in self.given and name not in context
        }
        if not unsaid:
            return
        if len(unsaid) == 1:
            ((name, classes),) = unsaid.items()
            also = ", also where it is to stay, which no file says of itself" if self.given else ""
            raise Unsaid(f"say which {name} is wanted: --given {name}=..., and there are: {classes}{also}")
        choices = "; ".join(f"--given {name}=..., and there are: {classes}" for name, classes in unsaid.items())
        raise Unsaid(
            f"say which {a_few('', '', list(unsaid))} are wanted, also where they are to stay, which no file says of "
            f"itself: {choices}"
        )


class _Watched:
    """A source that tells how far it is whenever it is read: what lies before that piece is done with."""

    def __init__(self, source: Source, passed: Callable[[int], None]) -> None:
        self._source, self._passed = source, passed
        self.format, self.length = source.format, source.length

    def read(self, start: int, count: int) -> Tensor:
        self._passed(start)
        return self._source.read(start, count)

    def close(self) -> None:
        """It is closed by who opened it."""

    def __getattr__(self, name: str) -> Any:
        # What else the modality's own sources have, such as the times of frames.
        return getattr(self._source, name)


def _other_rate(source: Source, sampler: Sampler) -> str | None:
    """That a file runs at another rate than all the generator knows, which makes of it something else."""
    formats = [format for format in (sampler.sample, *sampler.context.values()) if format is not None]
    known = sorted({format.rate_hz for format in formats if format.rate_hz is not None})
    if not known or source.format.rate_hz is None or source.format.rate_hz in known:
        return None
    trained = " or ".join(f"{rate:g}" for rate in known)
    return f"has {source.format.rate_hz:g} a second, and the generator was trained on {trained}; resample it first"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror or error}; give another --out") from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
