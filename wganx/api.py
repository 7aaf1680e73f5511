"""What the command line does, as functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wganx.config import Resolved, resolve
from wganx.engine import Observer, Ranks, Wanted, Warnings, join, showing
from wganx.errors import UsageError, WganxError
from wganx.names import visible
from wganx.report import write_report
from wganx.runs import Run, RunFolder, keep_sliders, keep_walk, train_run
from wganx.runs.fitted import FittedParts
from wganx.trust import trusting


def train(
    plugin: str | None = None,
    scenario: str | None = None,
    *,
    config: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    data: str | Path | None = None,
    init: str | Path | None = None,
    out: str | Path | None = None,
    device: str | None = None,
    seed: int | None = None,
    extensions: Sequence[str] = (),
    resume: bool = False,
    observers: Sequence[Observer] = (),
    progress: Wanted = "auto",
    trust: bool = False,
) -> Run:
    """Train a generator and leave a run folder; what ``wganx train`` does.

    Args:
        plugin: name of the plugin, ``distribution:name``, or a ``.py`` file; may also stand in `config`.
        scenario: the run to start from; the plugin's first one by default.
        config: a YAML file of sections.
        overrides: values by dotted name, ``{"train.steps": 500}``.
        data: a folder or archive of the user's own.
        init: a file of weights, a run folder or a checkpoint whose generator it begins with.
        out: the run folder; one under ``runs`` named by time, plugin and scenario by default.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ...
        seed: fixes every random stream.
        extensions: plugins beside it that only add parts: observers, metrics, networks, constraints.
        resume: continue the run in `out` if there is one.
        observers: told of logging points, checkpoints and roll-backs.
        progress: how it is shown how it goes: ``auto`` (and True), as a bar in a notebook or a terminal and in lines on
            standard error elsewhere; ``lines``, in lines; False, not at all. What the health checks find amiss is then
            said on standard error, once each.
        trust: execute the files of code that `config` names, or with `resume` the run: plugins that are files. What
            this call names itself needs no such word.

    Raises:
        WganxError: the call was wrong (`UsageError`), or the work failed.
        Interrupted: in a cell of a notebook, Ctrl-C stopped it after a step; all is saved, and the cells below do not
            run. In a script the run is returned then, and its folder's status is ``interrupted``.
    """
    choice = {
        "overrides": overrides,
        "data": data,
        "init": init,
        "device": device,
        "seed": seed,
        "extensions": extensions,
    }
    with trusting(trust):
        run = open_run(plugin=plugin, scenario=scenario, config=config, out=out, resume=resume, **choice)
        with _shown(progress) as shown:
            return complete(run, [*observers, *shown])


def resume(
    run: str | Path,
    *,
    settings: Sequence[str] = (),
    extensions: Sequence[str] = (),
    observers: Sequence[Observer] = (),
    progress: Wanted = "auto",
    from_step: int | None = None,
    device: str | None = None,
    data: str | Path | None = None,
    trust: bool = False,
) -> Run:
    """Continue the run in a folder exactly; what ``wganx resume`` does.

    Args:
        settings: ``section.key=value`` texts, for what a resumed run may change.
        extensions: plugins beside those of the run, which only add parts.
        progress: as for `train`.
        from_step: go on from the checkpoint of this step, and not from the newest; later ones are removed. Where its
            training state is damaged and its weights are whole, with new optimizer states.
        device: where to go on; on another kind of device the random streams begin anew.
        data: where the data lies now, if it was moved; it must be the same.
        trust: execute the files of code that the run names, though they are not those it was started with here.

    Raises:
        UsageError: there is no run, another process trains it now, or `settings` changes what may not change.
        CheckpointError: there is no whole checkpoint to go on from.
        WganxError: the work failed.
    """
    loaded = Run.load(run, settings, warn=warn, extensions=extensions, device=device, data=data, trust=trust)
    with _shown(progress) as shown:
        return complete(loaded, [*observers, *shown], from_step=from_step)


def load_run(
    run: str | Path,
    *,
    extensions: Sequence[str] = (),
    device: str | None = None,
    data: str | Path | None = None,
    trust: bool = False,
) -> Run:
    """The run in a folder, to sample from and to evaluate.

    Args:
        extensions: plugins beside those of the run, for example with further metrics.
        device: where to compute; that of the training by default, or what is there, with a word.
        data: where the data lies now, if it was moved.
        trust: execute the files of code that the run names as its plugins, from now on; of a run that came from
            elsewhere, look at them first (``wganx doctor --security RUN``).

    Raises:
        UsageError: there is no run, or it names a file of code that was not agreed to.
    """
    return Run.load(run, warn=warn, extensions=extensions, device=device, data=data, only_looked_at=True, trust=trust)


def open_run(
    *,
    plugin: str | None = None,
    scenario: str | None = None,
    config: str | Path | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    **choice: Any,
) -> Run:
    """A run that is ready to train: a new one, or with `resume` the one in `out` if it holds one.

    `choice` goes to `wganx.config.resolve`. Among several processes each calls this; the first alone writes. One that
    a launcher restarted continues the run as with `resume`.
    """
    named: dict[str, Any] = {"plugin": plugin, "scenario": scenario, "config": Path(config) if config else None}
    ranks = join()
    if resume and out is None:
        raise UsageError("--resume needs --out, the folder of the run to continue")
    if ranks.count > 1 and out is None:
        raise UsageError("several processes need --out, the run folder, which all of them and a restart must know")
    if ranks.restarted or resume:
        folder = RunFolder(Path(out or ""))
        if ranks.from_first(folder.holds_run):
            if plugin is None and config is None:
                named = {"config": folder.config, "environ": {}}
            resolved = resolve(**named, **choice)
            return _by_first(ranks, resolved, folder, lambda: Run.load(folder.path, warn=warn).changed(resolved))
    resolved = resolve(**named, **choice)
    if ranks.first:
        for note in resolved.notes:
            warn(note)
    if out is None:
        return Run.start(resolved, None, warn)
    folder = RunFolder(Path(out))
    return _by_first(ranks, resolved, folder, lambda: Run.start(resolved, folder, warn))


@contextmanager
def _shown(progress: Wanted) -> Iterator[list[Observer]]:
    """What shows the progress, or says at least what is amiss; notes are said by the run."""
    with showing(progress, notes=False) as shown:
        yield shown or [Warnings(warn)]


def _by_first(ranks: Ranks, resolved: Resolved, folder: RunFolder, open_folder: Callable[[], Run]) -> Run:
    """The run that the first rank opens; the others take part in it and leave its folder alone."""
    opened: list[Run] = []

    def open_first() -> FittedParts:
        opened.append(open_folder())
        return opened[0].assembly.fitted_parts

    fitted = ranks.from_first(open_first)
    return opened[0] if ranks.first else Run(folder, resolved, _mute, fitted)


def complete(run: Run, observers: Sequence[Observer] = (), *, from_step: int | None = None) -> Run:
    """Train `run` to its end and write its report, also when training fails."""
    if not join().first:
        train_run(run, from_step=from_step)
        return run
    try:
        result = train_run(run, observers, from_step=from_step)
    except BaseException:
        if run.began:  # a call that was refused changes nothing
            _report_failure(run)
        raise
    if result.status == "finished":

        def note(message: str) -> None:
            run.warn(message)
            if run.folder.holds_run():  # a disk that is gone leaves an empty place
                run.folder.note(message)

        keep_walk(run, note)
        keep_sliders(run, note)
    write_report(run.folder.path)
    return run


def _report_failure(run: Run) -> None:
    try:
        write_report(run.folder.path)
    except (WganxError, OSError) as error:  # must not hide why training failed
        warn(f"the report could not be written: {error}")


def _mute(message: str) -> None:
    """Of several processes, the first one speaks."""


def warn(message: str) -> None:
    """Say something on standard error without stopping."""
    with suppress(OSError):  # of a terminal that closed: not worth the training
        print(f"wganx: {visible(message)}", file=sys.stderr)
