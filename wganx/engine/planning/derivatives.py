"""What is checked of derivatives before the first step: that the second is right, and what the first reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node

from wganx.batch import Batch
from wganx.engine.copying import copy_of
from wganx.engine.device import as_judged, twice_differentiable_attention
from wganx.engine.modes import train
from wganx.engine.planning.calls import call, noise_for
from wganx.engine.sample_features import SampleFeatures
from wganx.engine.steps.packs import in_packs
from wganx.errors import PreflightError

_MEND = "use differentiable layers, or a constraint without a penalty (clip, spectral-norm)"
_DIRECTIONS = 3
_MOST_TRIED = 20


def check_second_derivative(critic: nn.Module, points: Tensor, condition: Mapping[str, Tensor]) -> bool:
    """Refuse a critic without a second derivative, or with a wrong one; whether attention needs another kernel for it.

    Raises:
        PreflightError: there is none, or it is not that of the critic.
    """
    attention = False
    try:
        scores = _differentiate_twice(critic, points, condition)
    except RuntimeError as error:
        if "attention" not in str(error):
            raise _refused(error) from error
        try:
            with twice_differentiable_attention():
                scores = _differentiate_twice(critic, points, condition)
        except RuntimeError as other:
            raise _refused(other) from other
        attention = True
    if own := sorted({node.name().removesuffix("Backward") for node in _nodes(scores) if _is_custom(node)}):
        with twice_differentiable_attention() if attention else nullcontext():
            _check_against_differences(critic, points.detach(), condition, own)
    return attention


def check_gradients(
    generator: nn.Module,
    critic: nn.Module,
    batch: Batch,
    judged: Batch,
    noise: tuple[int, ...] | None,
    pack: int,
    layout: torch.memory_format,
) -> list[str]:
    """Differentiate the generator's loss once, and say which of its weights that does not reach."""
    judge = _moved(copy_of(critic, "critic"))
    train(judge, ())

    def output(player: nn.Module) -> Tensor:
        return call("generator", player, noise_for(batch, noise), batch.context)

    def loss(player: nn.Module) -> Tensor:
        fake = output(player)
        fake = as_judged(in_packs(fake, pack) if pack > 1 else fake, layout)
        scores = call("critic", judge, [fake], judged.condition)
        return (scores * torch.randn_like(scores)).sum()

    try:
        unreached, severed = _without_gradient(loss, generator)
    except RuntimeError as error:
        raise PreflightError(
            f"the generator cannot be differentiated: {(str(error) or type(error).__name__).splitlines()[0]}"
        ) from error
    if not unreached:
        return []
    mend = "an operation such as round or detach, no_grad, or a reentrant checkpoint (use_reentrant=False) cuts it off"
    what = "distance" if isinstance(critic, SampleFeatures) else "critic's scores"
    if severed:
        raise PreflightError(f"no gradient of the {what} reaches the generator's weights: {mend}")
    if callable(getattr(generator, "at", None)):  # it grows, and its later layers wait for their step
        return []
    idle = _unused(output, generator, unreached)
    cut = [name for name in unreached if name not in idle]
    notes = [f"the generator's forward does not use its {_in_short(idle)}, which stay as they are"] if idle else []
    if cut:
        notes.append(f"no gradient of the {what} reaches the generator's {_in_short(cut)}, which stay: {mend}")
    return notes


def _without_gradient(loss: Callable[[nn.Module], Tensor], network: nn.Module) -> tuple[list[str], bool]:
    """The weights of `network` that no gradient of ``loss(network)`` reaches, and whether it depends on none at all.

    A gradient may be zero by chance, behind a gate that starts at zero or rectifiers that all happen to be shut: these
    weights have none in three places, two of them `moved`.
    """
    unreached, severed = _unreached(loss, _moved(_training(network)))
    for elsewhere in (_training(network), _moved(_training(network))) if unreached and not severed else ():
        again, _ = _unreached(loss, elsewhere)
        unreached = [name for name in unreached if name in again]
    return unreached, severed


def _unreached(loss: Callable[[nn.Module], Tensor], network: nn.Module) -> tuple[list[str], bool]:
    named = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    value = loss(network)
    if not value.requires_grad:
        return [name for name, _ in named], True
    gradients = torch.autograd.grad(value, [weight for _, weight in named], allow_unused=True)
    unreached = [
        name for (name, _), gradient in zip(named, gradients) if gradient is None or not bool((gradient != 0).any())
    ]
    return unreached, all(gradient is None for gradient in gradients)


@torch.no_grad()
def _unused(output: Callable[[nn.Module], Tensor], network: nn.Module, names: list[str]) -> list[str]:
    """Those of the weights `names` that ``output(network)`` does not come from: it is the same when they are NaN."""
    tried, idle = _training(network), []
    weights = dict(tried.named_parameters())
    for name in names[:_MOST_TRIED]:
        kept = weights[name].clone()
        weights[name].fill_(torch.nan)
        if bool(torch.isfinite(output(tried)).all()):
            idle.append(name)
        weights[name].copy_(kept)
    return idle


def _training(network: nn.Module) -> nn.Module:
    """A copy in training mode."""
    made = copy_of(network, "generator")
    train(made, ())
    return made


@torch.no_grad()
def _moved(network: nn.Module) -> nn.Module:
    """`network` with all its weights moved a little."""
    for weight in network.parameters():
        if weight.is_floating_point():
            weight.add_(torch.randn_like(weight) * (0.01 + 0.1 * weight.abs().mean()))
    return network


def _in_short(names: list[str]) -> str:
    """Some of the names, and how many there are beside them."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _differentiate_twice(critic: nn.Module, points: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
    points = points.detach().clone(memory_format=torch.preserve_format).requires_grad_(True)
    scores: Tensor = critic(points, **condition)
    # An operation that is differentiable once only refuses when the gradient it is given is differentiable itself.
    ones = torch.ones_like(scores).requires_grad_(True)
    (gradient,) = torch.autograd.grad(scores, points, ones, create_graph=True)
    if not gradient.requires_grad:
        raise RuntimeError("the input gradient does not depend on the weights")
    # A full backward pass: one that is asked for the weights alone walks past an operation that refuses.
    gradient.square().sum().backward()  # type: ignore[no-untyped-call]
    return scores


def _refused(error: RuntimeError) -> PreflightError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return PreflightError(f"the critic cannot be differentiated twice: {reason}; {_MEND}")


def _check_against_differences(
    critic: nn.Module, points: Tensor, condition: Mapping[str, Tensor], own: list[str]
) -> None:
    """The gradient of ``sum |∇f|²`` for the weights, along random directions, against central differences.

    In evaluation mode, where no estimate moves and nothing is dropped, and in float64 where the functions take it.
    """
    for kind, step, allowed in ((torch.float64, 1e-6, 1e-3), (points.dtype, 1e-3, 0.1)):
        try:
            apart = _disagreement(critic, points, condition, kind, step)
        except (RuntimeError, TypeError, ValueError, NotImplementedError):
            continue
        if apart > allowed:
            raise PreflightError(
                f"the second derivative of {', '.join(own)} is wrong: the penalty's gradient for the weights is off by "
                f"{apart:.0%} of what finite differences give; in forward, save_for_backward only inputs and outputs "
                f"(what backward recomputes from them is differentiated again), or {_MEND}"
            )
        return


def _disagreement(
    critic: nn.Module, points: Tensor, condition: Mapping[str, Tensor], kind: torch.dtype, step: float
) -> float:
    critic = copy_of(critic, "critic").to(kind).eval()
    given = {name: rows.to(kind) if rows.is_floating_point() else rows for name, rows in condition.items()}
    weights = [weight for weight in critic.parameters() if weight.requires_grad]
    points = points.to(kind)

    def penalty() -> Tensor:
        torch.manual_seed(0)
        inputs = points.clone(memory_format=torch.preserve_format).requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(inputs, **given).sum(), inputs, create_graph=True)
        return gradient.square().sum()

    before = penalty()
    gradients = torch.autograd.grad(before, weights, allow_unused=True, materialize_grads=True)
    if before.item() != penalty().item():  # it draws by itself, and differences would be of the draws
        return 0.0
    draws = torch.Generator().manual_seed(0)
    apart = []
    for _ in range(_DIRECTIONS):
        ways = [
            torch.randn(weight.shape, generator=draws, dtype=torch.float64).to(weight) * _size(weight)
            for weight in weights
        ]
        told = sum((gradient * way).sum().item() for gradient, way in zip(gradients, ways))
        found = []
        for times in (1.0, -2.0):  # a step ahead, and one behind
            with torch.no_grad():
                for weight, way in zip(weights, ways):
                    weight.add_(way, alpha=times * step)
            found.append(penalty().item())
        with torch.no_grad():
            for weight, way in zip(weights, ways):
                weight.add_(way, alpha=step)
        measured = (found[0] - found[1]) / (2 * step)
        scale = max(abs(told), abs(measured), 1e-3 * max(abs(found[0]), abs(found[1])), 1e-12)
        apart.append(abs(told - measured) / scale)
    return min(apart)  # a wrong derivative is wrong along all; a kink lies in the way of one


def _size(weight: Tensor) -> float:
    """How large a weight's values are; of one that is zero, the size of a usual one."""
    return weight.detach().abs().mean().item() or 0.1


def _nodes(output: Tensor) -> Iterator[Node]:
    waiting, seen = [output.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        waiting += [below for below, _ in node.next_functions]


def _is_custom(node: Node) -> bool:
    return isinstance(node, BackwardCFunction)
