"""Both updates on a copy of the networks, to see what memory they take."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from wganx.batch import Batch
from wganx.engine.ranks import Ranks
from wganx.engine.steps.optimizer import Optimizer
from wganx.engine.steps.player import Bystander, Player
from wganx.engine.steps.readings import Readings
from wganx.engine.steps.updates import Steps
from wganx.wasserstein import NoConstraint

_CUDA_BLOCK = 512  # what CUDA's allocator rounds sizes up to
_CONVOLVE, _CONVOLVE_BACKWARD = torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default

FEWEST = 2
"""Rows (or packs) in the smallest part of a batch: batch norm in a generator has no statistics of a single one."""


class Watermark(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Inside, follows the bytes of all storages on `device` that come into being and go.

    Sees what operations return, whatever computes them. Of what they take and give back inside, it reckons with the
    copies that convolutions make of operands whose order in memory does not suit them.

    Attributes:
        now: bytes alive.
        line: bytes alive after every operation.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._device = device.type
        self._alive: dict[int, int] = {}
        self.now = 0
        self.line: list[int] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        before = {leaf.untyped_storage()._cdata for leaf in _tensors((args, kwargs))}
        for tensor in _tensors(result):
            storage = tensor.untyped_storage()
            key = storage._cdata
            if tensor.device.type == self._device and key not in self._alive and key not in before:
                self._alive[key] = rounded(storage.nbytes(), self._device)
                self.now += self._alive[key]
                # The weak reference belongs to the storage and not to its handle in Python, which may go earlier.
                weakref.finalize(storage, self._gone, key).atexit = False
        inside = _copied_inside(func, args, self._device)
        self.line.append(self.now + inside)
        return result

    def _gone(self, key: int) -> None:
        self.now -= self._alive.pop(key)


class Lines(NamedTuple):
    """Bytes alive after every operation of the critic's update, of the same without constraint, of the generator's."""

    critic: list[int]
    plain: list[int]
    generator: list[int]


class Cast(NamedTuple):
    """The networks of a training."""

    generator: nn.Module
    critic: nn.Module
    helpers: dict[str, nn.Module]


class Rehearsal:
    """The two updates on a copy of the networks, `cast`."""

    def __init__(self, steps: Steps, optimizer: Optimizer, cast: Cast, batch: Batch, micro_batch: int | None) -> None:
        self.batch, self.device = batch, steps.draws.device

        def player(before: Player, network: nn.Module) -> Player:
            if isinstance(before, Bystander):
                return before
            helpers = {name: cast.helpers[name] for name in before.helpers}
            made = Player(before.role, network, optimizer, helpers=helpers)
            made.train()
            return made

        self.steps = replace(
            steps,
            generator=player(steps.generator, cast.generator),
            critic=player(steps.critic, cast.critic),
            helpers=cast.helpers,
            draws=torch.Generator(self.device),
            ranks=Ranks(),
            micro_batch=micro_batch,
            readings=Readings(),
            critic_updates=0,
            compiled=None,
        )
        self.plain = replace(self.steps, constraint=NoConstraint(drift=steps.constraint.drift))
        self.lines(min(FEWEST * steps.pack, len(batch)))  # the optimizers make their state in their first update

    def lines(self, rows: int) -> Lines:
        """What each update adds to what was there before it, with `rows` rows."""
        batches = [self.batch[:rows]]
        self.steps.critic_updates = 0  # every penalty is due
        critic = self.steps.objective.trains_critic
        return Lines(
            self._line(lambda: self.steps.update_critic(batches, 0)) if critic else [0],
            self._line(lambda: self.plain.update_critic(batches, 0)) if critic else [0],
            self._line(lambda: self.steps.update_generator(batches, 0)),
        )

    def _line(self, update: Callable[[], None]) -> list[int]:
        watermark = Watermark(self.device)
        with watermark:
            update()
        return watermark.line


def extrapolate(few: Lines, more: Lines, share: float) -> Lines:
    """Every moment on the straight line from `few` through `more`, at `share` times their distance from `few`."""

    def line(start: list[int], end: list[int]) -> list[int]:
        if len(start) != len(end):  # other operations for other sizes: only the peaks can be compared
            start, end = [max(start)], [max(end)]
        return [round(a + share * (b - a)) for a, b in zip(start, end)]

    return Lines(*(line(start, end) for start, end in zip(few, more)))


def rounded(size: int, device: str) -> int:
    """The bytes that an allocator of a kind of device takes for a tensor of `size` bytes."""
    return math.ceil(size / _CUDA_BLOCK) * _CUDA_BLOCK if device == "cuda" else size


def _copied_inside(func: object, args: tuple[Any, ...], device: str) -> int:
    """Bytes that a convolution copies: operands that are not dense and, on the CPU, into the order oneDNN works in.

    That order is one of blocks of channels; of operands with the channels last only the kernel is brought into it,
    and the kernel's gradient back from it.
    """
    if func not in (_CONVOLVE, _CONVOLVE_BACKWARD):
        return 0
    operands = [tensor for tensor in args[:3] if isinstance(tensor, Tensor) and tensor.ndim > 2]
    last = {4: torch.channels_last, 5: torch.channels_last_3d}.get(operands[0].ndim)
    plain = [tensor.is_contiguous() for tensor in operands]
    channels_last = [last is not None and tensor.is_contiguous(memory_format=last) for tensor in operands]
    in_that_order = any(ours and not other for ours, other in zip(channels_last, plain))
    sizes = [rounded(tensor.nbytes, device) for tensor in operands]
    copied = sum(size for size, dense in zip(sizes, channels_last if in_that_order else plain) if not dense)
    if device != "cpu":
        return copied
    if not in_that_order:
        return copied + sum(sizes)
    wants_kernel_gradient = func is _CONVOLVE_BACKWARD and args[-1][1]
    return copied + sizes[-1] * (2 if wants_kernel_gradient else 1)


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
