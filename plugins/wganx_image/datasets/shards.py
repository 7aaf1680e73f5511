"""Tar archives whose members are the files of samples: which samples they hold, found without unpacking."""

from __future__ import annotations

import io
import itertools
import os
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from wganx import DataError
from wganx.data import FileTree, on_a_line

_PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


@dataclass(frozen=True, slots=True)
class Member:
    """A file within a shard: where it begins, and how long it is."""

    begin: int
    size: int


Sample = Mapping[str, Member]
"""The files of one sample by their endings: ``{"jpg": ..., "cls": ..., "json": ...}``."""


class ShardTree(FileTree):
    """The pictures of several shards, read as if each were a file below a folder named as its shard.

    Attributes:
        samples: the other files of each picture's sample, by the picture's path.
        cut_short: shards that end before their last file does, with the reason.
        left_out: pictures that are not the first of their sample.
    """

    def __init__(self, pattern: Path, suffixes: Sequence[str]) -> None:
        """
        Raises:
            DataError: no such shard, none that can be read, or none that holds pictures.
        """
        shards = shards_at(pattern)
        self.root, self.suffixes = _common(shards), tuple(suffixes)
        self.samples: dict[str, Sample] = {}
        self.cut_short: dict[str, str] = {}
        self.left_out: list[str] = []
        self._shard_of: dict[str, Path] = {}
        self._picture: dict[str, Member] = {}
        self.skipped, self.skipped_runs = {}, ()
        stamps = {}
        for shard in shards:
            status = shard.stat()
            samples, reason = _indexed(shard, status.st_size, status.st_mtime_ns)
            name = on_a_line(shard.relative_to(self.root).as_posix())
            if reason:
                self.cut_short[name] = reason
            for key, sample in samples.items():
                pictures = [ending for ending in sample if f".{ending.rpartition('.')[2]}" in self.suffixes]
                for ending in pictures[:1]:
                    path = f"{name}/{key}.{ending}"
                    self.samples[path], self._shard_of[path] = sample, shard
                    self._picture[path] = sample[ending]
                    stamps[path] = status.st_mtime_ns
                self.left_out += [f"{name}/{key}.{ending}" for ending in pictures[1:]]
        if not self.samples:
            raise DataError(
                f"{pattern} holds no pictures in {len(shards)} shard{'s' * (len(shards) != 1)}; members ending in "
                f"{' or '.join(suffixes)} are wanted" + "".join(f"; {why}" for why in self.cut_short.values())
            )
        self.paths = tuple(sorted(self.samples))
        self.sizes = {path: self._picture[path].size for path in self.paths}
        self.stamps = stamps

    def read(self, path: str) -> bytes:
        return self._content(self._shard_of[path], self._picture[path])

    def beside(self, path: str, ending: str) -> bytes:
        """Another file of a picture's sample."""
        return self._content(self._shard_of[path], self.samples[path][ending])

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self.read(path))

    def seeks_at_once(self, path: str) -> bool:
        return True

    def close(self) -> None:
        """Does nothing: no shard is held open."""

    @staticmethod
    def _content(shard: Path, member: Member) -> bytes:
        with shard.open("rb") as file:
            # Before it is read: memory is taken for as much as the heading promises.
            if member.begin + member.size > os.fstat(file.fileno()).st_size:
                raise DataError(f"the shard {shard.name} ends in the middle of it; get it again")
            file.seek(member.begin)
            return file.read(member.size)


def shards_at(pattern: Path) -> list[Path]:
    """The shards that a pattern means: a folder of them, one, ``train-{0000..0011}.tar``, ``*.tar``, several by ``::``.

    Raises:
        DataError: one of them is not there, is packed, or there is none.
    """
    shards: list[Path] = []
    # As a shell does it: where nobody is called so, the name stays, and is not there.
    for part in os.path.expanduser(pattern).split("::"):  # noqa: PTH111
        for name in expanded(part):
            path = Path(name)
            if path.is_dir():
                found = sorted(path.rglob("*.tar"))
            elif any(letter in name for letter in "*?["):
                found = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
            else:
                found = [path]
            if not found:
                raise DataError(_none_there(path))
            shards += found
    for shard in shards:
        if shard.name.lower().endswith(_PACKED):
            raise DataError(f"{shard} is packed, so that no place in it can be reached at once; unpack it to a .tar")
        if not shard.is_file():
            raise DataError(_none_there(shard))
    return list(dict.fromkeys(shards))


def expanded(pattern: str) -> list[str]:
    """Braces written out: ``a-{08..10}.{x,y}`` is ``a-08.x, a-08.y, a-09.x`` and so on."""
    parts = _BRACES.split(pattern)
    choices = [[part] if place % 2 == 0 else _choices(part) for place, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def _choices(inside: str) -> list[str]:
    if (ends := _RANGE.fullmatch(inside)) is None:
        return inside.split(",")
    first, last = ends.groups()
    step = 1 if int(first) <= int(last) else -1
    return [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + step, step)]


def _none_there(path: Path) -> str:
    return (
        f"no shard at {path}; dataset.root is a folder of .tar files, one of them, or a pattern such as "
        "data/train-{0000..0011}.tar, whose members are 000000.jpg, 000000.cls and so on"
    )


def _common(shards: Sequence[Path]) -> Path:
    folders = [shard.parent for shard in shards]
    return next(
        folder for folder in (folders[0], *folders[0].parents) if all(f.is_relative_to(folder) for f in folders)
    )


@lru_cache(maxsize=4096)  # both splits, and a listing, index the same shards
def _indexed(shard: Path, size: int, stamp: int) -> tuple[Mapping[str, Sample], str]:
    """The samples of a shard in their order, and why the rest of it cannot be read, if so."""
    samples: dict[str, dict[str, Member]] = {}
    reason, name = "", on_a_line(shard.name)
    try:
        for key, ending, member in _members(shard):
            samples.setdefault(key, {}).setdefault(ending, member)
            if member.begin + member.size > size:
                reason = f"{name} ends in the middle of {key}.{ending}; get it again"
    except (tarfile.TarError, EOFError, OSError) as error:
        reason = reason or f"{name} is no tar archive that can be read to its end ({error}); get it again"
    return samples, reason


def _members(shard: Path) -> Iterator[tuple[str, str, Member]]:
    """Key, ending and place of each file: the key goes up to the first dot of the name, as WebDataset has it."""
    with tarfile.open(shard, "r:", ignore_zeros=False) as archive:
        for info in archive:
            path = PurePosixPath(info.name)
            if not info.isreg() or path.name.startswith((".", "__")):
                continue
            stem, _, ending = path.name.partition(".")
            key = (path.parent / stem).as_posix().removeprefix("./")
            yield on_a_line(key), on_a_line(ending.lower()), Member(info.offset_data, info.size)
            archive.members.clear()  # type: ignore[attr-defined]  # or it keeps every one of them
