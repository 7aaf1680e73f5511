"""What was found in the data, in sentences, for whoever starts a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wganx.data.decoded import TreeItems
from wganx.data.items import ArrayItems, Items
from wganx.data.layout import a_few

if TYPE_CHECKING:
    from wganx.batch import SampleFormat
    from wganx.data.layout import Split

_MOST_CLASSES = 12


def found_in(train: Items, heldout: Items) -> list[str]:
    """What a training is about to learn from: how many items of what shape, their split and classes, what is left out.

    A sentence each, without the reasons for worry, which `remarks_on` names. Nothing is decoded for it.
    """
    if not isinstance(train, TreeItems):
        details = getattr(train, "details", ())
        count = f"{len(train):,} items to learn from, {len(heldout):,} held out"
        return [count, *_labels(train), *details, _item(train.formats)]
    layout, tree = train.layout, train.tree
    held = len(heldout.paths if isinstance(heldout, TreeItems) else heldout)
    files = "file" if len(layout.train) == 1 else "files"
    files = f"{len(layout.train):,} {files} to learn from, {held:,} held out {layout.how}".strip()
    windows = "" if len(train) == len(train.paths) else f"; {len(train):,} {train.unit} to learn from"
    return [
        f"{tree.root}: {files}{windows}",
        *_classes(train),
        *train.details,
        _item(train.formats),
        *left_out(tree.skipped, tree.skipped_runs, len(layout.outside), tree.mends),
    ]


def remarks_on(items: Items) -> list[str]:
    """What looks as if something else was meant: folders that are nearly classes, and what the items' maker found."""
    folders = items.layout.remarks() if isinstance(items, TreeItems) and items.label_wanted else []
    where = f"{items.root}: " if isinstance(items, TreeItems) else ""
    return [f"{where}{remark}" for remark in (*folders, *getattr(items, "remarks", ()))]


def classes_in_words(counts: Mapping[str, Mapping[Split, int]]) -> str:
    """``3 classes: cat 90 + 10 held out, dog 50 + 4 held out``; of many, the first and the range."""
    if not counts:
        return "no classes"
    shown = [
        f"{name} {count['train']:,} + {count['heldout']:,} held out"
        for name, count in list(counts.items())[:_MOST_CLASSES]
    ]
    if len(counts) <= _MOST_CLASSES:
        return f"{len(counts)} classes: {', '.join(shown)}"
    sizes = [count["train"] for count in counts.values()]
    more = f"and {len(counts) - _MOST_CLASSES:,} more; {min(sizes):,} to {max(sizes):,} files to learn from in each"
    return f"{len(counts):,} classes: {', '.join(shown)} {more}"


def balance_in_words(counts: Mapping[str, Mapping[str, int]]) -> str:
    """``6 classes, 500 to 520 files each: anna 450 + 50 held out, ...; 1 only in train: boris``"""
    sizes = [sum(splits.values()) for splits in counts.values()]
    span = f"{min(sizes):,}" + (f" to {max(sizes):,}" if max(sizes) > min(sizes) else "")
    classes = "1 class" if len(counts) == 1 else f"{len(counts):,} classes"
    each = f"{span} file{'s' * (max(sizes) > 1)}{' each' * (len(counts) > 1)}"
    shown = [
        f"{name} {splits['train']:,} + {splits['heldout']:,} held out"
        for name, splits in list(counts.items())[:_MOST_CLASSES]
    ]
    told = [f"{classes}, {each}: {a_few('', '', shown, _MOST_CLASSES)}"]
    if len(counts) > _MOST_CLASSES:
        told[0] += f", and {len(counts) - _MOST_CLASSES:,} more"
    for split, words in (("heldout", "only in train"), ("train", "only held out")):
        if alone := [name for name, splits in counts.items() if not splits[split]]:
            told.append(f"{len(alone):,} {words}: {a_few('', '', alone)}")
    if len(told) == 1 and len(counts) > 1:
        told.append("all in both splits")
    return "; ".join(told)


def left_out(
    skipped: Mapping[str, int], runs: Sequence[str], outside: int, mends: Mapping[str, str] | None = None
) -> list[str]:
    """One line on what of a folder is not used; none where all is."""
    mends = {".zip": "unpack it to use it", **(mends or {})}
    parts = []
    for suffix, count in sorted(skipped.items(), key=lambda pair: (-pair[1], pair[0])):
        mend = f" ({mends[suffix]})" if suffix in mends else ""
        parts.append(f"{count:,} {suffix or 'without an ending'}{mend}")
    if outside:
        parts.append(f"{outside:,} in neither split")
    if runs:
        parts.append(f"what lies in {a_few('the run folder', 'the run folders', runs, 3)}")
    return [f"not read: {', '.join(parts)}"] if parts else []


def _classes(items: TreeItems) -> list[str]:
    if items.listing is None:
        return [classes_in_words(items.layout.counts()) if items.label_key else "no classes"]
    counts = items.listing.counts()
    told = [f"{name}: {classes_in_words(counts[name])}" for name, format in items.formats.items() if format.is_label]
    return told or ["no classes"]


def _labels(items: Items) -> list[str]:
    told = []
    for key, format in items.formats.items():
        if not format.is_label:
            continue
        names = format.classes
        if isinstance(items, ArrayItems):
            counts = items.tensors[key].bincount(minlength=len(names)).tolist()
            names = tuple(f"{name} {count:,}" for name, count in zip(names, counts))
        told.append(f"{len(names):,} classes of {key}: {a_few('', '', names, _MOST_CLASSES)}")
    return told


def _item(formats: Mapping[str, SampleFormat]) -> str:
    """``every sample is brought to channel 3, height 32, width 32``"""
    told = []
    for key, format in formats.items():
        if not format.is_label:
            sizes = ", ".join(f"{axis} {size or 'of any size'}" for axis, size in zip(format.axes, format.shape))
            told.append(f"every {key} is brought to {sizes or 'a number'}")
    return "; ".join(told)
