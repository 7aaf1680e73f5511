"""Networks called to try them, and what is said where they fail, with the mend where the failure tells it."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.errors import PreflightError


class NetworkFails(PreflightError):
    """A network raises an error on what it is given."""


def call(role: str, network: nn.Module, inputs: list[Tensor], keywords: Mapping[str, Tensor]) -> Tensor:
    """What a network makes of what it is given.

    Raises:
        NetworkFails: it raises an error.
        PreflightError: it returns something else than one tensor.
    """
    expected = f"({', '.join([*(['x' if role == 'critic' else 'noise'] if inputs else []), *keywords])})"
    try:
        output = network(*inputs, **keywords)
    except PreflightError:
        raise
    except Exception as error:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (*inputs, *keywords.values()))
        given = f"on inputs {expected} of shapes {shapes}" if shapes else "without inputs"
        said = _reason(error, role, network, list(keywords), inputs)
        raise NetworkFails(f"the {role} fails {given}: {said}") from error
    if not isinstance(output, Tensor):
        raise PreflightError(f"the {role} returns {type(output).__name__}, {_one_tensor(role, output)}")
    return output


def noise_for(batch: Batch, noise: tuple[int, ...] | None) -> list[Tensor]:
    """A draw of noise for the rows of a batch, as what a generator is called with; nothing without noise."""
    if noise is None:
        return []
    return [torch.randn(len(batch), *noise, device=batch.real.device, dtype=batch.real.dtype)]


def _reason(error: Exception, role: str, network: nn.Module, given: Sequence[str], inputs: Sequence[Tensor]) -> str:
    """The first line of what a network raised, and the mend.

    Args:
        role: ``generator`` or ``critic``.
        given: names under which it was given more than `inputs`.
    """
    said = str(error).strip().partition("\n")[0]
    if not said:
        return _line_of(error)
    where = "context" if role == "generator" else "condition"
    if isinstance(error, TypeError) and "required positional argument" in said:
        names = ", ".join(f"{name!r}: ..." for name in re.findall(r"'(\w+)'", said))
        return f"{said}; give it in the batch: wganx.Batch(x, {where}={{{names}}})"
    others = [name for name in _parameters(network)[len(inputs) :] if name not in given]
    if isinstance(error, TypeError) and "unexpected keyword argument" in said and others:
        return (
            f"{said}; its forward takes {', '.join(map(repr, others))}: the names in the batch's {where} have to be its"
        )
    if "NoneType" in said and others:
        names = ", ".join(f"{name!r}: ..." for name in others)
        return f"{said}; it also takes wganx.Batch(x, {where}={{{names}}})"
    if role == "generator" and (found := re.search(r"input to conv(?:_transpose)?(\d)d.* size: \[\d+, (\d+)\]$", said)):
        return f"{said}; give the trainer noise of that many axes: noise=({found[2]}{', 1' * int(found[1])})"
    if isinstance(error, NotImplementedError) and 'missing the required "forward"' in said:
        return f"{said}; give it a forward({'noise' if role == 'generator' else 'x'})"
    if re.match(r"shape '\[.*\]' is invalid for input of size", said):
        return f"{said}; if it is built for one number of rows, give batches of that number, or write -1 for it"
    return said if isinstance(error, RuntimeError | TypeError | ValueError) else f"{type(error).__name__}: {said}"


def _line_of(error: Exception) -> str:
    """What was run when an error was raised that says nothing, as an assertion does."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {last.line}"


def way_to_scores(scores: Tensor, samples: Tensor, pack: int) -> str:
    """How a critic comes to give one score a row, by the shape it gives."""
    count = len(samples)
    if scores.numel() >= count or count % scores.numel() or pack > 1:
        return "e.g. end with .flatten(1).mean(1) or .squeeze(1)"
    together = count // scores.numel()
    packs = f"if it judges packs of {together}, say pack={together}: it is then given (N, {together}, ...)"
    if scores.numel() > 1:
        return packs
    mean = "not their mean over the batch: return them as they are before it, without .mean(0) or .view(1)"
    return f"{mean}; or, {packs}" if samples.ndim == 2 else mean  # packs of pictures are rare, and told apart elsewhere


def _one_tensor(role: str, output: object) -> str:
    """What is wanted in place of several things, and the line that takes the first of them."""
    alone = "scores" if role == "critic" else "samples"
    hook = f"; or take the first: {role}.register_forward_hook(lambda module, inputs, output: output[0])"
    several = isinstance(output, tuple | list) and len(output) and isinstance(output[0], Tensor)
    return f"expected one tensor; return the {alone} alone{hook if several else ''}"


def _parameters(network: nn.Module) -> list[str]:
    """Names of what its forward takes by position or name."""
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(network.forward).parameters
    except (TypeError, ValueError):  # one that is not written in Python
        return []
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [name for name, parameter in parameters.items() if parameter.kind in named]
