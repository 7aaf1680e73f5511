"""Composes the page of a run: every section as plain values, which the template draws."""

from __future__ import annotations

from pathlib import Path

from wganx.errors import WganxError
from wganx.plain import mapping, named, number, printable
from wganx.report.card import model_card
from wganx.report.curves import draw_curves
from wganx.report.evaluation import metrics_table
from wganx.report.facts import environment_facts, headline, settings
from wganx.report.media import MOST_FILES, embed_media
from wganx.report.notes import run_notes
from wganx.report.pictures import embed
from wganx.report.quality import draw_quality
from wganx.report.reading import RunRecord, read_run
from wganx.report.samples import draw_neighbours, draw_sliders, draw_slides, draw_walk, steps_to_show
from wganx.report.shell import Part, render
from wganx.storage import write_whole

EMBEDDED = 5_000_000
"""Bytes of the pictures, sounds and clips of all steps: of the page's 8 MB, the walk and the nearest training samples
have up to 1.6 more, the rest is for curves, tables and text."""
REPRODUCE = "wganx train --config config.yaml"


def write_report(folder: Path) -> Path:
    """Writes ``report.html`` into a run folder, from what lies there, and returns its path; ``MODEL_CARD.md`` as well.

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
        write_whole(run.folder / "MODEL_CARD.md", model_card(run))
    except OSError as error:
        raise WganxError(
            f"cannot write {target}: {error.strerror}; free the place or make the folder writable"
        ) from None
    return target


def compose(run: RunRecord) -> str:
    """The page of `run` as HTML."""
    shown = embed(run.previews, real=run.real_picture)
    media = embed_media(run.media, steps_to_show(run, shown), EMBEDDED - shown.size)
    walk, (neighbours, unread) = draw_walk(run), draw_neighbours(run)
    sliders, unread_sliders = draw_sliders(run)
    players = [media] if walk is None else [media, walk.media]
    status = run.facts.get("status")
    parts: list[Part] = ["player", "charts"]
    parts += ["sounds"] if any(each.plays("audio") for each in players) else []
    parts += ["clips"] if any(each.plays("strip", "video") for each in players) else []
    return render(
        "run.html.jinja",
        parts,
        title=f"{run.name} · wganx run",
        run=run,
        status=status if status in ("finished", "running", "interrupted", "failed") else "unknown",
        kicker=named(run.facts, "plugin", "scenario", "task"),
        headline=headline(run),
        notice=printable(run.facts.get("notice") or ""),
        notes=run_notes(run, shown.unreadable + media.unreadable + unread + unread_sliders),
        shown=shown,
        media=media,
        real_media=media.chosen.get(None, ()),
        has_real=shown.real is not None or None in media.chosen,
        most_files=MOST_FILES,
        slides=draw_slides(run, shown, media),
        preview_count=number(mapping(run.config.get("preview")).get("count")),
        walk=walk,
        sliders=sliders,
        neighbours=neighbours,
        curves=draw_curves(run),
        table=None if run.evaluation is None else metrics_table(run.evaluation),
        quality=draw_quality(run.evaluations),
        settings=settings(run),
        scenario=printable(run.facts.get("scenario") or ""),
        fingerprint=printable(mapping(run.facts.get("data")).get("fingerprint") or ""),
        command=printable(run.facts.get("command") or ""),
        reproduce=REPRODUCE,
        environment=environment_facts(run),
    )
