"""What ``wganx compare`` was asked to do, checked, and done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wganx.comparison.comparison import Comparison, compare_asked, compare_found
from wganx.comparison.conducting import conduct, left_to_do
from wganx.comparison.folder import ComparisonFolder
from wganx.comparison.question import Question, ask, read_question
from wganx.comparison.variants import parse_variants
from wganx.config import resolve
from wganx.errors import UsageError
from wganx.experiments import Watch
from wganx.experiments.configuring import full_name, rankable
from wganx.report.comparing import write_comparison
from wganx.runs.room import check_files, check_processes

_SEEDS = 3


def carry_out_request(
    *,
    runs: Sequence[Path],
    vary: Sequence[str] = (),
    variants: Sequence[str] = (),
    seeds: int | None = None,
    budget: str | None = None,
    seconds: float | None = None,
    baseline: str | None = None,
    metrics: Sequence[str] = (),
    reach: Sequence[str] = (),
    out: Path | None = None,
    resume: Path | None = None,
    retry: bool = False,
    parallel: int = 1,
    watch: Watch | None = None,
    command: str = "",
    **choice: Any,
) -> tuple[Comparison, int]:
    """The comparison that is asked for, and how many of its runs are still to be done.

    Raises:
        UsageError: what is asked contradicts itself, or cannot be done.
    """
    scores = parse_reach(reach)
    asked = {"--vary": vary, "--variant": variants, "--seeds": seeds, "--budget": budget, "--seconds": seconds}
    starting = [name for name, value in asked.items() if value]
    chosen = ["--set" if name == "settings" else f"--{name}" for name, value in choice.items() if value]
    if resume is not None:
        _refuse(
            "--resume goes on with what was asked", [*map(str, runs), *starting, *chosen, *(["--out"] if out else [])]
        )
        folder = ComparisonFolder(resume)
        question = _shown_anew(read_question(folder.question), baseline, metrics, scores)
        folder.store(question)
        return _conducted(folder, question, parallel, retry, watch)
    if runs:
        _refuse("RUNs are finished", [*starting, *chosen, *(["--retry"] if retry else [])])
        comparison = compare_found(runs, baseline=baseline, metrics=metrics, reach=scores, out=out)
        if out is not None:
            folder = ComparisonFolder(out)
            if folder.holds_question():
                raise UsageError(f"{out} holds a comparison that started its runs; give another --out")
            comparison.write(folder)
            write_comparison(comparison, folder.page)
        return comparison, 0
    if not vary and not variants:
        raise UsageError(
            "nothing to compare: give finished RUNs, or what to vary: --plugin NAME --vary "
            "constraint.name=gradient-penalty,clip --out DIR"
        )
    if out is None:
        raise UsageError("--out names the comparison's folder, in which its runs are kept and can be gone on with")
    if budget == "seconds" and seconds is None:
        raise UsageError("--budget seconds needs --seconds S, the training seconds of each run")
    if budget == "updates" and seconds is not None:
        raise UsageError("--seconds is a budget of seconds, and --budget says updates; leave one out")
    varied = parse_variants(vary, variants)
    count = len(varied) * (seeds or _SEEDS)
    check_files(count, "runs", out, "--seeds", runs=True)
    check_processes(min(parallel, count), "--parallel")
    question = ask(
        varied, seeds=seeds or _SEEDS, seconds=seconds, baseline=baseline, metrics=metrics,
        reach=scores, command=command, **choice,
    )  # fmt: skip
    folder = ComparisonFolder(out)
    return _conducted(folder, folder.begin(question), parallel, retry, watch)


def _shown_anew(
    question: Question, baseline: str | None, metrics: Sequence[str], reach: Mapping[str, float]
) -> Question:
    """The question with another choice of what is shown; its runs stay as they are."""
    names = list(question.configs)
    if baseline is not None and baseline not in names:
        raise UsageError(f"--baseline: no variant {baseline!r}; variants: {', '.join(names)}")
    if metrics or reach:
        config = next(iter(question.configs.values()))
        flat = {name: value for name, value in config.items() if name in ("plugin", "scenario", "extensions")}
        offered = rankable(resolve(overrides=flat, environ={}))
        metrics = [full_name(name, offered, "--metric") for name in metrics]
        reach = {full_name(name, offered, "--reach"): score for name, score in reach.items()}
    return replace(
        question,
        baseline=baseline or question.baseline,
        metrics=tuple(metrics) or question.metrics,
        reach=reach or question.reach,
    )


def parse_reach(reach: Sequence[str]) -> dict[str, float]:
    """``NAME=SCORE`` texts.

    Raises:
        UsageError: one is not written so.
    """
    found = {}
    for text in reach:
        name, equals, score = text.rpartition("=")
        try:
            found[name] = float(score)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise UsageError(f"--reach {text}: expected NAME=SCORE, like --reach modes/high_quality=0.9")
    return found


def _conducted(
    folder: ComparisonFolder, question: Question, parallel: int, retry: bool, watch: Watch | None
) -> tuple[Comparison, int]:
    question = conduct(folder, question, parallel=parallel, retry=retry, watch=watch)
    comparison = compare_asked(folder)
    comparison.write(folder)
    write_comparison(comparison, folder.page)
    return comparison, left_to_do(folder, question)


def _refuse(why: str, given: Sequence[str]) -> None:
    if given:
        raise UsageError(f"{why}: leave {', '.join(given)} out")
