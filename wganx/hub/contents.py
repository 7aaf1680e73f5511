"""What the repository of a run holds: files by name and size. Whatever else lies there is not taken.

All of it is data: JSON, YAML, Markdown, safetensors, pictures, sounds and films. A repository that holds a file which
may run code when it is loaded was not written by ``wganx push``, and nothing of it is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from wganx.errors import UsageError, WganxError
from wganx.plain import printable
from wganx.report.wording import size_in_words

CARD = "README.md"
MEDIA = ("png", "jpg", "wav", "flac", "mp4", "webm", "gif")
_MB = 1_000_000
_LARGEST = {
    r"README\.md|config\.yaml|run\.json": 2 * _MB,
    r"evaluation\.json": 16 * _MB,
    r"fitted\.safetensors": 4_000 * _MB,
    r"checkpoints/step-[0-9]{6,12}/state\.json": 64 * _MB,
    r"checkpoints/step-[0-9]{6,12}/weights\.safetensors": 20_000 * _MB,
    rf"samples/[A-Za-z0-9_-][A-Za-z0-9._-]{{0,100}}\.(?:{'|'.join(MEDIA)})": 64 * _MB,
}
_MOST = 64
_CODE = frozenset((
    "py", "pyc", "pyd", "pyw", "ipynb", "pkl", "pickle", "pt", "pth", "bin", "ckpt", "joblib", "dill", "npy", "npz",
    "h5", "hdf5", "keras", "mat", "so", "dll", "dylib", "exe", "sh", "bat", "cmd", "ps1", "js", "jar", "whl",
))  # fmt: skip
"""Endings of what is code, or may run code where it is loaded as its makers load it."""

PATTERNS = (CARD, "config.yaml", "run.json", "evaluation.json", "fitted.safetensors", "checkpoints/*", "samples/*")

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Entry:
    """A file of a repository, as the Hub lists it.

    Attributes:
        path: in the repository.
        size: bytes; None where it is not told.
        sha256: of what the Hub stores apart (LFS), or None.
        git: the hash git gives to what it stores itself, or None.
    """

    path: str
    size: int | None
    sha256: str | None = None
    git: str | None = None


def check_name(repository: str) -> str:
    """`repository`, if it is a name of the form OWNER/NAME that the Hub takes.

    Raises:
        UsageError: it is none.
    """
    owner, slash, name = repository.partition("/")
    for part in (owner, name):
        if not slash or not _NAME.fullmatch(part) or "--" in part or ".." in part or part.endswith(".git"):
            raise UsageError(
                f"{printable(repository)!r} is no name of a repository: write OWNER/NAME, for example anna/faces; "
                "letters, digits and single . _ - between them, at most 96 of each"
            )
    return repository


def belongs(path: str) -> bool:
    """Whether a file of that name is part of a pushed run."""
    return _largest(path) is not None


def foreign_code(paths: Iterable[str]) -> str | None:
    """The first file that is code or may run some, or None."""
    return next((path for path in sorted(paths) if PurePosixPath(path).suffix[1:].lower() in _CODE), None)


def chosen(entries: Sequence[Entry], repository: str) -> list[Entry]:
    """What is taken of the files of a repository.

    Raises:
        WganxError: it holds no run; or something that no pushed run has: code, a path that leads elsewhere, too much.
    """
    listed = {entry.path: entry for entry in entries}
    for path in listed:
        if _leads_elsewhere(path):
            raise WganxError(
                f"{repository} holds {printable(path)!r}, a path that leads out of its folder; nothing was taken"
            )
    if (code := foreign_code(listed)) is not None:
        raise WganxError(
            f"{repository} holds {printable(code)}, which is code or may run some where it is loaded, and no run that "
            "wganx pushed has such a file; nothing was taken"
        )
    found = [entry for entry in entries if belongs(entry.path)]
    for entry in found:
        limit = _largest(entry.path) or 0
        if entry.size is None or entry.size > limit:
            told = "of untold size" if entry.size is None else f"of {size_in_words(entry.size)}"
            raise WganxError(
                f"{repository} holds {entry.path} {told}, and at most {size_in_words(limit)} are taken of it; "
                "nothing was taken"
            )
    if len(found) > _MOST:
        raise WganxError(f"{repository} holds {len(found)} files of a run, and at most {_MOST} are taken")
    steps = {folder for entry in found if (folder := entry.path.rpartition("/state.json")[0])}
    whole = [step for step in steps if f"{step}/weights.safetensors" in listed]
    missing = next((name for name in ("config.yaml", "run.json") if name not in listed), None)
    if missing or not whole:
        raise WganxError(f"{repository} holds no run of wganx: it has no {missing or 'checkpoint'}")
    return found


def _largest(path: str) -> int | None:
    return next((limit for name, limit in _LARGEST.items() if re.fullmatch(name, path)), None)


def _leads_elsewhere(path: str) -> bool:
    parts = re.split(r"[/\\]", path)
    return path.startswith(("/", "\\", "~")) or ".." in parts or ":" in parts[0] or not path.isprintable()
