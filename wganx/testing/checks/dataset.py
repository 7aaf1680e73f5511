"""Checks of a dataset: its items are what it says, the same every time, and no split knows another's."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from wganx.batch import SampleFormat
from wganx.errors import DataError
from wganx.plugins.contracts import DataContext, Items, Split
from wganx.plugins.descriptors import Dataset
from wganx.plugins.guard import call, calling
from wganx.testing.bench import Bench
from wganx.testing.check import NotChecked, check, fail, streams_unmoved
from wganx.testing.fitting import check_fit
from wganx.testing.places import SEED, inside

SPLITS: tuple[Split, Split] = ("train", "heldout")
FEW = 24
SMALL = 4000
"""Items of a split that are compared with the other split's by content."""


def _some(dataset: Dataset, items: Items, most: int = FEW) -> Iterator[tuple[int, Mapping[str, Tensor]]]:
    """Items from all over a split."""
    count = len(items)
    for index in sorted({round(place * (count - 1) / max(most - 1, 1)) for place in range(min(most, count))}):
        with calling(dataset, "items"):
            yield index, items[index]


@check("dataset", name="opens", mend="let open(config, split, context) give the items of 'train' and of 'heldout'")
def opens(dataset: Dataset, bench: Bench) -> None:
    """Both splits open with the default options, and hold items with formats."""
    for split in SPLITS:
        items = bench.items(dataset, split)
        if len(items) < 1:
            fail(f"split {split!r} is empty", "give every split items, or raise DataError that says what is missing")
        wrong = [key for key, format in items.formats.items() if not isinstance(format, SampleFormat)]
        if wrong:
            fail(f"formats[{wrong[0]!r}] is no SampleFormat", "describe every key with a wganx.SampleFormat")


@check("dataset", name="formats", mend="let items[index] give a mapping from keys to tensors")
def keys_have_formats(dataset: Dataset, bench: Bench) -> None:
    """Every key of an item has a format, and every format a key."""
    for split in SPLITS:
        items = bench.items(dataset, split)
        for index, item in _some(dataset, items):
            if set(item) != set(items.formats):
                fail(
                    f"item {index} of {split!r} has {sorted(item)} and formats has {sorted(items.formats)}",
                    "give every key of an item a format, and nothing else",
                )
            for key, value in item.items():
                if not isinstance(value, Tensor):
                    fail(f"item {index} has a {type(value).__name__} as {key!r}", "make it a torch tensor")


@check("dataset", name="shapes", mend="let every item be alike")
def items_are_alike(dataset: Dataset, bench: Bench) -> None:
    """Items have the shapes of their formats, and one type of number throughout."""
    types: dict[str, torch.dtype] = {}
    for split in SPLITS:
        items = bench.items(dataset, split)
        for index, item in _some(dataset, items):
            for key, format in items.formats.items():
                shape = tuple(item[key].shape)
                if not format.fits(shape):
                    fail(
                        f"{key!r} of item {index} has shape {shape}, and its format is {format}",
                        "bring every item to the size of its format",
                    )
                if types.setdefault(key, item[key].dtype) != item[key].dtype:
                    fail(
                        f"{key!r} of item {index} is {item[key].dtype}, and the first was {types[key]}",
                        "store every item in one type",
                    )


@check("dataset", name="values", mend="let every value be a number")
def values_are_in_range(dataset: Dataset, bench: Bench) -> None:
    """Values are finite and within the range of their format, in the meaning they are stored in."""
    for split in SPLITS:
        items = bench.items(dataset, split)
        for index, item in _some(dataset, items):
            for key, format in items.formats.items():
                if not format.is_label and (wrong := inside(item[key], format)):
                    fail(
                        f"{key!r} of item {index} {wrong}",
                        "say in value_range what is stored (0 to 255 for uint8 pixels), None for unbounded values",
                    )


@check("dataset", name="labels", mend="let every label be a number")
def labels_count_classes(dataset: Dataset, bench: Bench) -> str | None:
    """Labels are int64 scalars that count the classes of their format from 0."""
    seen = False
    for split in SPLITS:
        items = bench.items(dataset, split)
        for index, item in _some(dataset, items, 200):
            for key, format in items.formats.items():
                if not format.is_label:
                    continue
                seen, label = True, item[key]
                if label.dtype != torch.int64 or label.dim():
                    fail(
                        f"{key!r} of item {index} is {label.dtype} of shape {tuple(label.shape)}",
                        "make a label torch.tensor(index), an int64 scalar",
                    )
                if not 0 <= int(label) < len(format.classes):
                    fail(
                        f"{key!r} of item {index} is {int(label)}, and there are {len(format.classes)} classes",
                        "count classes from 0, and name each in SampleFormat.label",
                    )
    if not seen:
        return "it has no labels"
    return None


@check("dataset", name="length", mend="let len(items) be a number that stays")
def length_is_stable(dataset: Dataset, bench: Bench) -> None:
    """A split has the same number of items whenever it is opened."""
    for split in SPLITS:
        lengths = {len(bench.items(dataset, split)), len(bench.open(dataset, split)), len(bench.items(dataset, split))}
        if len(lengths) > 1:
            fail(f"split {split!r} has {sorted(lengths)} items, by turns", "let the configuration and the seed fix it")


@check("dataset", name="repeatable", mend="let the same seed give the same items")
def same_seed_same_items(dataset: Dataset, bench: Bench) -> None:
    """The same seed gives the same items, bit for bit."""
    for split in SPLITS:
        once, again = bench.items(dataset, split), bench.open(dataset, split)
        for index, item in _some(dataset, once, 8):
            with calling(dataset, "items"):
                _same(item, again[index], f"item {index} of {split!r}, opened twice with one seed,")


@check("dataset", name="order", mend="let an item depend on its index alone")
def order_does_not_matter(dataset: Dataset, bench: Bench) -> None:
    """An item is the same in whatever order items are read, and however often."""
    items = bench.open(dataset, "train")
    forwards = dict(_some(dataset, items, 8))
    for index in reversed(list(forwards)):
        with calling(dataset, "items"):
            _same(forwards[index], items[index], f"item {index}, read again in another order,")


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor], what: str) -> None:
    for key, value in one.items():
        if not torch.equal(value, other[key]):
            fail(
                f"{what} has another {key!r}",
                "draw item i from a stream of its own: torch.Generator().manual_seed(context.seed + i); augmenting is "
                "the task's",
            )


@check("dataset", name="streams", mend="let it open")
def draws_are_its_own(dataset: Dataset, bench: Bench) -> None:
    """Opening and reading leaves the global random streams alone."""
    bench.items(dataset, "train")  # what is imported late may draw while it is imported, and is not looked at
    with streams_unmoved("opening and reading it"):
        items = bench.open(dataset, "train")
        list(_some(dataset, items, 3))


@check("dataset", name="splits", mend="let both splits be read")
def splits_are_apart(dataset: Dataset, bench: Bench) -> None:
    """No item of the training split is among the held-out ones; compared by content where there are few."""
    splits = [bench.items(dataset, split) for split in SPLITS]
    if min(len(items) for items in splits) < 2:
        raise NotChecked("a split of a single item says nothing")
    heldout = {_content(item) for _, item in _some(dataset, splits[1], SMALL)}
    shared = sum(_content(item) in heldout for _, item in _some(dataset, splits[0], SMALL))
    # Points on a grid and tiny pictures repeat by chance; a split that leaks shares much more.
    if shared > 0.02 * min(len(heldout), SMALL):
        fail(
            f"{shared} items of 'train' are among the {len(heldout)} of 'heldout'",
            "split by item (by file, by speaker) before anything else, or draw 'heldout' from a seed of its own",
        )


def _content(item: Mapping[str, Tensor]) -> bytes:
    found = hashlib.sha256()
    for key in sorted(item):
        if item[key].dim():
            found.update(item[key].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.digest()


@check("dataset", name="workers", mend="keep open files and lambdas out of the items: open them in __getitem__")
def workers_can_read(dataset: Dataset, bench: Bench) -> None:
    """Opened items can be sent to worker processes, and give the same there."""
    items = bench.open(dataset, "train")
    index, item = next(_some(dataset, items, 1))
    with calling(dataset, "pickle"):
        copy = pickle.loads(pickle.dumps(items))
        _same(item, copy[index], f"item {index}, read by a worker,")


@check("dataset", name="fit", mend="let fit(config, context) return a mapping from names to tensors or plain data")
def fit_can_be_stored(dataset: Dataset, bench: Bench) -> str | None:
    """What is fitted is the same every time, and can be stored in a run."""
    if dataset.fit is None:
        return "nothing is fitted to it"
    config = bench.opened(dataset)
    check_fit(
        lambda: call(dataset, "fit", config, DataContext(seed=SEED), returns=Mapping),
        "fit with draws that follow from context.seed",
    )
    with calling(dataset, "open"):
        if len(bench.open(dataset, "train", config)) < 1:
            raise DataError("it opens empty with what was fitted")
    return None
