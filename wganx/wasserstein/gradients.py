"""The critic's gradient for its input: where it is taken, and how large it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function_unary

Critic = Callable[..., Tensor]
"""Anything that scores samples: ``critic(x (N, ...), **condition) -> (N,)``; a module, or a plain function."""


def whole_batch(values: Tensor) -> Tensor:
    """The values ``(N, ...)`` of every sample of a batch, of which this process may hold only some rows.

    For a term that is no mean over samples, such as a largest norm. Here it is `values` itself; where several processes
    share a batch, whoever divides it answers this call with the rows of all, differentiably.
    """
    if has_torch_function_unary(values):
        answer: Tensor = handle_torch_function(whole_batch, (values,), values)
        return answer
    return values


def interpolate(real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """A uniform point on the segment between each real sample and its fake partner.

    One weight per sample, the same for all its axes: ``real + u (fake - real)``, ``u ~ U[0, 1]``. Any rank; the
    result carries no graph.
    """
    shape = (len(real),) + (1,) * (real.ndim - 1)
    weight = torch.rand(shape, generator=rng, device=real.device, dtype=real.dtype)
    return torch.lerp(real.detach(), fake.detach(), weight)


def input_gradients(critic: Critic, points: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
    """The critic's gradient for each of its inputs ``(N, ...)``, of the same shape, in fp32 at least.

    Differentiable with respect to the critic's parameters. Inside ``no_grad`` and ``inference_mode``, as around a
    validation, it is taken all the same.
    """
    if torch.is_inference_mode_enabled():
        with torch.inference_mode(False):
            given = {name: rows.clone() for name, rows in condition.items()}
            return input_gradients(critic, points.clone(), given).detach()
    wanted = torch.is_grad_enabled()
    with torch.enable_grad():
        points = points.detach().requires_grad_(True)
        scores = critic(points, **condition)
        (gradient,) = torch.autograd.grad(scores.float().sum(), points, create_graph=True)
    gradient = gradient if wanted else gradient.detach()
    return gradient.float() if gradient.dtype in (torch.bfloat16, torch.float16) else gradient


def gradient_norms(critic: Critic, points: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
    """Euclidean norm of the critic's input gradient per sample, ``(N,)``, over all axes but the first.

    Differentiable with respect to the critic's parameters, with a finite gradient (zero) where the norm is zero. The
    norm is taken in fp32 at least, whatever the precision of the forward pass.
    """
    norms: Tensor = torch.linalg.vector_norm(input_gradients(critic, points, condition).flatten(1), dim=1)
    return norms
