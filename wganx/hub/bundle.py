"""From a run folder to the files of its repository: what draws from it, and what has to be known of it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file

from wganx.batch import Batch, SampleFormat
from wganx.engine import Sampler, read_weights
from wganx.errors import CheckpointError, UsageError, WganxError
from wganx.evaluation import with_labels
from wganx.evaluation.stored import read_evaluation
from wganx.hub.cleaning import clean_config, clean_evaluation, clean_facts, clean_state, file_plugins
from wganx.hub.contents import MEDIA
from wganx.report.card import Shared
from wganx.report.reading import RunRecord, read_run
from wganx.runs import Run, RunFolder
from wganx.runs.checkpoints import checkpoint_path
from wganx.runs.drawing import is_chosen
from wganx.runs.fitted import read_fitted
from wganx.storage import json_text
from wganx.stored import read_yaml

DRAWN = 16
_SINGLE = 4
"""Sounds or films that go along by themselves; pictures are all in the one of the samples."""


@dataclass(frozen=True)
class Bundle:
    """What is sent of a run: files below `folder`, and what its card says.

    Attributes:
        step: generator updates behind it.
        record: its records, without what tells of a machine.
        shared: what the card says beyond them.
    """

    folder: Path
    step: int
    record: RunRecord
    shared: Shared

    def files(self) -> list[Path]:
        """Every file, in the order of their names."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


def make_bundle(
    run: Path, repository: str, folder: Path, *, checkpoint: str | int, licence: str | None, warn: Callable[[str], None]
) -> Bundle:
    """Write what is sent of `run` into the empty `folder`, all but the card.

    Raises:
        UsageError: there is no run.
        CheckpointError: there is no such checkpoint, it is damaged, or it does not say how to build its generator.
    """
    source = RunFolder(run)
    source.check_run()
    found = checkpoint_path(source, checkpoint)
    weights = read_weights(found)
    about = weights.facts.get("about") or {}
    if "generator" not in about:
        raise CheckpointError(
            f"{found} does not say how to build its generator, because an earlier wganx wrote it, so it draws nothing "
            f"elsewhere; train it on with its data in place: wganx resume {run} --set train.steps=..."
        )
    step = int(weights.facts["step"])
    try:
        stored = read_yaml(source.config)
    except ValueError as error:
        raise UsageError(f"{source.config} cannot be read: {error}") from error
    if not isinstance(stored, dict):
        raise UsageError(f"{source.config} holds no configuration")
    (folder / "config.yaml").write_text(_yaml(clean_config(stored)), encoding="utf-8")
    facts = clean_facts(source.facts(), step)
    _write_json(folder / "run.json", facts)
    aside = folder / "checkpoints" / found.name
    aside.mkdir(parents=True)
    # The averaged generator alone: what trains it on (critic, optimizer, random streams) stays with who trained it.
    tensors = {f"average/{name}": tensor.contiguous() for name, tensor in weights.average.items()}
    save_file(tensors, aside / "weights.safetensors")
    digest = hashlib.sha256((aside / "weights.safetensors").read_bytes()).hexdigest()
    _write_json(aside / "state.json", clean_state(weights.facts, digest))
    read_fitted(source.fitted, expected=bool(about.get("fitted")))  # a damaged one is not handed on
    if source.fitted.exists():
        shutil.copyfile(source.fitted, folder / "fitted.safetensors")
    record = replace(read_run(run), facts=facts, config=clean_config(stored), evaluation=_evaluation(source, step))
    if record.evaluation is not None:
        _write_json(folder / "evaluation.json", record.evaluation)
    context = {name: SampleFormat.from_json(format) for name, format in about["context"].items()}
    shared = Shared(
        repository,
        licence,
        labels={name: format.classes for name, format in context.items() if format.is_label},
        applies=not all(is_chosen(format) for format in context.values()),
        samples=_draw(run, folder, checkpoint, warn),
        files=tuple(Path(name).name for name in file_plugins(stored)),
    )
    return Bundle(folder, step, record, shared)


def _evaluation(source: RunFolder, step: int) -> Mapping[str, Any] | None:
    """The numbers of that step; those of another one are not this generator's."""
    for path in (source.evaluation, source.evaluation_path(step)):
        try:
            found = read_evaluation(path)
        except (OSError, ValueError):
            continue
        if found.get("step") == step:
            return clean_evaluation(found)
    return None


def _draw(run: Path, folder: Path, checkpoint: str | int, warn: Callable[[str], None]) -> tuple[str, ...]:
    """Samples by their path, drawn here and seen beside nothing real; none where it takes what only data has."""
    try:
        loaded = Run.load(run, warn=warn, only_looked_at=True)
        sampler = loaded.sampler(checkpoint)
        if not all(format.is_label or format.is_number for format in sampler.context.values()):
            return ()
        drawn = folder / "drawn"
        *files, grid = loaded.write_samples(*_samples(sampler, loaded.resolved.run.seed), drawn)
    except WganxError as error:
        warn(f"no samples go along: {error}")
        return ()
    (folder / "samples").mkdir()
    single = [path for path in files if path.suffix[1:] in MEDIA and path.suffix != ".png"][:_SINGLE]
    for path in (grid, *single):
        path.rename(folder / "samples" / path.name)
    shutil.rmtree(drawn)
    return tuple(f"samples/{path.name}" for path in (grid, *single))


def _samples(sampler: Sampler, seed: int) -> tuple[torch.Tensor, Batch]:
    context = sampler.context_rows(DRAWN)
    samples = sampler.draw(DRAWN, seed=seed, context=context).cpu()
    return samples, with_labels(Batch(samples[:0], context=context), context).to("cpu")


def _yaml(values: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json_text(values, indent=1, readable=True) + "\n", encoding="utf-8")
