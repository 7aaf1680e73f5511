"""Whatever holds samples, as a set of them: files that a plugin reads, arrays, the generator of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wganx.config import Resolved, resolve
from wganx.errors import DataError
from wganx.evaluation.batches import gather
from wganx.evaluation.samples import SampleSet, array_samples, is_array, random_rows
from wganx.plugins import discover
from wganx.runs.assembly import Assembly
from wganx.runs.folder import RunFolder
from wganx.runs.run import Run, Warn

CHUNK = 256
"""Items brought into sample format at a time."""


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
    path = Path(source).expanduser()
    if is_array(source):
        return array_samples(source)
    if _is_run(source):
        return _from_run(source, Run.load(path, warn=warn, extensions=extensions))
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
        if is_array(source) or _is_run(source) or not _is_run(other) or not Path(source).expanduser().exists():
            return open_samples(source, plugin=plugin, settings=settings, extensions=extensions, warn=warn)
        run = Run.load(Path(other).expanduser(), warn=warn, extensions=extensions)
        if plugin not in (None, run.resolved.run.plugin):
            return open_samples(source, plugin=plugin, settings=settings, extensions=extensions, warn=warn)
        return _from_files(source, Assembly(_as_in(run, source, settings, extensions)), warn)

    return both(a, b), both(b, a)


def _is_run(source: str) -> bool:
    path = Path(source).expanduser()
    return path.is_dir() and RunFolder(path).holds_run()


def _as_in(run: Run, source: str, settings: Sequence[str], extensions: Sequence[str]) -> Resolved:
    """How the run would read the files at `source`."""
    stored, path = run.resolved.run, Path(source).expanduser()

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
    """Train and held-out items as one."""

    def __init__(self, assembly: Assembly) -> None:
        self.splits = (assembly.train_items, assembly.heldout_items)
        self.formats = assembly.train_items.formats
        self.places = [(split, index) for split in self.splits for index in range(len(split))]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Mapping[str, Tensor]:
        split, place = self.places[index]
        return split[place]


def _from_files(source: str, assembly: Assembly, warn: Warn) -> SampleSet:
    items = _Everything(assembly)

    def draw(count: int, seed: int) -> Tensor:
        rng = torch.Generator(assembly.device).manual_seed(seed)
        batches = []
        order = random_rows(len(items), count, seed)
        for start in range(0, count, CHUNK):
            tensors = gather(items, order[start : start + CHUNK], assembly.device)
            batches.append(assembly.game.batch(tensors, rng, training=False).real.float().cpu())
        for split in items.splits:
            for name, reason in getattr(split, "unreadable", {}).items():
                warn(f"{source}: {name} cannot be read ({reason}); another file stands for it")
        return torch.cat(batches)

    return SampleSet(source, len(items), draw)


def _from_run(source: str, run: Run) -> SampleSet:
    sampler = run.sampler()

    def draw(count: int, seed: int) -> Tensor:
        if all(format.is_label for format in sampler.context.values()):
            return sampler.draw(count, seed=seed).float().cpu()
        return run.sample(count, seed=seed).float()

    return SampleSet(source, None, draw)
