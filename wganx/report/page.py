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
from wganx.report.charts import figure
from wganx.report.curves import draw_curves
from wganx.report.evaluation import metrics_table
from wganx.report.media import MOST_FILES, Media, Medium, embed_media
from wganx.report.notes import run_notes
from wganx.report.pictures import Picture, Shown, embed, spread
from wganx.report.reading import RunRecord, mapping, number, printable, read_run
from wganx.storage import write_whole

EMBEDDED = 6_000_000
"""Bytes of pictures, sounds and clips together: of the page's 8 MB, the rest is for curves, tables and text."""
MOST_SETTINGS = 600
REPRODUCE = "wganx train --config config.yaml"


@dataclass(frozen=True)
class Setting:
    """A resolved setting, and where its value came from if it is no plain default."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True)
class Slide:
    """What the player shows of a step: its picture, its sounds and clips, and how many more of them lie in samples/."""

    step: int
    picture: Picture | None
    media: tuple[Medium, ...]
    left_out: int
    caption: str


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
    try:
        write_whole(target, compose(run))
    except OSError as error:
        raise WganxError(
            f"cannot write {target}: {error.strerror}; free the place or make the folder writable"
        ) from None
    return target


def compose(run: RunRecord) -> str:
    """The page of `run` as HTML."""
    shown = embed(run.previews, real=run.real_picture)
    media = embed_media(run.media, _steps_to_show(run, shown), EMBEDDED - shown.size)
    slides = draw_slides(run, shown, media)
    status = run.facts.get("status")
    style, script = _asset("report.css"), _asset("report.js")
    has_real = shown.real is not None or None in media.chosen
    paired = has_real or media.count > 0
    if paired:
        style += _asset("beside.css")
    if media.count:
        script += _asset("players.js")
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
            policy=policy(style, script, plays=media.count > 0),
            headline=headline(run),
            notes=run_notes(run, shown.unreadable + media.unreadable),
            shown=shown,
            media=media,
            real_media=media.chosen.get(None, ()),
            has_real=has_real,
            paired=paired,
            has_clips=any(one.player == "video" for some in media.chosen.values() for one in some),
            most_files=MOST_FILES,
            slides=slides,
            milestones={slide.step for slide in spread(slides, 5)},
            preview_count=number(mapping(run.config.get("preview")).get("count")),
            curves=draw_curves(run),
            table=None if run.evaluation is None else metrics_table(run.evaluation),
            settings=settings(run),
            command=printable(run.facts.get("command") or ""),
            reproduce=REPRODUCE,
            environment=environment_facts(run),
        )
        + "\n"
    )


def policy(style: str, script: str, *, plays: bool) -> str:
    """Content security policy that allows this style, this script and embedded pictures, and no request at all.

    Where the page `plays`, sounds and clips that are embedded as well.
    """

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")

    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"{'media-src data:; ' if plays else ''}"
        f"script-src 'sha256-{digest(script)}'; style-src 'sha256-{digest(style)}'"
    )


def draw_slides(run: RunRecord, shown: Shown, media: Media) -> tuple[Slide, ...]:
    """The steps with a picture, or with sounds or clips that have none."""
    pictures = {picture.step: picture for picture in shown.pictures}
    steps = sorted({step for step in (*pictures, *media.chosen) if step is not None})
    return tuple(
        Slide(
            step=step,
            picture=pictures.get(step),
            media=media.chosen.get(step, ()),
            left_out=media.left_out.get(step, 0),
            caption=caption(run, step),
        )
        for step in steps
    )


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
    found += [(name.title(), printable(facts[name])) for name in ("seed", "device") if facts.get(name) is not None]
    return found


def caption(run: RunRecord, step: int) -> str:
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


def settings(run: RunRecord) -> tuple[Setting, ...]:
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


def environment_facts(run: RunRecord) -> list[tuple[str, str]]:
    """Versions, device, data, plugins and sizes, as pairs of name and text."""
    facts = run.facts
    versions = {"wganx": facts.get("wganx"), **mapping(facts.get("versions"))}
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


def _steps_to_show(run: RunRecord, shown: Shown) -> list[int]:
    """Steps whose sounds and clips have a place on the page: beside a shown picture, where they have none, the last."""
    placed = {picture.step for picture in shown.pictures}
    without = {step for step, _ in run.previews} - placed
    steps = sorted(step for step in run.media if step is not None)
    return [step for step in steps if step not in without or step == steps[-1]]


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
