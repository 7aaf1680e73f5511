"""The first layer that noise passes: what it makes of each number of the noise, and drawing nearer to its mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from wganx.devices import wide
from wganx.errors import UsageError


class NoiseLayer:
    """The first layer with weights whose output differs where the noise does: what a generator maps its noise by.

    Found by a pass of two rows, so that it does not matter what the layer is called, whether labels are embedded before
    it, or whether the noise is normalised first, as by generators that grow. Linear layers and convolutions are affine,
    and noise is symmetric, so the mean of the output is what the layer makes of noise that is zero.

    Args:
        module: the generator, in evaluation mode.
        shape: of one noise sample.
        context: what it is given beside noise, each ``(N, ...)``; the first row is used.

    Raises:
        UsageError: it is not made of layers.
    """

    def __init__(self, module: nn.Module, shape: tuple[int, ...], context: Mapping[str, Tensor]) -> None:
        self.module, self.shape = module, shape
        self.context = {name: rows[:1] for name, rows in context.items()}
        self.layer = self._found()

    @torch.no_grad()
    def responses(self) -> Tensor:
        """The matrix ``(numbers of the noise, numbers of the output)``: what each unit of noise adds to the mean."""
        size = int(torch.Size(self.shape).numel())
        units = torch.eye(size).reshape(size, *self.shape)
        outputs = wide(self.output(torch.cat([torch.zeros(1, *self.shape), units])).flatten(1))
        return outputs[1:] - outputs[:1]

    @torch.no_grad()
    def output(self, noise: Tensor) -> Tensor:
        """What the layer makes of noise ``(N, *shape)``, with the first row of the context."""
        kept: list[Tensor] = []
        with _heard(self.layer, lambda output: kept.append(output.detach())):
            self._call(noise)
        return kept[0]

    @contextmanager
    def pulled(self, truncation: float, noise: Tensor, context: Mapping[str, Tensor]) -> Iterator[None]:
        """Inside, the layer's output w for these rows is ``mean + truncation * (w - mean)``."""
        kept: list[Tensor] = []
        with _heard(self.layer, lambda output: kept.append(output)):
            self.module(torch.zeros_like(noise), **context)
        mean = kept[0]

        def nearer(output: Tensor) -> Tensor:
            return torch.lerp(mean, output, truncation)

        with _heard(self.layer, nearer):
            yield

    def _found(self) -> nn.Module:
        called: list[nn.Module] = []

        def hear(part: nn.Module) -> Callable[[Tensor], None]:
            def differs(output: Tensor) -> None:
                if output.is_floating_point() and len(output) == 2 and not torch.equal(output[0], output[1]):
                    called.append(part)

            return differs

        weighted = [part for part in self.module.modules() if part is not self.module and _has_weights(part)]
        with ExitStack() as heard, torch.no_grad():
            for part in weighted:
                heard.enter_context(_heard(part, hear(part)))
            draws = torch.Generator().manual_seed(0)
            self._call(torch.randn(2, *self.shape, generator=draws))
        if not called:
            raise UsageError(
                "this generator is not made of layers that can be told apart, so its noise has no first one"
            )
        return called[0]

    def _call(self, noise: Tensor) -> None:
        weight = next((each for each in self.module.parameters() if each.is_floating_point()), None)
        if weight is not None:
            noise = noise.to(weight.device, weight.dtype)
        self.module(noise, **{name: row.to(noise.device).expand(len(noise), *row.shape[1:])
                              for name, row in self.context.items()})  # fmt: skip


def _has_weights(part: nn.Module) -> bool:
    return parametrize.is_parametrized(part) or any(True for _ in part.parameters(recurse=False))


@contextmanager
def _heard(part: nn.Module, change: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Inside, the layer's outputs go through `change`; they stay where it returns nothing."""

    def hook(_: nn.Module, __: Any, output: Any) -> Any:
        return change(output) if isinstance(output, Tensor) else None

    handle = part.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
