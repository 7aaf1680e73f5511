"""Whatever holds samples, as a set of them: files that a plugin reads, arrays, the generator of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from wganx.config import Resolved, resolve
from wganx.data import DecodedItems
from wganx.data.decoded import refuse_if_too_many
from wganx.data.items import check_alike
from wganx.data.threads import for_each_index
from wganx.errors import DataError
from wganx.evaluation.samples import SampleSet, array_samples, is_array, random_rows
from wganx.names import at_home
from wganx.plugins import discover
from wganx.runs.assembly import Assembly
from wganx.runs.folder import RunFolder
from wganx.runs.room import check_samples
from wganx.runs.run import Run, Warn

CHUNK = 256
"""Items brought into sample format at a time."""
_FEW = 2000


def open_samples(
    source: str,
    *,
    plugin: str | None = None,
    settings: Sequence[str] = (),
    extensions: Sequence[str] = (),
    warn: Warn = print,
) -> SampleSet:
    """The samples at `source`.

    A ``.npy``, ``.npz`` or ``.safetensors`` file gives its rows as they are (`array_samples`). A run folder gives what
    its averaged generator makes from the last checkpoint. Any other folder, archive or file is read by the folder
    dataset of `plugin`, train and held-out files alike, and put into sample format by the plugin's default task (for
    pictures: values from -1 to 1).

    Args:
        settings: ``section.key=value`` texts for the plugin, e.g. ``dataset.size=32``.

    Raises:
        DataError: nothing there, unreadable, or files without a plugin that reads them.
        WganxError: the plugin or the run cannot be loaded.
    """
    path = at_home(source)
    if is_array(source):
        return array_samples(source)
    if _is_run(source):
        return _from_run(source, Run.load(path, warn=warn, extensions=extensions, only_looked_at=True))
    if not path.exists():
        raise DataError(f"there is no file or folder at {source}; check the spelling")
    if plugin is None:
        names = ", ".join(sorted({found.name for found in discover()})) or "none"
        raise DataError(
            f"{source} is neither a run nor an array file: say which plugin reads it with --plugin NAME "
            f"(installed: {names})"
        )
    return _from_files(
        source, Assembly(resolve(plugin=plugin, data=path, settings=settings, extensions=extensions)), warn
    )


def open_pair(
    a: str,
    b: str,
    *,
    plugin: str | None = None,
    settings: Sequence[str] = (),
    extensions: Sequence[str] = (),
    warn: Warn = print,
) -> tuple[SampleSet, SampleSet]:
    """The samples at both sources, as `open_samples` gives them; files beside a run in the format of that run.

    Where one is a run and the other holds files, they are read by the run's plugin, with the options of its dataset
    that the folder dataset has, too, and in the size of its samples. What the call says counts before that.
    """

    def both(source: str, other: str) -> SampleSet:
        if is_array(source) or _is_run(source) or not _is_run(other) or not at_home(source).exists():
            return open_samples(source, plugin=plugin, settings=settings, extensions=extensions, warn=warn)
        run = Run.load(at_home(other), warn=warn, extensions=extensions, only_looked_at=True)
        if plugin not in (None, run.resolved.run.plugin):
            return open_samples(source, plugin=plugin, settings=settings, extensions=extensions, warn=warn)
        return _from_files(source, Assembly(_as_in(run, source, settings, extensions)), warn)

    return both(a, b), both(b, a)


def _is_run(source: str) -> bool:
    path = at_home(source)
    return path.is_dir() and RunFolder(path).holds_run()


def _as_in(run: Run, source: str, settings: Sequence[str], extensions: Sequence[str]) -> Resolved:
    """How the run would read the files at `source`."""
    stored, path = run.resolved.run, at_home(source)

    def resolved(overrides: Mapping[str, Any]) -> Resolved:
        return resolve(
            plugin=stored.plugin, scenario=stored.scenario, data=path, settings=settings, overrides=overrides,
            extensions=[*stored.extensions, *extensions],
        )  # fmt: skip

    offered = set(type(resolved({}).run.dataset).model_fields)
    format = run.sampler().sample
    axes = {} if format is None else dict(zip(format.axes, format.shape))
    known = {"size": axes.get("height"), "channels": axes.get("channel"), **run.resolved.dump()["dataset"]}
    said = {setting.partition("=")[0].strip() for setting in settings}
    return resolved({
        f"dataset.{name}": value
        for name, value in known.items()
        if name in offered - {"name", "root"} and value is not None and f"dataset.{name}" not in said
    })  # fmt: skip


class _Everything:
    """Train and held-out items as one, without those that cannot be read: no other stands for them.

    Of few items each is tried at once, so that it is known how many there are; of many, those that are drawn.
    """

    def __init__(self, source: str, assembly: Assembly, warn: Warn) -> None:
        self._source, self._warn = source, warn
        self._splits = (assembly.train_items, assembly.heldout_items)
        self._told: set[str] = set()
        self._places = [(split, index) for split in self._splits for index in range(len(split))]
        decoded = [split for split in self._splits if isinstance(split, DecodedItems)]
        for split in decoded:
            split.remember()
        if decoded and len(self._places) <= _FEW:
            tried = for_each_index(len(self._places), lambda place: self._item(place) is not None)
            self._places = [place for place, readable in zip(self._places, tried) if readable]
            self._tell()

    def __len__(self) -> int:
        return len(self._places)

    def chunks(self, count: int, seed: int) -> Iterator[list[Mapping[str, Tensor]]]:
        """So many items in an order fixed by the seed, none twice.

        Raises:
            DataError: so many cannot be read.
        """
        order, wanted = random_rows(len(self), len(self), seed), count
        while wanted and order:
            chosen, order = order[: min(CHUNK, wanted)], order[min(CHUNK, wanted) :]
            found = [item for item in self._read(chosen) if item is not None]
            self._tell()
            wanted -= len(found)
            if found:
                yield found
        if wanted:
            raise DataError(f"{self._source}: only {count - wanted} of {count} items can be read; draw fewer with --n")

    def _read(self, places: Sequence[int]) -> Sequence[Mapping[str, Tensor] | None]:
        if any(isinstance(split, DecodedItems) for split in self._splits):
            return for_each_index(len(places), lambda number: self._item(places[number]))
        return [self._item(place) for place in places]

    def _item(self, place: int) -> Mapping[str, Tensor] | None:
        split, index = self._places[place]
        return split.attempt(index) if isinstance(split, DecodedItems) else split[index]

    def _tell(self) -> None:
        for split in self._splits:
            if not isinstance(split, DecodedItems):
                continue
            refuse_if_too_many(split, split.unreadable)
            for name, reason in split.unreadable.items():
                if name not in self._told:
                    self._told.add(name)
                    self._warn(f"{self._source}: {name} cannot be read ({reason}) and is left out")


def _from_files(source: str, assembly: Assembly, warn: Warn) -> SampleSet:
    items = _Everything(source, assembly, warn)

    def draw(count: int, seed: int) -> Tensor:
        rng = torch.Generator(assembly.device).manual_seed(seed)
        batches = []
        for rows in items.chunks(count, seed):
            for number, row in enumerate(rows):
                check_alike(rows[0], row, number)
            tensors = {name: torch.stack([row[name] for row in rows]).to(assembly.device) for name in rows[0]}
            batches.append(assembly.game.batch(tensors, rng, training=False).real.float().cpu())
        return torch.cat(batches)

    return SampleSet(source, len(items), draw)


def _from_run(source: str, run: Run) -> SampleSet:
    sampler = run.sampler()

    def draw(count: int, seed: int) -> Tensor:
        check_samples(sampler, count, mend="lower --n or --repeats")
        if all(format.is_label for format in sampler.context.values()):
            return sampler.draw(count, seed=seed).float().cpu()
        return run.sample(count, seed=seed).float()

    return SampleSet(source, None, draw)
