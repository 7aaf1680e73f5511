"""Copies of networks, whatever they keep beside their weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from wganx.errors import PreflightError

_Network = TypeVar("_Network", bound=nn.Module)


def copy_of(network: _Network, role: str = "network") -> _Network:
    """A copy that shares no tensor with `network`.

    A network may keep what an earlier pass computed: features for a loss, the weight that an old ``spectral_norm`` or
    ``weight_norm`` makes before each pass. Such tensors have a graph, which ``deepcopy`` refuses; they are copied
    without it.

    Raises:
        PreflightError: it holds what cannot be copied, such as a lock or an open file, or a ``forward`` of a single
            object, which goes on with that one's weights in a copy.
    """
    try:
        with _WithoutGraphs():
            made = copy.deepcopy(network)
    except (TypeError, RuntimeError, NotImplementedError, AttributeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise PreflightError(
            f"the {role} cannot be copied, which the weight average and the checks before the first step need: "
            f"{reason}; keep what cannot be copied outside of the module"
        ) from error
    for (name, module), own in zip(network.named_modules(), made.modules()):
        replaced = vars(module).get("forward")
        if replaced is not None and replaced is vars(own).get("forward"):
            raise PreflightError(
                f"the forward of the {role}{f' in {name!r}' if name else ''} was replaced on the object, and in a "
                "copy, as the weight average is, it would go on with the original's weights; define it in a class"
            )
    return made


class _WithoutGraphs(TorchFunctionMode):
    """Inside, deep copies of tensors that have a graph are made without it."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is Tensor.__deepcopy__ and not args[0].is_leaf:
            tensor, memo = args
            if id(tensor) not in memo:
                memo[id(tensor)] = tensor.detach().clone()
            return memo[id(tensor)]
        return func(*args, **(kwargs or {}))
