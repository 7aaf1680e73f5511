"""Where drawn samples are put: a folder of their own, so that no two draws lie in one."""

from __future__ import annotations

from pathlib import Path

from wganx.errors import UsageError


def own_folder(parent: Path, stem: str) -> Path:
    """A new folder under `parent`: `stem`, or the first of ``stem-2``, ``stem-3``, ... that is free."""
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def make_room(folder: Path, *, overwrite: bool) -> None:
    """Make `folder`, empty: of an earlier draw, the samples go where `overwrite` says so.

    Raises:
        UsageError: there are files in it already, and they may not go, or are not those of a draw.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, and samples are written into a folder; give another --out")
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.iterdir())
    if not found:
        return
    if not overwrite:
        raise UsageError(
            f"{folder} holds {found[0].name} already, and two draws in one folder cannot be told apart; give another "
            "--out, or --overwrite to put these in place of the samples there"
        )
    foreign = [path.name for path in found if not _drawn(path)]
    if foreign:
        raise UsageError(f"{folder} holds {foreign[0]}, which no draw wrote; nothing was removed; give another --out")
    for path in found:
        path.unlink()


def _drawn(path: Path) -> bool:
    """Whether a draw wrote it, or left it behind when it was killed: aside, as ``.grid.png.XXX.writing``."""
    name = Path(path.name[1:]).stem if path.name.startswith(".") and path.suffix == ".writing" else path.name
    whole = Path(name).stem if name != path.name else name
    return path.is_file() and (whole == "grid.png" or whole.startswith(("sample.", "sample-")))
