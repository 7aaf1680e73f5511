"""Code that something stored names: it runs only where the user has agreed to this very file.

A run folder is data. Yet a configuration may name a file of code as its plugin, and who opens a run that came from
elsewhere would execute it. So code that a *file* names asks first; what the user names in this call does not, nor does
what is installed. An agreement is kept for the user, with the place where the file lies and the SHA-256 of it and of
the files below its folder that it imports (`wganx.imports`): who started a run goes on with it as ever, and code that
was altered or copied asks anew. What code reaches by a computed name, or executes out of data, is not looked into.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from wganx.errors import UsageError
from wganx.imports import with_imports
from wganx.names import at_home, shortened
from wganx.storage import write_whole

SCRIPTS = (".pt", ".ts", ".torchscript", ".jit", ".pt2")
"""Endings of networks as programs: TorchScript, which may read and write files, and torch.export."""
ALL = "WGANX_TRUST"
"""The environment variable that says ``--trust``, where it is 1; processes that a command starts are told by it."""
HANDED_ON = "WGANX_AGREED"
"""That by which they know of single files."""
_MOST = 1000
_Agreements = Mapping[str, str]

_all: ContextVar[bool] = ContextVar("trusting", default=False)
_here: dict[str, str] = {}
"""What was agreed to in this process: the SHA-256 by path."""


@contextmanager
def trusting(wanted: bool = True) -> Iterator[None]:
    """Inside, all code that is met is agreed to, where that is `wanted`; what ``--trust`` says."""
    before = _all.set(wanted or _all.get())
    try:
        yield
    finally:
        _all.reset(before)


def agree(path: Path) -> None:
    """The user named this file, or agreed to it: from now on it may run as it is now, also when something stored names
    it. Where the user has no folder that can be written, that holds for this process and those it starts."""
    place, digest = _place_and_digest(path)
    _here[place] = digest
    kept = _kept()
    if digest and kept.get(place) != digest:
        others = [(other, agreed) for other, agreed in kept.items() if other != place]
        text = json.dumps(dict([*others, (place, digest)][-_MOST:]), indent=1)
        with suppress(OSError):
            file = agreements_file()
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, text + "\n")
            file.chmod(0o600)


def agreed(path: Path) -> bool:
    """Whether the user has agreed to this file, where it lies and as it is."""
    place, digest = _place_and_digest(path)
    return bool(digest) and digest in (_here.get(place), _kept().get(place), _handed_on().get(place))


def check_code(path: Path, named_by: str) -> None:
    """
    Raises:
        UsageError: `named_by` is something stored, and the user has not agreed to the file that it names.
    """
    if _trusts_all():
        agree(path)
    elif path.is_file() and not agreed(path):
        beside = shortened(", ".join(str(other.relative_to(path.parent)) for other in with_imports(path)[1:]))
        it, also = ("them", f", and so would what it imports beside it ({beside})") if beside else ("it", "")
        raise UsageError(
            f"{named_by} names {path}, a file of code, which would be executed{also}; read {it}, and if you trust {it} "
            "say --trust (in Python trust=True)"
        )


def agreements_file() -> Path:
    """``wganx/agreed.json`` in ``$XDG_CONFIG_HOME``, ``~/.config`` or, on Windows, ``%APPDATA%``.

    Raises:
        OSError: the user has no home.
    """
    given = os.environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME", "")
    try:
        folder = Path(given) if Path(given).is_absolute() else Path.home() / ".config"
    except RuntimeError as error:
        raise OSError("there is no home folder") from error
    return folder / "wganx" / "agreed.json"


def for_others() -> dict[str, str]:
    """What the environment of a process that this one starts tells it of what was agreed to."""
    told = {**_handed_on(), **_here}
    everything = {ALL: "1"} if _trusts_all() else {}
    return {**everything, HANDED_ON: json.dumps(told)} if told else everything


def _trusts_all() -> bool:
    return _all.get() or os.environ.get(ALL) == "1"


def _place_and_digest(path: Path) -> tuple[str, str]:
    """Where a file really lies, and its SHA-256; no digest where it cannot be read.

    Where it imports files below its folder, that of a list of them all, a line each.
    """
    place = at_home(path).resolve()
    try:
        if not place.is_file():
            return str(place), ""
        digests = {file.relative_to(place.parent).as_posix(): _sha256(file) for file in with_imports(place)}
    except OSError:
        return str(place), ""
    if len(digests) == 1:
        return str(place), digests[place.name]
    listed = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    return str(place), hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kept() -> _Agreements:
    """What the user agreed to before; nothing that others could have written."""
    try:
        file = agreements_file()
        facts = file.stat()
        if os.name == "posix" and (facts.st_uid != getattr(os, "getuid", int)() or facts.st_mode & 0o002):
            return {}
        return _texts(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _handed_on() -> _Agreements:
    try:
        return _texts(os.environ.get(HANDED_ON, "{}"))
    except ValueError:
        return {}


def _texts(text: str) -> _Agreements:
    found: Any = json.loads(text)
    if not isinstance(found, dict):
        return {}
    return {place: digest for place, digest in found.items() if isinstance(digest, str)}
