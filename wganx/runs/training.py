"""Training a run: from its newest checkpoint to its last step, with everything written down on the way."""

from __future__ import annotations

import logging
import os
import platform
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

import wganx
from wganx.commit import commit
from wganx.config import in_place_of, resolve
from wganx.data.telling import found_in, remarks_on
from wganx.engine import Checkpoint, Every, Interrupted, Observer, TrainResult, apart
from wganx.errors import UsageError, WganxError, way_out
from wganx.evaluation import Evaluation
from wganx.lock import FolderGone, locked
from wganx.plugins import Observers
from wganx.plugins.contracts import Game, Outcome, Preview, RunInfo
from wganx.plugins.guard import one_line
from wganx.runs.recorder import Recorder
from wganx.runs.room import remark_on_checkpoints
from wganx.runs.run import Run
from wganx.runs.sizes import remark_on_batches
from wganx.runs.starting import checkpoint_to_continue

Status = Literal["finished", "interrupted", "failed"]


def train_run(run: Run, observers: Sequence[Observer] = (), *, from_step: int | None = None) -> TrainResult:
    """Train to ``train.steps``, from the newest whole checkpoint if there is one.

    Args:
        from_step: go on from the checkpoint of this step instead; later ones are void then, and removed.

    Raises:
        UsageError: the data is not what the run was started on, or another process trains in the folder.
        CheckpointError: there were steps, and no checkpoint to go on from.
        WganxError: the work failed; the folder says so and keeps its checkpoints.
        Interrupted: in a cell of a notebook, someone asked by Ctrl-C to stop; all is saved.
    """
    _refuse_other_data(run)
    trainer = run.assembly.trainer
    with _naming_the_disk(run), ExitStack() as held:

        def begin() -> tuple[Checkpoint | None, bool]:
            unchecked = run.store.check
            run.store.check = held.enter_context(locked(run.folder.path)).check
            held.callback(setattr, run.store, "check", unchecked)  # nobody holds the folder then
            run.folder.check_run()  # a disk that went since it was made leaves an empty folder
            for folder in (run.folder.samples, run.folder.checkpoints, run.folder.evaluations):
                run.folder.check_own(folder)
            run.folder.tidy()
            run.store.tidy()
            return checkpoint_to_continue(run, from_step), run.folder.facts().get("status") == "finished"

        checkpoint, ended = trainer.ranks.from_first(begin)
        stored = {} if checkpoint is None else checkpoint.facts
        if checkpoint is not None:
            trainer.restore(checkpoint)
        del checkpoint  # its tensors are its files, mapped: memory, and on Windows files that cannot be removed
        remaining = max(run.resolved.run.train.steps - trainer.step, 0)
        if ended and not remaining:  # one that was killed after its last checkpoint has still to be brought to its end
            return TrainResult("finished", trainer.step, 0.0)
        if not trainer.ranks.first:
            return _follow(run, remaining)
        _record_start(run)
        if from_step is not None:
            run.store.discard_after(from_step)
        if stored:
            run.store.settle(stored)
        return _lead(run, remaining, observers)


def _lead(run: Run, remaining: int, observers: Sequence[Observer]) -> TrainResult:
    """The part in a run of the process that writes."""
    config, assembly = run.resolved.run, run.assembly
    trainer, folder = assembly.trainer, run.folder
    run.began = True
    plugins = Observers(run.resolved.catalog.plugins, lambda message: recorder.note(message))
    info = _info(run)
    recorder = Recorder(folder, info, plugins, trainer.step, run.warn, run.store.check)
    with (
        _outcome(run, plugins, info) as outcome, _naming_the_disk(run), recorder, _logged_notes(recorder.note)
    ):  # fmt: skip
        sampler = trainer.sampler(assembly.game.context)
        preview_batch = run.preview_batch(sampler)

        def picture(samples: Tensor, stem: str) -> tuple[Path, Preview] | None:
            """A writer that fails costs its picture, not the training."""
            try:
                run.store.check()
                with recorder.spending("previews"), apart(config.seed, assembly.device):
                    return run.write_preview(samples, preview_batch, stem)
            except FolderGone:
                raise
            except (Exception, SystemExit) as error:
                recorder.note(f"no preview: {error if isinstance(error, WganxError) else one_line(error)}")
                return None

        def preview() -> None:
            drawn = sampler.draw(len(preview_batch), context=preview_batch.context)
            if (written := picture(drawn, f"step-{trainer.step:06d}")) is not None:
                recorder.previewed(trainer.step, *written)

        for remark in (
            *remarks_on(assembly.train_items),
            *remark_on_batches(run.resolved, assembly.train_items, assembly.game.sample, assembly.device),
            *remark_on_checkpoints(run.store, trainer.generator, trainer.critic, config),
        ):
            recorder.note(remark)
        heldout = assembly.heldout_sample
        for path, reason in getattr(assembly.heldout_items, "unreadable", {}).items():
            recorder.note(f"{path} cannot be read ({reason}); another held-out item stands for it")
        if unseen := _unseen_labels(assembly.game):
            recorder.note(unseen)
        if (real := picture(preview_batch.real, "real")) is not None:
            recorder.compared_with(trainer.step, real[1])

        def measure() -> None:
            evaluation = run.measure(sampler, trainer.step)
            for name, seconds in evaluation.seconds.items():
                recorder.spent(f"metric {name}", seconds)
            recorder.evaluated(evaluation)
            for name, message in evaluation.failures.items():
                recorder.note(f"metric {name} failed: {message}")
            _keep_best(run, evaluation)

        actions = [Every(config.preview.every, preview)]
        if config.evaluate.every:
            actions.append(Every(config.evaluate.every, measure))
        stopped = None
        try:
            result = trainer.fit(
                assembly.stream,
                steps=remaining,
                log_every=config.log.every,
                observers=[recorder, *observers],
                actions=actions,
                checkpoints=run.store,
                checkpoint_every=config.checkpoint.every,
                heldout=heldout,
                checks=run.resolved.catalog.health_checks(run.resolved.parts.modality.name),
                progress=False,
            )
        except Interrupted as stop:
            result, stopped = stop.result, stop
        outcome(result.status)
    for path, reason in assembly.stream.feed.unreadable:
        folder.note(f"{path} cannot be read ({reason}); another item took its place")
    run.result = result
    if stopped is not None:
        at = f"stopped after step {result.step} of {config.train.steps}, and saved"
        raise Interrupted(f"{at}; wganx.resume({str(folder.path)!r}) goes on", result) from None
    return result


def _unseen_labels(game: Game) -> str | None:
    """That nothing holds the generator to labels it is given."""
    losses = ("generator_losses", "critic_losses")
    if any(getattr(type(game), name) is not getattr(Game, name) for name in losses):
        return None
    names = [name for name, format in game.context.items() if format.is_label and name not in game.condition]
    if not names:
        return None
    return (
        f"the generator is given {', '.join(names)}, and neither the critic nor a loss sees it, so it will learn to "
        "leave it aside; put it into the task's condition as well"
    )


class _Notes(logging.Handler):
    """Hands what is logged as a warning to the one way of warnings."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        self._note(record.getMessage())


@contextmanager
def _logged_notes(note: Callable[[str], None]) -> Iterator[None]:
    """Inside, what the floors below log is noted; nothing else prints it."""
    logger, handler = logging.getLogger("wganx"), _Notes(note)
    propagates = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = propagates
        logger.removeHandler(handler)


def _follow(run: Run, steps: int) -> TrainResult:
    """The part in a run of a process that is not the first: it computes, and leaves the folder alone."""
    config, assembly = run.resolved.run, run.assembly
    every = [config.preview.every, *([config.evaluate.every] if config.evaluate.every else [])]
    try:
        return assembly.trainer.fit(
            assembly.stream,
            steps=steps,
            log_every=config.log.every,
            actions=[Every(steps, lambda: None) for steps in every],
            checkpoint_every=config.checkpoint.every,
            progress=False,
        )
    finally:
        assembly.close()


def _keep_best(run: Run, evaluation: Evaluation) -> None:
    """Save and mark the checkpoint of this step when it is the best so far by ``checkpoint.best``."""
    name = run.resolved.run.checkpoint.best
    row = next((row for row in evaluation.rows if row.value == name), None)
    if row is None or row.generated != row.generated:
        return
    sign = 1 if row.better == "higher" else -1
    best = run.store.best()
    # A best of this step or later was left by a course that was rolled back.
    if best is None or best["step"] >= evaluation.step or sign * row.generated > sign * best["value"]:
        run.store.save(run.assembly.trainer.checkpoint(), evaluation.step, (row.value, row.generated))


def _info(run: Run) -> RunInfo:
    config = run.resolved.run
    return RunInfo(
        folder=run.folder.path,
        plugin=config.plugin,
        scenario=config.scenario,
        device=str(run.assembly.device),
        seed=config.seed,
        step=run.assembly.trainer.step,
        config=run.resolved.dump(),
    )


@contextmanager
def _outcome(run: Run, plugins: Observers, info: RunInfo) -> Iterator[Callable[[Status], None]]:
    """Tells folder and plugins how the work inside ends."""

    def end(status: Status, error: str | None = None) -> None:
        step = run.assembly.trainer.step
        try:
            run.store.check()
            run.folder.record(status=status, step=step, error=error, done=run.assembly.trainer.training.facts())
        except FolderGone:
            pass  # which is how it ended, and there is nowhere to say it
        except OSError as full:  # must not hide how the training ended
            run.warn(f"how the run ended could not be recorded: {full}")
        plugins.run_finished(info, Outcome(status=status, step=step, error=error))

    try:
        plugins.run_started(info)
        yield end
    except KeyboardInterrupt:
        end("interrupted")
        raise
    except SystemExit as error:
        end("interrupted", f"the process was ended from within: SystemExit: {error.code}")
        raise
    except BaseException as error:
        end("failed", str(error) if isinstance(error, WganxError) else f"{type(error).__name__}: {error}")
        raise
    finally:
        run.assembly.close()


@contextmanager
def _naming_the_disk(run: Run) -> Iterator[None]:
    """A file of the run that cannot be written is said as what it is, with the way on."""
    try:
        yield
    except OSError as error:
        named = error.filename  # a descriptor where a call was given one, and of many errors nothing
        if not isinstance(named, str | bytes) or not named:
            raise
        if not Path(os.fsdecode(named)).absolute().is_relative_to(run.folder.path.absolute()):
            raise
        kept = ", ".join(map(str, run.store.steps()))
        raise WganxError(
            f"{error.filename} could not be written: {error.strerror}; "
            + (f"the checkpoints of {kept} are kept" if kept else "there is no checkpoint yet")
            + f"; {way_out(error)}, then go on with wganx resume {run.folder.typed}"
        ) from error


def _refuse_other_data(run: Run) -> None:
    """Before networks are made or weights are read."""
    if changed := run.changed_data():
        what = "; ".join(changed)
        raise UsageError(
            f"the data changed since {run.folder.path} was started ({what}); restore it, or start a new run"
        )


def _record_start(run: Run) -> None:
    """Write the facts of this run, when it starts and when it is resumed."""
    resolved, assembly, config = run.resolved, run.assembly, run.resolved.run
    trainer, data = assembly.trainer, assembly.data
    before = run.folder.facts()
    _tell_other_versions(run, before)
    run.folder.store_config(resolved.to_yaml())
    run.folder.record(
        schema=1,
        wganx=wganx.__version__,
        commit=commit(),
        plugin=config.plugin,
        scenario=config.scenario,
        modality=resolved.parts.modality.name,
        task=config.task.name,
        status="running",
        error=None,
        step=trainer.step,
        steps=config.train.steps,
        seed=config.seed,
        device=str(assembly.device),
        precision=trainer.precision.name,
        capture=trainer.way,
        processes=trainer.ranks.count,
        started=before.get("started", datetime.now().astimezone().isoformat(timespec="seconds")),
        seconds=before.get("seconds", 0.0),
        versions={"python": platform.python_version(), "torch": torch.__version__},
        data={
            "fingerprint": data["fingerprint"],
            "described": data,
            "train": len(assembly.train_items),
            "heldout": len(assembly.heldout_items),
            "feed": assembly.stream.feed.reason,
            "found": found_in(assembly.train_items, assembly.heldout_items),
            "source": resolved.parts.dataset.card.source,
            "licence": resolved.parts.dataset.card.licence,
            "offline": resolved.parts.dataset.card.offline,
        },
        plugins=[_plugin_facts(plugin) for plugin in resolved.catalog.plugins],
        parameters={player.role: player.gradient.numel() for player in (trainer.steps.generator, trainer.steps.critic)},
        origins=_origins(run, before),
        instead=_instead(run, before),
        init=before.get("init") or _init(run),
        notice=resolved.parts.modality.notice,
        command=shlex.join(["wganx", "train", "--config", "config.yaml"]),
        notes=run.folder.facts().get("notes", list(resolved.notes)),
    )


def _tell_other_versions(run: Run, before: Mapping[str, Any]) -> None:
    """A run that goes on under another version of a plugin says so."""
    wrote = {plugin["name"]: plugin["version"] for plugin in before.get("plugins", [])}
    for plugin in run.resolved.catalog.plugins:
        if (version := wrote.get(plugin.name, plugin.found.version)) != plugin.found.version:
            message = f"this run was begun with {plugin.found.distribution} {version} and goes on with {plugin.found}"
            run.warn(message)
            run.folder.note(message)


def _plugin_facts(plugin: Any) -> dict[str, Any]:
    found = plugin.found
    return {"name": plugin.name, "distribution": found.distribution, "version": found.version, "api": wganx.WGANX_API}


def _instead(run: Run, before: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the scenario alone has, by dotted name, where this run has something else; none where that is not known."""
    told = before.get("instead")
    config = run.resolved.run
    try:
        scenario = resolve(plugin=config.plugin, scenario=config.scenario, extensions=config.extensions, environ={})
    except WganxError:  # a scenario that waits for data, or for a choice
        return told
    return {**in_place_of(run.resolved.dump(), scenario.dump()), **(told or {})}


def _init(run: Run) -> dict[str, Any] | None:
    """What the networks began with, by ``train.init``; said once, when they do."""
    if not (began := run.assembly.began_with):
        return None
    critic = "; the critic goes on with it" if began[0].critic else "; the critic begins anew"
    if not run.resolved.objective.trains_critic:
        critic = ""
    run.warn(f"begins with {began[0].path}: {began[0].in_words()}{critic}")
    return {**began[0].facts, "critic": bool(began[0].critic)}


def _origins(run: Run, before: Mapping[str, Any]) -> dict[str, str]:
    """Where every value that is no default came from. Going on, values have the origins of before, but for those given
    anew: the run's own ``config.yaml`` names its defaults as well."""
    found = run.resolved.origins()
    if "origins" not in before:
        return found
    own = f"{run.folder.config}:"
    return {**before["origins"], **{key: origin for key, origin in found.items() if not origin.startswith(own)}}
