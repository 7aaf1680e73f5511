"""A device that is not the CPU, as a backend in Python: what it computes, it computes on the CPU.

It stands in for Apple's GPU on machines that have none. Its tensors are real ones (values, both derivatives, draws),
and it is as strict as that GPU where it differs from a CPU: no float64 and no complex128 on it, no operation across
devices, a random stream of its own. It says nothing of which kernels Apple's backend lacks, nor whether they are right.

For a process of its own: a backend can be registered once and stays.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

NAME = "apart"
DEVICE_ARGUMENTS = {"device"}
aten = torch.ops.aten


class Guard(torch._C._acc.DeviceGuard):
    def type_(self) -> Any:
        return torch._C._autograd.DeviceType.PrivateUse1


class Module(types.ModuleType):
    """What ``torch.mps`` is to Apple's GPU."""

    generator = torch.Generator().manual_seed(0)

    def is_available(self) -> bool:
        return True

    is_initialized = is_available

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        self.generator.manual_seed(seed)

    manual_seed = manual_seed_all

    def get_rng_state(self, device: object = None) -> torch.Tensor:
        return self.generator.get_state()

    def set_rng_state(self, state: torch.Tensor, device: object = None) -> None:
        self.generator.set_state(state)

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]

    def synchronize(self) -> None:
        """Nothing is on its way."""


class Generator(torch.Generator):
    """One that says it belongs to the device."""

    def __new__(cls, device: Any = "cpu") -> Any:
        made = super().__new__(cls)
        made.place = torch.device(device)
        return made

    def __init__(self, device: Any = "cpu") -> None:
        """`device` is kept by `__new__`."""

    @property
    def device(self) -> torch.device:
        return self.place


def _there(device: object) -> bool:
    return device is not None and torch.device(device).type == NAME  # type: ignore[arg-type]


class Tensor(torch.Tensor):
    """A tensor on the device; `inner` has its values."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> Any:
        if inner.dtype in (torch.float64, torch.complex128):
            raise TypeError(
                f"Cannot convert a tensor to {inner.dtype}: the framework of this device does not support it"
            )
        made = torch.Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
            device=torch.device(NAME, 0),
        )  # fmt: skip
        made.inner = inner
        return made

    def __tensor_flatten__(self) -> Any:
        return ["inner"], None

    @classmethod
    def __torch_function__(cls, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.data.__set__:
            own, new = args
            own.inner = new.inner
            with torch._C.DisableTorchFunctionSubclass():
                return func(own, new)
        if func is torch.Tensor.data.__get__:
            return args[0].detach()
        if func is torch.Tensor.__getitem__:  # torch makes a tensor of a list by a way that no mode sees
            own, index = args
            places = index if isinstance(index, tuple) else (index,)
            args = (own, tuple(torch.tensor(each) if isinstance(each, list) else each for each in places))
        if func is torch.Tensor.tolist:
            return args[0].inner.tolist()
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = Tensor(self.inner.detach().clone(memory_format=torch.preserve_format))
        if isinstance(self, torch.nn.Parameter):
            copied = torch.nn.Parameter(copied, self.requires_grad)
        memo[id(self)] = copied
        return copied

    @classmethod
    def __torch_dispatch__(cls, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})


ACROSS = {aten.copy_.default, aten._to_copy.default}
BY_INDEX = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}


def compute(func: Any, args: Any, kwargs: Any) -> Any:
    """`func` on the CPU, and on the device what belongs there."""
    if func is aten._fused_adam_.default:
        kwargs = {**kwargs, "found_inf": None}  # as Apple's, which does not look at it
    tensors = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, torch.Tensor)]
    ours = [each for each in tensors if isinstance(each, Tensor)]
    # Numbers may lie on the CPU, but where a fused step reads them beside the weights.
    others = [each for each in tensors if not isinstance(each, Tensor) and (each.ndim or "fused" in str(func))]
    if ours and others and func not in ACROSS | BY_INDEX:
        raise RuntimeError(f"{func}: expected all tensors to be on the same device, found {NAME} and cpu")
    asked = kwargs.get("device")
    there = bool(ours) if asked is None else _there(asked)
    if func is aten.copy_.default:
        there = isinstance(args[0], Tensor)
    plain = dict(kwargs)
    if asked is not None:
        plain["device"] = torch.device("cpu")
    if plain.get("pin_memory"):
        raise RuntimeError("memory is pinned for CUDA alone")
    if (ours or there) and _draws(func) and plain.get("generator") is None:
        plain["generator"] = Module.generator
    inner_args, inner_kwargs = tree_map(lambda each: each.inner if isinstance(each, Tensor) else each, (args, plain))
    found = func(*inner_args, **inner_kwargs)
    if not there:
        return found
    wrapped = tree_map(lambda each: Tensor(each) if isinstance(each, torch.Tensor) else each, found)
    return return_and_correct_aliasing(func, args, kwargs, wrapped) if ours else wrapped


def _draws(func: Any) -> bool:
    return any(argument.name == "generator" for argument in func._schema.arguments)


class Factories(TorchDispatchMode):
    """Makes what is asked for on the device."""

    def __torch_dispatch__(self, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = any(isinstance(each, Tensor) for each in tree_flatten((args, kwargs))[0])
        if tensors or _there(kwargs.get("device")):
            return compute(func, args, kwargs)
        return func(*args, **kwargs)


def register() -> TorchDispatchMode:
    """The device `NAME` is there; its factories work inside what is returned."""
    torch.utils.rename_privateuse1_backend(NAME)
    torch._register_device_module(NAME, Module(NAME))
    torch._C._acc.register_python_privateuseone_hook(backend_registration._DummyPrivateUse1Hook())
    torch._C._acc.register_python_privateuseone_device_guard(Guard())
    torch.Generator = Generator  # type: ignore[misc]
    return Factories()
