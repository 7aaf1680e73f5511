"""Where a training computes."""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from wganx.devices import APPLE, on_apple
from wganx.engine.ranks import local_number
from wganx.errors import UsageError

log = logging.getLogger(__name__)

_SMALL = 20_000
_TOLERATED = 1e-2
"""How far single precision may take derivatives of two devices apart; wrong ones are off by more."""


def choose_device(requested: str | torch.device) -> torch.device:
    """The device that `requested` names; ``auto`` is CUDA when present, else Apple's GPU, else the CPU.

    Of several processes on one machine, each gets the GPU of its own number for ``auto`` and ``cuda``. Apple's is for
    one process, and is tried first: a small critic must be differentiated twice there as it is on the CPU. Where that
    fails, ``auto`` takes the CPU and says so once.

    Raises:
        UsageError: no such device on this machine, or one that cannot train.
    """
    if requested == "auto":
        requested = _best()
    if requested == "cuda" and "LOCAL_RANK" in os.environ:
        requested = f"cuda:{local_number()}"
    try:
        device = torch.device(requested)
        torch.empty(0, device=device)
        if device.type == "meta":
            raise RuntimeError("it holds shapes and no values")
        if device.type == "cpu" and device.index:
            raise RuntimeError("all processors are one device, cpu")
    except (RuntimeError, AssertionError, ValueError, TypeError, ImportError) as error:
        why = str(error).splitlines()[0]
        if why.startswith("Expected one of"):  # a list of some twenty kinds, most of which nobody has
            why = "there is no kind of that name; cuda is NVIDIA's and AMD's, mps Apple's"
        raise UsageError(
            f"device {str(requested)!r} cannot be used: {why}; name one that can with --device "
            "(device= in Python): cpu, or auto for what is there"
        ) from error
    if on_apple(device) and (fault := unfit(device)):
        raise UsageError(f"device {str(requested)!r} cannot train: {fault}; take cpu with --device (device= in Python)")
    if device.type != "cuda":
        return device
    if device.index is not None:
        torch.cuda.set_device(device)
    return torch.device("cuda", torch.cuda.current_device())


def place(network: nn.Module, device: torch.device) -> torch.memory_format:
    """Move `network` to `device`; returns the order in memory it works in, and so wants its samples in.

    Networks with convolutions over pictures hold their kernels with the channels last, as the fast kernels of CPUs
    and GPUs do; checkpoints do not notice. Not on Apple's GPU, where gradients of batch norms and means over windows
    are wrong in that order (pytorch/pytorch#175189, #189233).
    """
    pictures = any(isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) for module in network.modules())
    if on_apple(device):
        network.to(device)
        place_plainly(network)
        return torch.contiguous_format
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
    return device.type != "cpu" or _convolves(critic) or not small


def joins_forwards(critic: nn.Module, device: torch.device) -> bool:
    """Whether real and fake samples go through the critic together.

    Fewer, larger operations pay on a GPU and for small networks; on a CPU convolutions are slower that way.
    """
    return device.type != "cpu" or not _convolves(critic)


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    # Several processes sum their gradients through gloo, which takes none of Apple's tensors.
    if not torch.backends.mps.is_available() or int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return "cpu"
    if fault := unfit(torch.device(APPLE)):
        _say_once(f"Apple's GPU is left aside, since {fault}; the CPU computes")
        return "cpu"
    return APPLE


@cache
def _say_once(what: str) -> None:
    log.warning("%s", what)


@cache
def unfit(device: torch.device) -> str | None:
    """Why no critic can be trained on `device`; None where a small one is differentiated twice there as on the CPU."""
    try:
        with torch.inference_mode(False), torch.enable_grad():
            there, here = _slope_of_a_penalty(device), _slope_of_a_penalty(torch.device("cpu"))
    except (RuntimeError, TypeError) as error:  # of the first kind is what has no kernel there
        return f"a critic cannot be differentiated twice there: {str(error).splitlines()[0]}"
    apart = float((there - here).norm() / here.norm())
    return None if apart < _TOLERATED else f"the second derivatives of a critic are off by {apart:.0%} there"


def _slope_of_a_penalty(device: torch.device) -> Tensor:
    """The gradient of a gradient penalty for all weights of a small critic over pictures, in one vector on the CPU."""
    draws = torch.Generator().manual_seed(0)
    shapes = ((4, 2, 3, 3), (4,), (8, 64), (8,), (1, 8), (2, 2, 8, 8))
    *weights, x_NCHW = (
        torch.randn(shape, generator=draws, device="cpu", dtype=torch.float32).to(device).requires_grad_()
        for shape in shapes
    )
    kernel, offset, first, bias, second = weights
    maps = nn.functional.leaky_relu(nn.functional.conv2d(x_NCHW, kernel, offset, stride=2, padding=1), 0.2)
    scores = torch.tanh(nn.functional.linear(maps.flatten(1), 0.1 * first, bias)) @ second.T
    (slope,) = torch.autograd.grad(scores.sum(), x_NCHW, create_graph=True)
    penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    found = torch.autograd.grad(penalty, weights, allow_unused=True, materialize_grads=True)
    return torch.cat([each.flatten().cpu() for each in found])


def _convolves(network: nn.Module) -> bool:
    return any(isinstance(module, nn.modules.conv._ConvNd) for module in network.modules())
