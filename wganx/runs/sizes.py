"""Sizes beyond memory: refused before they are taken, by the name of the option that asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from wganx.batch import SampleFormat
from wganx.config import Resolved
from wganx.data.items import Items
from wganx.devices import out_of_memory
from wganx.engine.planning.memory import free_memory, in_units
from wganx.errors import PluginFailed, PreflightError

_MAIN = torch.device("cpu")
GENERATOR_SIZES = ("generator", "dataset", "task")
CRITIC_SIZES = ("critic", "dataset", "task")
"""Sections that say how large a network is."""
_SINGLE = 4
"""Bytes of a number in single precision."""
_NUMBER = 8
"""Bytes of the number by which an item is found."""
_OFTEN = 10
"""So many times in one batch is an item hardly wanted."""
_MANY = 10_000
"""Rows; up to these a batch of crops of a few pictures is meant."""
_MUCH = 4
"""A batch beyond this part of the free memory is told of."""
MOST_TENSORS = 20_000
"""Of a network: a hundred times those of the largest that are trained here."""


@contextmanager
def within_memory(
    resolved: Resolved, what: str, sections: Sequence[str], *, tensors: int | None = None
) -> Iterator[None]:
    """Inside, a tensor in main memory that would take more than is free is refused before it is made.

    Args:
        what: asks for them, in words.
        sections: of the configuration, whose options say how large it is.
        tensors: how many it may make; None for any number.

    Raises:
        PreflightError: it asks for more than is free, also where the system finds that out.
    """

    def refuse(why: str) -> PreflightError:
        return PreflightError(f"{what} {why}; {mend(resolved, sections)}")

    try:
        with _Counting(refuse, tensors):
            yield
    except (MemoryError, RuntimeError, PluginFailed) as error:
        if not out_of_memory(error.__cause__ or error):
            raise
        raise refuse(f"asks for more memory than there is, {in_units(free_memory(_MAIN))} are free") from error


def check_training(resolved: Resolved, generator: nn.Module, critic: nn.Module, device: torch.device) -> None:
    """Refuse networks beside which their gradients, one state of the optimizer and the average have no place.

    Raises:
        PreflightError: they have none.
    """
    sizes = {"generator": _weights(generator), "critic": _weights(critic)}
    copies = {"generator": 3 if resolved.run.train.ema else 2, "critic": 2}
    larger = max(sizes, key=lambda role: sizes[role])
    what = "training the networks"
    _check(resolved, what, sum(sizes[role] * copies[role] for role in sizes), (larger, "dataset", "task"), device)


def check_batches(
    resolved: Resolved, items: Mapping[str, SampleFormat], sample: SampleFormat, device: torch.device
) -> None:
    """Refuse batches, and previews, that are larger than memory by themselves.

    Raises:
        PreflightError: they are.
    """
    run = resolved.run
    noise = math.prod(run.generator.noise_shape) * _SINGLE
    size = run.train.batch_size * (_of_a_row(items, sample) + noise)
    _check(resolved, "a batch", size, ("train.batch_size", "dataset", "generator.noise"), device)
    _check(resolved, "a preview", run.preview.count * max(_least(sample) * _SINGLE, noise), ("preview.count",), device)


def remark_on_batches(resolved: Resolved, items: Items, sample: SampleFormat, device: torch.device) -> Iterator[str]:
    """What is told of a batch that has a place, and still is hardly meant."""
    rows, there = resolved.run.train.batch_size, len(items)
    lower = mend(resolved, ("train.batch_size",))
    if there and rows >= max(_OFTEN * there, _MANY):
        yield (
            f"a batch has {rows:,} rows, {rows / there:,.0f} times the {there:,} items to learn from: each is in every "
            f"batch as often, and a step takes as much longer; {lower}"
        )
    size, free = rows * _of_a_row(items.formats, sample), free_memory(device)
    if size > free // _MUCH:
        yield f"a batch {_asks(size, free)}, so that a step takes long; {lower}"


def _of_a_row(items: Mapping[str, SampleFormat], sample: SampleFormat) -> int:
    """Bytes that a row of a batch takes at the least: its number, the item as it is stored, and what is made of it."""
    return _NUMBER + sum(map(_least, items.values())) + _least(sample) * _SINGLE


def _check(resolved: Resolved, what: str, size: int, sections: Sequence[str], device: torch.device) -> None:
    if size > (free := free_memory(device)):
        raise PreflightError(f"{what} {_asks(size, free)}; {mend(resolved, sections)}")


def _least(format: SampleFormat) -> int:
    """Numbers in one sample; a free size counts as 1."""
    return math.prod(size or 1 for size in format.shape)


def _weights(network: nn.Module) -> int:
    return sum(weight.nbytes for weight in network.parameters())


def mend(resolved: Resolved, sections: Sequence[str]) -> str:
    """Which option of `sections` to lower, and where it stands: the largest number that somebody set by himself; where
    nobody did, that of the first section."""
    values = resolved.dump()
    found: list[tuple[bool, bool, int, str]] = []
    for section in sections:
        section, _, option = section.partition(".")
        given = values[section]
        for name, value in given.items() if not option else [(option, given[option])]:
            for number in _whole_numbers(value):
                origin = resolved.origin(f"{section}.{name}")
                chosen = origin != "default" and not origin.startswith("scenario ")
                found.append((chosen, sections[0].startswith(section), number, f"{section}.{name}"))
    if not found:
        return "make it smaller"
    *_, number, name = max(found)
    return f"lower {name}={number}, from {resolved.origin(name)}"


def _whole_numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _whole_numbers(inner)


def _asks(size: float, free: int) -> str:
    return f"asks for {in_units(size)} of memory where {in_units(free)} are free"


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Looks at the size of what is newly made before it is."""

    def __init__(self, refuse: Callable[[str], PreflightError], most: int | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._refuse, self._most = refuse, most
        self._free = 0
        self._count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if (numbers := _made(func.overloadpacket.__name__, args)) is not None:
            kind = kwargs.get("dtype") or torch.get_default_dtype()
            self._count += 1
            self._take(numbers * kind.itemsize)
            if self._most is not None and self._count > self._most:
                raise self._refuse(f"is made of more than {self._most:,} tensors")
        return func(*args, **kwargs)

    def _take(self, size: int) -> None:
        """The system is asked again once what it had free may be taken; much of that has been given back since."""
        self._free -= size
        if self._free < 0:
            free = free_memory(_MAIN)
            if size > free:
                raise self._refuse(_asks(size, free))
            self._free = free - size


def _made(name: str, args: Sequence[Any]) -> int | None:
    """Numbers in what an operation makes out of nothing; None for other operations."""
    if any(isinstance(given, torch.Tensor) for given in args):
        return None
    shape = next((given for given in args if isinstance(given, list | tuple | torch.Size)), None)
    if shape is not None:
        return math.prod(shape) if all(isinstance(size, int) for size in shape) else None
    if name == "randperm" or (name == "arange" and len(args) == 1):
        count: int = math.ceil(args[0])
        return count
    return None
