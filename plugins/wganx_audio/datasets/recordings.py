"""Items that are windows of recordings, whoever says which there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from wganx import DataContext, DataError, SampleFormat, Split
from wganx.data import Entry, FileTree, Listing, WindowItems
from wganx_audio.configs.datasets import SoundsConfig
from wganx_audio.datasets.looking import Look, look
from wganx_audio.datasets.sounds import Form, Texts, count_windows, read_window, stored_sound

_FITTED = "recordings"
_HELD_OUT = 0.1


def fit_recordings(
    config: SoundsConfig, tree: FileTree, listing: Listing | None, *, text: bool = False
) -> Mapping[str, Any]:
    """What is found once, when a run starts: rate, length, and the symbols of the texts."""
    seen = _look(config, tree, listing, text)
    found: dict[str, Any] = {"rate": seen.rate, "length": seen.length}
    if text and listing is not None:
        texts = _texts(listing)
        found |= {"alphabet": list(texts.alphabet), "text_length": texts.length}
    return {_FITTED: found}


def open_recordings(
    config: SoundsConfig,
    split: Split,
    context: DataContext,
    tree: FileTree,
    listing: Listing | None,
    *,
    label: str = "label",
    text: bool = False,
) -> WindowItems:
    """Windows of a split's recordings as ``sample`` int16 ``(C, length)``, their labels, and ``text`` where wanted.

    Args:
        config: the form that they are brought to.
        split: which part.
        context: what was fitted, if a run has started.
        tree: where they lie.
        listing: splits, labels and texts; None where folders say them.
        label: what class folders are called.
        text: give the texts of the listing, too.

    Raises:
        DataError: there is nothing to read, too much of it cannot be read, or there are no texts.
    """
    seen = _look(config, tree, listing, text)
    fitted: Any = context.fitted.get(_FITTED, {})
    length = int(fitted.get("length", seen.length))
    share = (0.0, 1.0)
    if listing is None and len(tree.paths) == 1:
        share = _part_of_the_only_one(tree, split, length / seen.longest)
    form = Form(
        rate=int(fitted.get("rate", seen.rate)),
        channels=config.channels,
        length=length,
        hop=max(1, round(length * (1 - config.overlap))),
        first=config.windows == "first",
        whole=text,
        share=share,
        skip_silence=config.silence == "skip",
        loudness=config.loudness,
        level_db=config.level_db,
    )
    formats: dict[str, SampleFormat] = {"sample": stored_sound(form.channels, form.length, form.rate)}
    texts = None
    if text and listing is not None:
        texts = _texts(listing, fitted)
        formats["text"] = texts.format
    items = WindowItems(
        tree,
        split,
        partial(count_windows, form=form),
        partial(read_window, form=form, texts=texts),
        formats,
        label=label,
        listing=listing,
    )
    items.details, items.remarks = seen.details, seen.remarks
    return items


def _part_of_the_only_one(tree: FileTree, split: Split, window: float) -> tuple[float, float]:
    """The share of a single recording that is for `split`: its end is held out, a window of it or a tenth, but no more
    than half; `window` is the share that one takes."""
    held = min(max(_HELD_OUT, window), 0.5)
    how = f"from its end, {held:.0%} of it"
    tree.layout = replace(tree.layout, train=tree.paths, heldout=tree.paths, how=how)
    return (0.0, 1 - held) if split == "train" else (1 - held, 1.0)


def keep_only(entries: Mapping[str, Entry], only: Mapping[str, tuple[str, ...]]) -> dict[str, Entry]:
    """The entries that have one of the given classes of each label that is named.

    Raises:
        DataError: there is no such label or class.
    """
    kept = dict(entries)
    for name, wanted in only.items():
        there = {entry.labels.get(name) for entry in entries.values()} - {None}
        if not there:
            known = sorted({label for entry in entries.values() for label in entry.labels})
            raise DataError(f"dataset.only names {name!r}, and the labels are: {', '.join(known) or 'none'}")
        if missing := sorted(set(wanted) - there):
            some = ", ".join(sorted(map(str, there))[:20]) + (" ..." if len(there) > 20 else "")
            raise DataError(f"dataset.only.{name} names {missing[0]!r}, and there are: {some}")
        kept = {path: entry for path, entry in kept.items() if entry.labels[name] in wanted}
    if not kept:
        raise DataError("dataset.only leaves no recording; name classes that occur together")
    return kept


def _look(config: SoundsConfig, tree: FileTree, listing: Listing | None, text: bool) -> Look:
    layout = tree.layout if listing is None else listing.layout
    return look(tree, sorted((*layout.train, *layout.heldout)), config, whole=text)


def _texts(listing: Listing, fitted: Mapping[str, Any] | None = None) -> Texts:
    """The texts in small letters with single spaces, and their symbols.

    Raises:
        DataError: a recording has none.
    """
    layout = listing.layout
    said = {path: " ".join(listing.entries[path].text.lower().split()) for path in (*layout.train, *layout.heldout)}
    if without := sorted(path for path, text in said.items() if not text):
        raise DataError(
            f"{len(without):,} of {len(said):,} recordings in {listing.tree.root} have no text, {without[0]} first; "
            "set dataset.text=false"
        )
    if fitted:
        return Texts(tuple(fitted["alphabet"]), int(fitted["text_length"]), said)
    return Texts(tuple(sorted(set("".join(said.values())))), max(map(len, said.values())), said)
