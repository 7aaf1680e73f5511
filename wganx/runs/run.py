"""A run: one training and its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from torch import Tensor

from wganx.batch import Batch
from wganx.config import Resolved, from_yaml, refuse_changes, resolve
from wganx.engine import CheckpointStore, read_checkpoint
from wganx.errors import CheckpointError, UsageError, did_you_mean
from wganx.evaluation import Evaluation, evaluate, heldout_batch, with_class, with_classes_in_turn
from wganx.runs.assembly import Assembly
from wganx.runs.folder import RunFolder

Warn = Callable[[str], None]


class Run:
    """One training and its folder, started by `Run.start` or found by `Run.load`.

    Attributes:
        folder: what lies where.
        resolved: the configuration.
    """

    def __init__(self, folder: RunFolder, resolved: Resolved, warn: Warn) -> None:
        self.folder = folder
        self.resolved = resolved
        self.warn = warn
        self.store = CheckpointStore(folder.checkpoints, keep=resolved.run.checkpoint.keep, warn=warn)

    @classmethod
    def start(cls, resolved: Resolved, folder: RunFolder, warn: Warn = print) -> Run:
        """A new run in a folder of its own.

        Raises:
            UsageError: the folder holds something already.
        """
        run = cls(folder, resolved, warn)
        run.assembly.trainer  # noqa: B018 - whatever is wrong with data or networks leaves no folder behind
        folder.begin(resolved.to_yaml())
        return run

    @classmethod
    def load(cls, path: str | Path, settings: Sequence[str] = (), warn: Warn = print) -> Run:
        """The run in a folder, with `settings` (``section.key=value``) changed where a resumed run may change them.

        Raises:
            UsageError: there is no run.
            ConfigError: a setting may not change; lists those that may.
        """
        folder = RunFolder(Path(path))
        if not folder.holds_run():
            raise UsageError(f"there is no run in {path}: it has no config.yaml")
        stored = from_yaml(folder.config)
        return cls(folder, stored, warn).changed(resolve(config=folder.config, settings=settings, environ={}))

    def changed(self, requested: Resolved) -> Run:
        """This run under a configuration that differs in what may change.

        Raises:
            ConfigError: something else differs.
        """
        refuse_changes(self.resolved.dump(), requested.dump())
        return Run(self.folder, requested, self.warn)

    @cached_property
    def assembly(self) -> Assembly:
        """Data, game and trainer."""
        return Assembly(self.resolved)

    def sample(
        self, count: int, *, seed: int | None = None, class_name: str | None = None, checkpoint: str = "last"
    ) -> Tensor:
        """Draw samples ``(count, *sample.shape)`` from the averaged generator, on the CPU.

        Args:
            seed: of the noise and of the choice of held-out items that give the context; the run's own by default.
            class_name: the class of every sample, for a generator that is given labels.
            checkpoint: ``last``, ``best``, or a step.

        Raises:
            CheckpointError: there is no such checkpoint.
            UsageError: the class is unknown or the generator takes none.
        """
        self.restore(checkpoint)
        return self.draw(self.context_batch(count, seed=seed, class_name=class_name), seed=seed).cpu()

    def draw(self, batch: Batch, *, seed: int | None = None) -> Tensor:
        """Samples of the averaged generator for the context of `batch`."""
        return self.assembly.trainer.sample(len(batch), seed=seed, context=batch.context)

    def context_batch(self, count: int, *, seed: int | None = None, class_name: str | None = None) -> Batch:
        """Held-out items that give the generator its context; of one class where `class_name` says so, else in turn."""
        assembly = self.assembly
        seed = self.resolved.run.seed if seed is None else seed
        batch = heldout_batch(assembly.game, assembly.heldout_items, count, seed=seed, device=assembly.device)
        if class_name is not None:
            return with_class(batch, self._class_index(class_name))
        return with_classes_in_turn(batch, assembly.game)

    def write_samples(self, samples: Tensor, batch: Batch, folder: Path) -> list[Path]:
        """One file a sample and a ``grid`` picture beside them."""
        modality, format = self.resolved.parts.modality, self.assembly.game.sample
        folder.mkdir(parents=True, exist_ok=True)
        paths = modality.write(samples.cpu(), format, folder, "sample")
        return [*paths, modality.preview(samples.cpu(), batch.to("cpu"), format, folder, "grid")]

    def write_real_preview(self) -> Path:
        """``samples/real.png``: held-out samples, to be looked at beside the generator's."""
        batch = self.context_batch(self.resolved.run.preview.count)
        return self.write_preview(batch.real, batch, "real")

    def evaluate(
        self, *, n: int | None = None, seed: int | None = None, metrics: Sequence[str] | None = None
    ) -> Evaluation:
        """Measure the averaged generator on held-out data and store the result as ``evaluation.json``."""
        self.restore("last")
        evaluation = self.measure(n=n, seed=seed, metrics=metrics)
        self.folder.evaluation.write_text(json.dumps(evaluation.to_json(), indent=2) + "\n", encoding="utf-8")
        return evaluation

    def restore(self, checkpoint: str = "last") -> None:
        """Load the weights of a checkpoint: ``last``, ``best``, or a step.

        Raises:
            CheckpointError: there is no such checkpoint.
        """
        if checkpoint == "last":
            found = self.store.latest()
            if found is None:
                raise CheckpointError(f"{self.folder.path} has no checkpoint; train it first: wganx resume")
        elif checkpoint == "best":
            best = self.store.best()
            if best is None:
                raise CheckpointError(
                    f"{self.folder.path} has no best checkpoint; set checkpoint.best to a metric value"
                )
            found = read_checkpoint(self.store.path(best["step"]))
        elif checkpoint.isdigit() and int(checkpoint) in self.store.steps():
            found = read_checkpoint(self.store.path(int(checkpoint)))
        else:
            steps = ", ".join(str(step) for step in self.store.steps()) or "none"
            raise CheckpointError(f"no checkpoint {checkpoint!r}; there are last, best and the steps {steps}")
        self.assembly.trainer.restore(found)

    def measure(
        self, *, n: int | None = None, seed: int | None = None, metrics: Sequence[str] | None = None
    ) -> Evaluation:
        """Measure the generator as it is now."""
        assembly, resolved = self.assembly, self.resolved
        chosen = resolved.metrics
        if metrics is not None:
            chosen = resolved.catalog.metrics(resolved.parts.modality.name, resolved.parts.task.name, metrics)
        seed = resolved.run.seed if seed is None else seed
        return evaluate(
            lambda batch: self.draw(batch, seed=seed),
            game=assembly.game,
            items=assembly.items,
            metrics=chosen,
            n=resolved.run.evaluate.n if n is None else n,
            seed=seed,
            step=assembly.trainer.step,
            device=assembly.device,
        )

    def write_preview(self, samples: Tensor, batch: Batch, stem: str) -> Path:
        """``samples/stem.png``."""
        self.folder.samples.mkdir(parents=True, exist_ok=True)
        preview = self.resolved.parts.modality.preview
        return preview(samples.cpu(), batch.to("cpu"), self.assembly.game.sample, self.folder.samples, stem)

    def _class_index(self, class_name: str) -> int:
        label = self.assembly.game.context.get("label")
        if label is None:
            raise UsageError("this generator takes no label, so a class cannot be chosen; train with task.labels=true")
        if class_name not in label.classes:
            names = ", ".join(label.classes)
            raise UsageError(f"no class {class_name!r}; classes: {names}{did_you_mean(class_name, label.classes)}")
        return label.classes.index(class_name)
