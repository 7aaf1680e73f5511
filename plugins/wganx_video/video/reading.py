"""Films of any kind as uint8 tensors: what a file is, is told by its content."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from wganx import DataError
from wganx_video.video.header import Frames, Header
from wganx_video.video.picture_files import OpenPictureFiles, PictureFiles
from wganx_video.video.sniffing import ARRAYS, PICTURES, kind_of

__all__ = ["Frames", "Header", "open_video"]


def open_video(
    source: Path | BinaryIO,
    name: str = "",
    *,
    layout: str | None = None,
    value_range: tuple[float, float] | None = None,
    threads: int = 1,
) -> Frames:
    """A film, to be read at any place: a context manager.

    Args:
        source: a file, a folder of pictures that are its frames, or the content of a file, opened and seekable. What
            is given opened is closed with the film.
        name: what it is called in messages; its path by default.
        layout: order of the axes of an array, such as ``"TCHW"`` or ``"THW"``; where it is left out, the axis of the
            channels is the shorter of the second and the last.
        value_range: what becomes 0 and 255, of arrays of other types than uint8.
        threads: that decode a compressed film; 0 for one a core.

    Raises:
        DataError: this is no film that can be read whole; says what it is, what of it is there, and the mend.
        MissingExtra: the film is compressed, and PyAV is not installed.
    """
    if isinstance(source, Path):
        name = name or str(source)
        if source.is_dir():
            from wganx_video.video.frames import OpenFolder

            return OpenFolder(source, name)
        try:
            source = source.open("rb")
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror or error}") from error
    name = name or str(getattr(source, "name", "the film"))
    file = source
    if isinstance(file, PictureFiles):
        return OpenPictureFiles(file, name)
    try:
        return _opened(file, name, layout, value_range, threads)
    except BaseException:
        file.close()
        raise


def _opened(
    file: BinaryIO, name: str, layout: str | None, value_range: tuple[float, float] | None, threads: int
) -> Frames:
    kind = kind_of(file, name)
    if kind in PICTURES:
        from wganx_video.video.pictures import OpenPictures

        return OpenPictures(file, name, kind)
    if kind in ARRAYS:
        from wganx_video.video.arrays import OpenArray

        return OpenArray(file, name, kind, layout=layout, value_range=value_range)
    from wganx_video.video.pyav import OpenFilm

    return OpenFilm(file, name, kind, threads=threads)
