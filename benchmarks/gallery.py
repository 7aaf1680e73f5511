"""The gallery of the documentation: runs scenarios one after another, and writes down what they took, made and score.

What is there already is kept, and a training that was stopped goes on, so that it may be called until all is there:

    python benchmarks/gallery.py --runs runs/gallery                      # all that need neither GPU nor data
    python benchmarks/gallery.py --runs runs/gallery --data DATA          # and those that need files below DATA
    python benchmarks/gallery.py --runs runs/gallery --only audio-digits --minutes 5
    python benchmarks/gallery.py --runs runs/gallery --minutes 0          # writes the page anew, trains nothing

Writes docs/gallery/gallery.json, from which the page is made, and pictures, sounds and clips beside it.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from gallery_media import media
from gallery_runs import ENTRIES, Made, find, make
from timing import machine

from wganx import Scenario
from wganx.plugins import describe_all, load

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "gallery"

UNSHOWN: Mapping[str, str] = {
    "image-photos": "learns from pictures of your own: own-pictures in the guides shows it on some",
    "image-fashion-mnist": "needs its files, which were not there",
    "image-cifar10": "needs its files, which were not there as published; the guide to small pictures has a run of it",
}
"""Why scenarios are not among those that are run, beside what their names say."""

KEPT = ("value", "better", "extractor", "generated", "interval", "floor", "baselines")
"""Of a row of an evaluation."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the run folders")
    parser.add_argument("--only", action="append", metavar="PLUGIN-SCENARIO", help="this one; repeat for more")
    parser.add_argument("--data", type=Path, help="folder of published datasets; without it those are left out")
    parser.add_argument("--minutes", type=float, default=25.0, help="that a scenario is given in this call")
    parser.add_argument("--steps", type=int, help="train so many only, which the page says")
    arguments = parser.parse_args()

    names = [entry.name for entry in ENTRIES]
    if unknown := [name for name in arguments.only or () if name not in names]:
        parser.error(f"no {unknown[0]!r}; there are: {', '.join(names)}")
    settings = [f"train.steps={arguments.steps}"] if arguments.steps else []
    for entry in ENTRIES:
        if arguments.minutes and (not arguments.only or entry.name in arguments.only):
            made = find(arguments.runs, entry)
            if not made.evaluated and not (entry.settings and arguments.data is None):
                done = make(made, settings, arguments.data or Path("data"), 60 * arguments.minutes)
                print(f"{entry.name}: {'done' if done else 'not done yet'}", flush=True)
                write(arguments.runs)
    write(arguments.runs)


def write(runs: Path) -> None:
    """The record of all that is there below `runs`, beside what was recorded before of others."""
    PAGE.mkdir(exist_ok=True)
    target = PAGE / "gallery.json"
    shown = {known["name"]: known for known in (_read(target)["runs"] if target.exists() else ())}
    for entry in ENTRIES:
        made = find(runs, entry)
        if made.evaluated and entry.name not in shown:
            shown[entry.name] = record(made)
    order = [entry.name for entry in ENTRIES if entry.name in shown]
    kept = {"runs": [shown[name] for name in order], "not_run": dict(unshown(order))}
    target.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def record(made: Made) -> dict[str, Any]:
    """What the page says of a run: how it was made, on what, how long it took, its numbers, and the files beside it."""
    run, evaluated, found = made.read("run.json"), made.read("evaluation.json"), machine(torch.device("cpu"))
    instead = {key: value for key, value in run["instead"].items() if key.startswith("train.")}
    command = ["wganx", *made.entry.train()]
    if "train.steps" in instead:
        command += ["--set", f"train.steps={run['steps']}"]
    out = f"runs/{made.entry.name}"
    return {
        "name": made.entry.name,
        "plugin": made.entry.plugin,
        "scenario": made.entry.scenario,
        "commands": [" ".join([*command, "--out", out]).replace("{data}", "DATA"), f"wganx evaluate {out}"],
        "steps": run["steps"],
        "own_steps": instead.get("train.steps", run["steps"]),
        "seed": run["seed"],
        "date": run["started"][:10],
        "seconds": {name: {"wall": round(took.wall), "cpu": round(took.cpu)} for name, took in made.took.items()},
        "machine": {key: found[key] for key in ("processor", "cores", "threads", "python", "torch")},
        "data": {"source": run["data"]["source"], "licence": run["data"]["licence"]},
        "rows_a_block": evaluated["n"],
        "blocks": evaluated["repeats"],
        "numbers": list(numbers(evaluated["rows"])),
        "media": [medium.facts() for medium in media(made, PAGE)],
    }


def numbers(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those of which more or less is better, each with its interval, its floor and the trivial baselines."""
    for row in rows:
        if row["better"]:
            yield {key: _rounded(row[key]) for key in KEPT}


def unshown(shown: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every scenario and recipe that is not shown, and why."""
    run_here = {entry.name for entry in ENTRIES}
    for name, scenario in scenarios():
        if name in shown:
            continue
        if name in run_here:
            yield name, "not run yet; benchmarks/gallery.py does"
        elif scenario.name.endswith("-gpu"):
            yield name, "needs a GPU, and there was none"
        elif scenario.name.endswith("-tiny"):
            yield name, "shows in seconds that all of it works, for tests; learns nothing to look at"
        else:
            yield name, UNSHOWN[name]
    for path in sorted((REPOSITORY / "configs").rglob("*.yaml")):
        yield path.relative_to(REPOSITORY).as_posix(), recipe(path)


def scenarios() -> Iterator[tuple[str, Scenario]]:
    """Those of the built-in plugins, by ``plugin-scenario``."""
    for plugin in describe_all():
        if plugin.distribution == "wganx":
            for scenario in load([plugin.name]).offers(Scenario):
                yield f"{plugin.name}-{scenario.name}", scenario


def recipe(path: Path) -> str:
    """Why a recipe is not run here, by the scenario that it begins with and what it expects."""
    base = yaml.safe_load(path.read_text(encoding="utf-8"))["scenario"]
    where = " and a GPU" if base.endswith("-gpu") else ""
    return f"needs its dataset{where}; what to expect is said in the file"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return {key: _rounded(each) for key, each in value.items()} if isinstance(value, dict) else value


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
