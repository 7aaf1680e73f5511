"""A run sent to the Hub: one commit, in which nothing is but what draws from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from wganx.errors import ConfigError, UsageError
from wganx.hub.client import check_login, host, open_hub, speaking
from wganx.hub.contents import CARD, belongs, check_name, foreign_code
from wganx.plain import printable
from wganx.report.card import model_card
from wganx.yaml_text import parse

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

    from wganx.hub.bundle import Bundle

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}")
_BLOCK = re.compile(r"\s*---[\r\n]+(.*?)[\r\n]+---[\r\n]*", re.DOTALL)
_MARK = re.compile(r"\n<!-- wganx ([0-9a-f]{64}) -->\s*\Z")
"""Ends a card that was written here: the hash of what stands before it, by which a change of it is seen."""


@dataclass(frozen=True)
class Pushed:
    """What was sent, or with a dry run what would be.

    Attributes:
        repository: where, as ``OWNER/NAME``.
        step: generator updates behind it.
        files: size by path in the repository, in bytes.
        files_needed: plugins that are files, and do not go along.
        labels: the classes of labels that go along, by their names.
        url: of the repository; None with a dry run.
        revision: the commit; None with a dry run.
        private: whether only its owner sees it; None with a dry run.
        removed: what an earlier push had left there and this one took away.
    """

    repository: str
    step: int
    files: dict[str, int]
    files_needed: tuple[str, ...]
    labels: dict[str, tuple[str, ...]]
    url: str | None = None
    revision: str | None = None
    private: bool | None = None
    removed: tuple[str, ...] = ()


def push(
    run: str | Path,
    repository: str,
    *,
    private: bool = False,
    checkpoint: str | int = "last",
    message: str | None = None,
    licence: str | None = None,
    dry_run: bool = False,
    endpoint: str | None = None,
    warn: Callable[[str], None] = print,
) -> Pushed:
    """Send what draws from a run to a model repository of the Hub; what ``wganx push`` does.

    Sent are the averaged generator of one checkpoint, ``config.yaml``, ``run.json``, what was fitted to the data,
    the numbers, a few samples drawn anew, and the model card as ``README.md``: without paths and names of the
    machine, the data, logs, critic and optimizer. A card that was changed on the Hub stays as it is there.

    Args:
        repository: ``OWNER/NAME``; made if it is not there.
        private: seen by its owner alone; one that is public already is refused.
        checkpoint: ``last``, ``best``, or a step.
        message: of the commit.
        licence: of the weights, as the Hub names it: ``mit``, ``cc-by-4.0``, ...
        dry_run: only say what would be sent; needs no network and no login.
        endpoint: of the Hub; ``HF_ENDPOINT``, or the public one, by default.

    Raises:
        UsageError: a name that is none, no run, nobody logged in, or not with the right to write.
        CheckpointError: there is no such checkpoint, or it is damaged.
        MissingExtra: huggingface_hub is not installed.
        WganxError: the Hub cannot be reached or refuses.
    """
    from wganx.hub.bundle import make_bundle  # torch: fetching does without

    check_name(repository)
    if licence is not None and not _LICENCE.fullmatch(licence):
        raise UsageError(
            f"{licence!r} is no name that the Hub has for a licence; write it as mit, apache-2.0, cc-by-4.0 or other"
        )
    hub = None
    if not dry_run:
        hub = open_hub(endpoint)
        check_login(hub)
    with TemporaryDirectory(prefix="wganx-push-") as aside:
        bundle = make_bundle(Path(run), repository, Path(aside), checkpoint=checkpoint, licence=licence, warn=warn)
        if hub is None:
            _write_card(bundle)
            return _pushed(bundle)
        with speaking(hub, repository, sending=True):
            return _send(hub, bundle, private=private, message=message, warn=warn)


def _send(hub: HfApi, bundle: Bundle, *, private: bool, message: str | None, warn: Callable[[str], None]) -> Pushed:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    repository = bundle.shared.repository
    before = _existing(hub, repository)
    if before is None:
        hub.create_repo(repository, private=private or None, exist_ok=True)
        before = hub.model_info(repository)
    if private and before.private is False:
        # The Hub takes no notice of the wish where a repository is there: what was meant for few would be public.
        raise UsageError(
            f"{repository} is there and public, and --private holds for new ones; make it private in its settings at "
            f"{host(hub)}, or give another name; nothing was sent"
        )
    there = [sibling.rfilename for sibling in before.siblings or ()]
    if (code := foreign_code(there)) is not None:
        raise UsageError(
            f"{repository} holds {printable(code)}, which is no part of a run, and wganx pull refuses what may hold "
            "code; give a repository of its own; nothing was sent"
        )
    _settle_card(hub, bundle, before, there, warn)
    pushed = _pushed(bundle)
    removed = sorted(path for path in there if belongs(path) and path not in pushed.files and path != CARD)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(path.relative_to(bundle.folder).as_posix(), str(path)) for path in bundle.files()
    ]
    operations += [CommitOperationDelete(path, is_folder=False) for path in removed]
    commit = hub.create_commit(
        repository,
        operations,
        commit_message=message or f"Step {bundle.step}, by wganx push",
        parent_commit=before.sha,
    )
    return replace(
        pushed,
        url=f"{hub.endpoint}/{repository}",
        revision=commit.oid,
        private=bool(before.private),
        removed=tuple(removed),
    )


def _existing(hub: HfApi, repository: str) -> ModelInfo | None:
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return hub.model_info(repository)
    except RepositoryNotFoundError:
        return None


def _settle_card(
    hub: HfApi, bundle: Bundle, before: ModelInfo, there: Sequence[str], warn: Callable[[str], None]
) -> None:
    """Write the card, unless somebody has changed the one that is there."""
    if CARD not in there:
        _write_card(bundle)
        return
    repository = bundle.shared.repository
    old = Path(hub.hf_hub_download(repository, CARD, revision=before.sha)).read_text(encoding="utf-8", errors="replace")
    block = _BLOCK.match(old)
    if not _unchanged(old) and old[block.end() if block else 0 :].strip():
        warn(f"the card (README.md) of {repository} was changed there and is kept; delete it there to have a new one")
        return
    if bundle.shared.licence is None and (licence := _licence(block[1] if block else "")) is not None:
        bundle = replace(bundle, shared=replace(bundle.shared, licence=licence))  # chosen on the Hub's own page
    _write_card(bundle)


def _licence(block: str) -> str | None:
    try:
        found = parse(block, lambda line: f"line {line}", {})
    except ConfigError:
        return None
    licence = found.get("license") if isinstance(found, dict) else None
    return licence if isinstance(licence, str) and _LICENCE.fullmatch(licence) and licence != "unknown" else None


def _write_card(bundle: Bundle) -> None:
    card = model_card(bundle.record, bundle.shared)
    marked = f"{card}\n<!-- wganx {hashlib.sha256(card.encode('utf-8')).hexdigest()} -->\n"
    (bundle.folder / CARD).write_bytes(marked.encode("utf-8"))


def _unchanged(card: str) -> bool:
    """Whether a card is as it was written here."""
    card = card.replace("\r\n", "\n")
    mark = _MARK.search(card)
    return mark is not None and hashlib.sha256(card[: mark.start()].encode("utf-8")).hexdigest() == mark[1]


def _pushed(bundle: Bundle) -> Pushed:
    files = {path.relative_to(bundle.folder).as_posix(): path.stat().st_size for path in bundle.files()}
    return Pushed(bundle.shared.repository, bundle.step, files, bundle.shared.files, dict(bundle.shared.labels))
