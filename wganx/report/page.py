"""Composes the page: every section as plain values, the template draws them, and the policy seals it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from wganx.errors import WganxError
from wganx.report.charts import Chart, StepAxis, draw, figure, step_axis
from wganx.report.evaluation import metrics_table
from wganx.report.health import health_notes
from wganx.report.pictures import embed, spread
from wganx.report.reading import Curve, Run, mapping, number, printable, read_run

MOST_CHARTS = 18
MOST_SETTINGS = 600
ROWS_OF_NUMBERS = 20
REPRODUCE = "wganx train --config config.yaml"
TARGET_NORM = {"gradient-penalty": "target", "lipschitz-penalty": "upper bound"}

ABOUT = {
    "w1_raw": (
        "Distance to the data, as the critic reads it",
        "Wasserstein-1 on the training batches, uncorrected: it holds as far as the critic's slope is near 1.",
    ),
    "w1_corrected": (
        "Distance to the data, as the critic reads it",
        "Wasserstein-1 on the training batches: the raw reading, and corrected for the slope that the constraint "
        "lets the critic gain, which is the one to compare. Held out: the raw reading on samples it never saw.",
    ),
    "score_gap": ("Score gap", "Mean score of real samples less that of generated ones: no distance here."),
    "gradient_norm": ("Gradient norm of the critic", "How steep the critic is where the constraint looks."),
    "gradient_norm_interpolated": (
        "Gradient norm, by place",
        "Mean slope of the critic at real samples, at fakes, and at points between them.",
    ),
    "lipschitz": (
        "Steepest slope found",
        "The largest of these gradient norms: the critic's Lipschitz constant is at least this.",
    ),
    "penalty": ("Penalty", "What the constraint adds to the critic's loss."),
    "critic_loss": ("Critic loss", "The objective alone, without the penalty."),
    "steps_per_second": ("Speed", "Generator updates a second."),
    "lr": ("Learning rate", "As the schedule set it."),
    "generator_loss": ("Generator loss", "Its offset is arbitrary: it says nothing about quality."),
}
TOGETHER = (
    ("w1_raw", "w1_heldout", "w1_corrected"),
    ("score_gap", "score_gap_heldout"),
    ("gradient_norm",),
    ("gradient_norm_real", "gradient_norm_fake", "gradient_norm_interpolated"),
    ("lipschitz",),
    ("penalty",),
    ("critic_loss",),
)
UNDRAWN = "vital/"  # what only the health checks look at
LAST = ("generator_loss", "lr", "steps_per_second")


@dataclass(frozen=True)
class Curves:
    """The curves section: charts, what never changed, the same numbers as a table, and what was left out."""

    axis: StepAxis | None
    charts: tuple[Chart, ...]
    unchanged: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


@dataclass(frozen=True)
class Setting:
    """A resolved setting, and where its value came from if it is no plain default."""

    key: str
    value: str
    origin: str


def write_report(folder: Path) -> Path:
    """Writes ``report.html`` into a run folder, from what lies there, and returns its path.

    The page is one file of at most 8 MB that needs no network; the same folder gives the same bytes. A run that is
    still going, was killed or lacks parts gives a page that says so.

    Raises:
        DataError: `folder` is no run folder.
        WganxError: the page cannot be written there.
    """
    run = read_run(folder)
    target = run.folder / "report.html"
    aside = target.with_name(f"{target.name}.part")
    try:
        aside.write_text(compose(run), encoding="utf-8", newline="\n")
        return aside.replace(target)
    except OSError as error:
        raise WganxError(
            f"cannot write {target}: {error.strerror}; free the place or make the folder writable"
        ) from None


def compose(run: Run) -> str:
    """The page of `run` as HTML."""
    shown = embed(run.previews)
    status = run.facts.get("status")
    style, script = _asset("report.css"), _asset("report.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["figure"] = lambda value: figure(number(value))
    environment.filters["size"] = size_in_words
    template = environment.from_string(_asset("report.html.jinja"))
    # The policy's hashes are of exactly what stands between the tags, so both are inserted as they are.
    return (
        template.render(
            run=run,
            status=status if status in ("finished", "running", "interrupted", "failed") else "unknown",
            kicker=[printable(run.facts[name]) for name in ("plugin", "scenario", "task") if run.facts.get(name)],
            style=Markup(style),
            script=Markup(script),
            policy=policy(style, script),
            headline=headline(run),
            notes=health_notes(run, shown),
            shown=shown,
            milestones={picture.step for picture in spread(shown.pictures, 5)},
            preview_count=number(mapping(run.config.get("preview")).get("count")),
            captions={picture.step: caption(run, picture.step) for picture in shown.pictures},
            curves=draw_curves(run),
            table=None if run.evaluation is None else metrics_table(run.evaluation),
            settings=settings(run),
            command=printable(run.facts.get("command") or ""),
            reproduce=REPRODUCE,
            environment=environment_facts(run),
        )
        + "\n"
    )


def policy(style: str, script: str) -> str:
    """Content security policy that allows this style, this script and embedded pictures, and no request at all."""

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")

    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"script-src 'sha256-{digest(script)}'; style-src 'sha256-{digest(style)}'"
    )


def headline(run: Run) -> list[tuple[str, str]]:
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
    found += [(name.title(), printable(facts[name])) for name in ("seed", "device") if facts.get(name) is not None]
    return found


def caption(run: Run, step: int) -> str:
    """What was read nearest to a picture's step, at most one logging interval away."""
    words = []
    for name, label in (("w1_corrected", "W₁ corrected"), ("w1_raw", "W₁ raw"), ("gradient_norm", "gradient norm")):
        curve = run.curves.get(name)
        if curve is None or len(curve.steps) < 2:
            continue
        nearest = int(np.argmin(np.abs(curve.steps - step)))
        if abs(int(curve.steps[nearest]) - step) <= int(np.diff(curve.steps).max()):
            words.append(f"{label} {figure(float(curve.values[nearest]))}")
    return ", ".join(words)


def draw_curves(run: Run) -> Curves:
    """Charts of all that moved. The raw and the corrected W1 share one; what has one value is told in words."""
    moving: dict[str, Curve] = {}
    unchanged = []
    for name, curve in run.curves.items():
        finite = curve.finite
        if name.startswith(UNDRAWN):
            continue
        if len(finite) and (len(curve.values) == 1 or (len(finite) == len(curve.values) and np.ptp(finite) == 0)):
            unchanged.append((name, figure(float(finite[-1]))))
        elif len(finite):
            moving[name] = curve
    if not moving:
        return Curves(None, (), tuple(unchanged), (), (), 0)
    axis = step_axis(list(moving.values()))
    groups = _grouped(moving)
    charts = tuple(_chart(group, moving, run.config, axis) for group in groups[:MOST_CHARTS])
    columns = tuple(name for group in groups[:MOST_CHARTS] for name in group)
    densest = max((moving[name] for name in columns), key=lambda curve: len(curve.steps))
    rows = tuple(
        (f"{step:,}", *(_at(moving[name], step) for name in columns))
        for step in spread(densest.steps.tolist(), ROWS_OF_NUMBERS)
    )
    return Curves(axis, charts, tuple(unchanged), columns, rows, len(groups) - len(charts))


def settings(run: Run) -> tuple[Setting, ...]:
    """The configuration, one dotted key a row; a section's origin holds for the keys below it."""
    origins = {str(key): printable(origin) for key, origin in mapping(run.facts.get("origins")).items()}

    def origin(key: str) -> str:
        while key:
            if key in origins:
                return origins[key]
            key = key.rpartition(".")[0]
        return ""

    found = islice(_flat(run.config), MOST_SETTINGS)
    return tuple(Setting(printable(key), printable(_shown(value)), origin(key)) for key, value in found)


def environment_facts(run: Run) -> list[tuple[str, str]]:
    """Versions, device, data, plugins and sizes, as pairs of name and text."""
    facts = run.facts
    versions = {"wganx": facts.get("wganx"), **mapping(facts.get("versions"))}
    data = mapping(facts.get("data"))
    found = [(str(name), version) for name, version in versions.items()]
    found += [(name.title(), facts.get(name)) for name in ("device", "precision", "capture", "started")]
    for name, label in (("fingerprint", "fingerprint"), ("train", "train"), ("heldout", "held out"), ("feed", "feed")):
        size = number(data.get(name))
        found.append((f"Data, {label}", data.get(name) if size is None else figure(size)))
    if run.shares:
        parts = sorted(run.shares.items(), key=lambda part: -part[1])
        found.append(("Time spent in", ", ".join(f"{part} {share:.0%}" for part, share in parts)))
    for role, count in mapping(facts.get("parameters")).items():
        found.append((f"Parameters, {role}", figure(number(count))))
    plugins = facts.get("plugins")
    for plugin in plugins if isinstance(plugins, list) else []:
        named = mapping(plugin)
        words = f"{named.get('distribution', '?')} {named.get('version', '?')}, plugin API {named.get('api', '?')}"
        found.append((f"Plugin {named.get('name', '?')}", words))
    return [(printable(name), printable(value)) for name, value in found if value is not None]


def time_in_words(seconds: float) -> str:
    """A duration in its two largest units."""
    total = round(seconds)
    if total < 60:
        return f"{seconds:.3g} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"


def size_in_words(size: int) -> str:
    """Bytes, in kB or MB where they are many."""
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


def _grouped(moving: Mapping[str, Curve]) -> list[tuple[str, ...]]:
    """Names that share a chart, in reading order."""
    placed = {name for group in TOGETHER for name in group} | {*LAST}
    others = [name for name in moving if name not in placed and not name.startswith(UNDRAWN)]
    others.sort(key=lambda name: not name.startswith("evaluate/"))
    groups = [tuple(name for name in group if name in moving) for group in TOGETHER]
    groups += [(name,) for name in [*others, *LAST] if name in moving]
    return [group for group in groups if group]


def _chart(group: tuple[str, ...], moving: Mapping[str, Curve], config: Mapping[str, Any], axis: StepAxis) -> Chart:
    is_w1 = group[0] in TOGETHER[0]
    title, about = ABOUT.get(group[-1], (group[0], ""))
    target = None
    constraint = mapping(config.get("constraint")).get("name")
    if group[0] == "gradient_norm" and constraint in TARGET_NORM:
        target = 1.0
        about += f" Dashed: its {TARGET_NORM[constraint]}, 1."
    lines = [(_line_name(name, group), moving[name]) for name in group]
    return draw(title, about, lines, axis, target=target, wide=is_w1)


def _line_name(name: str, group: tuple[str, ...]) -> str:
    """What a line is called beside its chart's title."""
    shared = {"w1_raw": "raw", "w1_heldout": "held out", "w1_corrected": "corrected", "score_gap_heldout": "held out"}
    return shared.get(name) or (name.rpartition("_")[2] if len(group) > 1 else name.rpartition("/")[2])


def _at(curve: Curve, step: int) -> str:
    place = int(np.searchsorted(curve.steps, step))
    there = place < len(curve.steps) and int(curve.steps[place]) == step
    return figure(float(curve.values[place])) if there else ""


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


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
