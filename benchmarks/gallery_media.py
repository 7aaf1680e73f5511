"""What a run made, small enough for a page: its last preview, a few sounds one after another, two clips."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from gallery_runs import Made
from numpy.typing import NDArray
from PIL import Image

WIDEST = 960
"""Pixels; a wider preview is cut at its right, so that what is left is seen as it was made."""
TALLEST = 720
PAUSE = 0.25
"""Seconds between two sounds."""
HEARD, CLIPS = 6, 2


@dataclass(frozen=True)
class Medium:
    """A file beside the page: ``picture``, ``sound`` or ``clip``, and what it shows."""

    kind: str
    file: str
    shows: str

    def facts(self) -> dict[str, str]:
        return asdict(self)


def media(made: Made, page: Path) -> list[Medium]:
    """Copies what is shown of a finished run into the folder of the page."""
    samples, stem = made.folder / "samples", f"step-{made.read('run.json')['step']:06d}"
    shown = [_picture(samples / f"{stem}.png", page, made)]
    if sounds := sorted(samples.glob(f"{stem}-*.wav")):
        shown.append(_sounds(sounds, page, made))
    return shown + _clips(sorted(samples.glob(f"{stem}-*.webp")), page, made)


def _picture(source: Path, page: Path, made: Made) -> Medium:
    """The preview as WebP: without loss where that is small, as drawn sheets are."""
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    picture = picture.crop((0, 0, min(picture.width, WIDEST), _between_rows(picture)))
    target = page / f"{made.entry.name}.webp"
    picture.save(target, lossless=True, method=6)
    if target.stat().st_size > 120_000:
        picture.save(target, quality=85, method=6)
    return Medium("picture", target.name, PREVIEWS[made.entry.plugin])


def _between_rows(picture: Image.Image) -> int:
    """The height up to which it is shown: of a sheet that is too tall, whole rows of samples, which a line parts."""
    if picture.height <= TALLEST:
        return picture.height
    for below in range(TALLEST, TALLEST // 2, -1):
        if len(picture.crop((0, below - 1, picture.width, below)).getcolors() or ()) == 1:
            return below
    return TALLEST


def _sounds(files: list[Path], page: Path, made: Made) -> Medium:
    """Some sounds one after another, without loss; of a conversion each before what became of it."""
    pairs = [path for path in files if not path.stem.endswith("-real")]
    waves, rate = [], 0
    for path in sorted(pairs, key=_source_first)[:HEARD]:
        wave, rate = soundfile.read(path, dtype="int16")
        waves += [wave, np.zeros(round(PAUSE * rate), np.int16)]
    target = page / "heard" / f"{made.entry.name}.flac"
    target.parent.mkdir(exist_ok=True)
    joined: NDArray[np.int16] = np.concatenate(waves[:-1])
    soundfile.write(target, joined, rate)
    converted = any(path.stem.endswith("-converted") for path in pairs)
    return Medium("sound", f"heard/{target.name}", "source, then converted, three times" if converted else "six sounds")


def _source_first(path: Path) -> tuple[str, bool]:
    stem = path.stem.removesuffix("-source").removesuffix("-converted")
    return stem, path.stem.endswith("-converted")


def _clips(files: list[Path], page: Path, made: Made) -> list[Medium]:
    shown = []
    for number, path in enumerate(files[:CLIPS]):
        target = page / f"{made.entry.name}-{number}.webp"
        shutil.copyfile(path, target)
        shown.append(Medium("clip", target.name, "given or truth, made, and their difference, in motion"))
    return shown


PREVIEWS = {
    "points": "held-out points, and generated ones on them",
    "image": "samples of the averaged generator",
    "audio": "spectrograms of samples",
    "video": "a line each: what was given, the truth, what was made, their difference",
}
