"""Sets of samples to be compared, and those that are arrays in files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx.data.arrays import DAMAGE, array_header, read_array, readable
from wganx.data.limits import check_unpacked
from wganx.errors import DataError, did_you_mean
from wganx.names import at_home

ARRAY_SUFFIXES = (".npy", ".npz", ".safetensors")


@dataclass(frozen=True)
class SampleSet:
    """Samples that are read when they are drawn.

    Attributes:
        name: what the user called it.
        size: how many there are; None for a generator, which makes as many as are wanted.
        draw: ``draw(count, seed)`` gives `count` of them ``(count, ...)`` in an order fixed by the seed, none twice, as
            floating-point numbers on the CPU.
        bytes: whether they are stored as bytes, which pictures from 0 to 255 are.
    """

    name: str
    size: int | None
    draw: Callable[[int, int], Tensor]
    bytes: bool = False


def random_rows(size: int, count: int, seed: int) -> list[int]:
    """`count` different indices below `size`, in random order."""
    chosen: list[int] = torch.randperm(size, generator=torch.Generator().manual_seed(seed))[:count].tolist()
    return chosen


def is_array(source: str) -> bool:
    """Whether `source` names an array file, ``file.npy`` or ``file.npz:name``."""
    return _split(source)[0].suffix.lower() in ARRAY_SUFFIXES


def array_samples(source: str) -> SampleSet:
    """The rows of an array ``(n, ...)`` of numbers in a ``.npy``, ``.npz`` or ``.safetensors`` file, taken as they are.

    Nothing in the file is executed. ``file.npz:name`` names one of several arrays.

    Raises:
        DataError: no such file or array, a file that cannot be read, or no numbers in rows.
    """
    path, name = _split(source)
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the spelling")
    array = _read(path, name)
    if array.dtype.kind not in "fiub" or array.ndim == 0:
        raise DataError(f"{source} holds {array.dtype} values of shape {array.shape}; rows of numbers are wanted")

    def draw(count: int, seed: int) -> Tensor:
        rows = array[random_rows(len(array), count, seed)]
        finite = np.isfinite(rows).reshape(count, -1).all(axis=1)
        if not finite.all():
            raise DataError(f"{source}: {int((~finite).sum())} of {count} rows hold values that are not finite")
        return torch.from_numpy(rows.astype(np.result_type(rows.dtype, np.float32)))

    return SampleSet(source, len(array), draw, bytes=array.dtype == np.uint8)


def _split(source: str) -> tuple[Path, str | None]:
    """File and array name; a colon that belongs to the file's own path stays in it."""
    path = at_home(source)
    file, colon, name = source.rpartition(":")
    if path.exists() or not colon or not file.lower().endswith(ARRAY_SUFFIXES):
        return path, None
    return at_home(file), name


def _read(path: Path, name: str | None) -> NDArray[np.generic]:
    if path.suffix.lower() == ".safetensors":
        return _read_safetensors(path, name)
    with readable(str(path)), path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            return _read_member(path, name)
        file.seek(0)
        heading = array_header(file, str(path))
    if name is not None:
        raise DataError(f"{path} holds a single array, which has no name; leave out :{name}")
    if not heading.bytes:  # which cannot be mapped
        return np.zeros(heading.shape, heading.dtype)
    with readable(str(path)):
        mapped: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def _read_member(path: Path, name: str | None) -> NDArray[np.generic]:
    """An array of a ``.npz`` file, which is held whole."""
    with readable(str(path)), zipfile.ZipFile(path) as archive:
        names = [member.removesuffix(".npy") for member in archive.namelist()]
        entry = archive.infolist()[names.index(_choose(path, name, names))]
        check_unpacked(entry, f"{path}:{entry.filename}")
        with archive.open(entry) as file:
            return read_array(cast(BinaryIO, file), f"{path}:{entry.filename}", entry.file_size)


def _read_safetensors(path: Path, name: str | None) -> NDArray[np.generic]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensor: Tensor = file.get_tensor(_choose(path, name, list(file.keys())))
    except (SafetensorError, *DAMAGE) as error:
        raise DataError(f"{path} cannot be read as an array of numbers: {error}") from error
    # numpy has no bfloat16.
    return np.asarray((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy())


def _choose(path: Path, name: str | None, names: list[str]) -> str:
    listed = ", ".join(names) or "none"
    if name is None:
        if len(names) != 1:
            raise DataError(f"{path} holds {len(names)} arrays ({listed}); say which: {path}:NAME")
        return names[0]
    if name not in names:
        raise DataError(f"{path} holds no array {name!r}; it holds: {listed}{did_you_mean(name, names)}")
    return name


def check_alike(samples: Mapping[str, Tensor]) -> None:
    """Refuse sets whose samples differ in shape.

    Raises:
        DataError: naming both shapes.
    """
    (first, a), (second, b) = samples.items()
    if a.shape[1:] != b.shape[1:]:
        raise DataError(
            f"samples differ in shape: {tuple(a.shape[1:])} in {first} and {tuple(b.shape[1:])} in {second}; "
            "bring both to one shape (files: the plugin does, for example with --set dataset.size=32)"
        )


SCALES = {"0 to 1": (0.0, 1.0), "-1 to 1": (-1.0, 1.0), "0 to 255": (0.0, 255.0)}
"""The ranges in which pictures and sounds are kept, narrowest first."""

_BRIGHT = 64.0


def check_scales(a: SampleSet, b: SampleSet, samples: Mapping[str, Tensor]) -> str | None:
    """What is to be said of two sets that seem to be kept in different ranges, if anything.

    Raises:
        DataError: one holds bytes up to 255 and the other numbers from -1 to 1: their distance is that of the scales.
    """
    found = {name: (float(rows.min()), float(rows.max())) for name, rows in samples.items()}
    scales = {name: _scale(*ends) for name, ends in found.items()}
    for stored, other in ((a, b), (b, a)):
        small = max(abs(end) for end in found[other.name]) <= 1
        if stored.bytes and not other.bytes and small and found[stored.name][1] > 1:
            raise DataError(
                f"{stored.name} holds bytes up to {found[stored.name][1]:g} and {other.name} numbers from "
                f"{scales[other.name]}: their distance would be that of the scales; bring both to one, as by x / 255 "
                "for 0 to 1 or x / 127.5 - 1 for -1 to 1"
            )
    if None in scales.values() or scales[a.name] == scales[b.name]:
        return None
    return (
        f"{a.name} lies from {scales[a.name]} and {b.name} from {scales[b.name]}: if these are two "
        "scales of one thing, bring both to one"
    )


def _scale(low: float, high: float) -> str | None:
    """The name of the narrowest range that holds both ends; None where there is none, or it would be hardly used."""
    name = next((name for name, (least, most) in SCALES.items() if least <= low and high <= most), None)
    return None if name == "0 to 255" and high < _BRIGHT else name
