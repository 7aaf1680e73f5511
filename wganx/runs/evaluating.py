"""Evaluating a run that was trained: which metrics, how many rows, and what is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wganx.config import Resolved, find_extractor
from wganx.config.consent import scripts_in
from wganx.engine import Sampler
from wganx.errors import DataError, UsageError
from wganx.evaluation import ChosenMetric, Evaluation, heldout_batch, plan_rows, rows_in_time
from wganx.evaluation.extractors import INCEPTION, weights_file
from wganx.evaluation.memorised import NearestPairs
from wganx.names import at_home
from wganx.plugins.descriptors import Config
from wganx.runs.assembly import Assembly
from wganx.runs.checkpoints import checkpoint_path, step_of
from wganx.runs.folder import RunFolder
from wganx.runs.looking import draw_preview, write_picture
from wganx.runs.room import check_samples
from wganx.storage import json_text, write_whole
from wganx.trust import agree

Weights = str | Path | Mapping[str, str | Path] | None
"""The file of Inception, or files by extractor."""
_OF_INCEPTION = ("fid", "kid", "inception-score")


@dataclass(frozen=True)
class Evaluating:
    """The evaluation of a run's checkpoints.

    Attributes:
        sampler: draws from the averaged generator of a checkpoint.
        on: name of the dataset, where it is another than the run's own.
    """

    folder: RunFolder
    resolved: Resolved
    assembly: Assembly
    sampler: Callable[[str | int], Sampler]
    on: str | None = None

    def checkpoints(
        self,
        which: Sequence[str | int],
        *,
        n: int | None = None,
        seed: int | None = None,
        metrics: Sequence[str] | None = None,
        repeats: int | None = None,
        extractor: str | Path | nn.Module | None = None,
        weights: Weights = None,
        curve: bool = False,
        watch: Callable[[str], None] = lambda message: None,
    ) -> list[Evaluation]:
        """Measure the averaged generators of these checkpoints, all alike; as `Run.evaluate`, which says what they are.

        Args:
            curve: each is stored as ``evaluations/step-000500.json``; otherwise the only one as ``evaluation.json``.
                On another dataset these are ``evaluations/NAME-step-000500.json`` and ``evaluations/NAME.json``.
        """
        if not which:
            raise UsageError(f"{self.folder.path} has no checkpoint; train it first: wganx resume")
        steps = [step_of(checkpoint_path(self.folder, checkpoint)) for checkpoint in which]
        chosen = self.resolved.every_metric() if metrics is None else self.resolved.only(metrics)
        chosen, left = self._with_extractors(chosen, extractor, weights, named=metrics is not None)
        found: list[Evaluation] = []
        for checkpoint, step in zip(which, steps):
            sampler = self.sampler(checkpoint)
            if not found:
                candidates = self.resolved.run.evaluate.candidates
                check_samples(sampler, candidates or 0, mend=f"lower evaluate.candidates={candidates}")
                n, repeats = self._plan(sampler, n, repeats)
            told = f"step {step}: " if curve else ""

            def watching(doing: str, told: str = told) -> None:
                watch(told + doing)

            evaluation = self.assembly.evaluator.evaluate(
                sampler, chosen, n=n or 0, seed=self.resolved.run.seed if seed is None else seed, step=step,
                repeats=repeats or 1, candidates=self.resolved.run.evaluate.candidates, whole=True, watch=watching,
            )  # fmt: skip
            evaluation = replace(evaluation, skipped={**left, **evaluation.skipped})
            if evaluation.pairs is not None and checkpoint == which[-1]:
                evaluation = replace(evaluation, neighbours=self._draw_pairs(evaluation.pairs))
            path = self.folder.evaluation_path(step if curve else None, self.on)
            self.folder.own(path.parent)
            write_whole(path, json_text(evaluation.to_json(), indent=2) + "\n")
            found.append(evaluation)
        return found

    def _with_extractors(
        self,
        chosen: dict[str, ChosenMetric],
        extractor: str | Path | nn.Module | None,
        weights: Weights,
        *,
        named: bool,
    ) -> tuple[dict[str, ChosenMetric], dict[str, str]]:
        """The metrics with the extractor of the call; and those that are left out, with the reason."""
        evaluator, left = self.assembly.evaluator, dict[str, str]()
        files = dict(weights) if isinstance(weights, Mapping) else {} if weights is None else {INCEPTION: weights}
        if INCEPTION in files:
            if not named and self.resolved.run.evaluate.metrics is not None:
                chosen = {**chosen, **self.resolved.only(_OF_INCEPTION)}
            if not set(_OF_INCEPTION) & chosen.keys():
                raise UsageError(f"--weights is for {', '.join(_OF_INCEPTION)}, and none of them is asked for")
        for name, file in files.items():
            _agree_to(file)
            options = self._with_weights(name, at_home(file))
            evaluator.features.use(name, self.assembly.extractor(name, evaluator.kept, options))
        on_cpu = self.assembly.device.type == "cpu"
        if INCEPTION not in files and not named and on_cpu and weights_file(None) is not None:
            for name in set(_OF_INCEPTION) & chosen.keys() - set(self.resolved.metrics):
                left[name] = f"takes minutes on a CPU; ask for it: --metrics {name}"
                chosen = {other: each for other, each in chosen.items() if other != name}
        if extractor is None:
            return chosen, left
        if isinstance(extractor, nn.Module):
            name = type(extractor).__name__
            evaluator.features.use(name, extractor)
        else:
            name = str(extractor)
            _agree_to(name)
            evaluator.features.network(name)  # one that is not there is said before anything is measured
        open_to_any = [each for each, metric in chosen.items() if "extractor" in metric.metric.config.model_fields]
        if not open_to_any:
            raise UsageError(f"no metric among {', '.join(chosen)} takes an extractor; leave --extractor out")
        return {
            each: replace(metric, config=metric.config.model_copy(update={"extractor": name}))
            if each in open_to_any
            else metric
            for each, metric in chosen.items()
        }, left

    def _with_weights(self, name: str, file: Path) -> Config:
        """The options of an extractor, with these weights."""
        extractor = find_extractor(self.resolved.catalog, self.resolved.parts.modality.name, name)
        if "weights" not in extractor.config.model_fields:
            raise UsageError(f"--weights {name}=...: extractor {name!r} takes no file; leave it out")
        config = self.resolved.extractors.get(name) or extractor.config()
        return config.model_copy(update={"weights": file})

    def _plan(self, sampler: Sampler, n: int | None, repeats: int | None) -> tuple[int, int]:
        """Rows and blocks: what the call says, or else the run's configuration, or else what data and time allow."""
        wanted, chosen = self.resolved.run.evaluate, self.folder.facts().get("origins", {})
        if n is None and "evaluate.n" in chosen:
            n = wanted.n
        if repeats is None and (n is not None or "evaluate.repeats" in chosen):
            repeats = wanted.repeats
        if n is not None and repeats is not None:
            return n, repeats
        heldout = len(self.assembly.heldout_items)
        if heldout < 4:
            raise DataError(f"an evaluation needs at least 4 held-out items, the dataset has {heldout}")

        def context(rows: int) -> Mapping[str, Tensor]:
            assembly = self.assembly
            return heldout_batch(assembly.game, assembly.heldout_items, rows, seed=0, device=assembly.device).context

        def draw(rows: int) -> Any:
            return sampler.draw(rows, seed=0, context=context(rows))

        return plan_rows(heldout, n, repeats, rows_in_time(sampler, draw))

    def _draw_pairs(self, pairs: NearestPairs) -> dict[str, Any]:
        """Two pictures of the same layout, whose rows belong together, and their distances."""
        folder, parts, game = self.folder.evaluations, self.resolved.parts, self.assembly.game
        self.folder.own(folder)
        before = "" if self.on is None else f"{self.folder.evaluation_path(dataset=self.on).stem}-"
        written = {}
        for side, batch in (("generated", pairs.generated), ("training", pairs.training)):
            stem = f"{before}nearest-{side}"
            preview = draw_preview(parts.modality, batch.real, batch, game.sample, folder, stem)
            written[side] = (
                write_picture(preview.picture, folder / f"{stem}.png").relative_to(self.folder.path).as_posix()
            )
        return {
            **written,
            "distances": list(pairs.distances),
            "of": pairs.of,
            "median": pairs.median,
            "real_median": pairs.real_median,
        }


def _agree_to(named: str | Path) -> None:
    """What the call itself names may be a program."""
    for path in scripts_in(named):
        agree(path)
