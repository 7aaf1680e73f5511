"""Beginning a training with weights that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wganx.batch import SampleFormat
from wganx.engine import load_tensors
from wganx.errors import CheckpointError, ConfigError
from wganx.plugins.contracts import Pretrained
from wganx.plugins.descriptors import Layout
from wganx.pretrained.opening import Opened, open_pretrained


def starting_values(opened: Opened, dataset_options: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What of a run's configuration follows from a generator: its architecture and noise, the size of the samples.

    Args:
        dataset_options: those that the run's dataset has.
    """
    found = opened.pretrained
    if found is None:
        return {}
    noise = list(found.noise)
    generator = {"name": found.generator, "noise": noise[0] if len(noise) == 1 else noise or 0, **found.options}
    sizes = dict(zip(found.sample.axes, found.sample.shape))
    wanted = {"size": sizes.get("height"), "channels": sizes.get("channel")}
    dataset = {name: size for name, size in wanted.items() if size is not None and name in dataset_options}
    return {"generator": generator, **({"dataset": dataset} if dataset else {})}


def begin_with(
    path: Path,
    sha256: str | None,
    layouts: Sequence[Layout],
    generator: nn.Module,
    critic: nn.Module,
    *,
    sample: SampleFormat,
    context: Mapping[str, SampleFormat],
) -> Opened:
    """Load what lies at `path` into the generator, and into the critic where one was trained with it and fits.

    Args:
        sample, context: what the generator is to make, and what it is given beside noise.

    Returns:
        What was loaded; of a critic that does not fit, nothing.

    Raises:
        ConfigError: it does not fit the generator, or is not what it was when the run was configured.
        DataError, CheckpointError, UsageError: as `open_pretrained`.
    """
    opened = open_pretrained(path, layouts)
    if sha256 is not None and opened.sha256 != sha256:
        raise ConfigError(
            f"train.init: {path} is another file than when the run was configured: its SHA-256 is "
            f"{opened.sha256[:8]}..., not {sha256[:8]}...; restore it, or give --init anew"
        )
    try:
        load_tensors("generator", generator, opened.weights)
    except CheckpointError as error:
        misfit = str(error).removeprefix("the checkpoint does not fit the generator: ")
        mend = (
            "leave generator.* and the dataset's size to --init, or choose the network that the weights were trained in"
        )
        if opened.pretrained is not None:
            misfit, mend = _trained_for_others(opened.pretrained, sample, context) or (misfit, mend)
        raise ConfigError(
            f"train.init: {path} ({opened.layout}) does not fit the generator: {misfit}; {mend}"
        ) from error
    if opened.critic and _fits(critic, opened.critic):
        load_tensors("critic", critic, opened.critic)
        return opened
    return replace(opened, critic={})


def _trained_for_others(
    found: Pretrained, sample: SampleFormat, context: Mapping[str, SampleFormat]
) -> tuple[str, str] | None:
    """What weights were trained for and are not to be used for, with the mend; None where all is alike."""
    if found.sample.axes == sample.axes and found.sample.shape != sample.shape:
        return (
            f"it makes samples of {found.sample}, and the dataset has {sample}",
            "choose a dataset of such samples, or weights for these",
        )
    theirs, ours = (
        [f"{name} of {len(format.classes)} classes" for name, format in given.items() if format.is_label]
        for given in (found.context, context)
    )
    if theirs != ours:
        return (
            f"it was trained with the labels: {', '.join(theirs) or 'none'}; and the task gives it: "
            f"{', '.join(ours) or 'none'}",
            "let task.labels and the dataset's labels be the same, or choose other weights",
        )
    return None


def _fits(network: nn.Module, tensors: Mapping[str, Tensor]) -> bool:
    own = network.state_dict()
    return own.keys() == tensors.keys() and all(own[name].shape == tensors[name].shape for name in own)
