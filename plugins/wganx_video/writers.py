"""How people look at films: single files, and past, truth, made frames and their difference beside each other."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from wganx import Batch, MissingExtra, Preview, SampleFormat
from wganx_video.strips import Panel, Pixels, Row, difference, draw_clip, draw_sheet, visible
from wganx_video.timeline import Timeline, timeline_of
from wganx_video.video.writing import write_video

MOVING = 6
"""Clips that lie beside a preview; its picture shows all samples."""
MOST_COLUMNS = 10
"""Frames of a row on a sheet, evenly spread where a film has more."""
_USUAL_RATE = 10.0
_SHORTEST_MS = 100
"""How long a frame of a preview is seen at least: real films of 10 frames are over before they are looked at."""
_OPAQUE, _MOST_CHANNELS = (1, 3), 4
"""Channels of films without alpha, which H.264 has none of; and the most that any film has."""


def write_clips(batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    """A film a sample, ``folder/stem-0000.mp4`` by PyAV, or without it an animated ``.webp`` of the same frames.

    Films with alpha are ``.webp`` as well, a single frame is a ``.png``, and frames of more than 4 channels, which no
    film holds, are written as numbers: ``.npy``.
    """
    rate = format.rate_hz or _USUAL_RATE
    films = (_unit(batch.real, format) * 255).round().to(torch.uint8)
    return [_write(film, rate, folder / f"{stem}-{index:04d}") for index, film in enumerate(films)]


def preview_clips(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Preview:
    """A sheet of all samples, and clips of the first 6 side by side, ``folder/stem-0000.webp``.

    The rows of the sheet are what was given, the truth, what was made, and the difference of these; the clips show the
    last three in motion, and the given frames before, or between them. Real films are shown alone.
    """
    made = _unit(samples, format)
    shown = [_Shown.of(made, reference, format, row) for row in range(len(made))]
    picture = draw_sheet([each.rows() for each in shown], differs=any(each.differs for each in shown))
    duration = max(round(1000 / (format.rate_hz or _USUAL_RATE)), _SHORTEST_MS)
    files = []
    for index, each in enumerate(shown[:MOVING]):
        panels, moments = each.panels()
        if len(moments) > 1:
            path = folder / f"{stem}-{index:04d}.webp"
            path.write_bytes(_animated(draw_clip(panels, moments), duration))
            files.append(path)
    return Preview(picture, tuple(files))


class _Shown:
    """One sample, its truth where there is one, and what it was made of; frames ``(T, C, H, W)`` in [0, 1]."""

    def __init__(self, line: Timeline, made: Tensor, true: Tensor | None) -> None:
        self.line = line
        self.given = [] if line.given is None else visible(line.given[0])
        self.made = visible(made)
        self.differs = true is not None and not torch.equal(made, true)
        # A real film is its own truth: there is nothing to be compared.
        self.true = visible(true) if true is not None and self.differs else None
        self.difference = difference(made, true) if true is not None and self.differs else None

    @classmethod
    def of(cls, made: Tensor, reference: Batch, format: SampleFormat, row: int) -> _Shown:
        here = slice(row, row + 1)
        context = {name: rows[here] for name, rows in reference.context.items() if len(rows) > row}
        true = _unit(reference.real[here], format) if reference.real.shape == made.shape else None
        line = timeline_of(Batch(made[here], context), format, made.shape[1])
        return cls(line, made[row], None if true is None else true[0])

    def rows(self) -> list[Row]:
        """What was given, the truth, what was made, and the difference."""
        line = self.line
        apart = bool(line.given_at) and max(line.given_at) < min(line.made_at)
        if apart or line.small or not self.given:  # each from the left on
            given, made = ({place: column for column, place in enumerate(at)} for at in (line.given_at, line.made_at))
        else:
            given = made = {place: column for column, place in enumerate(line.places)}
        tracks: list[tuple[str, Sequence[Pixels] | None, Sequence[int], dict[int, int]]] = [
            (self._given_name, self.given or None, line.given_at, given),
            ("truth", self.true, line.made_at, made),
            (self._made_name, self.made, line.made_at, made),
            ("difference", self.difference, line.made_at, made),
        ]
        rows: list[Row] = []
        numbered: dict[int, int] | None = None
        for name, frames, at, columns in tracks:
            if frames is None:
                continue
            chosen = _spread(sorted(columns.values()))
            by_column = {chosen.index(columns[p]): f for p, f in zip(at, frames) if columns[p] in chosen}
            told = {chosen.index(c): str(p + 1) for p, c in columns.items() if c in chosen}
            rows.append(Row(name, by_column, told if columns != numbered else None))
            numbered = columns
        return rows

    def panels(self) -> tuple[list[Panel], list[str]]:
        """What moves beside each other, and the name of every moment."""
        line = self.line
        places = line.places
        given = dict(zip(line.given_at, self.given))
        is_made = line.is_made()

        def moving(name: str, frames: Sequence[Pixels], made: bool, *, between: bool = True) -> Panel:
            own = dict(zip(line.made_at, frames))
            others = {} if line.small or not between else given
            return Panel(name, [own.get(p, others.get(p)) for p in places], [made and here for here in is_made])

        panels = []
        if line.small:
            panels.append(Panel(self._given_name, [given.get(place) for place in places], [False] * len(places)))
        if self.true is not None and self.difference is not None:
            panels.append(moving("truth", self.true, False))
            panels.append(moving(self._made_name, self.made, True))
            panels.append(moving("difference", self.difference, False, between=False))
        else:
            panels.append(moving(self._made_name, self.made, False))
        return panels, [f"frame {place + 1}{self._kind(here)}" for place, here in zip(places, is_made)]

    def _kind(self, made: bool) -> str:
        """What is said of a frame beside its number."""
        if not self.given or self.line.small or (made and not self.differs):
            return ""
        return ", made" if made else f", {self._given_name}"

    @property
    def _given_name(self) -> str:
        if self.line.small:
            return "low"
        return "past" if self.line.given_at and max(self.line.given_at) < min(self.line.made_at) else "given"

    @property
    def _made_name(self) -> str:
        return "generated" if self.differs else "film"


def _unit(samples: Tensor, format: SampleFormat) -> Tensor:
    low, high = format.value_range or (0.0, 1.0)
    return torch.nan_to_num((samples.detach().float().cpu() - low) / (high - low)).clamp(0, 1)


def _spread(columns: Sequence[int]) -> list[int]:
    """At most `MOST_COLUMNS` of them, the first and the last among them."""
    if len(columns) <= MOST_COLUMNS:
        return list(columns)
    return [columns[round(index * (len(columns) - 1) / (MOST_COLUMNS - 1))] for index in range(MOST_COLUMNS)]


def _animated(pictures: Sequence[Image.Image], milliseconds: int) -> bytes:
    """WebP without loss: what is looked at for its pixels must not be spoilt by their compression."""
    content = io.BytesIO()
    pictures[0].save(
        content, "WEBP", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0, lossless=True,
        quality=40, method=2,
    )  # fmt: skip
    return content.getvalue()


def _write(film_TCHW: Tensor, rate: float, path: Path) -> Path:
    frames, channels = film_TCHW.shape[:2]
    if channels > _MOST_CHANNELS:
        return write_video(path.with_name(f"{path.name}.npy"), film_TCHW, rate)
    if frames == 1:
        return write_video(path.with_name(f"{path.name}.png"), film_TCHW, rate)
    if channels in _OPAQUE:
        with suppress(MissingExtra):
            return write_video(path.with_name(f"{path.name}.mp4"), film_TCHW, rate)
    return write_video(path.with_name(f"{path.name}.webp"), film_TCHW, rate)
