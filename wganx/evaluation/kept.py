"""What was found once about a dataset and is kept on disk: floors, baselines, and what extractors learnt.

An entry is named by everything it depends on: another name, other numbers.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from wganx.places import cache_folder
from wganx.storage import write_whole

log = logging.getLogger(__name__)


class Kept:
    """Entries under ``evaluated`` in the cache folder. A cache that cannot be written costs the time of finding again.

    Args:
        about: what all entries depend on: the data's fingerprints, the task, versions.
    """

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = dict(about)

    def numbers(
        self, what: Mapping[str, Any], code: Sequence[object], find: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """Plain data that `find` gives, found once for everything in `what` and the code of functions and classes."""
        entry = self._entry(what, code, ".json")
        if entry is not None:
            try:
                found: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
                return found
            except (OSError, ValueError):
                pass
        found = find()
        _write(entry, json.dumps(found))
        return found

    def tensors(
        self, what: Mapping[str, Any], code: Sequence[object], find: Callable[[], Mapping[str, Tensor]]
    ) -> Mapping[str, Tensor]:
        """Tensors by name that `find` gives, on the CPU, likewise."""
        from safetensors import SafetensorError
        from safetensors.torch import load, save

        entry = self._entry(what, code, ".safetensors")
        if entry is not None:
            try:
                return load(entry.read_bytes())
            except (OSError, SafetensorError):
                pass
        found = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in find().items()}
        _write(entry, save(found))
        return found

    def _entry(self, what: Mapping[str, Any], code: Sequence[object], suffix: str) -> Path | None:
        digests = [code_digest(each) for each in code]
        if None in digests:  # whose code is not known may have changed
            return None
        named = json.dumps([self._about, dict(what), digests], sort_keys=True, default=str)
        try:
            return cache_folder() / "evaluated" / f"{hashlib.sha256(named.encode('utf-8')).hexdigest()[:32]}{suffix}"
        except OSError:
            return None


def code_digest(thing: object) -> str | None:
    """A digest of the package that a function or class comes from, all of its source; None where there is no file."""
    top = sys.modules.get(str(getattr(thing, "__module__", "")).partition(".")[0])
    file = getattr(top, "__file__", None)
    if file is None or getattr(top, "__name__", "") == "__main__":
        return None
    path = Path(file)
    files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    found = hashlib.sha256()
    try:
        for each in files:
            found.update(each.read_bytes())
    except OSError:
        return None
    return found.hexdigest()


def _write(entry: Path | None, content: str | bytes) -> None:
    if entry is None:
        return
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_whole(entry, content)
    except OSError as error:
        log.info("%s cannot be written: %s", entry, error)
