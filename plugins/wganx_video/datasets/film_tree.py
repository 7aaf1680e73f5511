"""The films of a folder or an archive: a folder of pictures is one of them."""

from __future__ import annotations

import io
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from wganx import DataError
from wganx.data import FileTree
from wganx_video.configs.datasets import FILMS, FRAMES, MENDS
from wganx_video.video.frames import natural
from wganx_video.video.picture_files import PictureFiles

_ANIMATED = 0x02
"""Among the flags in the extended header of WebP."""


Group = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]


class FilmTree(FileTree):
    """Films by their relative paths; that of a film of pictures is its folder's, ``.`` for the root itself.

    Two pictures or more in a folder are the frames of a film in the natural order of their names, unless films lie
    beside them, which they then only illustrate. Moving WebP are films of their own.

    Attributes:
        pictures: the frames of each film of pictures, by its path.
    """

    def __init__(self, path: Path, tables: Iterable[str] = (), group: Group | None = None) -> None:
        """Lists `path`.

        Args:
            path: a folder, or a zip archive of one.
            tables: endings of files that say something of the films.
            group: says which of the pictures are the frames of which films, in order; those of a folder by default.

        Raises:
            DataError: the path does not exist, cannot be read, or holds no film.
        """
        super().__init__(path, (*FILMS, *FRAMES, *tables), MENDS)
        pictures = [name for name in self.paths if name.lower().endswith(FRAMES)]
        moving = self._moving(pictures)
        files = [name for name in self.paths if not name.lower().endswith(FRAMES)] + sorted(moving)
        pictures = [name for name in pictures if name not in moving]
        beside = {_folder(name) for name in files if name.lower().endswith((*FILMS, ".webp"))}
        films = group(pictures) if group is not None else _by_folder(pictures, beside)
        self.pictures: Mapping[str, tuple[str, ...]] = {film: tuple(names) for film, names in films.items()}
        self._lengths = {film: tuple(self.sizes[name] for name in names) for film, names in self.pictures.items()}
        self._leave_out(set(pictures).difference(*self.pictures.values()))
        kept = {name: (self.sizes[name], self.stamps[name]) for name in files}
        kept |= {film: (sum(self._lengths[film]), self._stamp(names)) for film, names in self.pictures.items()}
        if not kept:
            raise DataError(
                f"{path} holds no film: each of its pictures lies by itself, and a film of pictures has two or more in "
                "one folder"
            )
        self.paths = tuple(sorted(kept))
        self.sizes = {name: kept[name][0] for name in self.paths}
        self.stamps = {name: kept[name][1] for name in self.paths}

    def open(self, path: str) -> BinaryIO:
        """A film as `FileTree.open` opens a file; one of pictures as `PictureFiles`."""
        if path not in self.pictures:
            return super().open(path)
        return cast(BinaryIO, PictureFiles(self.pictures[path], self._picture, self._lengths[path]))

    def seeks_at_once(self, path: str) -> bool:
        return path in self.pictures or super().seeks_at_once(path)

    def _picture(self, name: str) -> BinaryIO:
        return super().open(name) if super().seeks_at_once(name) else io.BytesIO(self.read(name))

    def _stamp(self, names: Sequence[str]) -> int:
        told = "".join(f"{name}\0{self.sizes[name]}\0{self.stamps[name]}\0" for name in names)
        return zlib.crc32(told.encode("utf-8", "surrogateescape"))

    def _leave_out(self, names: Iterable[str]) -> None:
        self.skipped = Counter(self.skipped) + Counter(PurePosixPath(name).suffix.lower() for name in names)

    def _moving(self, pictures: Sequence[str]) -> set[str]:
        """Those that are films themselves. One of a folder speaks for all: nobody mixes them."""
        first: dict[str, str] = {}
        webp = [name for name in pictures if name.lower().endswith(".webp")]
        for name in webp:
            first.setdefault(_folder(name), name)
        folders = {folder for folder, name in first.items() if self._moves(name)}
        return {name for name in webp if _folder(name) in folders}

    def _moves(self, name: str) -> bool:
        with self._picture(name) as file:
            start = file.read(21)
        return start[12:16] == b"VP8X" and bool(start[20] & _ANIMATED)


def _by_folder(pictures: Sequence[str], beside: Container[str]) -> dict[str, list[str]]:
    """The pictures of each folder, where there are two and no film lies beside them."""
    together: defaultdict[str, list[str]] = defaultdict(list)
    for name in pictures:
        together[_folder(name)].append(name)
    return {
        folder: sorted(names, key=natural)
        for folder, names in together.items()
        if len(names) > 1 and folder not in beside
    }


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)
