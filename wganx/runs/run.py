"""A run: one training and its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.config import Resolved, from_yaml, refuse_changes, resolve
from wganx.data import changes
from wganx.engine import CheckpointStore, Sampler, TrainResult, choose_device, read_checkpoint
from wganx.errors import UsageError, WganxError
from wganx.evaluation import Evaluation, heldout_batch, with_labels
from wganx.plugins.contracts import Preview
from wganx.plugins.guard import calling
from wganx.runs.applying import Applying, Watch
from wganx.runs.assembly import Assembly
from wganx.runs.checkpoints import checkpoint_path, step_of, stored_formats
from wganx.runs.code import consent
from wganx.runs.drawing import UntoldGenerator, from_data, is_chosen, load_generator, with_short_form
from wganx.runs.drawn import make_room
from wganx.runs.evaluating import Evaluating
from wganx.runs.fitted import FittedParts, read_fitted, store_fitted
from wganx.runs.folder import RunFolder
from wganx.runs.looking import draw_preview, write_files, write_picture
from wganx.runs.other_data import elsewhere
from wganx.runs.room import check_samples
from wganx.runs.shown import run_table

Warn = Callable[[str], None]


class Run:
    """One training and its folder, started by `Run.start` or found by `Run.load`.

    Attributes:
        folder: what lies where.
        resolved: the configuration.
        fitted: what was fitted to the data when it started; None for a run that does so now.
        began: whether training was begun by this object, and so has something to tell.
        result: how that training ended, with its readings and findings; None before.
    """

    def __init__(self, folder: RunFolder, resolved: Resolved, warn: Warn, fitted: FittedParts | None = None) -> None:
        self.folder = folder
        self.resolved = resolved
        self.warn = warn
        self.fitted = fitted
        self.began = False
        self.result: TrainResult | None = None
        self.store = self._store()

    @classmethod
    def start(cls, resolved: Resolved, folder: RunFolder | None = None, warn: Warn = print) -> Run:
        """A new run in a folder of its own; without one, under ``runs``, named by time, plugin and scenario.

        Raises:
            UsageError: the folder holds something already.
        """
        names = resolved.run.plugin, resolved.run.scenario
        run = cls(folder or RunFolder.fresh(*names), resolved, warn)
        run.assembly.trainer  # noqa: B018 - whatever is wrong with data or networks leaves no folder behind
        if folder is None:
            folder = run.folder = RunFolder.claim(*names)
            run.store = run._store()
        fits = resolved.parts.dataset.fit is not None or resolved.parts.task.fit is not None
        beside = partial(store_fitted, folder.fitted, run.assembly.fitted_parts) if fits else None
        folder.begin(resolved.to_yaml(), beside, origins=resolved.origins(), notes=list(resolved.notes))
        return run

    @classmethod
    def load(
        cls,
        path: str | Path,
        settings: Sequence[str] = (),
        warn: Warn = print,
        *,
        extensions: Sequence[str] = (),
        device: str | None = None,
        data: str | Path | None = None,
        only_looked_at: bool = False,
        trust: bool = False,
    ) -> Run:
        """The run in a folder, with `settings` (``section.key=value``) changed where a resumed run may change them.

        Args:
            extensions: plugins to load beside those of the run.
            device: where to compute now.
            data: where the data lies now.
            only_looked_at: not to be trained on; where its device is not there, another does, with a word.
            trust: execute the files of code that the run names, from now on.

        Raises:
            UsageError: there is no run, or it names a file of code that was not agreed to.
            ConfigError: a setting may not change; lists those that may.
        """
        folder = RunFolder(Path(path))
        folder.check_run()
        consent(folder, extensions, everything=trust)
        written_by = folder.written_by()
        stored = from_yaml(folder.config, written_by)
        if device is None and only_looked_at:
            device = _device_that_is_there(stored.run.device, warn)
        requested = resolve(
            config=folder.config, settings=settings, environ={}, extensions=extensions, written_by=written_by,
            device=device, data=data,
        )  # fmt: skip
        fits = stored.parts.dataset.fit is not None or stored.parts.task.fit is not None
        return cls(folder, stored, warn, read_fitted(folder.fitted, expected=fits)).changed(requested)

    def changed(self, requested: Resolved) -> Run:
        """This run under a configuration that differs in what may change.

        Raises:
            ConfigError: something else differs.
        """
        refuse_changes(self.resolved.dump(), requested.dump())
        return Run(self.folder, requested, self.warn, self.fitted)

    def _store(self) -> CheckpointStore:
        return CheckpointStore(self.folder.checkpoints, keep=self.resolved.run.checkpoint.keep, warn=self.warn)

    def __repr__(self) -> str:
        return run_table(self.folder).text()

    def _repr_html_(self) -> str:
        return run_table(self.folder).html()

    @cached_property
    def assembly(self) -> Assembly:
        """Data, game and trainer."""
        return Assembly(self.resolved, self.fitted, stored_formats(self.store))

    def sampler(self, checkpoint: str | int = "last") -> Sampler:
        """Draws from the averaged generator of a checkpoint, without the data if it was written by this wganx.

        Raises:
            CheckpointError: there is no such checkpoint, or it is damaged.
        """
        try:
            return load_generator(self.folder.path, checkpoint, device=self.assembly.device, warn=self.warn)
        except UntoldGenerator:
            self.restore(checkpoint)
            return self.assembly.trainer.sampler(self.assembly.game.context)

    def sample(
        self,
        count: int,
        *,
        seed: int | None = None,
        given: Mapping[str, str | float] | None = None,
        class_name: str | None = None,
        truncation: float = 1.0,
        checkpoint: str | int = "last",
    ) -> Tensor:
        """Draw samples ``(count, *sample.shape)`` from the averaged generator, on the CPU.

        Args:
            seed: of the noise and of the choice of held-out items that give the context; the run's own by default.
            given: the class of every sample by label, ``{"speaker": "anna"}``, for a generator that is given labels.
            class_name: the class of every sample, where there is a single label.
            truncation: below 1, samples are more typical and more alike (`Sampler.draw`).
            checkpoint: ``last``, ``best``, or a step.

        Raises:
            CheckpointError: there is no such checkpoint.
            UsageError: the class is unknown or the generator takes none; a truncation that is not above 0; too many.
        """
        return self.draw(
            count, seed=seed, given=given, class_name=class_name, truncation=truncation, checkpoint=checkpoint
        )[0]

    def draw(
        self,
        count: int,
        *,
        seed: int | None = None,
        given: Mapping[str, str | float] | None = None,
        class_name: str | None = None,
        truncation: float = 1.0,
        checkpoint: str | int = "last",
        written: bool = False,
    ) -> tuple[Tensor, Batch]:
        """`sample`, with the held-out batch whose context they have, without rows where no data is; `written` later."""
        sampler = self.sampler(checkpoint)
        check_samples(sampler, count, written=written)
        seed = self.resolved.run.seed if seed is None else seed
        batch = self.batch_for(sampler, count, seed=seed, given=with_short_form(sampler, given, class_name))
        samples = sampler.draw(count, seed=seed, context=batch.context, truncation=truncation)
        return samples.cpu(), batch.to("cpu")

    def batch_for(
        self, sampler: Sampler, count: int, *, seed: int, given: Mapping[str, str | float] | None = None
    ) -> Batch:
        """What `count` samples are drawn from beside noise, and held-out samples to be seen beside them.

        It has no rows of its own where the data is gone and the generator can do without.
        """
        reference = self._reference(sampler, count, seed=seed)
        context = sampler.context_rows(count, given=given, context=from_data(reference, sampler.context))
        return with_labels(replace(reference, context=context), context)

    def context_batch(self, sampler: Sampler, count: int, *, seed: int | None = None) -> Batch:
        """Held-out items that give the generator its context, with labels that go through their classes in turn."""
        assembly = self.assembly
        seed = self.resolved.run.seed if seed is None else seed
        batch = heldout_batch(assembly.game, assembly.heldout_items, count, seed=seed, device=assembly.device)
        return with_labels(batch, sampler.context_rows(count, context=from_data(batch, sampler.context)))

    def preview_batch(self, sampler: Sampler) -> Batch:
        """The rows that previews are drawn of."""
        batch = self.context_batch(sampler, self.resolved.run.preview.count)
        with calling(self.resolved.parts.task, "preview_rows"):
            return self.assembly.game.preview_rows(batch)

    def apply(
        self,
        source: str | Path,
        out: str | Path,
        *,
        seed: int | None = None,
        given: Mapping[str, str | float] | None = None,
        class_name: str | None = None,
        checkpoint: str | int = "last",
        overwrite: bool = False,
        watch: Watch = lambda passage: None,
        **options: Any,
    ) -> list[Path]:
        """Send a file, or a folder of files, through the generator; what ``wganx sample --source`` does.

        Args:
            seed: of the noise; the run's own by default.
            given, class_name, checkpoint: as for `sample`.
            overwrite: put what is made in the place of files that are there.
            watch: told how far it is whenever a file is read.
            options: of the run's task, those that only files have a use for (`Task.applied`): ``factor=4``.

        Raises:
            UsageError: the task or the modality makes nothing of files, there is no such file or option, or `out` is
                there already and there is no word to `overwrite` it.
            DataError: a file cannot be read.
        """
        how: dict[str, Any] = {"seed": seed, "given": given, "class_name": class_name, "overwrite": overwrite}
        applying = self.applying(self.sampler(checkpoint), options, **how, watch=watch, warn=self.warn)
        return applying.to(Path(source), Path(out))

    def applying(
        self, sampler: Sampler, options: Mapping[str, Any], *, seed: int | None = None,
        given: Mapping[str, str | float] | None = None, class_name: str | None = None, **rest: Any,
    ) -> Applying:  # fmt: skip
        """What `apply` sends files through; for whoever sends many through one `sampler`."""
        parts = self.resolved.parts
        chosen = with_short_form(sampler, given, class_name)
        seed = self.resolved.run.seed if seed is None else seed
        game = self.assembly.game_for_files(options)
        return Applying(
            sampler=sampler, modality=parts.modality, task=parts.task, game=game, given=chosen, seed=seed, **rest
        )

    def write_samples(self, samples: Tensor, batch: Batch, folder: Path, *, overwrite: bool = False) -> list[Path]:
        """One file a sample and a ``grid`` picture beside them, which is the last of the paths.

        Raises:
            UsageError: `folder` holds files already; those of an earlier draw go where `overwrite` says so.
        """
        parts, game = self.resolved.parts, self.assembly.game
        modality, format = parts.modality, game.sample
        # A game's own preview shows samples beside what they were made from, which only the data has.
        own = (parts.task, game) if len(batch.real) else None
        make_room(self.folder.check_own(folder), overwrite=overwrite)
        paths = write_files(modality, batch.with_real(samples), format, folder, "sample")
        # Sounds and clips of the preview would be the single files once more, and be counted with them.
        with TemporaryDirectory(ignore_cleanup_errors=True) as aside:
            preview = draw_preview(modality, samples, batch, format, Path(aside), "grid", own)
        return [*paths, write_picture(preview.picture, folder / "grid.png")]

    def write_preview(self, samples: Tensor, batch: Batch, stem: str) -> tuple[Path, Preview]:
        """``samples/stem.png``, and what lies beside it."""
        parts, game, folder = self.resolved.parts, self.assembly.game, self.folder.own(self.folder.samples)
        own, seen = (parts.task, game), samples.cpu()
        preview = draw_preview(parts.modality, seen, batch.to("cpu"), game.sample, folder, stem, own)
        return write_picture(preview.picture, self.folder.samples / f"{stem}.png"), preview

    def evaluate(
        self,
        *,
        n: int | None = None,
        seed: int | None = None,
        metrics: Sequence[str] | None = None,
        repeats: int | None = None,
        checkpoint: str | int = "last",
        extractor: str | Path | nn.Module | None = None,
        weights: str | Path | Mapping[str, str | Path] | None = None,
        dataset: str | None = None,
        data: str | Path | None = None,
        settings: Sequence[str] = (),
        watch: Callable[[str], None] = lambda message: None,
    ) -> Evaluation:
        """Measure the averaged generator on held-out data and store the result as ``evaluation.json``; on another
        dataset as ``evaluations/NAME.json``.

        Args:
            n: rows of a block; by default as many as data and time allow (`wganx.evaluation.plan_rows`).
            seed: of the halves, the noise and the metrics; the run's own by default.
            metrics: only these; by default those of the run's plugins and of every modality.
            repeats: blocks; from 2 on every number has an interval.
            checkpoint: ``last``, ``best``, or a step.
            extractor: whose features are compared, where a metric leaves it open: a name, a TorchScript or ONNX file,
                or a module ``(N, ...) -> (N, d)``, which sees samples in the task's own format.
            weights: the file that Inception takes its weights from, for FID, KID and IS; or files by extractor.
            dataset: another dataset of the run's plugins, whose held-out items are used.
            data: where the files of that dataset lie.
            settings: its options, ``dataset.size=64``, before those of the run's own; and ``task.low=made``.
            watch: told what is being done.

        Raises:
            CheckpointError: there is no such checkpoint.
            UsageError: a metric, extractor or dataset that is not there or does not fit, or too little held-out data.
        """
        (evaluation,) = self._evaluating(dataset, data, settings).checkpoints(
            [checkpoint], n=n, seed=seed, metrics=metrics, repeats=repeats, extractor=extractor, weights=weights,
            watch=watch,
        )  # fmt: skip
        return evaluation

    def evaluate_all(
        self,
        *,
        dataset: str | None = None,
        data: str | Path | None = None,
        settings: Sequence[str] = (),
        **options: Any,
    ) -> list[Evaluation]:
        """`evaluate` every checkpoint that is kept, the first one first, each stored in ``evaluations/``."""
        evaluating = self._evaluating(dataset, data, settings)
        return evaluating.checkpoints(self.store.steps(), curve=True, **options)

    def _evaluating(self, dataset: str | None, data: str | Path | None, settings: Sequence[str]) -> Evaluating:
        if (other := elsewhere(self.folder, self.assembly, dataset, data, settings)) is not None:
            return Evaluating(self.folder, other.resolved, other, other.fitting(self.sampler), on=dataset)
        if changed := self.changed_data():
            self.warn(f"the data changed since {self.folder.path} was started ({'; '.join(changed)})")
        return Evaluating(self.folder, self.resolved, self.assembly, self.sampler)

    def measure(self, sampler: Sampler, step: int) -> Evaluation:
        """Measure what a sampler draws, as the run says for its training."""
        wanted = self.resolved.run.evaluate
        return self.assembly.evaluator.evaluate(
            sampler, self.resolved.metrics, n=wanted.n, seed=self.resolved.run.seed, step=step, repeats=wanted.repeats,
            candidates=wanted.candidates,
        )  # fmt: skip

    def changed_data(self) -> list[str]:
        """What of the data is another than when the run was started, in words.

        Empty for a run of an earlier wganx, which described its data in another way.
        """
        now = self.assembly.data
        return changes(self.folder.facts().get("data", {}).get("described", now), now)

    def restore(self, checkpoint: str | int = "last") -> None:
        """Load everything of a checkpoint into the trainer: ``last``, ``best``, or a step.

        Raises:
            CheckpointError: there is no such checkpoint.
        """
        found = self.store.latest() if checkpoint == "last" else None
        self.assembly.trainer.restore(found or read_checkpoint(checkpoint_path(self.folder, checkpoint)))

    def _reference(self, sampler: Sampler, count: int, *, seed: int) -> Batch:
        """Held-out samples to be seen beside those drawn; none where the data is gone and the context needs none."""
        try:
            return self.context_batch(sampler, count, seed=seed)
        except (WganxError, OSError):
            if not all(is_chosen(format) for format in sampler.context.values()):
                raise
            return Batch(torch.empty(0, *(size or 1 for size in self.assembly.game.sample.shape)))

    def step_of(self, checkpoint: str | int) -> int:
        """Generator updates behind a checkpoint: ``last``, ``best``, or a step."""
        return step_of(checkpoint_path(self.folder, checkpoint))


def _device_that_is_there(stored: str, warn: Warn) -> str | None:
    """None where the device a run was trained on is there; else another, with a word."""
    try:
        choose_device(stored)
    except UsageError as error:
        there = str(choose_device("auto"))
        warn(f"this run was trained on another machine: {str(error).partition(';')[0]}; computing on {there}")
        return there
    return None
