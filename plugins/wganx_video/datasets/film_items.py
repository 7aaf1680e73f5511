"""Items that are clips of films, whoever says which there are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from torch import Tensor

from wganx import DataContext, DataError, SampleFormat, Split
from wganx.data import Listing, WindowItems
from wganx_video.configs.datasets import FilmsConfig
from wganx_video.datasets.clips import stored_clip
from wganx_video.datasets.film_tree import FilmTree
from wganx_video.datasets.looking import Look, look
from wganx_video.datasets.windows import Form, corner_of, count_windows, read_window
from wganx_video.video.reading import open_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wganx_video.video.reading import Frames

_FITTED = "films"
_HELD_OUT = 0.1
MOST_OPEN = 2 * min(os.cpu_count() or 1, 16)
"""Films that stay open, so that who reads their clips in a row reads on: a pair for each thread that reads. A decoder
holds some twenty frames."""


@dataclass(frozen=True)
class Twin:
    """Where the smaller frames of a film are: its path with another begin.

    Attributes:
        begins: of paths, and of those of their twins.
    """

    begins: tuple[tuple[str, str], ...]

    def of(self, path: str) -> str:
        """The path of the twin; the path itself where it has none, so that its size shows that something is amiss."""
        for high, low in self.begins:
            if path.startswith(high):
                return low + path.removeprefix(high)
        return path


def fit_films(config: FilmsConfig, tree: FilmTree, listing: Listing | None) -> Mapping[str, Any]:
    """What is found once, when a run starts: channels, size, rate, and what is black and white in arrays."""
    seen = _look(config, tree, listing)
    return {
        _FITTED: {
            "channels": seen.channels,
            "height": seen.height,
            "width": seen.width,
            "rate": seen.rate,
            "value_range": None if seen.value_range is None else list(seen.value_range),
        }
    }


def open_films(
    config: FilmsConfig,
    split: Split,
    context: DataContext,
    tree: FilmTree,
    listing: Listing | None,
    *,
    twin: Twin | None = None,
    label: str | None = None,
) -> FilmItems:
    """Clips of a split's films as ``sample`` uint8 ``(T, C, H, W)``, their labels, and ``low`` where there are twins.

    Args:
        config: the form that they are brought to.
        split: which part.
        context: what was fitted, if a run has started.
        tree: where they lie.
        listing: splits and labels; None where folders say them.
        twin: where the smaller frames are, where they are.
        label: what class folders are called; None where they say nothing.

    Raises:
        DataError: there is nothing to read, or too much of it cannot be read.
    """
    fitted: Any = context.fitted.get(_FITTED, {})
    seen = _look(config, tree, listing, ranges=not fitted)
    extremes = fitted.get("value_range", seen.value_range)
    scale = 1
    height, width = int(fitted.get("height", seen.height)), int(fitted.get("width", seen.width))
    if twin is not None:
        scale = _scale(tree, (tree.layout if listing is None else listing.layout).files(split), twin)
        height, width = height // scale * scale, width // scale * scale
    share = (0.0, 1.0)
    span = (config.frames - 1) * config.every + 1
    if listing is None and len(tree.paths) == 1:
        share = _part_of_the_only_one(tree, split, span / seen.longest)
    form = Form(
        frames=config.frames,
        channels=int(fitted.get("channels", seen.channels)),
        height=height,
        width=width,
        every=config.every,
        hop=max(1, round(span * (1 - config.overlap))),
        first=config.windows == "first",
        share=share,
        rate=None if config.rate == "own" else config.rate,
        fit=config.fit,
        skip_still=config.still == "skip",
        skip_cuts=config.cuts == "skip",
        layout=config.layout,
        value_range=config.value_range if config.value_range != "auto" else extremes and tuple(extremes),
        parts=scale,
    )
    rate = fitted.get("rate", seen.rate)
    items = FilmItems(tree, split, form, None if rate is None else rate / config.every, twin, label, listing)
    items.details, items.remarks = seen.details, seen.remarks
    if twin is not None:
        small = items.formats["low"].shape
        items.details = (*seen.details, f"each has the same in {small[3]} x {small[2]} px beside it")
    return items


class FilmItems(WindowItems):
    """One item a clip; films stay open for whoever reads their clips in a row."""

    unit = "clips"

    def __init__(
        self,
        tree: FilmTree,
        split: Split,
        form: Form,
        rate_hz: float | None,
        twin: Twin | None,
        label: str | None,
        listing: Listing | None,
    ) -> None:
        self._form, self._twin = form, twin
        self._low = replace(form, height=form.height // form.parts, width=form.width // form.parts, parts=1)
        self._films = _OpenFilms()
        formats: dict[str, SampleFormat] = {
            "sample": stored_clip(form.frames, form.channels, form.height, form.width, rate_hz)
        }
        if twin is not None:
            formats["low"] = stored_clip(form.frames, form.channels, self._low.height, self._low.width, rate_hz)
        windows, decode = partial(count_windows, form=form.in_time), partial(read_window, form=form)
        super().__init__(tree, split, windows, decode, formats, label=label, listing=listing)  # type: ignore[arg-type]
        self.recipe = (*self.recipe, twin)

    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        path, window = self.place(index)
        found = self.labels(path)
        with self._films.taken(self.tree, path, self._form) as film:
            found["sample"] = read_window(film, window, self._form)
            if self._twin is not None:
                with self._films.taken(self.tree, self._twin.of(path), self._low) as small:
                    found["low"] = self._read_low(film, small, window)
        return found

    def _read_low(self, film: Frames, small: Frames, window: int) -> Tensor:
        if small.header.frames != film.header.frames:
            raise DataError(
                f"{small.name} has {small.header.frames:,} frames and {film.name} {film.header.frames:,}, so they are "
                "no pair; make it anew, or leave both out"
            )
        top, left = corner_of(film, window, self._form)
        return read_window(small, window, self._low, (top // self._form.parts, left // self._form.parts))

    def stamps(self) -> Iterable[str] | None:
        told = super().stamps()
        if told is None or self._twin is None:
            return told
        twins = (self._twin.of(path) for path in self.paths)
        return (*told, *(f"{path}\0{self.tree.sizes.get(path)}\0{self.tree.stamps.get(path)}\0" for path in twins))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_films": _OpenFilms()}


class _OpenFilms:
    """Films that were read from, each at the place where its last clip ended."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._lock, self._owner = Lock(), os.getpid()
        self._free: list[tuple[str, Frames]] = []

    @contextmanager
    def taken(self, tree: Any, path: str, form: Form) -> Iterator[Frames]:
        """A film that nobody else reads meanwhile."""
        film = self._take(path) or open_video(tree.open(path), path, layout=form.layout, value_range=form.value_range)
        try:
            yield film
        except BaseException:
            film.close()
            raise
        with self._lock:
            self._free.append((path, film))
            oldest = self._free.pop(0)[1] if len(self._free) > MOST_OPEN else None
        if oldest is not None:
            oldest.close()

    def _take(self, path: str) -> Frames | None:
        if self._owner != os.getpid():  # files of a process that this one was forked from share their places with it
            self._begin()
        with self._lock:
            for number in reversed(range(len(self._free))):
                if self._free[number][0] == path:
                    return self._free.pop(number)[1]
        return None

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._begin()

    def __del__(self) -> None:
        if self._owner == os.getpid():
            for _, film in self._free:
                film.close()


def _scale(tree: FilmTree, paths: Sequence[str], twin: Twin) -> int:
    """How many times the twins are smaller.

    Raises:
        DataError: a film has none, or it is not a whole number of times smaller.
    """
    sizes = []
    for path in (paths[0], twin.of(paths[0])):
        if path not in tree.sizes:
            raise DataError(f"there is no {path} in {tree.root}, the smaller twin of {paths[0]}; unpack it beside it")
        with open_video(tree.open(path), path) as film:
            sizes.append((film.header.height, film.header.width))
    high, low = sizes
    scale = round(high[0] / low[0])
    if scale < 1 or any(-(-large // scale) != small for large, small in zip(high, low)):
        raise DataError(
            f"{twin.of(paths[0])} is {low[1]} x {low[0]} px, and {paths[0]} {high[1]} x {high[0]}: not a whole number "
            "of times as large; make the smaller ones anew"
        )
    return scale


def _part_of_the_only_one(tree: FilmTree, split: Split, clip: float) -> tuple[float, float]:
    """The share of a single film that is for `split`: its end is held out, a clip of it or a tenth, but no more than
    half; `clip` is the share that one takes."""
    held = min(max(_HELD_OUT, clip), 0.5)
    how = f"from its end, {held:.0%} of it"
    tree.layout = replace(tree.layout, train=tree.paths, heldout=tree.paths, how=how)
    return (0.0, 1 - held) if split == "train" else (1 - held, 1.0)


def _look(config: FilmsConfig, tree: FilmTree, listing: Listing | None, *, ranges: bool = True) -> Look:
    layout = tree.layout if listing is None else listing.layout
    wanted = ranges and config.value_range == "auto"
    return look(tree, sorted((*layout.train, *layout.heldout)), config, ranges=wanted)
