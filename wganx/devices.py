"""What is done otherwise on another device than a CPU, and what Apple's GPU (``mps``) lacks.

That GPU has no float64, does its work in no recorded graph, and some of its kernels err where torch 2.11's others do
not; see ``docs/reference/platforms.md``.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor

APPLE = "mps"
_NO_MEMORY = ("DefaultCPUAllocator", "can't allocate memory", "Storage size calculation overflowed", "out of memory")


def on_apple(device: torch.device) -> bool:
    """Whether it is Apple's GPU."""
    return device.type == APPLE


def plain(values: Tensor) -> Tensor:
    """`values` where float64 can be computed with: on the CPU if they lie on Apple's GPU, else where they are."""
    return values.cpu() if on_apple(values.device) else values


def wide(values: Tensor) -> Tensor:
    """`values` in float64, on the CPU if they lie on Apple's GPU, else where they are."""
    return plain(values).double()


def forked_streams(device: torch.device) -> AbstractContextManager[None]:
    """Inside, torch's global streams, the CPU's and that of `device`, may be moved; afterwards they are as before."""
    if device.type == "cpu":
        return torch.random.fork_rng([])
    return torch.random.fork_rng([device], device_type=device.type)


def wait_for(device: torch.device) -> None:
    """Returns when the work that was given to `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type != "cpu":
        torch.get_device_module(device).synchronize()


def free_on_apple() -> int:
    """Bytes that tensors on Apple's GPU may still take of the memory it shares with the CPU."""
    return max(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory(), 0)


def out_of_memory(error: BaseException) -> bool:
    """Whether that is what an error says, of whichever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)
