"""The formats: how a network is written in each, and called again from what was written."""

from __future__ import annotations

import logging
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import save
from torch import Tensor

from wganx.errors import MissingExtra
from wganx.export.ports import ROWS, Port, draw_inputs, named_shape
from wganx.export.rebuilding import BUILD, FITTED, WEIGHTS, rebuild
from wganx.export.sizes import ExportFailed, another, least_sizes
from wganx.export.subject import Positional, Subject
from wganx.plugins.guard import one_line
from wganx.storage import json_text

Called = Callable[..., Tensor]
"""An exported network: one tensor an input, in their order, gives the output."""

_MISSING = 'ONNX files are written by onnx and onnxscript, and tried by onnxruntime: pip install "wganx[export]"'


class Format(ABC):
    """One way to write a network.

    Attributes:
        name: what ``--format`` calls it.
        summary: what it is for, in a few words.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    def need(self) -> None:
        """Look whether what writes it is there.

        Raises:
            MissingExtra: it is not installed.
        """
        return

    @abstractmethod
    def write(self, subject: Subject, free: Mapping[str, int], folder: Path) -> list[Path]:
        """Write the network into `folder`; the files that hold weights.

        Raises:
            ExportFailed: it cannot be written so.
        """

    @abstractmethod
    def read(self, subject: Subject, folder: Path) -> Called:
        """What was written, ready to be called on the CPU."""


class Safetensors(Format):
    """Weights, and by what the network is built anew."""

    name = "safetensors"
    summary = "weights, and by what the network is built anew with wganx and its plugin"

    def write(self, subject: Subject, free: Mapping[str, int], folder: Path) -> list[Path]:
        # Tied weights share memory, which the format refuses; every name gets a tensor of its own.
        tensors = {name: tensor.detach().clone().contiguous() for name, tensor in subject.network.state_dict().items()}
        (folder / WEIGHTS).write_bytes(save(tensors))  # not save_file, whose files their owner alone may read
        (folder / BUILD).write_text(json_text(subject.build, indent=1) + "\n", encoding="utf-8")
        if subject.folder.fitted.exists():
            (folder / FITTED).write_bytes(subject.folder.fitted.read_bytes())
        return [folder / WEIGHTS]

    def read(self, subject: Subject, folder: Path) -> Called:
        return Positional(rebuild(folder), subject.inputs, subject.positional.unnamed).eval()


class TorchExport(Format):
    """A program of `torch.export`."""

    name = "torch-export"
    summary = "a program of torch.export, for torch alone"

    def write(self, subject: Subject, free: Mapping[str, int], folder: Path) -> list[Path]:
        path = folder / f"{subject.role}.pt2"
        with _quiet():
            torch.export.save(program_of(subject, free), path)
        return [path]

    def read(self, subject: Subject, folder: Path) -> Called:
        with _quiet():
            return torch.export.load(folder / f"{subject.role}.pt2").module()


class Onnx(Format):
    """A graph of ONNX."""

    name = "onnx"
    summary = "a graph of ONNX, for ONNX Runtime and whatever else reads it"

    def need(self) -> None:
        try:
            import onnx  # noqa: F401
            import onnxruntime  # noqa: F401
            import onnxscript  # noqa: F401
        except ImportError as error:
            raise MissingExtra(_MISSING) from error

    def write(self, subject: Subject, free: Mapping[str, int], folder: Path) -> list[Path]:
        import onnx

        program, path = program_of(subject, free), folder / f"{subject.role}.onnx"
        names = _symbols(program, subject.inputs, free)
        with _quiet():
            try:
                made = torch.onnx.export(
                    program, dynamo=True, verbose=False, input_names=[port.name for port in subject.inputs],
                    output_names=[subject.output.name],
                )  # fmt: skip
                assert made is not None
                model = made.model_proto
            except Exception as error:
                raise ExportFailed(f"torch cannot write the network as ONNX: {one_line(error)}") from error
        _rename(model, names)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())
        return [path]

    def read(self, subject: Subject, folder: Path) -> Called:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what it raises is told by the comparison
        options.intra_op_num_threads = torch.get_num_threads()
        path = str(folder / f"{subject.role}.onnx")
        try:
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own, of which it has a dozen
            raise ExportFailed(f"ONNX Runtime does not take what torch wrote: {one_line(error)}") from error

        def call(*tensors: Tensor) -> Tensor:
            given = {port.name: tensor.numpy() for port, tensor in zip(subject.inputs, tensors)}
            (found,) = session.run([subject.output.name], given)
            return torch.from_numpy(found)

        return call


FORMATS: Mapping[str, Format] = {format.name: format for format in (Safetensors(), TorchExport(), Onnx())}
"""Every format by its name."""


def program_of(subject: Subject, free: Mapping[str, int]) -> torch.export.ExportedProgram:
    """The network as a program of torch, its rows and its `free` sizes left open.

    Raises:
        ExportFailed: it cannot be traced, or not for any number of rows and any of these sizes.
    """
    example = draw_inputs(subject.inputs, 3, {axis: another(size) for axis, size in free.items()})
    leasts = least_sizes(subject, free)
    shapes = tuple(_open_axes(port, free, leasts) for port in subject.inputs)
    with _quiet(), torch.no_grad():
        try:
            program = torch.export.export(
                subject.positional,
                example,
                dynamic_shapes={"tensors": shapes},
                # What torch cannot prove for every size it notes in the program instead of giving up.
                prefer_deferred_runtime_asserts_over_guards=True,
            )
        except Exception as error:
            raise ExportFailed(f"torch cannot export the network: {one_line(error)}") from error
    if fixed := _fixed(program, subject.inputs, shapes):
        raise ExportFailed(
            f"the network takes {fixed} alone once it is exported, though it takes others when it is called; "
            "something in its forward makes a number of a size, such as len(x), int(x.shape[0]) or a list of that "
            "length; write x.shape[0], and operations on whole tensors"
        )
    # What it noted is about which of two ways with the same result is taken, such as whether `x[..., :n]` is all of x:
    # it need not hold, which the comparison at several sizes shows.
    for node in list(program.graph.nodes):
        if node.target is torch.ops.aten._assert_scalar.default:
            program.graph.erase_node(node)
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()
    return program


def _open_axes(port: Port, free: Mapping[str, int], leasts: Mapping[str, int]) -> dict[int, Any]:
    """Which axes of a tensor are open, the rows among them."""
    found: dict[int, Any] = {0: torch.export.Dim.AUTO}
    if port.kind == "sample":
        for place, (axis, size) in enumerate(zip(port.axes, port.sizes), 1):
            if axis in free:
                found[place] = torch.export.Dim.AUTO(min=leasts[axis] * (size // free[axis]))
    return found


def _fixed(program: torch.export.ExportedProgram, ports: Sequence[Port], shapes: Sequence[Mapping[int, Any]]) -> str:
    """The first size that should be open and is not, in words."""
    for port, shape, given in zip(ports, shapes, _shapes(program)):
        for place, asked in shape.items():
            size = given[place]
            if not isinstance(size, int):
                bounds = program.range_constraints.get(size.node.expr)
                if bounds is None or bounds.lower <= max(asked.min or 0, 2):
                    continue
                size = int(bounds.lower)
            return f"{size} {ROWS if place == 0 else port.axes[place - 1]} of {port.name}"
    return ""


def _shapes(program: torch.export.ExportedProgram) -> list[Sequence[Any]]:
    inputs = set(program.graph_signature.user_inputs)
    return [node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder" and node.name in inputs]


def _symbols(program: torch.export.ExportedProgram, ports: Sequence[Port], free: Mapping[str, int]) -> dict[str, str]:
    """What torch calls the open sizes, and their names here."""
    names: dict[str, str] = {}
    for port, given in zip(ports, _shapes(program)):
        for symbol, name in zip(given, named_shape(port, free)):
            if isinstance(name, str) and "*" not in name and str(symbol).isidentifier():
                names.setdefault(str(symbol), name)
    return names


def _rename(model: Any, names: Mapping[str, str]) -> None:
    """Give the open sizes of an ONNX model their names, in what goes in, what comes out and all between."""
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.value_info):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = re.sub(r"\w+", lambda found: names.get(found[0], found[0]), size.dim_param)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says of its own exporters while they work: it is nobody's concern here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
