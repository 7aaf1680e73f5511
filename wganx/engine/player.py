"""A player of the game: a network, its optimizer, and the one flat buffer its gradients live in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from wganx.engine.optimizer import Optimizer
from wganx.errors import PreflightError

Role = Literal["generator", "critic"]


class Player:
    """A network under training.

    Gradients come from `torch.autograd.grad` and go into one flat buffer, whose views are the parameters' ``.grad``:
    one tensor to test for non-finite values, and nothing to zero between updates.
    """

    def __init__(self, role: Role, module: nn.Module, optimizer: Optimizer) -> None:
        self.role = role
        self.module = module
        named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
        if not named:
            raise PreflightError(f"the {role} has no parameter to train; give it layers with weights")
        self.names = [name for name, _ in named]
        self.parameters = [parameter for _, parameter in named]
        kinds = {(parameter.dtype, parameter.device) for parameter in self.parameters}
        if len(kinds) > 1:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise PreflightError(f"the {role} mixes parameters of several types ({found}); bring them to one")
        self.rate = optimizer.rate(role)
        self.optimizer = optimizer.build(self.parameters, self.rate)
        self.gradient = torch.zeros(
            sum(parameter.numel() for parameter in self.parameters),
            dtype=self.parameters[0].dtype,
            device=self.parameters[0].device,
        )
        sizes = [parameter.numel() for parameter in self.parameters]
        for parameter, view in zip(self.parameters, torch.split(self.gradient, sizes)):
            parameter.grad = view.view_as(parameter)

    def add_gradient(self, loss: Tensor, share: float) -> None:
        """Add `share` times the gradient of `loss` to the buffer."""
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
        self.gradient.add_(torch.cat([gradient.flatten() for gradient in gradients]), alpha=share)

    def update(self, failed: Tensor) -> None:
        """One optimizer step from the buffer, which is empty afterwards.

        `failed` is a boolean scalar on the device. It is set here when the gradient is not finite, and once set no
        gradient reaches the weights any more. Nothing waits for the device.
        """
        failed.logical_or_(torch.isfinite(self.gradient).all().logical_not())
        self.gradient.masked_fill_(failed, 0.0)
        self.optimizer.step()
        self.gradient.zero_()

    def set_rate(self, factor: float) -> float:
        """Set the learning rate to `factor` times its start; returns it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * factor
        return self.rate * factor

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Inside, the network passes gradients through but computes none for its own weights."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in self.parameters:
                parameter.requires_grad_(True)

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """The optimizer's state, by ``parameter/entry``."""
        return {
            f"{name}/{entry}": value
            for name, parameter in zip(self.names, self.parameters)
            for entry, value in self.optimizer.state.get(parameter, {}).items()
        }

    def load_optimizer_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `optimizer_tensors` gave."""
        self.optimizer.state.clear()
        for name, parameter in zip(self.names, self.parameters):
            entries = {
                key.rpartition("/")[2]: value for key, value in tensors.items() if key.rpartition("/")[0] == name
            }
            if entries:
                self.optimizer.state[parameter] = {
                    # Adam's step count may stay on the CPU; its moments live beside the parameter.
                    entry: value.clone() if value.ndim == 0 and not parameter.is_cuda else value.to(parameter.device)
                    for entry, value in entries.items()
                }
