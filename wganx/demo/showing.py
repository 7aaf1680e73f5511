"""What was made, as a piece of the page: pictures, sounds and clips, under one slider where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageOps

from wganx.demo.making import Made, Stop
from wganx.demo.offers import Offer
from wganx.report.media import Media, Medium, embed_media
from wganx.report.pictures import UNREADABLE_PICTURE, Picture, encode
from wganx.report.samples import Frame
from wganx.report.shell import render, render_part
from wganx.report.wording import size_in_words

HOME = "wganx.demo"
_SHOWN = 12_000_000
"""Bytes of sounds and clips that are shown at once; larger ones are there to be taken away."""
_WIDEST = 1_120
"""Pixels of a picture that is shown; it is taken away in its own size."""


def draw_page(offer: Offer, facts: Sequence[tuple[str, str]], **values: object) -> str:
    """The whole page, before anything is asked for."""
    return render(
        "demo.html.jinja", ["player", "sounds", "clips", "demo"], home=HOME, offer=offer, headline=facts, **values
    )


def draw_made(made: Made, token: str, seconds: float) -> str:
    """What came of a wish, for a page that is open."""
    frames, media = _frames(made.stops) if made.sent is None else _sent(*made.sent)
    return render_part(
        "made.html.jinja",
        home=HOME,
        made=made,
        frames=frames,
        clips=media.plays("strip", "video"),
        beside=made.sent is not None,
        left_out=_left_out(media),
        size=size_in_words(made.download.stat().st_size),
        link=f"jobs/{token}/file",
        seconds=f"{seconds:.1f}",
    )


def _frames(stops: Sequence[Stop]) -> tuple[list[Frame], Media]:
    media = embed_media({at: stop.files for at, stop in enumerate(stops)}, range(len(stops)), _SHOWN)
    frames = [
        Frame(
            label=stop.label or "all",
            caption=stop.label,
            picture=encode(at, stop.picture),
            media=tuple(_named(one, stop.names) for one in media.chosen.get(at, ())),
            milestone=False,
        )
        for at, stop in enumerate(stops)
    ]
    return frames, media


def _sent(source: Path, made: Path) -> tuple[list[Frame], Media]:
    """A visitor's file beside what was made of it."""
    media = embed_media({0: [source], 1: [made]}, [0, 1], _SHOWN)
    frames = []
    for at, (path, caption) in enumerate(((source, "Source"), (made, "Made of it"))):
        own = tuple(replace(one, name=caption.lower()) for one in media.chosen.get(at, ()))
        picture = None if own else _picture(path)
        frames.append(Frame(caption, caption, picture, own, milestone=False))
    return frames, media


def _picture(path: Path) -> Picture | None:
    """A picture as it is seen, turned as it says itself; None for what is no picture here."""
    small = path.with_name(f"{path.name}.shown.png")
    try:
        with Image.open(path) as opened:
            seen = ImageOps.exif_transpose(opened)
            seen.thumbnail((_WIDEST, _WIDEST))
            seen.convert("RGBA" if "A" in seen.getbands() else "RGB").save(small)
        return encode(None, small)
    except UNREADABLE_PICTURE:
        return None
    finally:
        small.unlink(missing_ok=True)


def _named(one: Medium, names: Sequence[str]) -> Medium:
    """A sound or clip, called by what it was asked to be, too."""
    number = one.name.removeprefix("sample ").partition(",")[0]
    row = int(number) - 1 if number.isdecimal() else len(names)
    said = names[row] if 0 <= row < len(names) else ""
    return replace(one, name=f"{one.name}, {said}") if said else one


def _left_out(media: Media) -> int:
    return media.available - media.count
