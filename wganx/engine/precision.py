"""Numerical precision of the forward and backward passes. Weights, norms and updates stay in fp32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, get_args

import torch

from wganx.devices import on_apple
from wganx.errors import UsageError

PrecisionName = Literal["auto", "fp32", "tf32", "bf16"]


class Precision:
    """What `precision` means on a device.

    ``fp32``: everything. ``tf32``: matrix products and convolutions in TensorFloat-32 (CUDA). ``bf16``: autocast to
    bfloat16, which needs no loss scaling. ``auto``: bf16 on CUDA devices that have it in hardware, else fp32.

    Raises:
        UsageError: the name is unknown, or tf32 is asked for without a CUDA device, or bf16 on a Mac that is too old.
    """

    def __init__(self, requested: str, device: torch.device) -> None:
        if requested not in get_args(PrecisionName):
            raise UsageError(f"precision must be one of {', '.join(get_args(PrecisionName))}, got {requested!r}")
        if requested == "tf32" and device.type != "cuda":
            raise UsageError(
                f"precision tf32 needs a CUDA device, and training runs on {device.type}; use fp32 or bf16"
            )
        if requested == "bf16" and on_apple(device) and not torch.backends.mps.is_macos_or_newer(14, 0):
            raise UsageError("precision bf16 needs macOS 14 or newer on Apple's GPU; use fp32")
        self.device = device
        self.name = requested
        if requested == "auto":
            on_cuda = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
            self.name = "bf16" if on_cuda else "fp32"

    def autocast(self) -> AbstractContextManager[object]:
        """Around every forward pass of a network."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.name == "bf16" else nullcontext()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Around training: sets CUDA's process-wide switches (TF32, cuDNN's choice by trial), and puts them back."""
        if self.device.type != "cuda":
            yield
            return
        switches = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
        before, trial = [switch.fp32_precision for switch in switches], torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = True
        for switch in switches:
            switch.fp32_precision = "ieee" if self.name == "fp32" else "tf32"
        try:
            yield
        finally:
            torch.backends.cudnn.benchmark = trial
            for switch, value in zip(switches, before):
                switch.fp32_precision = value
