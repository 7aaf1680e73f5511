"""The listening page: what a generator makes beside real samples, row by row, for people who listen and need no more.

It is drawn anew from the run's last checkpoint, so that a page can be made of any run whose plugin is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from wganx.batch import Batch, SampleFormat
from wganx.errors import UsageError, WganxError
from wganx.evaluation import heldout_batch
from wganx.plain import named
from wganx.report.media import Media, Medium, embed_media
from wganx.report.pictures import Picture, encode
from wganx.report.reading import read_run
from wganx.report.shell import render
from wganx.report.wording import asked
from wganx.runs import Run
from wganx.runs.looking import draw_preview, write_picture
from wganx.storage import write_whole

ROWS = 12
MOST_ROWS = 32
_POOL = 256
"""Held-out items among which a real sample of the same labels is looked for."""
_SOUNDS, _PICTURES = 5_000_000, 2_400_000
"""Bytes of the page."""


@dataclass(frozen=True)
class Column:
    """A picture and the sounds in it, under a heading."""

    heading: str
    picture: Picture
    sounds: tuple[Medium, ...]


@dataclass(frozen=True)
class Row:
    """A generated sample, by what was asked for, beside what it is to be compared with."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class _Drawn:
    """A column as files: its picture, its sounds, and what each sound is called."""

    heading: str
    picture: Path
    sounds: tuple[Path, ...]
    names: tuple[str, ...]


def write_listening(run: Run, *, count: int = ROWS, seed: int | None = None) -> Path:
    """Writes ``listen.html`` into the folder of `run` and returns its path: one file that needs no network.

    A row is a generated sample beside a real one of the same labels, held out; or, where the game draws its own
    preview, what that shows: source, what it became, and the wanted voice. Where the data is gone, no real ones stand
    beside.

    Args:
        count: rows, at most `MOST_ROWS`.
        seed: of the noise and of the choice of held-out items; the run's own by default.

    Raises:
        UsageError: there is nothing to be heard in the samples of this modality.
        CheckpointError: the run has no checkpoint.
        WganxError: the page cannot be written there.
    """
    seed = run.resolved.run.seed if seed is None else seed
    with TemporaryDirectory(ignore_cleanup_errors=True) as aside:
        rows, left_out = _rows(run, min(count, MOST_ROWS), seed, Path(aside))
    record, target = read_run(run.folder.path), run.folder.listening
    step = run.step_of("last")
    page = render(
        "listening.html.jinja",
        ["player", "sounds", "listening"],
        title=f"{record.name} · listening page",
        name=record.name,
        kicker=named(record.facts, "plugin", "scenario"),
        headline=[("Trained", f"{step:,} steps"), ("Rows", str(len(rows))), ("Seed", str(seed))],
        notice=run.resolved.parts.modality.notice,
        rows=rows,
        left_out=left_out,
    )
    try:
        write_whole(target, page)
    except OSError as error:
        raise WganxError(
            f"cannot write {target}: {error.strerror}; free the place or make the folder writable"
        ) from None
    return target


def _rows(run: Run, count: int, seed: int, aside: Path) -> tuple[list[Row], int]:
    """The rows that fit on the page, and how many do not."""
    sampler = run.sampler()
    samples, batch = run.draw(count, seed=seed)
    drawn = [[_column(run, samples[row : row + 1], _row(batch, row), f"row-{row:02d}", aside)] for row in range(count)]
    # What a game draws itself shows already what a sample is to be compared with.
    if len(batch.real) and all(len(column.sounds) == 1 for (column,) in drawn):
        beside, alike = _alike(run, sampler.context, batch, seed)
        for row, columns in enumerate(drawn):
            real, heading = beside[row : row + 1], "Real, held out" if alike[row] else "Real, held out, of other labels"
            columns.append(_column(run, real.real, real, f"real-{row:02d}", aside, heading))
    media = _embedded(drawn)
    if not media.count:
        modality = run.resolved.parts.modality.name
        raise UsageError(f"there is nothing to be heard in samples of modality {modality!r}; wganx report shows them")
    rows, room = [], _PICTURES
    for number, columns in enumerate(drawn):
        pictures = [encode(None, column.picture) for column in columns]
        room -= sum(len(picture.source) for picture in pictures)
        if room < 0 or number not in media.chosen:
            continue
        sounds = iter(media.chosen[number])
        rows.append(
            Row(
                asked(sampler.context, batch.context, number) or f"Sample {number + 1}",
                tuple(
                    Column(
                        column.heading,
                        picture,
                        tuple(replace(next(sounds), name=name) for name in column.names),
                    )
                    for column, picture in zip(columns, pictures)
                ),
            )
        )
    return rows, count - len(rows)


def _row(batch: Batch, row: int) -> Batch:
    """A single row; of a batch that has no samples of its own, its context."""
    if len(batch.real):
        return batch[row : row + 1]
    return replace(batch, context={name: value[row : row + 1] for name, value in batch.context.items()})


def _embedded(drawn: list[list[_Drawn]]) -> Media:
    """The sounds of each row, by its number."""
    files: dict[int | None, tuple[Path, ...]] = {
        number: tuple(path for column in columns for path in column.sounds) for number, columns in enumerate(drawn)
    }
    return embed_media(files, range(len(drawn)), _SOUNDS)


def _column(run: Run, sample: Tensor, own: Batch, stem: str, aside: Path, real: str = "") -> _Drawn:
    """A sample as the game draws it, or else the modality; a real one, and one without its source, as the modality."""
    parts, game = run.resolved.parts, run.assembly.game
    drawn_by = (parts.task, game) if len(own.real) and not real else None
    preview = draw_preview(parts.modality, sample, own, game.sample, aside, stem, drawn_by)
    names = [path.stem.removeprefix(f"{stem}-0000").strip("-") for path in preview.files]
    picture = write_picture(preview.picture, aside / f"{stem}.png")
    if len(names) > 1:
        return _Drawn("", picture, preview.files, tuple(names))
    return _Drawn(real or "Generated", picture, preview.files, tuple("real" if real else "generated" for _ in names))


def _alike(run: Run, formats: Mapping[str, SampleFormat], batch: Batch, seed: int) -> tuple[Batch, list[bool]]:
    """For every row another held-out item, of the same labels where there is one, and whether there is."""
    game, items = run.assembly.game, run.assembly.heldout_items
    count = min(_POOL, max(len(items), len(batch)))
    pool = heldout_batch(game, items, count, seed=seed, device=run.assembly.device).to("cpu")
    same = torch.zeros(len(batch), count)
    chosen_by = [name for name, format in formats.items() if format.is_label or format.is_text]
    for name in chosen_by:
        wanted, known = (of.context[name].view(len(of), -1) for of in (batch, pool))
        same += (wanted[:, None] == known[None]).all(2)
    chosen: list[int] = []
    for row in same:
        fresh = row.clone()
        fresh[chosen] -= 0.5  # rather one that does not stand there already
        chosen.append(int(fresh.argmax()))
    alike = [bool(row[place] == len(chosen_by)) for row, place in zip(same, chosen)]
    return pool.each(lambda tensor: tensor[torch.tensor(chosen)]), alike
