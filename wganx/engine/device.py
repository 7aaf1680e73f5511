"""Where a training computes."""

from __future__ import annotations

import torch

from wganx.errors import UsageError


def choose_device(requested: str | torch.device) -> torch.device:
    """The device that `requested` names; ``auto`` is CUDA when present, else the CPU.

    Raises:
        UsageError: no such device on this machine.
    """
    if requested == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(requested)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"device {str(requested)!r} cannot be used: {str(error).splitlines()[0]}") from error
    return torch.device("cuda", torch.cuda.current_device()) if requested == "cuda" else device
