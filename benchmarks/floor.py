"""The least arithmetic that a WGAN-GP cycle needs, and how much a training does.

Counted in floating-point operations of matrix products and convolutions (a multiply-add is two), which is what
`torch.utils.flop_counter` has formulas for; everything pointwise is left out.

With F a forward pass of the critic over a batch, F₁ its first layer and G, G₁ the same of the generator:

- real and fake samples: two forward passes, and backward passes to weights and inputs: ``6 F - 2 F₁``, because no
  one needs the gradient for the samples themselves;
- penalty: forward, gradient for the points, its backward pass to what came in and to the weights: ``4 F``;
- a critic that normalises: the slope also depends on the points through the statistics, so that the backward pass
  runs through the forward pass as well: ``2 F - F₁`` more;
- the generator's samples: G in a critic step; in a generator step ``3 G - G₁``, and ``2 F`` for the critic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import torch
from networks import Network, leaky_relu
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what torch's own formulas say of each operator.

    `torch.utils.flop_counter.FlopCounterMode` also keeps account by module, with hooks that refuse a gradient of a
    gradient taken by `torch.autograd.grad`.
    """

    operations = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if (formula := flop_registry.get(func.overloadpacket)) is not None:
            self.operations += formula(*args, **(kwargs or {}), out_val=out)
        return out


def count(work: Callable[[], object]) -> int:
    """Floating-point operations of everything that `work` does."""
    with _Counter() as counter:  # type: ignore[no-untyped-call]
        work()
    return int(counter.operations)


@dataclass(frozen=True)
class Floor:
    """Operations of one forward pass of each network over a batch, and of their first layers."""

    critic: int
    critic_first: int
    generator: int
    generator_first: int
    _: KW_ONLY
    critic_norm: bool

    @property
    def critic_step(self) -> int:
        through_norms = 2 * self.critic - self.critic_first if self.critic_norm else 0
        return self.generator + 10 * self.critic - 2 * self.critic_first + through_norms

    @property
    def generator_step(self) -> int:
        return 2 * self.critic + 3 * self.generator - self.generator_first

    def cycle(self, critic_steps: int) -> int:
        """Of `critic_steps` critic steps and one generator step."""
        return critic_steps * self.critic_step + self.generator_step


def measure_floor(network: Network, batch: int) -> Floor:
    """Counted from the forward and backward pass of each network by itself; nothing is computed for it."""
    with torch.device("meta"):
        critic, generator = network.make_critic(leaky_relu), network.make_generator()
        samples, noise = torch.empty(batch, *network.sample), torch.empty(batch, *network.noise)
    found: list[int] = []
    for module, inputs in ((critic, samples), (generator, noise)):
        forward = count(lambda module=module, inputs=inputs: module(inputs))  # type: ignore[misc]
        both = count(lambda module=module, inputs=inputs: module(inputs).sum().backward())  # type: ignore[misc]
        found += [forward, 3 * forward - both]
    return Floor(*found, critic_norm=network.critic_norm)


def matmul_peak(device: torch.device, dtype: torch.dtype, seconds: float = 0.5) -> float:
    """Operations a second of one large square matrix product, the fastest of several turns."""
    size = 8192 if device.type == "cuda" else 1024
    a, b = torch.randn(2, size, size, device=device, dtype=dtype).unbind(0)
    best, end = 0.0, time.perf_counter() + seconds
    repeats = 4
    while best == 0.0 or time.perf_counter() < end:
        synchronize(device)
        start = time.perf_counter()
        for _ in range(repeats):
            a @ b
        synchronize(device)
        best = max(best, repeats * 2 * size**3 / (time.perf_counter() - start))
    return best


def synchronize(device: torch.device) -> None:
    """Wait for the device, if it is one that computes by itself."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
