"""Items: what a dataset opens, one dict of tensors in storage types each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Protocol

import torch

from wganx.errors import DataError

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor

    from wganx.batch import SampleFormat


class Items(Protocol):
    """What a feed is made of: the shape of `wganx.Items`, which lives a floor above.

    `formats` describes every key of an item as it is stored. Items that may fail one by one derive from
    `wganx.data.DecodedItems`.
    """

    @property
    def formats(self) -> Mapping[str, SampleFormat]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Mapping[str, Tensor]: ...


class ArrayItems:
    """Items that are in memory: row ``i`` of every tensor is item ``i``.

    Attributes:
        tensors: each ``(N, ...)``, in storage types.
        formats: what every one of them is, as it is stored: a picture in 0 .. 255, a label as an index.
        details: what its maker found of the data, a sentence each.
        remarks: what of that may not be meant, a sentence each with the mend.
    """

    details: Sequence[str] = ()
    remarks: Sequence[str] = ()

    def __init__(self, tensors: Mapping[str, Tensor], formats: Mapping[str, SampleFormat]) -> None:
        """
        Raises:
            DataError: no tensors, no rows, tensors of different lengths, or a tensor that its format does not fit.
        """
        lengths = {name: len(tensor) if tensor.dim() else 0 for name, tensor in tensors.items()}
        if not lengths or 0 in lengths.values():
            raise DataError(f"a dataset needs tensors with at least one row each, got rows {lengths}")
        if len(set(lengths.values())) > 1:
            raise DataError(f"every tensor needs as many rows as the others, got {lengths}")
        check_names(tensors, formats)
        for name, tensor in tensors.items():
            if formats[name].is_label:
                _check_labels(name, tensor, len(formats[name].classes))
            elif not formats[name].fits(tuple(tensor.shape[1:])):
                raise DataError(_not_of_its_format(name, tuple(tensor.shape[1:]), formats[name]))
        self.tensors = dict(tensors)
        self.formats: Mapping[str, SampleFormat] = {name: formats[name] for name in tensors}
        self._rows: Tensor | None = None

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        row = range(len(self))[index]
        return {name: tensor[row] for name, tensor in self.tensors.items()}

    def name(self, index: int) -> str:
        """What item `index` is called in messages, by `name_of_row` of those that it was made with."""
        return self.name_of_row(index if self._rows is None else int(self._rows[index]))

    def name_of_row(self, row: int) -> str:
        """What row `row` of the tensors that these items were made with is called; a subclass knows file and line."""
        return f"item {row:,}"

    def only(self, rows: Tensor) -> Self:
        """These items without all but `rows` ``(M,)``, int64, with the names that they have here."""
        found = copy(self)
        found.tensors = self.gather(rows)
        found._rows = rows if self._rows is None else self._rows[rows]
        return found

    def gather(self, indices: Tensor) -> dict[str, Tensor]:
        """Rows `indices` ``(N,)`` of every tensor, ``(N, ...)``, on the tensors' device."""
        return {name: tensor.index_select(0, indices) for name, tensor in self.tensors.items()}


def check_names(item: Mapping[str, Tensor], formats: Mapping[str, SampleFormat]) -> None:
    """Raises DataError unless there is a format for every tensor, and a tensor for every format."""
    if item.keys() != formats.keys():
        raise DataError(
            f"every tensor of an item needs a format and every format a tensor, got tensors {sorted(item)} "
            f"and formats {sorted(formats)}"
        )


def check_item(item: Mapping[str, Tensor], formats: Mapping[str, SampleFormat], name: str) -> None:
    """Raises DataError, with the item's `name`, unless every tensor is what its format says."""
    try:
        check_names(item, formats)
        for key, tensor in item.items():
            if formats[key].is_label:
                _check_labels(key, tensor.reshape(1) if tensor.dim() == 0 else tensor, len(formats[key].classes))
            elif not formats[key].fits(tuple(tensor.shape)):
                raise DataError(_not_of_its_format(key, tuple(tensor.shape), formats[key]))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def check_alike(first: Mapping[str, Tensor], item: Mapping[str, Tensor], index: int) -> None:
    """Raises DataError unless `item` has the keys, shapes and types of `first`."""
    if item.keys() == first.keys() and all(
        tensor.shape == first[name].shape and tensor.dtype == first[name].dtype for name, tensor in item.items()
    ):
        return
    raise DataError(
        f"item {index} is {describe(item)}, but the first is {describe(first)}; every item must be alike, "
        "so let the dataset bring them to one size"
    )


def describe(item: Mapping[str, Tensor]) -> str:
    """The keys, types and shapes of an item in words: ``sample uint8 (3, 32, 32), label int64 ()``."""
    return ", ".join(
        f"{name} {str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
        for name, tensor in sorted(item.items())
    )


def reason_of(error: Exception, name: str = "") -> str:
    """An exception in one line of at most 200 characters, without the name of what it is about, if that stands there.

    ``a.png is no readable picture: it is empty`` of ``a.png`` is *no readable picture: it is empty*.
    """
    text = " ".join(str(error).split())
    if name and text.startswith(f"{name} "):
        text = text.removeprefix(f"{name} ").removeprefix("is ")
    if not isinstance(error, DataError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"


def _check_labels(name: str, label: Tensor, classes: int) -> None:
    if label.dtype != torch.int64 or label.dim() != 1:
        raise DataError(
            f"a format with classes needs a tensor {name!r} of shape (N,) and type int64, "
            f"got {str(label.dtype).removeprefix('torch.')} {tuple(label.shape)}"
        )
    low, high = int(label.min()), int(label.max())
    if low < 0 or high >= classes:
        raise DataError(
            f"labels {name!r} must lie in 0 .. {classes - 1} for {classes} classes, got "
            + (f"{low} .. {high}" if low < high else f"{low}")
        )


def _not_of_its_format(name: str, shape: tuple[int, ...], format: SampleFormat) -> str:
    return f"{name!r} has rows of shape {shape}, and its format is {format}; make one fit the other"
