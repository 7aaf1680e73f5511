"""The rules of Windows for files, held on another system: in a process of its own, whatever breaks one is refused.

An audit hook sees what Python is about to do to a file. As on Windows, what is open or mapped, here or below, is
neither renamed nor removed; nothing takes the place of a folder; folders are not opened; there are no links; and names
without a place there (of devices, with characters that are none there, that end in a dot or a space) are not made. What
C code does by itself is seen in the names alone, by `strange_names`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_CHARACTERS = re.compile(r'[<>:"|?*\\\x00-\x1f]')
LONGEST = 160
"""Characters below a run's folder, so that of the 260 of a path 100 are left for the folder itself."""


def is_strange(name: str) -> bool:
    """Whether Windows has no file of that name."""
    return bool(_DEVICES.fullmatch(name) or _CHARACTERS.search(name) or name.endswith((".", " ")))


def strange_names(folder: Path) -> list[str]:
    """Below `folder`: names without a place on Windows, two that differ in case alone, and paths that are too long."""
    found, seen = [], set()
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder).as_posix()
        if is_strange(path.name) or below.casefold() in seen or len(below) > LONGEST:
            found.append(below)
        seen.add(below.casefold())
    return found


def refuse(below: Path) -> None:
    """From here on this process is held to the rules, below that folder."""
    shutil._use_fd_functions = False  # type: ignore[attr-defined]  # Windows has no folders as descriptors
    home = os.path.realpath(below) + os.sep

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CHECKS:
            return
        paths = [Path(each).absolute() for each in arguments[:2] if isinstance(each, (str, os.PathLike))]
        if paths and str(paths[0]).startswith(home):
            _CHECKS[event](paths, arguments)

    sys.addaudithook(hook)


def _opened(paths: list[Path], arguments: tuple[Any, ...]) -> None:
    if arguments[2] & os.O_CREAT:
        _check_name(paths[0])
    elif paths[0].is_dir():
        raise PermissionError(13, "Access is denied: it is a folder", str(paths[0]))


def _made(paths: list[Path], arguments: tuple[Any, ...]) -> None:
    _check_name(paths[0])


def _renamed(paths: list[Path], arguments: tuple[Any, ...]) -> None:
    source, target = paths
    _check_name(target)
    if target.is_dir():
        raise FileExistsError(17, "Cannot create a file when that file already exists", str(target))
    for path in (source, target):
        _check_closed(path)


def _removed(paths: list[Path], arguments: tuple[Any, ...]) -> None:
    _check_closed(paths[0])


def _linked(paths: list[Path], arguments: tuple[Any, ...]) -> None:
    raise OSError(1, "A required privilege is not held by the client", str(paths[-1]))


_CHECKS = {
    "open": _opened, "os.mkdir": _made, "os.rename": _renamed, "os.remove": _removed, "os.rmdir": _removed,
    "os.link": _linked, "os.symlink": _linked,
}  # fmt: skip


def _check_name(path: Path) -> None:
    if is_strange(path.name):
        raise OSError(22, "The filename, directory name, or volume label syntax is incorrect", str(path))


def _check_closed(path: Path) -> None:
    place = os.path.realpath(path.parent) + os.sep + path.name
    for one in opened():
        if one == place or one.startswith(place + os.sep):
            raise PermissionError(13, "The process cannot access the file because it is being used", str(path))


def opened() -> Iterator[str]:
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # that of this listing
            yield str(number.readlink())
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if "/" in line:
            yield line[line.index("/") :]
