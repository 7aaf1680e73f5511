"""Starting the runs of a comparison, and going on with those that were stopped."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from wganx.comparison.folder import ComparisonFolder
from wganx.comparison.question import Question
from wganx.experiments import Ending, PaceErrand, RunErrand, Watch, carry_out_all
from wganx.lock import locked

_SHARE_FOR_PACE, _LEAST_FOR_PACE, _MOST_FOR_PACE = 0.1, 1.0, 10.0
"""Of the seconds of a run, what goes into finding out how long its steps take; and its bounds, in seconds."""


def conduct(
    folder: ComparisonFolder, question: Question, *, parallel: int = 1, retry: bool = False, watch: Watch | None = None
) -> Question:
    """Carry out every run that is not done yet: the first seed of all variants, then the second.

    A run that fails is recorded and the others go on; one that was stopped goes on where it was.

    Args:
        retry: try those that failed before again.

    Returns:
        The question with the steps that fit into equal seconds, where these were measured.

    Raises:
        UsageError: another process works on the comparison.
    """
    with locked(folder.path):
        stopped = False
        if question.seconds is not None:
            question, stopped = _fit_steps(folder, question, parallel, retry, watch)
        if not stopped:
            watch = _Recording(folder, watch)
            carry_out_all(_runs(folder, question, retry), folder.jobs, parallel=parallel, watch=watch)
    return question


def left_to_do(folder: ComparisonFolder, question: Question) -> int:
    """How many runs are neither done nor failed."""
    jobs = [(variant, seed) for variant in question.variants for seed in question.seeds]
    open_jobs = [job for job in jobs if not folder.is_done(*job) and folder.failure(folder.job(*job)) is None]
    return len(open_jobs)


class _Recording(Watch):
    """Keeps how each job ended, and passes on what it hears."""

    def __init__(self, folder: ComparisonFolder, watch: Watch | None) -> None:
        self._folder, self._watch = folder, watch or Watch()
        self.began, self.looked, self.stopping = self._watch.began, self._watch.looked, self._watch.stopping  # type: ignore[method-assign]

    def ended(self, errand: RunErrand | PaceErrand, ending: Ending) -> None:
        self._folder.record(errand.name, ending)
        self._watch.ended(errand, ending)


def _runs(folder: ComparisonFolder, question: Question, retry: bool) -> list[RunErrand]:
    return [
        RunErrand(
            name=folder.job(variant, seed),
            config=str(folder.config(variant)),
            folder=str(folder.run(variant, seed).path),
            seed=seed,
            seconds=question.seconds,
        )
        for seed in question.seeds
        for variant in question.variants
        if variant.name in question.steps
        and not folder.is_done(variant, seed)
        and (retry or folder.failure(folder.job(variant, seed)) is None)
    ]


def _fit_steps(
    folder: ComparisonFolder, question: Question, parallel: int, retry: bool, watch: Watch | None
) -> tuple[Question, bool]:
    """The question with as many steps a variant as its seconds hold, and whether someone stopped this.

    The last step must be known beforehand, because the learning rate may fall towards it.
    """
    assert question.seconds is not None
    seconds = min(max(question.seconds * _SHARE_FOR_PACE, _LEAST_FOR_PACE), _MOST_FOR_PACE)
    errands = []
    for variant in question.variants:
        name = f"{variant.slug}-pace"
        if variant.name not in question.steps and (retry or folder.failure(name) is None):
            config = folder.write_config(variant, question)
            out = str(folder.jobs / f"{variant.slug}-pace.out.json")
            errands.append(PaceErrand(name, str(config), question.seeds[0], seconds, out))
    endings = carry_out_all(errands, folder.jobs, parallel=parallel, watch=_Recording(folder, watch))
    steps = dict(question.steps)
    for variant in question.variants:
        found = folder.jobs / f"{variant.slug}-pace.out.json"
        if variant.name not in steps and found.is_file():
            pace = json.loads(found.read_text(encoding="utf-8"))["seconds_per_step"]
            steps[variant.name] = max(1, math.floor(question.seconds / pace))
        if (why := folder.failure(f"{variant.slug}-pace")) is not None:
            for seed in question.seeds:  # what has no pace cannot be run
                name = folder.job(variant, seed)
                folder.record(name, Ending(name, "failed", why))
    question = replace(question, steps=steps)
    folder.store(question)
    stopped = any(ending.state == "stopped" for ending in endings) or len(endings) < len(errands)
    return question, stopped
