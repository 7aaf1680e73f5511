"""Room for as many as a call asks for: in memory and on the disk; refused before it is taken."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from wganx.batch import SampleFormat
from wganx.config.sections import RunConfig
from wganx.engine import CheckpointStore, Sampler
from wganx.engine.planning.memory import free_memory, in_units
from wganx.errors import PreflightError

_MAIN = torch.device("cpu")
_NUMBER = 4
"""Bytes in single precision."""
_OF_A_RUN = 64 * 2**10
"""Bytes on the disk that a run folder takes at the least: its records, and two checkpoints of small networks."""
_OF_A_FILE = 2**12
"""A file's, of which disks give whole blocks."""
_OF_A_PROCESS = 100 * 2**20
"""Bytes of memory that a process with torch takes at the least."""
_DRAWN = 100
"""Bytes that whoever writes a sample and draws it into a picture has for it at the least, beside its numbers."""


def check_samples(
    sampler: Sampler,
    count: int,
    *,
    written: bool = False,
    each: int = 1,
    mend: str = "draw fewer at a time, each time with another seed",
) -> None:
    """Refuse more samples than memory has a place for.

    Args:
        written: they become files and a picture, where they are wanted once more, beside what draws them.
        each: samples that are made for one of `count`.

    Raises:
        PreflightError: there is none.
    """
    numbers = max(_least(sampler.sample), math.prod(sampler.noise or (1,)))
    numbers += sum(map(_least, sampler.context.values()))
    size = 2 * _NUMBER * numbers  # part by part, and put together
    size = 2 * size + _DRAWN if written else size
    for device in {sampler.device, _MAIN}:
        if count * each * size > (free := free_memory(device)):
            asked = f"{_in_full(count)} samples" + (f" at {each} places each" if each > 1 else "")
            raise PreflightError(
                f"{asked} ask for {in_units(count * each * size)} of memory where {in_units(free)} are free; {mend}"
            )


def check_files(count: int, what: str, folder: Path, option: str, *, runs: bool = False) -> None:
    """Refuse more files, or run folders, than the disk has room for below `folder`.

    Args:
        what: they are, in words.
        option: that asks for so many.

    Raises:
        PreflightError: there is none.
    """
    try:
        free = shutil.disk_usage(_there(folder)).free
    except OSError:  # which whoever writes there says
        return
    if (size := count * (_OF_A_RUN if runs else _OF_A_FILE)) > free:
        raise PreflightError(
            f"{_in_full(count)} {what} ask for {in_units(size)} of disk or more where {in_units(free)} are free; lower "
            f"{option}"
        )


def remark_on_checkpoints(
    store: CheckpointStore, generator: nn.Module, critic: nn.Module, run: RunConfig
) -> Iterator[str]:
    """What is told where the disk will be full before all checkpoints that are to be kept are there.

    Their sizes are those of Adam; that of another optimizer is at most a little less.
    """
    sizes = [sum(weight.nbytes for weight in network.parameters()) for network in (generator, critic)]
    each = 3 * sum(sizes) + (sizes[0] if run.train.ema else 0)
    # Beside those kept the best one, and that being written; a short training has no more than it saves.
    wanted = each * min(store.keep + 2, run.train.steps // run.checkpoint.every + 2)
    try:
        there = sum(file.stat().st_size for file in store.folder.rglob("*") if file.is_file())
        free = shutil.disk_usage(_there(store.folder)).free
    except OSError:  # which whoever writes there says
        return
    if (left := wanted - there) > free:
        yield (
            f"the checkpoints that are kept will take {in_units(left)} more of disk where {in_units(free)} are free, "
            f"and a training ends where the disk is full; make room, or lower checkpoint.keep={store.keep}"
        )


def check_processes(count: int, option: str) -> None:
    """Refuse more processes than memory has a place for.

    Raises:
        PreflightError: there is none.
    """
    if (size := count * _OF_A_PROCESS) > (free := free_memory(_MAIN)):
        raise PreflightError(
            f"{_in_full(count)} processes ask for {in_units(size)} of memory or more where {in_units(free)} are free, "
            f"and this machine has {os.cpu_count() or 1} processors; lower {option}"
        )


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    place = folder.absolute()
    return next((above for above in (place, *place.parents) if above.exists()), place)


def _least(format: SampleFormat | None) -> int:
    """Numbers in one sample; a free size counts as 1."""
    return math.prod(size or 1 for size in format.shape) if format is not None else 1


def _in_full(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"some 10^{len(str(count)) - 1}"
