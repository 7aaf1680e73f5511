"""The gallery, made of what benchmarks/gallery.py wrote down: every scenario, or why it is not shown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from from_code.datasets import REPOSITORY
from from_code.markdown import code, fenced, prose, table
from from_code.parts import built_in
from wganx.plugins import LoadedPlugin
from wganx.plugins.descriptors import Scenario

RECORD = REPOSITORY / "docs" / "gallery" / "gallery.json"

CLOCKS = {"train": "trained", "evaluate": "evaluated"}


def gallery() -> str:
    """Plugin by plugin what was run, then what was not, and the recipes."""
    kept = record()
    shown = {run["name"]: run for run in kept["runs"]}
    text = [_machines(kept["runs"])]
    for plugin in built_in():
        scenarios = [offer for offer in plugin.offers if isinstance(offer, Scenario)]
        if scenarios:
            text += [f"## {plugin.name}", *_plugin(plugin, scenarios, shown, kept["not_run"])]
    recipes = [(code(name), prose(why)) for name, why in kept["not_run"].items() if name.startswith("configs/")]
    text += ["## Recipes on published datasets", table(("Recipe", "Why it is not run here"), recipes)]
    return "\n\n".join(text)


def record() -> dict[str, Any]:
    """What benchmarks/gallery.py wrote."""
    kept: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return kept


def _machines(runs: Sequence[Mapping[str, Any]]) -> str:
    described = dict.fromkeys(
        f"{machine['processor']}, {machine['cores']} cores of which a run uses {machine['threads']}, no GPU, "
        f"Python {machine['python']}, torch {machine['torch']}"
        for machine in (run["machine"] for run in runs)
    )
    return f"Machine: {prose('; '.join(described))}."


def _plugin(
    plugin: LoadedPlugin, scenarios: list[Scenario], shown: Mapping[str, Any], reasons: Mapping[str, str]
) -> Iterator[str]:
    names = {f"{plugin.name}-{offer.name}": offer for offer in scenarios}
    for name, offer in names.items():
        if name in shown:
            yield from _run(offer, shown[name])
    rest: defaultdict[str, list[str]] = defaultdict(list)
    for name, offer in names.items():
        if name not in shown:
            rest[reasons[name]].append(code(offer.name))
    yield f"### {plugin.name}: not run here"
    yield table(("Why not", "Scenarios"), ((prose(why), ", ".join(several)) for why, several in rest.items()))


def _run(offer: Scenario, run: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {run['plugin']}: {offer.name}"
    yield f"{prose(offer.summary[0].upper() + offer.summary[1:])}."
    yield fenced("\n".join(run["commands"]))
    for medium in run["media"]:
        if medium["kind"] == "sound":
            file = f"../_static/{Path(medium['file']).name}"
            yield f'<audio controls preload="none" src="{file}"></audio>\n\n{prose(medium["shows"].capitalize())}.'
        else:
            yield f"![{prose(run['scenario'])}: {prose(medium['shows'])}]({medium['file']})"
    yield _took(run)
    yield _numbers(run)


def _took(run: Mapping[str, Any]) -> str:
    took = ", ".join(
        f"{word} in {clocks['cpu']:,} s of CPU time ({clocks['wall']:,} s by the clock)"
        for word, clocks in ((CLOCKS[name], run["seconds"][name]) for name in run["seconds"])
    )
    steps = f"{run['steps']:,} steps"
    if run["steps"] != run["own_steps"]:
        steps += f" of the {run['own_steps']:,} that the scenario asks for, for want of time"
    about = f"{steps}, seed {run['seed']}, {run['date']}: {took}."
    data = run["data"]
    return f"{prose(about)} Data: {prose(data['source'])}, {prose(data['licence'])}."


def _numbers(run: Mapping[str, Any]) -> str:
    baselines = list(dict.fromkeys(name for row in run["numbers"] for name in row["baselines"]))
    head = ("Value", "Generated", "95 %", "Floor", *map(prose, baselines))
    rows = [
        (
            f"{code(row['value'])} {'↑' if row['better'] == 'higher' else '↓'}",
            _number(row["generated"]),
            " to ".join(map(_number, row["interval"])) if row["interval"] else "—",
            _number(row["floor"]),
            *(_number(row["baselines"].get(name)) for name in baselines),
        )
        for row in run["numbers"]
    ]
    blocks = f"{run['blocks']} times {run['rows_a_block']:,}" if run["blocks"] > 1 else f"{run['rows_a_block']:,}"
    return f"Of {blocks} generated and as many held-out rows:\n\n{table(head, rows)}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
