"""The critic's loss and its gradient for the weights, compiled as one graph."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from wganx.engine.carrying.agreement import difference, machine_epsilon, perturbed
from wganx.engine.carrying.recorded_draws import RecordedDraws
from wganx.engine.observer import log_note
from wganx.engine.steps.updates import LossGradient

CriticLoss = Callable[[Tensor, Tensor, Mapping[str, Tensor], Any], tuple[Tensor, Mapping[str, Tensor]]]
"""``(real, fake, condition, variant) -> (loss, readings)``: a scalar to minimise, and scalars to log."""

# Graphs kept: two for a lazy penalty, as many again for a short last batch, and some to spare.
_MOST_GRAPHS = 8
_PLAIN = frozenset({bool, int, float, str})


class _Graph(NamedTuple):
    run: Callable[..., Sequence[Tensor]]
    trained: int
    draws: RecordedDraws
    readings: list[str]

    def __call__(self, tensors: Sequence[Tensor], draws: Sequence[Tensor] | None = None) -> LossGradient:
        with torch.no_grad():
            results = self.run(*tensors, *(self.draws.again() if draws is None else draws))
        gradients, loss, readings = results[: self.trained], results[self.trained], results[self.trained + 1 :]
        return LossGradient(gradients, loss, dict(zip(self.readings, readings)))


class CompiledLoss:
    """Differentiates a critic's loss by a compiled graph that holds both gradients, the inner and the outer.

    ``torch.compile`` by itself does not take a gradient penalty: a compiled critic cannot be differentiated twice, and
    within a compiled loss samples cannot be made to require a gradient. So autograd does its work first: the loss and
    its gradient are taken once on tensors without data, every operation this leads to, both backward passes included,
    is written down, and that straight graph is compiled like any function that needs no gradient. What an eager step
    can do goes into it: every constraint, hooks, activations with constant masks, autocast, layers with state.

    Random numbers are drawn before the graph runs, by the calls the eager loss makes, in their order and from the same
    generators. A training draws the same numbers compiled or not, and a CUDA graph around it captures the draws too.

    A graph holds for one `variant`, one layout of the samples and one set of plain attributes (numbers, strings,
    ``training``) of the critic's modules; for others there is another one. The first use of each is an eager step,
    whose gradient is returned and which the graph is then compared with. If they differ, or the loss cannot be traced
    or compiled, `note` is told why, once, and this and all further steps are eager. First uses wait for the device and
    cannot be captured in a CUDA graph; all others can.

    Rounding decides on which side of its kink a rectifier falls that is next to it, so two gradients of a large critic
    that agree to 1e-15 in float64 may differ by 1e-3 in fp32. The comparison therefore allows a relative 1e-4, or 8
    times what samples that are off by rounding change, and at most 0.1 (`wganx.engine.carrying.agreement`).

    Args:
        critic: the module whose trained weights are differentiated for. Its tensors may change, its modules may not.
        loss: called with the arguments of `gradients`; enters autocast by itself. Its result depends on them, the
            critic and random draws: any other value that changes belongs into `variant`.
        backend: of ``torch.compile``, by name or as ``(graph, example inputs) -> function``. Inductor makes no CUDA
            graphs of its own.
        note: told why steps run eagerly, where they do.

    Attributes:
        reason: why steps run eagerly, or None.
        seconds: spent on tracing, compiling and comparing so far.
    """

    def __init__(
        self,
        critic: nn.Module,
        loss: CriticLoss,
        *,
        backend: str | Callable[..., Any] = "inductor",
        note: Callable[[str], None] = log_note,
    ) -> None:
        self.loss, self.backend, self._note = loss, backend, note
        self.reason: str | None = None
        self.seconds = 0.0
        self._graphs: dict[Hashable, _Graph] = {}
        self._holder = _Holder(critic)
        self._modules = list(critic.modules())
        parameters = dict(self._holder.named_parameters())
        self._trained = [name for name, parameter in parameters.items() if parameter.requires_grad]
        frozen = [name for name, parameter in parameters.items() if not parameter.requires_grad]
        self._others = [*frozen, *(name for name, _ in self._holder.named_buffers())]
        self._owners = [_owner(self._holder, name) for name in (*self._trained, *self._others)]

    def gradients(
        self, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor], variant: Hashable = None
    ) -> LossGradient:
        """The gradient of ``loss(real, fake, condition, variant)`` for each of the critic's trained weights.

        Args:
            real: samples ``(N, ...)``.
            fake: samples ``(N, ...)``, without a graph.
            condition: what the critic sees beside them, each ``(N, ...)``.
            variant: whatever makes one loss differ from another, e.g. the penalties that are due.
        """
        if self.reason is not None:
            return self._eager(real, fake, condition, variant)
        samples = [real, fake, *condition.values()]
        key = (variant, tuple(condition), *map(_layout, samples), _plain_attributes(self._modules))
        if (graph := self._graphs.get(key)) is not None:
            return graph([*self._tensors(), *samples])
        if len(self._graphs) == _MOST_GRAPHS:
            self._give_up(
                f"it comes in more than {_MOST_GRAPHS} kinds (batch sizes, penalties, the critic's attributes)"
            )
            return self._eager(real, fake, condition, variant)
        return self._first_use(key, real, fake, condition, variant)

    def _first_use(
        self, key: Hashable, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor], variant: Hashable
    ) -> LossGradient:
        """An eager step; afterwards the graph for the next ones is there and was found right, or all is given up."""
        draws, before = RecordedDraws(), self._state()
        with draws.recording() as values:
            eager = self._eager(real, fake, condition, variant)
        if not bool(torch.stack([torch.isfinite(each).all() for each in eager.gradients]).all()):
            return eager  # nothing to compare with; the next batch may have
        after = self._state()
        start = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # compilers deprecate parts of themselves
                graph, epsilon = self._compile(draws, values, real, fake, condition, variant)
            near_real, near_fake = (perturbed(samples, epsilon) for samples in (real, fake))
            self._restore(before)
            with draws.replaying(values):
                rounded = self._eager(near_real, near_fake, condition, variant)
            self._restore(before)
            found = graph([*self._tensors(), real, fake, *condition.values()], values)
            fault = difference(found, eager, rounded) or self._state_fault(after)
        except Exception as failure:  # whatever a tracer or compiler raises, training goes on without it
            fault = f"{type(failure).__name__}: {_first_line(failure)}"
        self._restore(after)
        self.seconds += time.monotonic() - start
        if fault is None:
            self._graphs[key] = graph
        else:
            self._give_up(fault)
        return eager

    def _compile(
        self,
        draws: RecordedDraws,
        values: Sequence[Tensor],
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        variant: Hashable,
    ) -> tuple[_Graph, float]:
        """The graph, and the relative rounding error of its coarsest number format."""
        # These take seconds to import.
        import torch._inductor.config as inductor
        from torch._dynamo import lookup_backend
        from torch.fx.experimental.proxy_tensor import make_fx

        if draws.fault:
            raise ValueError(draws.fault)
        names: list[str] = []

        def flat(*tensors: Tensor) -> list[Tensor]:
            given = iter(tensors)
            weights = {name: next(given).detach().requires_grad_() for name in self._trained}
            others = {name: next(given) for name in self._others}
            real, fake, held = next(given), next(given), {name: next(given) for name in condition}

            def step() -> LossGradient:
                return self._eager(real, fake, held, variant, list(weights.values()))

            with torch.enable_grad(), draws.replaying(list(given)):
                gradients, loss, readings = torch.func.functional_call(self._holder, {**weights, **others}, (step,))
            names[:] = readings
            return [*gradients, loss, *readings.values()]

        tensors = [tensor.detach() for tensor in (*self._tensors(), real, fake, *condition.values(), *values)]
        with _attributes_restored(self._modules):
            module = make_fx(flat, tracing_mode="fake", _allow_non_fake_inputs=True)(*tensors)
        _check_constants(module, self._holder)
        epsilon = machine_epsilon(module, real.device)
        # Not through torch.compile: its frontend is for Python code, and its guards would be checked in every step.
        backend = lookup_backend(self.backend) if isinstance(self.backend, str) else self.backend
        with torch.no_grad(), inductor.patch({"triton.cudagraphs": False}):
            run: Any = backend(module, tensors)
        return _Graph(run, len(self._trained), draws, names), epsilon

    def _eager(
        self,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        variant: Hashable,
        weights: Sequence[Tensor] | None = None,
    ) -> LossGradient:
        loss, readings = self.loss(real, fake, condition, variant)
        weights = self._tensors()[: len(self._trained)] if weights is None else weights
        gradients = torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True)
        return LossGradient(gradients, loss.detach(), {name: value.detach() for name, value in readings.items()})

    def _tensors(self) -> list[Tensor]:
        """Trained weights, then frozen ones and buffers."""
        return [getattr(owner, name) for owner, name in self._owners]

    def _state(self) -> list[Tensor]:
        """Copies of what a loss may change: everything but the trained weights."""
        return [tensor.detach().clone() for tensor in self._tensors()[len(self._trained) :]]

    def _restore(self, state: Sequence[Tensor]) -> None:
        for tensor, copy in zip(self._tensors()[len(self._trained) :], state):
            tensor.detach().copy_(copy)

    def _state_fault(self, eager: Sequence[Tensor]) -> str | None:
        for name, found, right in zip(self._others, self._state(), eager):
            if not torch.allclose(found, right, rtol=1e-2, atol=1e-4, equal_nan=True):
                return f"it leaves other values in the buffer {name.removeprefix('critic.')!r} than the eager one"
        return None

    def _give_up(self, reason: str) -> None:
        self.reason = reason
        self._graphs.clear()
        self._note(f"the critic's loss is not compiled and runs eagerly: {reason}")


class _Holder(nn.Module):
    """Calls a function, within `torch.func.functional_call` while other tensors stand in for the critic's."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, function: Callable[[], LossGradient]) -> LossGradient:
        return function()


def _owner(root: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, own = name.rpartition(".")
    return root.get_submodule(path), own


def _layout(tensor: Tensor) -> Hashable:
    return tensor.shape, tensor.stride(), tensor.dtype, tensor.device


def _plain_attributes(modules: Sequence[nn.Module]) -> Hashable:
    """Everything that tracing turns into constants and that is cheap to compare."""
    return tuple([value for module in modules for value in vars(module).values() if type(value) in _PLAIN])


@contextmanager
def _attributes_restored(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Undoes what tracing leaves in attributes of modules: tensors without data, counts of calls."""
    before = [dict(vars(module)) for module in modules]
    try:
        yield
    finally:
        for module, attributes in zip(modules, before):
            vars(module).update(attributes)


def _check_constants(graph: GraphModule, critic: nn.Module) -> None:
    """Refuse a graph that would go on with a tensor which the critic can replace."""
    constants = [getattr(graph, str(node.target)) for node in graph.graph.nodes if node.op == "get_attr"]
    for path, module in critic.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor) and any(value is constant for constant in constants):
                own = f"{path}.{name}".removeprefix("critic.")
                raise ValueError(f"the critic's tensor {own!r} is neither weight nor buffer; use register_buffer")


def _first_line(failure: Exception) -> str:
    return str(failure).strip().partition("\n")[0] or "no message"
