"""Drawing from what training left: a generator from a checkpoint, without data, critic or optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.config.consent import code_file, plugins_in
from wganx.engine import CheckpointStore, Sampler, Weights, choose_device, load_average, place, read_weights
from wganx.engine.facts import check_drawable
from wganx.errors import CheckpointError, PluginError, UsageError
from wganx.names import at_home
from wganx.plugins import Catalog, load
from wganx.plugins.contracts import BuildContext
from wganx.plugins.descriptors import Architecture
from wganx.plugins.guard import call, calling
from wganx.runs.checkpoints import checkpoint_path
from wganx.runs.fitted import read_fitted
from wganx.runs.folder import RunFolder
from wganx.stored import read_yaml
from wganx.trust import check_code, trusting

T = TypeVar("T")


class UntoldGenerator(CheckpointError):
    """A checkpoint of an earlier wganx, which does not say how to build its generator."""


def load_generator(
    run: str | Path,
    checkpoint: str | int = "last",
    *,
    device: str | torch.device = "cpu",
    warn: Callable[[str], None] | None = None,
    trust: bool = False,
) -> Sampler:
    """The generator of a run, ready to draw from; needs nothing but the run folder and the plugin.

    ``load_generator("runs/x").module`` is an ordinary `torch.nn.Module` with the averaged weights, in evaluation mode.

    Args:
        run: the run folder, wherever it lies now.
        checkpoint: ``last``, ``best``, or a step.
        device: where it computes.
        warn: told of damaged checkpoints that are passed over for ``last``.
        trust: execute a file of code that the run names as its plugin, from now on.

    Raises:
        UsageError: there is no run, or it names a file of code that was not agreed to.
        CheckpointError: there is no such checkpoint, it is damaged, or it was written before checkpoints said how to
            build their generator.
        PluginError, PluginFailed: the plugin is not there, or does not build it.
    """
    with trusting(trust):
        network, weights = average_of(RunFolder(Path(run)), checkpoint, warn)
    about = weights.facts["about"]
    where = choose_device(device)
    place(network, where)  # in the order in memory it was trained in, so that it draws the same bits
    return Sampler(
        network,
        noise=tuple(about["noise"]) or None,
        device=where,
        sample=SampleFormat.from_json(about["sample"]),
        context={name: SampleFormat.from_json(format) for name, format in about["context"].items()},
        seed=about["seed"],
    )


def average_of(
    folder: RunFolder, checkpoint: str | int, warn: Callable[[str], None] | None = None
) -> tuple[nn.Module, Weights]:
    """The averaged generator of a checkpoint, in evaluation mode on the CPU, and what it was made from.

    Raises:
        UsageError, CheckpointError, PluginError, PluginFailed: as `load_generator`.
    """
    weights = read_newest(folder, checkpoint, read_weights, warn)
    check_told(weights.facts, folder)
    network, architecture = build_network(weights.facts["about"], folder, "generator")
    with calling(architecture, "at"):
        load_average(network, weights)
    return network, weights


def check_told(facts: Mapping[str, Any], folder: RunFolder) -> None:
    """
    Raises:
        UntoldGenerator: a checkpoint of these facts does not say how networks are built.
    """
    if "generator" not in (facts.get("about") or {}):
        raise UntoldGenerator(
            f"step {facts.get('step', 0)} of {folder.path} does not say how to build its generator, because an earlier "
            f"wganx wrote it; train it on with its data in place: wganx resume {folder.typed} --set train.steps=..."
        )
    check_drawable(facts["about"])


def with_short_form(
    sampler: Sampler, given: Mapping[str, str | float] | None, class_name: str | None
) -> dict[str, str | float]:
    """The labels that are given, with a class whose label need not be named where there is but one.

    Raises:
        UsageError: there are several labels.
    """
    chosen = dict(given or {})
    if class_name is None:
        return chosen
    labels = [name for name, format in sampler.context.items() if format.is_label]
    if len(labels) > 1:
        ways = " or ".join(f"--given {name}=..." for name in labels)
        raise UsageError(f"this generator takes several labels, so say which: {ways}")
    return {**chosen, (labels or ["label"])[0]: class_name}


def from_data(batch: Batch, context: Mapping[str, SampleFormat]) -> dict[str, Tensor]:
    """What of a batch's context comes from data: nothing where it is labels alone, which go through their classes.

    Labels beside anything else belong to the item that the rest comes from: the pitch of a source tone.
    """
    free = all(format.is_label or format.is_number for format in context.values())
    return {} if free else dict(batch.context)


def is_chosen(format: SampleFormat) -> bool:
    """Whether it can be said by who draws, so that no data is needed for it."""
    return format.is_label or format.is_number or format.is_text


def read_newest(
    folder: RunFolder, checkpoint: str | int, read: Callable[[Path], T], warn: Callable[[str], None] | None
) -> T:
    """What `read` makes of a checkpoint; for ``last`` of the newest whole one.

    Raises:
        UsageError: there is no run.
        CheckpointError: there is no such checkpoint, or it is damaged.
    """
    folder.check_run()
    steps = CheckpointStore(folder.checkpoints).steps()
    if checkpoint != "last" or not steps:
        return read(checkpoint_path(folder, checkpoint))
    for step in reversed(steps[1:]):
        try:
            return read(checkpoint_path(folder, step))
        except CheckpointError as error:
            if warn is not None:
                warn(f"passing over a damaged checkpoint: {error}")
    return read(checkpoint_path(folder, steps[0]))


def build_network(
    about: Mapping[str, Any], folder: RunFolder, role: Literal["generator", "critic"]
) -> tuple[nn.Module, Architecture]:
    """The network that `about` tells of, with weights as they are before training.

    Args:
        about: what a checkpoint tells; its entry `role` holds the options of the network. A checkpoint has those of the
            generator alone.
        folder: where ``fitted.safetensors`` lies.
    """
    catalog = catalog_of(about, folder)
    own = dict(about[role])
    architecture = catalog.architecture(role, own.pop("name"), about["modality"])
    own.pop("noise", None)
    owner = catalog.owner(architecture).name
    version = next((plugin["version"] for plugin in about["plugins"] if plugin["name"] == owner), "")
    with calling(architecture, "migrate"):
        config = architecture.config.model_validate(architecture.config.migrate(own, version))
    inputs = about["context" if role == "generator" else "condition"]
    context = BuildContext(
        sample=SampleFormat.from_json(about["sample"]),
        noise=tuple(about["noise"]) if role == "generator" else (),
        inputs={name: SampleFormat.from_json(format) for name, format in inputs.items()},
        fitted=read_fitted(folder.fitted, expected=bool(about.get("fitted"))).both,
    )
    network: nn.Module = call(architecture, "build", config, context, returns=nn.Module)
    return network, architecture


def catalog_of(about: Mapping[str, Any], folder: RunFolder) -> Catalog:
    """The plugins that a checkpoint tells of.

    Raises:
        UsageError: one is a file of code, and the user has not agreed to it (`wganx.trust`).
    """
    names = [_where(plugin, folder) for plugin in about["plugins"]]
    for path in filter(None, map(code_file, names)):
        check_code(path, f"a checkpoint of {folder.path}")
    return load(names)


def plugin_name(plugin: Mapping[str, Any], folder: RunFolder) -> str:
    """How a plugin is found again: by its distribution and name, or its file, which ``config.yaml`` may name anew."""
    if (file := plugin.get("file")) is None:
        return ":".join(filter(None, (plugin.get("distribution"), plugin.get("name"))))
    try:
        stored = read_yaml(folder.config)
    except (OSError, ValueError):
        stored = None
    named = plugins_in(stored) if isinstance(stored, dict) else []
    return next((name for name in named if Path(name).name == Path(file).name), str(file))


def _where(plugin: Mapping[str, Any], folder: RunFolder) -> str:
    """`plugin_name`, where a file of that name is there.

    Raises:
        PluginError: there is none.
    """
    found = plugin_name(plugin, folder)
    if plugin.get("file") is not None and not at_home(found).is_file():
        told = (
            f"; put it there, or say in {folder.config} where it lies"
            if folder.config.is_file()
            else (", which is looked for in the folder this is called from; put it there")
        )
        raise PluginError(f"no plugin file {found}{told}")
    return found
