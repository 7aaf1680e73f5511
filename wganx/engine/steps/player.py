"""A player of the game: a network, its optimizer, and the one flat buffer its gradients live in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from wganx.devices import on_apple
from wganx.engine.modes import held_in_evaluation, train
from wganx.engine.ranks import Ranks
from wganx.engine.steps.optimizer import Optimizer
from wganx.errors import CheckpointError, PreflightError

Role = Literal["generator", "critic"]


class Player:
    """A network under training, with the helpers that learn beside it.

    Gradients come from `torch.autograd.grad` and go into one flat buffer, whose views are the parameters' ``.grad``:
    one tensor to sum over the ranks and to test for non-finite values. Behind the gradients the buffer has one more
    place, which turns non-finite with a loss.

    Attributes:
        module: the network.
        helpers: networks that learn in this player's updates, from its losses, under its optimizer.
        names: of the parameters; those of a helper are ``helper/NAME/parameter``.
        gradient: the flat gradient, one value a parameter.
        failed: boolean scalar on the device, set by a non-finite loss or gradient on any rank; from then on no
            gradient reaches the weights, and whoever reads the flag decides what happens.
    """

    def __init__(
        self,
        role: Role,
        module: nn.Module,
        optimizer: Optimizer,
        *,
        helpers: Mapping[str, nn.Module] | None = None,
        capturable: bool = False,
    ) -> None:
        self.role = role
        self.module = module
        self.helpers = dict(helpers or {})
        self._held = {network: held_in_evaluation(network) for network in self.networks}
        self.rate = optimizer.rate(role)
        self._rule, self._capturable = optimizer, capturable
        self._take_up(self._to_train())

    def follow(self) -> bool:
        """Take up what was frozen, unfrozen or laid out anew since; each weight keeps its state of the optimizer.

        Returns whether there was any such thing.
        """
        for network in self.networks:
            if network.training:
                self._held[network] = held_in_evaluation(network)
        named = self._to_train()
        same = [name for name, _ in named] == self.names
        if same and all(weight.stride() == stride for (_, weight), stride in zip(named, self._strides)):
            for parameter, place in zip(self.parameters, self._places):
                parameter.grad = place  # which a zero_grad of the owner's takes away
            return False
        state = self.optimizer_tensors()
        for parameter in self.parameters:
            parameter.grad = None
        self._take_up(named)
        self.load_optimizer_tensors(state)
        return True

    def _to_train(self) -> list[tuple[str, nn.Parameter]]:
        named = _trainable("", self.module, ())
        if not named:
            frozen = any(True for _ in self.module.parameters())
            mend = (
                f"they are all frozen; {self.role}.requires_grad_(True) thaws them"
                if frozen
                else "give it layers with weights"
            )
            raise PreflightError(f"the {self.role} has no parameter to train; {mend}")
        for name, helper in self.helpers.items():
            # A classifier may be a second head on the critic's body: what both have is the player's.
            named += _trainable(f"helper/{name}/", helper, [parameter for _, parameter in named])
        return named

    def _take_up(self, named: Sequence[tuple[str, nn.Parameter]]) -> None:
        """Make the optimizer and the flat buffer for these weights."""
        self.names = [name for name, _ in named]
        self.parameters = [parameter for _, parameter in named]
        kinds = {(parameter.dtype, parameter.device) for parameter in self.parameters}
        if len(kinds) > 1:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise PreflightError(f"the {self.role} mixes parameters of several types ({found}); bring them to one")
        self.optimizer = self._rule.build(self.parameters, self.rate, self._capturable)
        sizes = [parameter.numel() for parameter in self.parameters]
        first = self.parameters[0]
        self._buffer = torch.zeros(sum(sizes) + 1, dtype=first.dtype, device=first.device)
        self.gradient = self._buffer[:-1]
        self.failed = torch.zeros((), dtype=torch.bool, device=first.device)
        self._empty = True
        # Its fused step leaves out what is not finite; Apple's looks away from `found_inf` (pytorch/pytorch#186360).
        self._skips = isinstance(self.optimizer, torch.optim.Adam) and not on_apple(first.device)
        pieces = torch.split(self.gradient, sizes)
        self._strides = [parameter.stride() for parameter in self.parameters]
        self._places = [_laid_out_like(parameter, piece) for parameter, piece in zip(self.parameters, pieces)]
        for parameter, place in zip(self.parameters, self._places):
            parameter.grad = place

    @property
    def networks(self) -> list[nn.Module]:
        """The network and its helpers."""
        return [self.module, *self.helpers.values()]

    def train(self) -> None:
        """Put the networks into training mode, all but what their owner keeps in evaluation mode."""
        for network in self.networks:
            train(network, self._held[network])

    def add_gradient(self, loss: Tensor) -> None:
        """Add the gradient of `loss` to the buffer."""
        self.add(torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True), loss.detach())

    def add(self, gradients: Sequence[Tensor], loss: Tensor, factor: float = 1.0) -> None:
        """Add `factor` times the gradients of a loss, one a parameter, to the buffer."""
        broken = loss * 0.0  # 0 times what is not finite is not a number
        if self._empty:
            torch._foreach_copy_(self._places, list(gradients))
            self._buffer[-1].copy_(broken)
            if factor != 1.0:
                self.gradient.mul_(factor)
        else:
            torch._foreach_add_(self._places, list(gradients), alpha=factor)
            self._buffer[-1].add_(broken)
        self._empty = False

    def update(self, ranks: Ranks) -> None:
        """One optimizer step from the sum of all ranks' buffers, which are empty afterwards. Waits for no device."""
        ranks.sum_(self._buffer)
        # A sum is finite only if all its terms are, and is many times cheaper to look at.
        self.failed.logical_or_(torch.isfinite(self._buffer.sum()).logical_not())
        if self._skips:
            self.optimizer.found_inf = self.failed.float()  # type: ignore[attr-defined]
        else:
            self._buffer.masked_fill_(self.failed, 0.0)
        self.optimizer.step()
        self._empty = True

    def set_rate(self, factor: float) -> float:
        """Set the learning rate to `factor` times its start; returns it."""
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):  # a recorded step reads it where it lies
                group["lr"].fill_(self.rate * factor)
            else:
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
        """Put back what `optimizer_tensors` gave.

        Raises:
            CheckpointError: it is not the state of this optimizer for these weights.
        """
        found: dict[str, dict[str, Tensor]] = {name: {} for name in self.names}
        for key, value in tensors.items():
            name, _, entry = key.rpartition("/")
            if name in found:
                found[name][entry] = value
        # One of a plugin's may keep other things of some weights.
        uniform = type(self.optimizer).__module__.startswith("torch.")
        kinds = {frozenset(entries) for entries in found.values() if entries} if uniform else set()
        shapes = {name: parameter.shape for name, parameter in zip(self.names, self.parameters)}
        for name, entries in found.items():
            if len(kinds) > 1 or any(not _is_state(value, shapes[name]) for value in entries.values()):
                raise CheckpointError(
                    f"the checkpoint is damaged: what it holds of the {self.role}'s optimizer is no state of {name}"
                )
        self.optimizer.state.clear()
        for name, parameter in zip(self.names, self.parameters):
            if entries := found[name]:
                self.optimizer.state[parameter] = {entry: _beside(parameter, value) for entry, value in entries.items()}


class Bystander(Player):
    """The critic's place in a game without one: `module` has nothing to train, and no update is made."""

    def __init__(self, role: Role, module: nn.Module, device: torch.device) -> None:
        self.role, self.module, self.helpers, self.rate = role, module, {}, 0.0
        self._held = {module: []}
        self.names, self.parameters = [], []
        self.gradient = torch.zeros(0, device=device)
        self.failed = torch.zeros((), dtype=torch.bool, device=device)

    def follow(self) -> bool:
        return False

    def set_rate(self, factor: float) -> float:
        return 0.0

    def optimizer_tensors(self) -> dict[str, Tensor]:
        return {}

    def load_optimizer_tensors(self, tensors: dict[str, Tensor]) -> None:
        pass


def flatten_scores(critic: nn.Module, inputs: object, scores: Tensor) -> Tensor:
    """Forward hook of a critic that returns its scores as ``(N, 1)`` or ``(N, 1, 1, 1)``."""
    return scores.flatten() if scores.numel() == len(scores) else scores


def _trainable(prefix: str, module: nn.Module, known: Sequence[Tensor]) -> list[tuple[str, nn.Parameter]]:
    """Parameters to train that are not `known` already."""
    seen = {id(parameter) for parameter in known}
    named = [(f"{prefix}{name}", parameter) for name, parameter in module.named_parameters()]
    return [(name, parameter) for name, parameter in named if parameter.requires_grad and id(parameter) not in seen]


def _laid_out_like(parameter: Tensor, flat: Tensor) -> Tensor:
    """`flat` in the shape of `parameter` and in its order in memory, which fused optimizers take for granted."""
    if parameter.is_contiguous():
        return flat.view_as(parameter)
    order = sorted(range(parameter.ndim), key=parameter.stride, reverse=True)
    laid = flat.view([parameter.shape[axis] for axis in order])
    return laid.permute([order.index(axis) for axis in range(parameter.ndim)])


def _is_state(value: Tensor, shape: torch.Size) -> bool:
    """Whether an optimizer may have kept this of a weight: as many numbers, or a count of steps."""
    if not value.ndim:
        return bool(torch.isfinite(value).all()) and bool((value >= 0).all())
    return value.is_floating_point() and value.shape == shape


def _beside(parameter: Tensor, value: Tensor) -> Tensor:
    """A copy of `value` where and how the optimizer of `parameter` keeps it."""
    if value.ndim == 0:  # Adam's step count, which its fused step reads beside the weights
        return value.to(parameter.device, copy=True)
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
