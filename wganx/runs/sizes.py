"""Sizes beyond memory: refused before they are taken, by the name of the option that asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
_NOWHERE = torch.device("meta")
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
_LARGE = 2**28
"""Bytes; a network that grows beyond them is outlined first."""
_SMALL = 2**16
"""Bytes; below these a tensor of an outline has values: tables that networks look at, or keep for the next one."""
_WEIGHTS = {"empty", "rand", "randn"}
"""Weights begin as one of these; in an outline they have a size alone."""
_TRAINING = "training the networks"


@contextmanager
def within_memory(
    resolved: Resolved,
    what: str,
    sections: Sequence[str],
    *,
    tensors: int | None = None,
    large: int | None = None,
    outline: bool = False,
) -> Iterator[None]:
    """Inside, a tensor in main memory that would take more than is free is refused before it is made.

    Args:
        what: asks for them, in words.
        sections: of the configuration, whose options say how large it is.
        tensors: how many it may make; None for any number.
        large: bytes that all of them may take before `_Large` ends it; None for any number.
        outline: weights are made without values, on torch's device "meta".

    Raises:
        PreflightError: it asks for more than is free, also where the system finds that out.
    """

    def refuse(why: str) -> PreflightError:
        return PreflightError(f"{what} {why}; {mend(resolved, sections)}")

    try:
        with _Counting(refuse, tensors, large, outline):
            yield
    except (MemoryError, RuntimeError, PluginFailed) as error:
        if not out_of_memory(error.__cause__ or error):
            raise
        raise refuse(f"asks for more memory than there is, {in_units(free_memory(_MAIN))} are free") from error


def build_network(resolved: Resolved, role: str, build: Callable[[], nn.Module], device: torch.device) -> nn.Module:
    """The network that `build` makes for a player, refused before it takes memory that is not there.

    Each tensor of a network may fit where all of them do not. So one that grows large is let go of, outlined, and then
    built again from the same random numbers.

    Args:
        role: of the player, "generator" or "critic".
        device: where it is trained.

    Raises:
        PreflightError: it, or what its training keeps beside it, asks for more than is free, or it is made of more than
            `MOST_TENSORS` tensors.
    """
    what, sections = str(getattr(resolved.parts, role)), _sections(role)
    begin = torch.get_rng_state()
    try:
        with within_memory(resolved, what, sections, tensors=MOST_TENSORS, large=_LARGE):
            return build()
    except _Large:
        size = 0  # looked at when what was built has been let go of
    with suppress(PluginFailed), within_memory(resolved, what, sections, tensors=MOST_TENSORS, outline=True):
        size = _weights(build())  # stays 0 for one that looks at its weights while it is built
    _check(resolved, what, size, sections, _MAIN)
    _check(resolved, _TRAINING, size * _copies(resolved, role), sections, device)
    torch.set_rng_state(begin)
    with within_memory(resolved, what, sections, tensors=MOST_TENSORS):
        return build()


def check_training(resolved: Resolved, generator: nn.Module, critic: nn.Module, device: torch.device) -> None:
    """Refuse networks beside which their gradients, one state of the optimizer and the average have no place.

    Raises:
        PreflightError: they have none.
    """
    sizes = {"generator": _weights(generator), "critic": _weights(critic)}
    larger = max(sizes, key=lambda role: sizes[role])
    size = sum(sizes[role] * _copies(resolved, role) for role in sizes)
    _check(resolved, _TRAINING, size, _sections(larger), device)


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


def _sections(role: str) -> tuple[str, ...]:
    """Of the configuration; their options say how large a player's network is."""
    return role, "dataset", "task"


def _copies(resolved: Resolved, role: str) -> int:
    """Of a player's weights: themselves, their gradients, or a state of the optimizer, and the generator's average."""
    return 3 if role == "generator" and resolved.run.train.ema else 2


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


class _Large(BaseException):
    """What is built has grown large; a plugin that catches errors of its own does not catch this."""


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Looks at the size of what is newly made before it is."""

    def __init__(
        self, refuse: Callable[[str], PreflightError], most: int | None, large: int | None, outline: bool
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._refuse, self._most, self._large, self._outline = refuse, most, large, outline
        self._free = 0
        self._count = 0
        self._size = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if (numbers := _made(name, args)) is not None:
            size = numbers * (kwargs.get("dtype") or torch.get_default_dtype()).itemsize
            if self._outline and name in _WEIGHTS and size >= _SMALL:
                kwargs = {**kwargs, "device": _NOWHERE}
            else:
                self._take(size)
            self._count += 1
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
        self._size += size
        if self._large is not None and self._size > self._large:
            raise _Large


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
