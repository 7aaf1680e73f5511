"""Checks of a task: what it makes of items is what it declares, and nothing else is moved by it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.errors import ConfigError, WganxError
from wganx.networks import Helper, Networks
from wganx.plugins.contracts import Formats, Game
from wganx.plugins.descriptors import Task
from wganx.plugins.guard import call, calling
from wganx.testing.bench import Bench
from wganx.testing.check import NotChecked, check, fail, streams_unmoved
from wganx.testing.fitting import check_fit
from wganx.testing.places import ROWS, SEED, Setting, inside


def _settings(task: Task, bench: Bench) -> list[Setting]:
    return bench.settings(task.modality, task.name)


@check("task", name="builds", mend="raise wganx.ConfigError, which names the key and what needs it: formats.need(...)")
def builds(task: Task, bench: Bench) -> None:
    """It is built for every dataset that has what it needs; for the others it says what is missing."""
    refusals, played = [], 0
    datasets = bench.datasets(task.modality)
    if not datasets:
        raise NotChecked(
            f"no dataset of modality {task.modality!r} is here: say WGANX_EXTENDS for one of another plugin"
        )
    for dataset in datasets:
        try:
            game = bench.play(task, dataset).game
        except ConfigError as refusal:
            refusals.append(str(refusal))
            continue
        except WganxError as error:
            if isinstance(error.__cause__, KeyError | AttributeError | IndexError):
                fail(
                    f"on dataset {dataset.name!r} it raised {type(error.__cause__).__name__}: {error.__cause__}",
                    "ask for keys by formats.need(key, what_for), which says what is missing",
                )
            raise
        played += 1
        if not isinstance(getattr(game, "sample", None), SampleFormat):
            fail(f"on dataset {dataset.name!r} it has no format 'sample'", "set self.sample to what the critic scores")
    if not played and not any(setting.task == task for setting in bench.plays(task.modality)):
        raise NotChecked(f"no dataset here has what it needs: {refusals[0]}")


@check("task", name="samples", mend="let batch(items, rng, training=...) return a wganx.Batch")
def samples_are_in_format(task: Task, bench: Bench) -> None:
    """The real samples of a batch are floating point, in the shape and range of the sample's format."""
    for setting in _settings(task, bench):
        for training in (False, True):
            batch, format = setting.batch(training=training), setting.game.sample
            if not isinstance(batch, Batch):
                fail(f"{setting.name}: batch returned {type(batch).__name__}", "return wganx.Batch(real, ...)")
            if not batch.real.is_floating_point():
                fail(f"{setting.name}: real is {batch.real.dtype}", "turn storage into floating point: .float() / 255")
            if len(batch) != ROWS or not format.fits(tuple(batch.real.shape[1:])):
                fail(
                    f"{setting.name}: real has shape {tuple(batch.real.shape)} for {ROWS} items of {format}",
                    "return (N, *sample.shape), a row an item",
                )
            if wrong := inside(batch.real, format):
                fail(f"{setting.name}: real {wrong}", "bring samples into the value_range of self.sample")


@check("task", name="fit", mend="let fit(config, formats, items) return a mapping from names to tensors or plain data")
def fit_can_be_stored(task: Task, bench: Bench) -> str | None:
    """What is fitted to the training items is the same every time, and can be stored in a run."""
    if task.fit is None:
        return "nothing is fitted for it"
    setting = _settings(task, bench)[0]
    items = setting.items("train")
    formats = Formats(items.formats, bench.fitted(setting.dataset, setting.config))
    config = bench.config(task)
    check_fit(
        lambda: call(task, "fit", config, formats, items, returns=Mapping), "fit without draws, or with a fixed seed"
    )
    return None


@check("task", name="inputs", mend="let batch(items, rng, training=...) return a wganx.Batch")
def inputs_are_as_declared(task: Task, bench: Bench) -> None:
    """Context, condition and what is known of a batch are what the game declares, a row an item."""
    for setting in _settings(task, bench):
        batch = setting.batch()
        for side in ("context", "condition", "known"):
            declared, given = getattr(setting.game, side), getattr(batch, side)
            if set(declared) != set(given):
                fail(
                    f"{setting.name}: {side} holds {sorted(given)}, and the game declares {sorted(declared)}",
                    f"declare in self.{side} a format for everything that a batch has there",
                )
            for name, format in declared.items():
                rows = given[name]
                if len(rows) != ROWS or not format.fits(tuple(rows.shape[1:])):
                    fail(
                        f"{setting.name}: {side}[{name!r}] has shape {tuple(rows.shape)}, and its format is {format}",
                        "return (N, *format.shape)",
                    )
                if format.is_label and rows.dtype != torch.int64:
                    fail(f"{setting.name}: label {name!r} is {rows.dtype}", "leave labels int64")


@check("task", name="heldout", mend="let batch work with training=False")
def evaluation_is_plain(task: Task, bench: Bench) -> None:
    """With training=False nothing is augmented: the samples do not depend on the draws."""
    for setting in _settings(task, bench):
        one, other = setting.batch(seed=1), setting.batch(seed=2)
        if not torch.equal(one.real, other.real):
            fail(f"{setting.name}: held-out samples change with the seed", "augment only when training")


@check("task", name="rows", mend="let batch work for any number of rows")
def rows_stay_aligned(task: Task, bench: Bench) -> None:
    """Samples and conditions of a batch keep the order of the items."""
    for setting in _settings(task, bench):
        rows = setting.rows()
        turned = {name: tensor.flip(0) for name, tensor in rows.items()}
        batches = []
        for items, seed in ((rows, SEED), (turned, SEED), (rows, SEED + 1)):
            with calling(task, "batch"):
                batches.append(setting.game.batch(items, torch.Generator().manual_seed(seed), training=False))
        one, other, drawn = (_tensors(batch) for batch in batches)
        own = {"real", *(f"condition {name}" for name in setting.game.condition)}
        for name, tensor in one.items():
            if not torch.equal(tensor, drawn[name]) or name not in own:
                continue  # noise is drawn row by row; what is unpaired comes from other items
            if not torch.allclose(tensor.flip(0).float(), other[name].float(), atol=1e-5):
                fail(
                    f"{setting.name}: {name} of reversed items is not the reversed {name}",
                    "keep row i that of item i, and compute nothing across rows",
                )


def _tensors(batch: Batch) -> dict[str, Tensor]:
    named = {f"context {name}": rows for name, rows in batch.context.items()}
    return {"real": batch.real, **named, **{f"condition {name}": rows for name, rows in batch.condition.items()}}


@check("task", name="streams", mend="let batch work with training=True")
def draws_from_what_it_is_given(task: Task, bench: Bench) -> None:
    """It draws from `rng` alone, so that a run can be resumed bit for bit."""
    for setting in _settings(task, bench):
        setting.batch(training=True)
        with streams_unmoved(f"{setting.name}: batch"):
            one, other = (setting.batch(training=True, seed=5) for _ in range(2))
        for name, tensor in _tensors(one).items():
            if not torch.equal(tensor, _tensors(other)[name]):
                fail(f"{setting.name}: {name} differs for the same rng", "draw with generator=rng")


@check("task", name="untouched", mend="let batch work with training=True")
def items_are_left_alone(task: Task, bench: Bench) -> None:
    """It changes none of the items that it is given: they may be the data itself."""
    for setting in _settings(task, bench):
        rows = setting.rows()
        before = {name: tensor.clone() for name, tensor in rows.items()}
        with calling(task, "batch"):
            setting.game.batch(rows, torch.Generator().manual_seed(SEED), training=True)
        changed = [name for name, tensor in before.items() if name not in rows or not torch.equal(tensor, rows[name])]
        if changed:
            fail(f"{setting.name}: batch changed {changed[0]!r} in place", "work on a copy: no method that ends in _")


@check("task", name="baselines", mend="let every baseline take (batch, rng) and return samples")
def baselines_are_samples(task: Task, bench: Bench) -> None:
    """It has trivial solutions, which make finite samples of the real ones' shape."""
    for setting in _settings(task, bench):
        with calling(task, "baselines"):
            baselines = setting.game.baselines()
        if not isinstance(baselines, Mapping) or not baselines:
            fail(f"{setting.name}: there is no baseline", "name at least one trivial solution: noise, a copy, the mean")
        batch = setting.batch(64)
        for name, baseline in baselines.items():
            before = {key: tensor.clone() for key, tensor in _tensors(batch).items()}
            with streams_unmoved(f"baseline {name!r}"), calling(task, f"baseline {name!r}"):
                made = baseline(batch, torch.Generator().manual_seed(SEED))
            if not isinstance(made, Tensor) or made.shape != batch.real.shape:
                shape = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
                fail(
                    f"{setting.name}: baseline {name!r} returns {shape} for samples {tuple(batch.real.shape)}",
                    "return samples of the shape of batch.real",
                )
            if not bool(torch.isfinite(made).all()):
                fail(f"{setting.name}: baseline {name!r} holds NaN or infinite values", "mend it")
            if any(not torch.equal(tensor, before[key]) for key, tensor in _tensors(batch).items()):
                fail(f"{setting.name}: baseline {name!r} writes to its batch", "work on a copy")


@check("task", name="augment", mend="let augment(samples, rng, strength) return samples as they are, or changed")
def augmentation_can_be_learnt_through(task: Task, bench: Bench) -> None:
    """What the critic is shown is of the samples' shape and type, passes gradients, and at a strength of 0 is they."""
    for setting in _settings(task, bench):
        game = setting.game
        if type(game).augment is Game.augment:
            continue
        samples = setting.batch().real.requires_grad_(True)
        for strength in (0.0, 1.0):
            rng = torch.Generator(samples.device).manual_seed(SEED)
            with calling(task, "augment"):
                shown = game.augment(samples, rng, torch.tensor(strength, device=samples.device))
            if shown.shape != samples.shape or shown.dtype != samples.dtype:
                fail(
                    f"{setting.name}: of samples {tuple(samples.shape)} {samples.dtype} augment makes "
                    f"{tuple(shown.shape)} {shown.dtype}",
                    "return as many samples, of the same shape and type",
                )
            if strength == 0 and game.adapt is not None and not torch.equal(shown, samples):
                fail(
                    f"{setting.name}: augment changes samples at a strength of 0", "change a share of strength of them"
                )
            if not shown.requires_grad:
                fail(f"{setting.name}: no gradient passes through augment", "detach nothing, and stay in torch")


@check("task", name="losses", mend="let it return names with scalars that are weighted already")
def losses_are_scalars(task: Task, bench: Bench) -> None:
    """Its losses are finite scalars with a gradient for whoever minimises them."""
    looked = False
    for setting in _settings(task, bench):
        generator, critic = bench.partner(setting, "generator"), bench.partner(setting, "critic")
        if generator is None or critic is None:
            continue
        looked, networks = True, Networks(generator.build(), critic.build(), _modules(setting.game.helpers))
        noise, context = generator.arguments()
        with torch.no_grad():
            plain = networks.generator(*noise, **context)
        batch = setting.batch()
        for name, fake in (("generator_losses", networks.generator(*noise, **context)), ("critic_losses", plain)):
            with calling(task, name):
                losses = getattr(setting.game, name)(networks, fake, batch, 0)
            for label, loss in losses.items():
                if not isinstance(loss, Tensor) or loss.shape != ():
                    shape = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
                    fail(f"{setting.name}: {name}[{label!r}] is {shape}", "reduce it to a scalar tensor, its mean")
                if not bool(torch.isfinite(loss)):
                    fail(f"{setting.name}: {name}[{label!r}] is {float(loss)}", "mend it")
                if not loss.requires_grad:
                    fail(
                        f"{setting.name}: {name}[{label!r}] carries no gradient",
                        "compute it from what the player or a helper makes, and detach nothing on the way",
                    )
    if not looked:
        raise NotChecked("no generator and critic are offered for it here")


def _modules(helpers: Mapping[str, Helper]) -> dict[str, nn.Module]:
    return {name: helper.module for name, helper in helpers.items()}


@check("task", name="helpers", mend="let it be built")
def helpers_are_networks(task: Task, bench: Bench) -> None:
    """Its helpers are networks, and say with whom they learn."""
    for setting in _settings(task, bench):
        for name, helper in setting.game.helpers.items():
            if not isinstance(helper, Helper) or not isinstance(helper.module, nn.Module):
                fail(f"{setting.name}: helper {name!r} is no network", "write wganx.Helper(module, learns_with=...)")
            if helper.learns_with not in ("generator", "critic", None) or "/" in name or not name:
                fail(
                    f"{setting.name}: helper {name!r} learns with {helper.learns_with!r}",
                    "use a plain word as its name, and 'generator', 'critic' or None",
                )


@check("task", "generator", "critic", name="stage", mend="let at(step) return something hashable, the same every time")
def stage_is_hashable(part: Task, bench: Bench) -> str | None:
    """What at(step) returns tells stages apart: hashable, and the same for the same step."""
    if isinstance(part, Task):
        stages = [setting.game for setting in _settings(part, bench)]
    else:
        stages = [network.build() for network in bench.networks(part)]
    looked = False
    for stage in stages:
        at = getattr(stage, "at", None)
        if callable(at):
            looked = True
            with calling(part, "at"):
                one, again = at(0), (at(1000), at(0))[1]
            if one.__hash__ is None or hash(one) != hash(again) or one != again:
                fail(f"at(0) returned {one!r}, then {again!r}", "return a plain value that follows from the step")
    if not looked:
        return "it has no stages"
    return None
