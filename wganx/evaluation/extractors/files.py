"""Extractors of the user's own, in files: TorchScript, an exported program, or ONNX."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wganx.errors import DataError, MissingExtra, UsageError
from wganx.names import at_home

TORCHSCRIPT = (".pt", ".ts", ".torchscript", ".jit")
PROGRAM = (".pt2",)
ONNX = (".onnx",)
_WEIGHTS = (".pth", ".ckpt", ".safetensors", ".bin", ".pkl")


def is_file(name: str) -> bool:
    """Whether an extractor's name is that of a file."""
    return Path(name).suffix.lower() in (*TORCHSCRIPT, *PROGRAM, *ONNX, *_WEIGHTS)


def network_of_file(name: str) -> nn.Module:
    """The network in a file, ``(N, ...) -> (N, d)`` on samples in the task's own format and range.

    A TorchScript file holds code, which runs: take it from whom you trust. ONNX runs on the CPU, by onnxruntime.

    Raises:
        DataError: there is no such file, or it cannot be read.
        UsageError: it holds weights without a network.
        MissingExtra: onnxruntime is not installed.
    """
    path = at_home(name)
    if not path.is_file():
        raise DataError(f"there is no extractor file {path}; check the spelling")
    suffix = path.suffix.lower()
    if suffix in _WEIGHTS:
        raise UsageError(
            f"{path} holds weights, and no network to put them into; write the network with them by "
            "torch.export.save(..., 'net.pt2') or torch.onnx.export(...), or give the module from Python: "
            "run.evaluate(extractor=module)"
        )
    try:
        inner = _Onnx(path) if suffix in ONNX else _read(path, exported=suffix in PROGRAM)
    except MissingExtra:
        raise
    except Exception as error:  # whatever the libraries raise on a file that is torn or something else
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path} cannot be read as a network: {reason}") from error
    return FileNetwork(inner, path)


class FileNetwork(nn.Module):
    """A network from a file; its `digest` is that of the file, which says more than the weights alone."""

    file: Tensor

    def __init__(self, inner: Any, path: Path) -> None:
        super().__init__()
        self.inner = inner
        content = hashlib.sha256(path.read_bytes()).digest()
        self.register_buffer("file", torch.tensor(list(content), dtype=torch.uint8))

    def forward(self, x: Tensor) -> Tensor:
        """Whatever the file makes of samples; the first output, where there are several."""
        found = self.inner(x)
        first: Tensor = found[0] if isinstance(found, tuple | list) else found
        return first

    def eval(self) -> FileNetwork:
        """As it is: an exported program has no other mode."""
        if not isinstance(self.inner, torch.fx.GraphModule):
            super().eval()
        return self


def _read(path: Path, *, exported: bool) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript grows old is no concern of who has a file of it
        if exported:
            module: nn.Module = torch.export.load(str(path)).module()
            return module
        script: nn.Module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
        return script


class _Onnx(nn.Module):
    """A session of onnxruntime, called like a module."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtra('an ONNX extractor is run by onnxruntime: pip install "wganx[onnx]"') from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def forward(self, x: Tensor) -> Tensor:
        (found, *_) = self._session.run(None, {self._input: x.detach().cpu().float().numpy()})
        return torch.from_numpy(found)
