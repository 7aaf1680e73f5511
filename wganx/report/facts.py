"""What a run's records tell of it in words: what heads the page, its settings, its environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import numpy as np

from wganx.plain import mapping, number, printable
from wganx.report.reading import RunRecord
from wganx.report.wording import figure, time_in_words

MOST_SETTINGS = 600
NAMING = ("plugin", "scenario")  # what a run is of, and no difference from it


@dataclass(frozen=True)
class Setting:
    """A resolved setting, and where its value came from if it is no plain default.

    `kind` is ``own`` where the user chose it, ``scenario`` where the scenario did, else ``default``; `instead` is what
    an own one stands in place of, empty where that is not known.
    """

    key: str
    value: str
    origin: str
    kind: Literal["own", "scenario", "default"]
    instead: str = ""


def headline(run: RunRecord) -> list[tuple[str, str]]:
    """The few facts that head the page, as pairs of name and text."""
    facts = run.facts
    step, steps = number(facts.get("step")), number(facts.get("steps"))
    found = []
    if step is not None:
        of_all = "" if steps in (None, step) else f" of {figure(steps)}"
        found.append(("Steps", figure(step) + of_all))
    seconds = number(facts.get("seconds"))
    if seconds is not None:
        found.append(("Time", time_in_words(seconds)))
    speed = run.curves.get("steps_per_second")
    if speed is not None and len(speed.finite):
        found.append(("Speed", f"{figure(float(np.median(speed.finite)))} steps/s"))
    for name in ("w1_corrected", "w1_raw"):
        if name in run.curves and len(run.curves[name].finite):
            found.append((f"W₁ {name[3:]}, last", figure(float(run.curves[name].finite[-1]))))
            break
    if (distance := run.curves.get("distance")) is not None and len(distance.finite):
        found.append(("Distance, last", figure(float(distance.finite[-1]))))
    found += [(name.title(), printable(facts[name])) for name in ("seed", "device") if facts.get(name) is not None]
    return found


def settings(run: RunRecord) -> tuple[Setting, ...]:
    """The configuration, one dotted key a row; a section's origin holds for the keys below it."""
    origins = {str(key): printable(origin) for key, origin in mapping(run.facts.get("origins")).items()}

    def origin(key: str) -> str:
        while key:
            if key in origins:
                return origins[key]
            key = key.rpartition(".")[0]
        return ""

    known, instead = run.facts.get("instead") is not None, mapping(run.facts.get("instead"))

    def differs(key: str) -> bool:
        """Of a part that the scenario has not, every option does; a whole ``--config`` names what is as it was, too."""
        return not known or key in instead or f"{key.partition('.')[0]}.name" in instead

    found = []
    for key, value in islice(_flat(run.config), MOST_SETTINGS):
        source, shown = origin(key), printable(_shown(value))
        other = printable(_shown(instead[key])) if key in instead else ""
        # What was chosen to be what it is anyway is no difference.
        is_own = source and not source.startswith("scenario ") and key not in NAMING and other != shown and differs(key)
        kind: Literal["own", "scenario", "default"] = "own" if is_own else "scenario" if source else "default"
        found.append(Setting(printable(key), shown, source, kind, other if is_own else ""))
    return tuple(sorted(found, key=lambda setting: setting.kind != "own"))


def environment_facts(run: RunRecord) -> list[tuple[str, str]]:
    """Versions, device, data, plugins and sizes, as pairs of name and text."""
    facts = run.facts
    versions = {"wganx": facts.get("wganx"), "Commit": facts.get("commit"), **mapping(facts.get("versions"))}
    data = mapping(facts.get("data"))
    found = [(str(name), version) for name, version in versions.items()]
    done = mapping(facts.get("done"))
    found += [(name.title(), facts.get(name)) for name in ("device", "precision")]
    found.append(("Steps", steps_in_words(done)) if done else ("Capture", facts.get("capture")))
    found.append(("Started", facts.get("started")))
    for name, label in (("fingerprint", "fingerprint"), ("train", "train"), ("heldout", "held out"), ("feed", "feed")):
        size = number(data.get(name))
        found.append((f"Data, {label}", data.get(name) if size is None else figure(size)))
    spent = {str(name): number(share) for name, share in mapping(facts.get("spent")).items()}
    shares = {name: share for name, share in spent.items() if share is not None} or run.shares
    if shares:
        parts = sorted(shares.items(), key=lambda part: -part[1])
        found.append(("Time spent in", ", ".join(f"{part} {share:.0%}" for part, share in parts)))
    for role, count in mapping(facts.get("parameters")).items():
        found.append((f"Parameters, {role}", figure(number(count))))
    plugins = facts.get("plugins")
    for plugin in plugins if isinstance(plugins, list) else []:
        named = mapping(plugin)
        words = f"{named.get('distribution', '?')} {named.get('version', '?')}, plugin API {named.get('api', '?')}"
        found.append((f"Plugin {named.get('name', '?')}", words))
    return [(printable(name), printable(value)) for name, value in found if value is not None]


def steps_in_words(done: Mapping[str, Any]) -> str:
    """How the steps were carried out: as they were meant to be, what became of that, and the parts of a batch."""
    words = printable(done.get("capture") or "as planned")
    fallbacks = mapping(done.get("fallbacks")).items()
    if fallbacks:
        kinds = (
            f"the {printable(kind)}'s run one operation after another ({printable(why)})" for kind, why in fallbacks
        )
        words += f", but {' and '.join(kinds)}"
    size = number(done.get("micro_batch"))
    return words if size is None else f"{words}; batches in parts of {figure(size)}"


def _flat(section: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value and depth < 8:
            yield from _flat(value, f"{key}.", depth + 1)
        else:
            yield key, value


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # a YAML anchor that holds itself
        return "…"
