"""A run fetched from the Hub: every file is looked at by name, size and hash before it is taken; none is executed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from wganx.errors import ConfigError, UsageError, WganxError
from wganx.hub.cleaning import clean_config, file_plugins, with_files_in
from wganx.hub.client import open_hub, speaking
from wganx.hub.contents import PATTERNS, Entry, check_name, chosen
from wganx.plain import mapping, printable
from wganx.report.wording import size_in_words
from wganx.storage import json_text, whole_folder, write_whole
from wganx.yaml_text import parse

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Pulled:
    """What was fetched.

    Attributes:
        folder: the run folder that was made of it.
        repository: where it came from, as ``OWNER/NAME``.
        revision: the commit.
        files: how many.
        size: bytes of all of them.
        needs: plugins that are not here and draw from it: as they are named, or where a file has to lie.
    """

    folder: Path
    repository: str
    revision: str
    files: int
    size: int
    needs: tuple[str, ...] = ()


def pull(
    repository: str,
    *,
    revision: str | None = None,
    out: str | Path | None = None,
    endpoint: str | None = None,
) -> Pulled:
    """Make a run folder of what ``wganx push`` sent; what ``wganx pull`` does.

    It is there whole or not at all. What was begun is gone on with by the next call, from the Hub's cache, which also
    serves where ``HF_HUB_OFFLINE`` is set.

    Args:
        repository: ``OWNER/NAME``.
        revision: a branch, a tag or a commit; ``main`` by default.
        out: the folder to make; ``NAME`` by default.
        endpoint: of the Hub; ``HF_ENDPOINT``, or the public one, by default.

    Raises:
        UsageError: a name that is none, no such repository or revision, or `out` is taken.
        MissingExtra: huggingface_hub is not installed.
        WganxError: the Hub cannot be reached, what came is not what it said, or the repository holds no run, or things
            that no run has.
    """
    check_name(repository)
    target = Path(out if out is not None else repository.partition("/")[2])
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise UsageError(f"{target} is there already; give another --out")
    hub = open_hub(endpoint)
    with speaking(hub, repository, sending=False):
        fetched, entries = _fetch(hub, repository, revision, target)
        with whole_folder(target) as aside:
            for entry in entries:
                _take(fetched, entry, aside, repository)
            try:
                needs = _settle(aside, target, repository, fetched.name)
            except RecursionError as error:
                raise WganxError(f"the records of {repository} are nested too deep; nothing was taken") from error
    return Pulled(target, repository, fetched.name, len(entries), sum(entry.size or 0 for entry in entries), needs)


def _fetch(hub: HfApi, repository: str, revision: str | None, target: Path) -> tuple[Path, list[Entry]]:
    """Where the files lie in the Hub's cache, and which of them are taken."""
    from huggingface_hub.constants import is_offline_mode

    named: dict[str, Any] = {"repo_id": repository, "revision": revision}
    if is_offline_mode():
        fetched = Path(hub.snapshot_download(**named, local_files_only=True, allow_patterns=list(PATTERNS)))
        return fetched, chosen(_lying(fetched), repository)
    info = hub.model_info(**named, files_metadata=True)
    entries = chosen(
        [
            Entry(each.rfilename, each.size, each.lfs.sha256 if each.lfs else None, None if each.lfs else each.blob_id)
            for each in info.siblings or ()
        ],
        repository,
    )
    size, parent = sum(entry.size or 0 for entry in entries), _that_is_there(target)
    if (free := shutil.disk_usage(parent).free) < size:
        raise WganxError(
            f"{repository} has {size_in_words(size)}, and {size_in_words(free)} are free below {parent}; make room"
        )
    fetched = Path(hub.snapshot_download(**named, allow_patterns=[entry.path for entry in entries]))
    if fetched.name != info.sha:
        raise WganxError(f"{repository} was changed while it was fetched; try again")
    return fetched, entries


def _lying(fetched: Path) -> list[Entry]:
    """The files of a folder of the cache, by what they are links to."""
    found = [path for path in sorted(fetched.rglob("*")) if path.is_file()]
    return [Entry(path.relative_to(fetched).as_posix(), path.stat().st_size) for path in found]


def _take(fetched: Path, entry: Entry, aside: Path, repository: str) -> None:
    """Copy one file out of the cache, if it is what the Hub said."""
    source = fetched / entry.path
    if not source.resolve().is_relative_to(fetched.parents[1].resolve()):
        raise WganxError(f"{entry.path} of {repository} leads out of the cache of the Hub; nothing was taken")
    if not source.is_file():
        raise WganxError(f"{entry.path} of {repository} did not come; try again")
    copy = aside / entry.path
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, copy)
    size = copy.stat().st_size
    if size == entry.size and _is_what_was_said(copy, entry, size):
        return
    source.resolve().unlink(missing_ok=True)  # or every further call would be given the same
    raise WganxError(f"{entry.path} of {repository} came damaged: its hash is another than the Hub says; try again")


def _is_what_was_said(path: Path, entry: Entry, size: int) -> bool:
    if entry.sha256 is not None:
        return _sha256(path) == entry.sha256
    if entry.git is None:
        return True
    return hashlib.sha1(b"blob %d\0" % size + path.read_bytes(), usedforsecurity=False).hexdigest() == entry.git


def _settle(aside: Path, target: Path, repository: str, revision: str) -> tuple[str, ...]:
    """See that records are plain and weights whole, note where they came from; returns the plugins that are missing.

    A plugin that is a file is looked for in the run folder, which never holds one: so nothing is run that lies about
    by the name a stranger chose. For the same reason a path of a stranger's machine is none of this one.
    """
    config, facts = _read(aside / "config.yaml", repository), _read(aside / "run.json", repository)
    if not isinstance(config.get("extensions") or [], list):
        raise WganxError(f"config.yaml of {repository} names extensions that are no list; nothing was taken")
    plugins: list[dict[str, Any]] = []
    for path in sorted(aside.glob("checkpoints/*/state.json")):
        state, weights = _read(path, repository), path.with_name("weights.safetensors")
        if not weights.is_file() or _sha256(weights) != mapping(state.get("digests")).get(weights.name):
            raise WganxError(
                f"{repository} holds weights that are not those its state.json tells of; nothing was taken"
            )
        listed = mapping(state.get("about")).get("plugins")
        own = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        for plugin in own:
            name, file = str(plugin.get("name")), plugin.get("file")
            if not _WORD.fullmatch(name) or name.endswith(".py"):
                raise WganxError(f"state.json of {repository} names a plugin {printable(name)!r}; nothing was taken")
            if file is not None:
                plugin["file"] = f"{_shown(target)}/{name}.py"
        plugins += own
        write_whole(path, json_text(state, indent=1, readable=True) + "\n")
    settled = with_files_in(clean_config(config), _shown(target))
    write_whole(aside / "config.yaml", yaml.safe_dump(settled, sort_keys=False, allow_unicode=True))
    came = {"repository": repository, "revision": revision}
    write_whole(aside / "run.json", json_text({**facts, "pulled": came}, indent=2, readable=True) + "\n")
    return tuple(dict.fromkeys([*file_plugins(settled), *_not_installed(plugins)]))


def _not_installed(plugins: Sequence[Mapping[str, Any]]) -> list[str]:
    """Plugins that a checkpoint was made with and that are not here, as ``name (distribution version)``."""
    from wganx.plugins import discover

    there = {found.name for found in discover()}
    return [
        printable(f"{plugin.get('name')} ({plugin.get('distribution')} {plugin.get('version')})")
        for plugin in plugins
        if plugin.get("file") is None and plugin.get("name") not in there
    ]


def _read(path: Path, repository: str) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else _plain_yaml(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError, ConfigError) as error:
        raise WganxError(f"{path.name} of {repository} cannot be read; nothing was taken") from error
    if not isinstance(found, dict):
        raise WganxError(f"{path.name} of {repository} does not hold a mapping; nothing was taken")
    return found


def _plain_yaml(text: str) -> Any:
    """A document that names nothing twice: a few lines of aliases would be billions of values."""
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
        raise ValueError("it has aliases")
    return parse(text, lambda line: f"line {line}", {})


def _shown(folder: Path) -> str:
    return Path(os.path.abspath(folder)).as_posix()  # noqa: PTH100 - a link that is the user's stays one


def _that_is_there(path: Path) -> Path:
    """The nearest folder above that exists."""
    above = Path(_shown(path))
    while not above.exists():
        above = above.parent
    return above


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
