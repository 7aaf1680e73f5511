"""Where a training computes."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from wganx.engine.ranks import local_number
from wganx.errors import UsageError

_SMALL = 20_000


def choose_device(requested: str | torch.device) -> torch.device:
    """The device that `requested` names; ``auto`` is CUDA when present, else the CPU.

    Of several processes on one machine, each gets the GPU of its own number for ``auto`` and ``cuda``.

    Raises:
        UsageError: no such device on this machine.
    """
    if requested == "auto":
        requested = "cuda" if torch.cuda.is_available() else "cpu"
    if requested == "cuda" and "LOCAL_RANK" in os.environ:
        requested = f"cuda:{local_number()}"
    try:
        device = torch.device(requested)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"device {str(requested)!r} cannot be used: {str(error).splitlines()[0]}; name one that can with --device "
            "(device= in Python): cpu, or auto for what is there"
        ) from error
    if device.type != "cuda":
        return device
    if device.index is not None:
        torch.cuda.set_device(device)
    return torch.device("cuda", torch.cuda.current_device())


def place(network: nn.Module, device: torch.device) -> torch.memory_format:
    """Move `network` to `device`; returns the order in memory it works in, and so wants its samples in.

    Networks with convolutions over pictures hold their kernels with the channels last, as the fast kernels of CPUs
    and GPUs do; checkpoints do not notice.
    """
    pictures = any(isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) for module in network.modules())
    layout = torch.channels_last if pictures else torch.contiguous_format
    network.to(device)
    for tensor in (*network.parameters(), *network.buffers()) if pictures else ():
        if tensor.ndim == 4:  # kernels of five axes beside them have no such order
            tensor.data = tensor.data.to(memory_format=layout)
    return layout


def place_plainly(network: nn.Module) -> None:
    """Bring every weight of `network` into the plain order in memory."""
    for tensor in (*network.parameters(), *network.buffers()):
        # A kernel of one channel lies in both orders at once, and its strides decide which one a convolution sees.
        tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)


def arranged(samples: Tensor, layout: torch.memory_format) -> Tensor:
    """Samples ``(N, ...)`` in an order in memory that is of four axes."""
    return samples.contiguous(memory_format=layout) if samples.ndim == 4 else samples


def as_judged(fake: Tensor, layout: torch.memory_format) -> Tensor:
    """Samples as the generator left them in memory, for a critic that wants samples in `layout`.

    One that takes them in the plain order may well count on it (``x.view(len(x), -1)``).
    """
    return fake.contiguous() if layout == torch.contiguous_format else fake


def twice_differentiable_attention() -> AbstractContextManager[object]:
    """Inside, ``scaled_dot_product_attention`` runs with the one kernel that can be differentiated twice."""
    return sdpa_kernel([SDPBackend.MATH])


def masks_pay(critic: nn.Module, device: torch.device) -> bool:
    """Whether rectifiers with constant masks save more than they cost to look after.

    Not in a network of a few thousand weights on a CPU, whose operations are over before they are looked after.
    """
    small = sum(parameter.numel() for parameter in critic.parameters()) < _SMALL
    return device.type == "cuda" or _convolves(critic) or not small


def joins_forwards(critic: nn.Module, device: torch.device) -> bool:
    """Whether real and fake samples go through the critic together.

    Fewer, larger operations pay on a GPU and for small networks; on a CPU convolutions are slower that way.
    """
    return device.type == "cuda" or not _convolves(critic)


def _convolves(network: nn.Module) -> bool:
    return any(isinstance(module, nn.modules.conv._ConvNd) for module in network.modules())
