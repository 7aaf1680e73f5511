"""Checks of a scenario: that it trains, resumes, and can be drawn from, as a user will do it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from wganx.config import Resolved, resolve
from wganx.engine import read_checkpoint
from wganx.plugins.descriptors import Scenario
from wganx.runs import Run, RunFolder, load_generator, train_run
from wganx.testing.bench import Bench
from wganx.testing.check import NotChecked, check, fail
from wganx.testing.places import inside

STEPS = 3


@check("scenario", name="valid", mend="name parts that are there, and options that they have")
def is_valid(scenario: Scenario, bench: Bench) -> None:
    """Its configuration names parts that are there and options that they have."""
    bench.resolve(scenario)


def _small(scenario: Scenario, bench: Bench) -> Resolved:
    """The scenario at its smallest: a few steps of small batches, with data that is here."""
    resolved = bench.resolve(scenario)
    parts, run = resolved.parts, resolved.run
    if not parts.dataset.card.offline and parts.dataset.name not in bench.roots:
        raise NotChecked(f"its dataset {parts.dataset.name!r} has files of its own: --root {parts.dataset.name}=FOLDER")
    pack = parts.critic.couples_rows
    small: dict[str, Any] = {
        "train.steps": STEPS,
        "train.batch_size": min(run.train.batch_size, 4 * pack),
        "train.critic_steps": min(run.train.critic_steps, 2),
        "checkpoint.every": STEPS - 1,
        "checkpoint.keep": STEPS,
        "checkpoint.best": None,
        "preview.every": STEPS,
        "preview.count": 4,
        "log.every": 1,
        "evaluate.every": 0,
        # The few items that are used are read, and not all there are: the items are the same either way.
        "dataset.feed": "stream",
        "dataset.pack": "off",
    }
    if "root" in parts.dataset.config.model_fields and parts.dataset.name in bench.roots:
        small["dataset.root"] = str(bench.roots[parts.dataset.name])
    return resolve(plugin=bench.spec, scenario=scenario.name, device="cpu", environ={}, overrides=small)


def _trained(scenario: Scenario, bench: Bench) -> Path:
    """A run of the scenario, trained once; its folder goes with the bench."""

    def train() -> Path:
        home = Path(tempfile.mkdtemp(prefix="wganx-check-"))
        weakref.finalize(bench, shutil.rmtree, home, ignore_errors=True)
        notes: list[str] = bench.once(("notes", scenario.name), list)
        folder = home / "run"
        run = Run.start(_small(scenario, bench), RunFolder(folder), notes.append)
        train_run(run)
        return folder

    folder: Path = bench.once(("run", scenario.name), train)
    return folder


@check("scenario", name="trains", mend="see what it does: wganx train --plugin ... --scenario ...", trains=True)
def trains(scenario: Scenario, bench: Bench) -> None:
    """It trains for a few steps on a CPU, with a preview at the end."""
    folder = RunFolder(_trained(scenario, bench))
    status = folder.facts().get("status")
    if status != "finished":
        fail(f"its run is {status}", "see what it does: wganx train --plugin ... --scenario ...")
    lost: list[str] = bench.once(("notes", scenario.name), list)
    if failed := [note for note in lost if note.startswith("no preview")]:
        fail(failed[0], "mend the modality's preview, or the game's own")


@check(
    "scenario", name="resumes", mend="keep what the course of a training depends on in weights and buffers", trains=True
)
def resumes(scenario: Scenario, bench: Bench) -> None:
    """Resumed from a checkpoint it ends with the same bits as if it had not been interrupted."""
    whole = _trained(scenario, bench)
    again = whole.with_name("again")
    shutil.copytree(whole, again, dirs_exist_ok=True)
    shutil.rmtree(RunFolder(again).checkpoints / f"step-{STEPS:06d}")
    notes: list[str] = []
    train_run(Run.load(again, warn=notes.append))
    last = [read_checkpoint(RunFolder(path).checkpoints / f"step-{STEPS:06d}").weights for path in (whole, again)]
    differing = [name for name, tensor in last[0].items() if not torch.equal(tensor, last[1][name])]
    if differing:
        fail(
            f"resumed from step {STEPS - 1} it ends with another {differing[0]}",
            "draw from the rng that is given, keep state in buffers, and let item i depend on i alone",
        )


@check("scenario", name="draws", mend="build the generator from its configuration and context alone", trains=True)
def draws_without_data(scenario: Scenario, bench: Bench) -> None:
    """Its generator is drawn from without its data, where its context is labels at most."""
    sampler = load_generator(_trained(scenario, bench))
    if not all(format.is_label for format in sampler.context.values()):
        raise NotChecked("its generator is given context from data")
    draw: Callable[[], torch.Tensor] = partial(sampler.draw, 3, seed=1)
    one, other = draw(), draw()
    if not torch.equal(one, other):
        fail("two draws with one seed differ", "draw nothing in evaluation mode")
    format = sampler.sample
    assert format is not None
    shape = tuple(one.shape[1:])
    wrong = inside(one, format) if format.fits(shape) else f"has shape {shape}, and its format is {format}"
    if wrong:
        fail(f"what is drawn {wrong}", "let the generator make the sample's format")
